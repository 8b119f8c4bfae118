"""Settings from environment variables. Only a domain's `settings.py` passes the real environment in."""

from collections.abc import Mapping


class SettingsError(Exception):
    """Variables that are missing or unusable, all of them in one message."""


class Environment:
    """Reads variables and collects what is wrong with them; `check()` raises for all at once."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self._problems: list[str] = []

    def text(self, name: str, default: str | None = None) -> str:
        value = self._variables.get(name) or default
        if value is None:
            self._problems.append(f"{name} is not set")
            return ""
        return value

    def optional(self, name: str) -> str | None:
        """An empty variable counts as absent, as the SDKs have it."""
        return self._variables.get(name) or None

    def port(self, name: str, default: int) -> int:
        value = self._variables.get(name) or str(default)
        if not value.isascii() or not value.isdigit() or not 0 < int(value) < 65536:
            self._problems.append(f'{name} is "{value}" (a port is a number from 1 to 65535)')
            return default
        return int(value)

    def check(self) -> None:
        if self._problems:
            raise SettingsError("; ".join(self._problems))
