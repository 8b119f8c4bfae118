from typing import Any

import pytest

from harness.sigv4 import Fault, FaultKind, Presented, read_authorization
from harness.sigv4.authorization import MAX_AUTHORIZATION_BYTES
from harness.wire import HttpRequest
from tests.sigv4.values import HOST, NOON, cases, check, get, signed

SCOPE = "AKIDEXAMPLE/20260115/eu-west-1/execute-api/aws4_request"


def presenting(authorization: bytes, *others: tuple[bytes, bytes]) -> HttpRequest:
    headers = [(b"host", HOST.encode()), (b"x-amz-date", b"20260115T120000Z"), (b"authorization", authorization)]
    return HttpRequest("GET", b"/v1/orders", b"", [*headers, *others], b"")


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in cases("authorization")])
def test_what_cannot_be_read_is_refused(case: dict[str, Any]) -> None:
    headers = [(b"host", HOST.encode())]
    headers += [(name.encode(), value.encode()) for name, value in case["headers"].items()]
    fault = read_authorization(HttpRequest("GET", b"/v1/orders", case.get("query", "").encode(), headers, b""))
    assert fault == Fault(FaultKind(case["kind"]), case["message"])


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(f"AWS4-HMAC-SHA256 Credential={SCOPE}, SignedHeaders=host;x-amz-date, Signature=%s", id="usual"),
        pytest.param(f"AWS4-HMAC-SHA256 Credential={SCOPE},SignedHeaders=host;x-amz-date,Signature=%s", id="no spaces"),
        pytest.param(
            f"AWS4-HMAC-SHA256 Signature=%s, SignedHeaders=host;x-amz-date, Credential={SCOPE}", id="reversed"
        ),
        pytest.param(
            f"AWS4-HMAC-SHA256   Credential={SCOPE}   SignedHeaders=host;x-amz-date   Signature=%s", id="spaces"
        ),
    ],
)
def test_the_parts_may_be_written_in_any_order_and_spacing(header: str) -> None:
    digits = "0123456789abcdef" * 4
    presented = read_authorization(presenting((header % digits).encode()))
    assert isinstance(presented, Presented)
    scope = (presented.access_key_id, presented.date, presented.region, presented.service, presented.terminator)
    assert "/".join(scope) == SCOPE
    assert presented.signed_headers == ("host", "x-amz-date")
    assert presented.signature == digits


def test_a_header_seen_before_is_read_anew_when_its_signature_differs() -> None:
    head = f"AWS4-HMAC-SHA256 Credential={SCOPE}, SignedHeaders=host;x-amz-date, Signature="
    read = [read_authorization(presenting(f"{head}{digit * 64}".encode())) for digit in "ab"]
    assert [presented.signature for presented in read if isinstance(presented, Presented)] == ["a" * 64, "b" * 64]


def test_two_authorization_headers_are_refused() -> None:
    header = f"AWS4-HMAC-SHA256 Credential={SCOPE}, SignedHeaders=host;x-amz-date, Signature={'a' * 64}".encode()
    fault = read_authorization(presenting(header, (b"authorization", header)))
    assert isinstance(fault, Fault)
    assert fault.kind is FaultKind.INCOMPLETE
    assert fault.message.startswith("'AWS4-HMAC-SHA256' not a valid key=value pair (missing equal-sign)")


def test_two_dates_are_refused() -> None:
    header = f"AWS4-HMAC-SHA256 Credential={SCOPE}, SignedHeaders=host;x-amz-date, Signature={'a' * 64}".encode()
    fault = read_authorization(presenting(header, (b"x-amz-date", b"20260115T120000Z")))
    assert isinstance(fault, Fault)
    assert fault.kind is FaultKind.INCOMPLETE
    assert "Got '20260115T120000Z,20260115T120000Z'" in fault.message


def test_two_tokens_are_one_that_nobody_issued() -> None:
    header = f"AWS4-HMAC-SHA256 Credential={SCOPE}, SignedHeaders=host;x-amz-date, Signature={'a' * 64}".encode()
    tokens = ((b"x-amz-security-token", b"T"), (b"x-amz-security-token", b"U"))
    presented = read_authorization(presenting(header, *tokens))
    assert isinstance(presented, Presented)
    assert presented.security_token == "T,U"


def test_an_enormous_header_is_refused_and_not_repeated() -> None:
    fault = read_authorization(presenting(b"AWS4-HMAC-SHA256 " + b"a" * MAX_AUTHORIZATION_BYTES))
    assert fault == Fault(FaultKind.INCOMPLETE, "Authorization header is longer than 10240 bytes.")


def test_an_unsigned_session_token_is_tolerated() -> None:
    request = signed(get())
    late = HttpRequest(
        request.method, request.raw_path, b"", [*request.headers, (b"x-amz-security-token", b"TOKEN")], b""
    )
    presented = check(late)
    assert isinstance(presented, Presented)
    assert presented.security_token == "TOKEN"


@pytest.mark.parametrize(
    "date",
    [
        pytest.param("Thu, 15 Jan 2026 12:00:00 GMT", id="RFC 1123"),
        pytest.param("Thu, 15 Jan 2026 13:00:00 +0100", id="another zone"),
        pytest.param("Thu, 15 Jan 2026 12:00:00 -0000", id="no zone"),
        pytest.param("20260115T120000Z", id="ISO basic"),
    ],
)
def test_the_date_header_stands_in_for_x_amz_date(date: str) -> None:
    header = f"AWS4-HMAC-SHA256 Credential={SCOPE}, SignedHeaders=date;host, Signature={'a' * 64}".encode()
    headers = [(b"host", HOST.encode()), (b"date", date.encode()), (b"authorization", header)]
    presented = read_authorization(HttpRequest("GET", b"/", b"", headers, b""))
    assert isinstance(presented, Presented)
    assert presented.amz_date == "20260115T120000Z"


def test_x_amz_date_goes_before_date() -> None:
    request = signed(get(date="Thu, 15 Jan 1970 12:00:00 GMT"))
    presented = check(request, now=NOON)
    assert isinstance(presented, Presented)
    assert presented.amz_date == "20260115T120000Z"


def test_what_is_presented_shows_neither_signature_nor_token() -> None:
    presented = check(signed(get(), token="SESSION-TOKEN"))
    assert isinstance(presented, Presented)
    assert "SESSION-TOKEN" not in repr(presented)
    assert presented.signature not in repr(presented)
    assert "AKIDEXAMPLE/20260115/eu-west-1" in repr(presented)
