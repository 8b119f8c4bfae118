"""`/_harness/explain` and `/_harness/audit`: for the landscape's owner alone."""

import json
from typing import Any

import pytest

from harness.local.audit import AuditTrail
from harness.local.operator import Operator, operator_token
from harness.local.owner_routes import audit_routes
from harness.wire import NetworkPlace
from tests.access.landscape import NOON
from tests.audit.landscape import Audited, Kept
from tests.audit.test_calls import CALLER, GUARDED, OTHER, RESOURCE, call
from tests.gateway.landscape import PLACES, WORKBENCH_ADDRESS, an_api
from tests.local.asgi import WORKBENCH, Exchange

pytestmark = pytest.mark.anyio

TOKEN = operator_token(bytes(32))
OWNER = (("authorization", f"Bearer {TOKEN}"),)
PLACE: NetworkPlace = PLACES[WORKBENCH_ADDRESS]


@pytest.fixture
def trail() -> AuditTrail:
    audited = Audited(CALLER, OTHER, GUARDED, resource=RESOURCE)
    made = AuditTrail(Kept(), audited.authority, audited.sealer, {"orders": an_api()}, {}, clock=lambda: NOON)
    made.recorder.passed(NOON, named("first"), PLACE, "orders", "GET", 200)
    made.recorder.passed(NOON, named("second"), PLACE, "orders", "GET", 200)
    return made


def named(request_id: str) -> Any:
    from dataclasses import replace

    return replace(call(), request_id=request_id)


@pytest.fixture
def app(trail: AuditTrail) -> Operator:
    async def edge(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 418, "headers": []})
        await send({"type": "http.response.body", "body": b"the edge"})

    return Operator(edge, audit_routes(trail), token=TOKEN, addresses=[WORKBENCH])


@pytest.mark.parametrize("path", ["/_harness/explain?id=first", "/_harness/audit"])
async def test_without_the_owners_token_nothing_is_shown(app: Operator, path: str) -> None:
    refused = await Exchange(app, path).end()

    assert (refused.status, json.loads(refused.body)) == (403, {"message": "Forbidden"})


@pytest.mark.parametrize("path", ["/_harness/explain?id=first", "/_harness/audit"])
async def test_the_public_listener_has_neither(app: Operator, path: str) -> None:
    answer = await Exchange(app, path, headers=OWNER, server=("127.0.0.1", 4567)).end()

    assert answer.status == 418


async def test_a_call_that_has_just_been_answered_is_explained(app: Operator) -> None:
    answer = await Exchange(app, "/_harness/explain?id=second", headers=OWNER).end()

    told = json.loads(answer.body)
    assert (answer.status, told["requestID"], told["allowed"]) == (200, "second", True)


@pytest.mark.parametrize("query", ["id=seco", "id=", "", "id=NOON"])
async def test_a_call_without_a_record_is_said_not_to_be_found(app: Operator, query: str) -> None:
    answer = await Exchange(app, f"/_harness/explain?{query}", headers=OWNER).end()

    assert answer.status == 404


async def test_records_are_shown_as_lines(app: Operator) -> None:
    answer = await Exchange(app, "/_harness/audit", headers=OWNER).end()

    assert [json.loads(line)["requestID"] for line in answer.body.splitlines()] == ["first", "second"]


async def test_only_refused_calls_may_be_asked_for(app: Operator) -> None:
    answer = await Exchange(app, "/_harness/audit?refused=1", headers=OWNER).end()

    assert (answer.status, answer.body) == (200, b"")


async def test_a_time_that_is_none_is_told(app: Operator) -> None:
    answer = await Exchange(app, "/_harness/audit?since=noon", headers=OWNER).end()

    assert answer.status == 400
