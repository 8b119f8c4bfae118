"""Settings of the domain stock."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from kit.environment import Environment


@dataclass(frozen=True, slots=True)
class Settings:
    """`endpoint_url` None means AWS itself. The SDK reads its own variables for credentials."""

    host: str
    port: int
    database_url: str
    event_bus_arn: str
    region: str
    endpoint_url: str | None

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> Self:
        """Raises `SettingsError` naming every variable that is missing or unusable."""
        environment = Environment(variables)
        settings = cls(
            host=environment.text("HOST", "0.0.0.0"),
            port=environment.port("PORT", 8080),
            database_url=environment.text("DATABASE_URL"),
            event_bus_arn=environment.text("EVENT_BUS_ARN"),
            region=environment.text("AWS_REGION"),
            endpoint_url=environment.optional("AWS_ENDPOINT_URL"),
        )
        environment.check()
        return settings
