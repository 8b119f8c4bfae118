"""A second request like the first takes a shorter way to the same answer, whatever is changed about it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from harness.access import Authority, Caller
from harness.sigv4 import Fault
from harness.wire import HttpRequest
from tests.access.landscape import NOON, ORDERS, a_directory, a_role, a_sealer, a_session, allow, signed

ROLE = a_role(ORDERS, "orders", allow("execute-api:Invoke"))
DIRECTORY = a_directory(ROLE)
CREDENTIALS = a_sealer().issue(a_session(ROLE, seconds=900))
OTHERS = a_sealer().issue(a_session(ROLE, "another", seconds=900))
HEADERS = [(b"x-own", b"1"), (b"x%b", b"100%")]


def a_call(**what: Any) -> HttpRequest:
    asked: dict[str, Any] = {"path": b"/v2/orders", "query": b"a=1", "headers": HEADERS, **what}
    return signed(CREDENTIALS, **asked)


def with_header(call: HttpRequest, name: bytes, change: Callable[[bytes], bytes]) -> HttpRequest:
    return replace(call, headers=[(key, change(value) if key == name else value) for key, value in call.headers])


def without(call: HttpRequest, name: bytes) -> HttpRequest:
    return replace(call, headers=[header for header in call.headers if header[0] != name])


FIRST = a_call()
CALLS = {
    "the same": FIRST,
    "another path": a_call(path=b"/v2/orders/%2e/17"),
    "another query": a_call(query=b"b=%20&a"),
    "another method": a_call(method="DELETE"),
    "a body": a_call(body=b"abc"),
    "another value": a_call(headers=[(b"x-own", b"  2   3 "), (b"x%b", b"%d")]),
    "other headers": a_call(headers=[]),
    "a plus in the query": a_call(query=b"a=1+1"),
    "another session": signed(OTHERS, path=b"/v2/orders", query=b"a=1", headers=HEADERS),
    "the path changed": replace(FIRST, raw_path=b"/v2/orders/17"),
    "the query changed": replace(FIRST, raw_query=b"a=2"),
    "the method changed": replace(FIRST, method="DELETE"),
    "a body added": replace(FIRST, body=b"x"),
    "a signed value changed": with_header(FIRST, b"x-own", lambda _: b"2"),
    "white space in a signed value": with_header(FIRST, b"x-own", lambda value: b" \t" + value),
    "the host changed": with_header(FIRST, b"host", lambda _: b"evil"),
    "a signed header removed": without(FIRST, b"x-own"),
    "the date removed": without(FIRST, b"x-amz-date"),
    "the token removed": without(FIRST, b"x-amz-security-token"),
    "another's token": with_header(FIRST, b"x-amz-security-token", lambda _: OTHERS.session_token.encode()),
    "the date changed": with_header(FIRST, b"x-amz-date", lambda _: b"20260115T120001Z"),
    "a header twice": replace(FIRST, headers=[*FIRST.headers, (b"x-own", b"1")]),
    "the signature twice": replace(
        FIRST, headers=[*FIRST.headers, (b"authorization", dict(FIRST.headers)[b"authorization"])]
    ),
    "a digit changed": with_header(
        FIRST, b"authorization", lambda value: value[:-1] + (b"0" if value[-1:] != b"0" else b"1")
    ),
    "digits in upper case": with_header(FIRST, b"authorization", lambda value: value[:-64] + value[-64:].upper()),
    "a digit too few": with_header(FIRST, b"authorization", lambda value: value[:-1]),
    "a byte that is no text": with_header(FIRST, b"authorization", lambda value: value[:-1] + b"\xff"),
    "another key": with_header(FIRST, b"authorization", lambda value: value.replace(b"ASIA", b"ASIB")),
    "a presigned form beside it": replace(FIRST, raw_query=b"X-Amz-Algorithm=AWS4-HMAC-SHA256"),
}


def said(answer: Caller | Fault) -> object:
    return answer if isinstance(answer, Fault) else (answer.access_key_id, answer.principal)


def authority(now: Callable[[], datetime] = lambda: NOON) -> Authority:
    return Authority(DIRECTORY, a_sealer(), clock=now)


def ask(of: Authority, call: HttpRequest, **how: Any) -> object:
    return said(of.authenticate(call, **{"service": "execute-api", **how}))


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_the_answer_is_that_of_an_authority_that_saw_nothing_before(call: HttpRequest) -> None:
    warm = authority()
    for _ in range(2):
        assert isinstance(warm.authenticate(FIRST, service="execute-api"), Caller)
    assert ask(warm, call) == ask(authority(), call)
    assert isinstance(warm.authenticate(FIRST, service="execute-api"), Caller)


@pytest.mark.parametrize(
    "how",
    [
        pytest.param({"service": "sts"}, id="another service"),
        pytest.param({"region": "eu-central-1"}, id="another region"),
        pytest.param({"skew_seconds": 0}, id="a narrower window"),
        pytest.param({"must_sign": ("x-own",)}, id="a header that is signed"),
        pytest.param({"must_sign": ("x-apigw-api-id",)}, id="a header that is not signed"),
    ],
)
@pytest.mark.parametrize("later", [0.0, 1.0], ids=["now", "a second later"])
def test_what_is_asked_of_the_signature_counts_each_time(how: dict[str, Any], later: float) -> None:
    moment = [NOON]
    warm = authority(lambda: moment[0])
    assert isinstance(warm.authenticate(FIRST, service="execute-api"), Caller)
    moment[0] = NOON + timedelta(seconds=later)
    assert ask(warm, FIRST, **how) == ask(authority(lambda: moment[0]), FIRST, **how)


@pytest.mark.parametrize("later", [-301, -300.5, -300, 299, 300, 300.999, 301, 899, 900, 1000])
def test_time_goes_on(later: float) -> None:
    moment = [NOON]
    warm = authority(lambda: moment[0])
    assert isinstance(warm.authenticate(FIRST, service="execute-api"), Caller)
    moment[0] = NOON + timedelta(seconds=later)
    for skew in (300, 2000):
        fresh = ask(authority(lambda: moment[0]), FIRST, skew_seconds=skew)
        assert ask(warm, FIRST, skew_seconds=skew) == fresh
        assert ask(warm, FIRST, skew_seconds=skew) == fresh


def test_what_is_remembered_is_bounded() -> None:
    warm = authority()
    for number in range(1500):
        call = signed(CREDENTIALS, path=b"/", headers=[(b"x-%d" % number, b"1")])
        assert isinstance(warm.authenticate(call, service="execute-api"), Caller)
    assert 0 < len(warm._recurring) <= 1024
