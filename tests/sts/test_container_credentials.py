"""Role credentials for a container: the answer that SDKs read, and refusals that name the mend."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import orjson
import pytest

from harness.access import Authority
from harness.sts.container_credentials import ContainerCredentials, Grant
from harness.wire import HttpRequest
from tests.access.landscape import CREDENTIALS, NOON, ORDERS, a_directory, a_role
from tests.sts.client import SEALER

TOKEN = "tQ0w7-a-secret-of-the-container"


def trusting(service: str, **condition: Any) -> Mapping[str, Any]:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return {**statement, "Condition": condition} if condition else statement


def get(
    domain: str = "orders",
    *trust: Mapping[str, Any],
    authorization: str | None = TOKEN,
    path: str | None = None,
    method: str = "GET",
    **more: Any,
) -> tuple[int, dict[str, str]]:
    """Status and body."""
    role = a_role(ORDERS, "orders", trust=trust or [trusting("ecs-tasks.amazonaws.com")], max_session_seconds=7200)
    grants = {
        "orders": Grant(role.arn, TOKEN),
        "roleless": Grant("arn:aws:iam::111111111111:role/gone", TOKEN),
        "tokenless": Grant(role.arn, ""),
    }
    authority = Authority(a_directory(role), SEALER, clock=lambda: NOON)
    api = ContainerCredentials(authority, SEALER, grants, clock=lambda: NOON, **more)
    headers = [] if authorization is None else [(b"authorization", authorization.encode())]
    raw_path = (path or f"/v2/credentials/{domain}").encode()
    response = asyncio.run(_call(api, HttpRequest(method, raw_path, b"", headers, b"")))
    assert (b"cache-control", b"no-store") in response[1]
    return response[0], orjson.loads(response[2])


async def _call(api: ContainerCredentials, request: HttpRequest) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    response = await api(request, CREDENTIALS)
    return response.status, list(response.headers), response.body


def test_a_container_gets_the_credentials_of_its_role() -> None:
    status, body = get()

    assert status == 200
    assert body.keys() == {"AccessKeyId", "SecretAccessKey", "Token", "Expiration", "AccountId", "RoleArn"}
    assert body["Expiration"] == "2026-01-15T13:00:00Z"
    assert body["RoleArn"] == "arn:aws:iam::111111111111:role/orders"
    assert body["SecretAccessKey"] == SEALER.secret_for(body["AccessKeyId"])


def test_the_session_bears_the_name_of_the_domain() -> None:
    _, body = get()

    session = SEALER.open(body["AccessKeyId"], body["Token"])

    assert session is not None
    assert (session.session_name, session.chained) == ("orders", False)


def test_each_call_gets_a_session_of_its_own() -> None:
    assert get()[1]["AccessKeyId"] != get()[1]["AccessKeyId"]


def test_sessions_may_be_as_short_as_a_rotation_under_test_needs() -> None:
    _, body = get(seconds=960)

    assert body["Expiration"] == (NOON + timedelta(seconds=960)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_session_is_no_longer_than_its_role_permits() -> None:
    assert get(seconds=43_200)[1]["Expiration"] == "2026-01-15T14:00:00Z"


@pytest.mark.parametrize("seconds", [900, 60, 0])
def test_sessions_that_an_sdk_would_refresh_on_every_use_are_refused(seconds: int) -> None:
    with pytest.raises(ValueError, match="refreshed on every use"):
        get(seconds=seconds)


TRUSTED = {
    "ECS": [trusting("ecs-tasks.amazonaws.com")],
    "Lambda": [trusting("lambda.amazonaws.com")],
    "either of the two": [trusting("lambda.amazonaws.com"), trusting("ecs-tasks.amazonaws.com")],
    "ECS for the role's own account": [
        trusting("ecs-tasks.amazonaws.com", StringEquals={"aws:SourceAccount": ORDERS}),
    ],
    "ECS for tasks of the role's own account": [
        trusting("ecs-tasks.amazonaws.com", ArnLike={"aws:SourceArn": f"arn:aws:ecs:eu-west-1:{ORDERS}:*"}),
    ],
}


@pytest.mark.parametrize("trust", TRUSTED.values(), ids=TRUSTED.keys())
def test_a_role_that_trusts_is_given(trust: list[Mapping[str, Any]]) -> None:
    assert get("orders", *trust)[0] == 200


NOT_TRUSTED = {
    "another service": [trusting("ec2.amazonaws.com")],
    "ECS for another account": [
        trusting("ecs-tasks.amazonaws.com", StringEquals={"aws:SourceAccount": "222222222222"})
    ],
    "an account": [{"Effect": "Allow", "Principal": {"AWS": ORDERS}, "Action": "sts:AssumeRole"}],
    "another action": [{**trusting("ecs-tasks.amazonaws.com"), "Action": "sts:TagSession"}],
}


@pytest.mark.parametrize("trust", NOT_TRUSTED.values(), ids=NOT_TRUSTED.keys())
def test_a_role_that_trusts_something_else_is_refused_with_the_mend(trust: list[Mapping[str, Any]]) -> None:
    status, body = get("orders", *trust)

    assert (status, body["code"]) == (403, "AccessDenied")
    assert body["message"] == (
        "the trust policy of arn:aws:iam::111111111111:role/orders does not let a container of orders take the role:"
        " allow the Service ecs-tasks.amazonaws.com or lambda.amazonaws.com the action sts:AssumeRole"
    )


REFUSED: dict[str, tuple[dict[str, Any], int]] = {
    "no token": ({"authorization": None}, 403),
    "an empty token": ({"authorization": ""}, 403),
    "another token": ({"authorization": TOKEN[::-1]}, 403),
    "a token with a line break": ({"authorization": TOKEN + "\n"}, 403),
    "the token of another scheme": ({"authorization": f"Bearer {TOKEN}"}, 403),
    "a domain that is unknown": ({"domain": "payments"}, 403),
    "a domain that is unknown, and no token": ({"domain": "payments", "authorization": ""}, 403),
    "a domain that was given no token, and none sent": ({"domain": "tokenless", "authorization": ""}, 403),
    "a role that is gone": ({"domain": "roleless"}, 404),
    "another path": ({"path": "/v1/credentials/orders"}, 404),
    "a path with something behind the domain": ({"path": "/v2/credentials/orders/x"}, 403),
    "another method": ({"method": "POST"}, 405),
}


@pytest.mark.parametrize(("asked", "status"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(asked: dict[str, Any], status: int) -> None:
    found, body = get(**asked)

    assert found == status
    assert body.keys() == {"code", "message"}
    assert TOKEN not in body["message"]


def test_printing_a_grant_shows_no_token() -> None:
    assert TOKEN not in repr(Grant("arn:aws:iam::111111111111:role/orders", TOKEN))
