"""Settings: everything that is wrong, in one message."""

import pytest

from kit.environment import SettingsError
from orders.settings import Settings

COMPLETE = {
    "DATABASE_URL": "postgresql://orders@127.0.0.1/orders",
    "EVENT_BUS_ARN": "arn:aws:events:eu-west-1:999999999999:event-bus/enterprise",
    "STOCK_API_URL": "http://127.0.0.1:4570",
    "AWS_REGION": "eu-west-1",
}


def test_what_has_a_default_may_be_left_out() -> None:
    settings = Settings.read(COMPLETE)
    assert (settings.host, settings.port, settings.endpoint_url) == ("0.0.0.0", 8080, None)


def test_every_missing_variable_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.read({"AWS_REGION": "eu-west-1", "PORT": "http"})
    for name in ("DATABASE_URL", "EVENT_BUS_ARN", "STOCK_API_URL", "PORT"):
        assert name in str(caught.value)


@pytest.mark.parametrize("port", ["0", "65536", "-1", "8080 ", "eighty", "٨٠"])
def test_a_port_is_a_number_from_1_to_65535(port: str) -> None:
    with pytest.raises(SettingsError, match="PORT"):
        Settings.read(COMPLETE | {"PORT": port})
