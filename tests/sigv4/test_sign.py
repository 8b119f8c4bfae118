import pytest

from tests.sigv4.values import get, signed


def test_what_proxies_rewrite_is_not_signed() -> None:
    authorization = signed(get(user_agent="x", connection="close", accept="*/*")).header(b"authorization")
    assert authorization is not None
    assert b"SignedHeaders=accept;host;x-amz-date," in authorization


def test_a_session_token_is_signed() -> None:
    request = signed(get(), token="T")
    assert request.header(b"x-amz-security-token") == b"T"
    assert b"SignedHeaders=host;x-amz-date;x-amz-security-token," in (request.header(b"authorization") or b"")


def test_a_request_without_host_cannot_be_signed() -> None:
    request = get()
    with pytest.raises(ValueError, match="without a host header"):
        signed(type(request)("GET", b"/", b"", [], b""))


def test_a_request_is_signed_only_once() -> None:
    with pytest.raises(ValueError, match="authorization already"):
        signed(signed(get()))
