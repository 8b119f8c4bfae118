"""Signatures that botocore made; they pin the whole chain at once."""

from typing import Any

import pytest

from harness.sigv4 import Fault, canonical_path, canonical_query, read_authorization
from harness.wire import HttpRequest
from tests.sigv4.values import ACCESS_KEY_ID, HOST, cases, check, get, signed

CASES = [pytest.param(case, id=case["name"]) for case in cases("golden")]


def unsigned(case: dict[str, Any]) -> HttpRequest:
    method, target = case["request"].split()
    path, _, query = target.encode().partition(b"?")
    request = get(path, query, method=method, body=case.get("body", "").encode())
    others = [(name.encode(), value.encode()) for name, value in case.get("headers", {}).items()]
    return HttpRequest(method, path, query, [*request.headers, *others], request.body)


@pytest.mark.parametrize("case", CASES)
def test_path_and_query(case: dict[str, Any]) -> None:
    request = unsigned(case)
    assert canonical_path(request.raw_path) == case["path"].encode()
    assert canonical_query(request.raw_query) == case["query"].encode()


@pytest.mark.parametrize("case", CASES)
def test_our_signer_makes_the_signature(case: dict[str, Any]) -> None:
    presented = read_authorization(signed(unsigned(case), case.get("token")))
    assert not isinstance(presented, Fault)
    assert presented.signature == case["signature"]


@pytest.mark.parametrize("case", CASES)
def test_the_signature_is_verified(case: dict[str, Any]) -> None:
    assert not isinstance(check(signed(unsigned(case), case.get("token"))), Fault)


def test_a_presigned_url_is_verified() -> None:
    query = (
        "x=~a%20b&X-Amz-Algorithm=AWS4-HMAC-SHA256"
        f"&X-Amz-Credential={ACCESS_KEY_ID}%2F20260115%2Feu-west-1%2Fexecute-api%2Faws4_request"
        "&X-Amz-Date=20260115T120000Z&X-Amz-Expires=3600&X-Amz-SignedHeaders=host&X-Amz-Security-Token=T"
        "&X-Amz-Signature=5aedf61d7e2ef7f6d53c6544457196776fd9b694176862920180d894fb88ecf7"
    )
    presented = check(HttpRequest("GET", b"/prod/orders", query.encode(), [(b"host", HOST.encode())], b""))
    assert not isinstance(presented, Fault)
    assert presented.presigned
    assert presented.expires == 3600
    assert presented.security_token == "T"
