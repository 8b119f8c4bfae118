from typing import Any

import pytest

from harness.sigv4 import Fault, canonical_path, canonical_query, canonical_request
from harness.wire import HttpRequest
from tests.sigv4.values import cases, get


def by_name(file: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in cases(file)])


@by_name("canonical_path")
def test_path(case: dict[str, Any]) -> None:
    assert canonical_path(case["raw"].encode()) == case["canonical"].encode()


@by_name("canonical_query")
def test_query(case: dict[str, Any]) -> None:
    raw = case["raw"].encode()
    assert canonical_query(raw) == case["canonical"].encode()
    assert canonical_query(raw, plus=b"+") == case.get("literal", case["canonical"]).encode()
    assert canonical_query(raw, presigned=True) == case.get("presigned", case["canonical"]).encode()


@by_name("canonical_headers")
def test_header(case: dict[str, Any]) -> None:
    headers = [(name.encode(), value.encode()) for name, value in case["headers"]]
    canonical = canonical_request(HttpRequest("GET", b"/", b"", headers, b""), ("x",))
    assert isinstance(canonical, bytes)
    empty = b"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert canonical == b"GET\n/\n\n" + case["canonical"].encode() + b"\nx\n" + empty


def test_a_per_cent_sign_in_a_header_name_is_just_that() -> None:
    request = HttpRequest("GET", b"/", b"", [(b"a%b", b"1"), (b"host", b"h")], b"")
    canonical = canonical_request(request, ("a%b", "host"))
    assert isinstance(canonical, bytes)
    assert b"\na%b:1\nhost:h\n\na%b;host\n" in canonical


def test_the_method_is_upper_case() -> None:
    canonical = canonical_request(get(method="get"), ("host",))
    assert isinstance(canonical, bytes)
    assert canonical.startswith(b"GET\n")


def test_the_hash_is_that_of_the_body_whatever_a_header_claims() -> None:
    request = get(method="POST", body=b"x", x_amz_content_sha256="UNSIGNED-PAYLOAD")
    canonical = canonical_request(request, ("host",))
    assert isinstance(canonical, bytes)
    assert canonical.endswith(b"\n2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881")


def test_a_signed_header_that_is_not_there_is_named() -> None:
    fault = canonical_request(get(), ("accept", "host"))
    assert isinstance(fault, Fault)
    assert fault.message == "'accept' is named as a SignedHeader, but it does not exist in the HTTP request."


@pytest.mark.parametrize("size", [1_000, 100_000])
def test_hostile_paths_and_queries_take_linear_work(size: int) -> None:
    # Each of these would take a backtracking matcher until tomorrow.
    assert canonical_path(b"/a" * size + b"\0").endswith(b"%00")
    assert canonical_query(b"a" * size + b"%zz").endswith(b"%25zz=")
    assert canonical_query(b"a=%2F" * size + b"+").endswith(b"%2F%20")
