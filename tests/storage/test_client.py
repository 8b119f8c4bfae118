"""The short way of confirmations past nats-py's queue and task."""

import pytest

from harness.storage.client import ShortClient

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("subscription", "headers", "taken"),
    [
        pytest.param(7, b"", [(b"inbox.1", b"{}")], id="without headers: straight to the taker"),
        pytest.param(7, b"NATS/1.0 503\r\n\r\n", [], id="with headers: the library's way"),
        pytest.param(8, b"", [], id="another subscription: the library's way"),
    ],
)
async def test_who_takes_a_message(subscription: int, headers: bytes, taken: list[tuple[bytes, bytes]]) -> None:
    client = ShortClient()
    found: list[tuple[bytes, bytes]] = []
    client.take(7, lambda subject, data: found.append((subject, data)))
    await client._process_msg(subscription, b"inbox.1", b"", b"{}", headers)
    assert found == taken
