"""What a caller who has proved nothing can make a record hold."""

import orjson
import pytest

from harness.access import Authority
from harness.audit.record import Scribe
from harness.audit.recorder import MOST_SERVICE_BYTES, Seen
from harness.wire import HttpRequest, HttpResponse
from tests.access.landscape import NOON, WORKBENCH, a_directory, a_sealer

ENTRIES = b'{"Entries":[%b]}' % b",".join([b"{}"] * (MOST_SERVICE_BYTES // 3 - 10))
LONG = orjson.dumps({"Entries": [{"Source": "x" * 200_000, "DetailType": {"a": ["x" * 1000] * 40}}]})


@pytest.mark.parametrize(
    ("service", "body"),
    [
        pytest.param("events", ENTRIES, id="many entries"),
        pytest.param("events", LONG, id="long and wrong members"),
        pytest.param("sts", b"Action=AssumeRole&" + b"RoleArn=%ff&" * 20_000, id="many fields"),
        pytest.param("sts", b"Action=AssumeRole&RoleArn=" + b"x" * 200_000, id="a long field"),
        pytest.param("sts", b"Action=" + b"x" * 200_000, id="a long operation"),
    ],
)
def test_a_record_is_small_whatever_was_sent(service: str, body: bytes) -> None:
    scribe = Scribe(Authority(a_directory(), a_sealer(), clock=lambda: NOON), a_sealer(), {})
    request = HttpRequest("POST", b"/", b"", [(b"user-agent", b"\xff" * 9000)], body, "id", "10.0.0.7")
    answer = HttpResponse(400, [], b'{"__type":"MissingAuthenticationTokenException"}')
    (line,) = scribe.lines([Seen(NOON, request, WORKBENCH, "", "POST", 400, None, service, answer, ())])
    assert len(line) < 65_536
