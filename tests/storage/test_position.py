"""Where a message stands, in both forms of the subject on which it is settled."""

from datetime import UTC, datetime

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from harness.storage.position import position

COUNTS = "3.41.17.1700000000500000000.9"


@pytest.mark.parametrize(
    "subject",
    [
        pytest.param(f"$JS.ACK.BUS_x.matching.{COUNTS}", id="first version"),
        pytest.param(f"$JS.ACK.hub.Ak3.BUS_x.matching.{COUNTS}", id="second version"),
        pytest.param(f"$JS.ACK.hub.Ak3.BUS_x.matching.{COUNTS}.token", id="second version, a token behind it"),
    ],
)
def test_a_message_says_where_it_stands(subject: str) -> None:
    at = position(Msg(Client(), reply=subject))
    assert (at.attempt, at.stream, at.consumer) == (3, 41, 17)
    assert at.stored == datetime.fromtimestamp(1_700_000_000.5, UTC)
