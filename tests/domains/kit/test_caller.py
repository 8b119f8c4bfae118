"""Who calls, read from the gateway's request context."""

import json

import pytest
from starlette.requests import Request

from kit.caller import Caller, caller_of, request_id

ROLE = {
    "accountId": "333333333333",
    "user": "AROAEXAMPLEEXAMPLE000:session-1",
    "userArn": "arn:aws:sts::333333333333:assumed-role/storefront/session-1",
}


def request_with(*contexts: str) -> Request:
    headers = [(b"x-amzn-request-context", context.encode()) for context in contexts]
    return Request({"type": "http", "headers": headers})


def test_a_role_is_the_same_principal_in_every_session() -> None:
    caller = caller_of(request_with(json.dumps({"identity": ROLE})))
    assert caller == Caller("333333333333", ROLE["userArn"], "333333333333:AROAEXAMPLEEXAMPLE000")


@pytest.mark.parametrize(
    "contexts",
    [(), ("",), ("not JSON",), ("[]",), ("{}",), ('{"identity": null}',), ('{"identity": {"userArn": null}}',)],
    ids=["no header", "empty", "no JSON", "no object", "no identity", "a null identity", "an unsigned call"],
)
def test_without_an_identity_there_is_no_caller(contexts: tuple[str, ...]) -> None:
    assert caller_of(request_with(*contexts)) is None


def test_the_gateways_request_id_is_known() -> None:
    assert request_id(request_with('{"requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"}')) is not None
    assert request_id(request_with('{"requestId": 5}')) is None
