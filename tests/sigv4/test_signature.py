from dataclasses import replace

import pytest

from harness.sigv4 import Fault, FaultKind, Presented, SigningKeys, read_authorization, verify
from harness.wire import HttpRequest
from tests.sigv4.values import SECRET, cases, check, get, signed


def changed(request: HttpRequest, name: bytes, value: bytes) -> HttpRequest:
    return replace(request, headers=[(key, value if key == name else old) for key, old in request.headers])


def presented(request: HttpRequest) -> Presented:
    found = read_authorization(request)
    assert isinstance(found, Presented)
    return found


def test_a_mismatch_shows_what_should_have_been_signed() -> None:
    request = replace(signed(get(b"/v1/orders/a%20b", b"b=2&a=1")), body=b"{}")
    assert check(request) == Fault(
        FaultKind.MISMATCH,
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access "
        "Key and signing method. Consult the service documentation for details.\n\n"
        "The Canonical String for this request should have been\n"
        "'GET\n/v1/orders/a%2520b\na=1&b=2\n"
        "host:abc123.execute-api.eu-west-1.amazonaws.com\nx-amz-date:20260115T120000Z\n\n"
        "host;x-amz-date\n44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a'\n\n"
        "The String-to-Sign should have been\n"
        "'AWS4-HMAC-SHA256\n20260115T120000Z\n20260115/eu-west-1/execute-api/aws4_request\n"
        "fc89d4d68efdc60575aed481a4e65d009b80b1bf68d286dd17e34d8964cab0ce'\n",
    )


def test_the_shown_string_has_no_byte_that_an_answer_cannot_carry() -> None:
    request = changed(signed(get(x_note="a")), b"x-note", b"\x00\xff")
    fault = check(request)
    assert isinstance(fault, Fault)
    assert "\nx-note:\\x00\\xff\n" in fault.message


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in cases("traps")])
def test_a_request_that_changed_after_signing_is_refused(case: dict[str, str]) -> None:
    request = signed(get(b"/v1/orders", b"a=1", method="POST", body=b'{"a":1}', accept_encoding="gzip"))
    if "header" in case:
        request = changed(request, case["header"].encode(), case["value"].encode())
    request = replace(
        request,
        method=case.get("method", request.method),
        raw_path=case.get("path", "/v1/orders").encode(),
        raw_query=case.get("query", "a=1").encode(),
        body=case.get("body", '{"a":1}').encode(),
    )
    fault = check(request)
    assert isinstance(fault, Fault)
    assert fault.kind is FaultKind.MISMATCH


def test_a_signer_that_takes_the_region_from_its_environment_is_told_so() -> None:
    fault = check(signed(get()), region="us-east-1")
    assert isinstance(fault, Fault)
    assert fault.kind is FaultKind.SCOPE_REGION


def test_the_host_with_its_port_is_verified_as_it_was_received() -> None:
    request = HttpRequest("GET", b"/v1/orders", b"", [(b"host", b"localhost:4566")], b"")
    assert isinstance(check(signed(request)), Presented)


@pytest.mark.parametrize("signed_as", [b"%20", b"%2B"])
def test_a_plus_in_the_query_may_have_been_signed_as_space_or_as_plus(signed_as: bytes) -> None:
    request = signed(get(query=b"q=a%bb" % signed_as))
    assert isinstance(check(replace(request, raw_query=b"q=a+b")), Presented)


def test_a_plus_is_no_other_byte() -> None:
    request = signed(get(query=b"q=a-b"))
    assert isinstance(check(replace(request, raw_query=b"q=a+b")), Fault)


def test_a_header_that_was_not_signed_may_be_added() -> None:
    request = signed(get())
    assert isinstance(check(replace(request, headers=[*request.headers, (b"via", b"1.1 proxy")])), Presented)


def test_a_second_value_of_a_signed_header_is_refused() -> None:
    request = signed(get(x_role="clerk"))
    assert isinstance(check(replace(request, headers=[*request.headers, (b"x-role", b"admin")])), Fault)


def test_a_signed_header_that_was_removed_is_named() -> None:
    request = signed(get(x_role="clerk"))
    fault = check(replace(request, headers=[header for header in request.headers if header[0] != b"x-role"]))
    assert fault == Fault(
        FaultKind.INCOMPLETE, "'x-role' is named as a SignedHeader, but it does not exist in the HTTP request."
    )


def test_another_secret_is_refused() -> None:
    request = signed(get())
    assert isinstance(verify(request, presented(request), "other"), Fault)


def test_keys_are_remembered_and_still_belong_to_one_secret() -> None:
    request, keys = signed(get()), SigningKeys()
    assert verify(request, presented(request), SECRET, keys) is None
    assert verify(request, presented(request), SECRET, keys) is None
    assert isinstance(verify(request, presented(request), "rotated", keys), Fault)
    assert len(keys) == 2


def test_keys_are_dropped_least_recently_used_first() -> None:
    keys = SigningKeys(size=2)
    first = keys.get("a", "20260115", "r", "s")
    second = keys.get("b", "20260115", "r", "s")
    assert keys.get("a", "20260115", "r", "s") is first
    keys.get("c", "20260115", "r", "s")
    assert len(keys) == 2
    assert keys.get("a", "20260115", "r", "s") is first
    assert keys.get("b", "20260115", "r", "s") is not second


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in cases("same_request")])
def test_a_change_that_leaves_the_canonical_request_alone_is_accepted(case: dict[str, str]) -> None:
    signed_path, signed_query = case.get("signed", "/v1").encode(), case.get("signed_query", "").encode()
    request = signed(get(signed_path, signed_query, x_note=case.get("signed_header", "")))
    note = case.get("header", "").encode()
    other = replace(
        request,
        method=case.get("method", "GET"),
        raw_path=case.get("path", "/v1").encode(),
        raw_query=case.get("query", "").encode(),
        headers=[(name, note if name == b"x-note" else value) for name, value in request.headers],
    )
    assert isinstance(check(other), Presented)
