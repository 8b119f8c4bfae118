"""PutEvents as boto3 sees it: shapes, refusals, and who may put what on which bus."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from harness.access import Authority
from harness.bus.api import FAULT_TYPES, EventsApi
from harness.bus.limits import Limits
from harness.bus.memory import MemoryStore
from harness.bus.model import Bus
from harness.bus.store import REVISION, Record
from harness.clock import utc_now
from harness.identity import Role
from harness.policy import PolicyKind
from harness.sigv4 import FaultKind
from harness.storage.held import StoreFull, StoreUnavailable
from harness.wire import HttpRequest
from tests.access.landscape import (
    ENDPOINT,
    ORDERS,
    REGION,
    STOCK,
    WORKBENCH,
    a_directory,
    a_role,
    a_sealer,
    a_session,
    allow,
    deny,
    document,
)
from tests.bus.desks import a_desk
from tests.bus.endpoint import Loop, serving

SHOP = Bus(REGION, ORDERS, "shop")
STOCK_MAY_RESERVE = document(
    PolicyKind.RESOURCE,
    {
        "Effect": "Allow",
        "Principal": {"AWS": STOCK},
        "Action": "events:PutEvents",
        "Resource": "*",
        "Condition": {"StringEquals": {"events:source": "stock", "events:detail-type": "StockReserved"}},
    },
)
ENTERPRISE = Bus(REGION, ORDERS, "enterprise", STOCK_MAY_RESERVE)
CLOSED = Bus(REGION, ORDERS, "closed")

PUT = allow("events:PutEvents")
OWNER = a_role(ORDERS, "owner", PUT)
NOBODY = a_role(ORDERS, "nobody")
STRANGER = a_role(STOCK, "stranger", PUT)
STRANGER_WITHOUT = a_role(STOCK, "without")
INSIDE = a_role(
    ORDERS, "inside", PUT, deny("events:PutEvents", Condition={"StringNotEquals": {"aws:SourceVpce": ENDPOINT.vpce_id}})
)
ONE_SOURCE = a_role(
    ORDERS, "one-source", allow("events:PutEvents", Condition={"StringEquals": {"events:source": "orders"}})
)
ROLES = (OWNER, NOBODY, STRANGER, STRANGER_WITHOUT, INSIDE, ONE_SOURCE)

SESSION = boto3.Session()  # reads the service's model once

GOOD = {"Source": "orders", "DetailType": "Placed", "Detail": '{"id": 1}', "EventBusName": "shop"}


class BrokenStore(MemoryStore):
    """Confirms nothing, for the reason given."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    async def publish(self, bus: str, records: Sequence[Record]) -> None:
        raise self._error


class Endpoint:
    def __init__(self, loop: Loop, store: MemoryStore, limits: Limits | None = None) -> None:
        self.loop, self.store = loop, store
        buses = (SHOP, ENTERPRISE, CLOSED)
        loop.run(store.prepare([bus.arn for bus in (*buses, Bus(REGION, ORDERS, "default"))]))
        self._sealer = a_sealer()
        self.desk = a_desk(Authority(a_directory(*ROLES), self._sealer), store, buses=buses, limits=limits)
        self.api = EventsApi(self.desk)
        self.url = ""

    def client(self, role: Role, **settings: Any) -> Any:
        credentials = self._sealer.issue(a_session(role, now=utc_now().replace(microsecond=0)))
        keys: dict[str, str] = {
            "aws_access_key_id": credentials.access_key_id,
            "aws_secret_access_key": credentials.secret_access_key,
            "aws_session_token": credentials.session_token,
        }
        keys.update(settings)
        config = Config(retries={"total_max_attempts": 1})
        return SESSION.client("events", region_name=REGION, endpoint_url=self.url, config=config, **keys)

    def stored(self, bus: Bus) -> list[dict[str, Any]]:
        held = self.loop.run(self.store.pull_events(bus.arn, 100, 0.01))
        return [json.loads(item.body) for item in held]


@pytest.fixture(scope="module")
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


@pytest.fixture
def endpoint(loop: Loop) -> Iterator[Endpoint]:
    endpoint = Endpoint(loop, MemoryStore())
    with serving(endpoint.api, ENDPOINT, loop) as endpoint.url:
        yield endpoint


def refusal(error: ClientError) -> tuple[str, str, int]:
    response: Mapping[str, Any] = error.response
    answered = response["ResponseMetadata"]["HTTPStatusCode"]
    return response["Error"]["Code"], response["Error"]["Message"], answered


def test_a_good_entry_gets_an_event_id_and_is_stored(endpoint: Endpoint) -> None:
    answer = endpoint.client(OWNER).put_events(Entries=[GOOD])
    (event,) = endpoint.stored(SHOP)
    assert answer["FailedEntryCount"] == 0
    assert answer["Entries"] == [{"EventId": event["id"]}]


def test_the_event_carries_the_account_of_the_caller(endpoint: Endpoint) -> None:
    entry = {**GOOD, "Source": "stock", "DetailType": "StockReserved", "EventBusName": ENTERPRISE.arn}
    endpoint.client(STRANGER).put_events(Entries=[entry])
    assert [event["account"] for event in endpoint.stored(ENTERPRISE)] == [STOCK]


def test_results_are_in_the_order_of_the_entries(endpoint: Endpoint) -> None:
    entries = [{**GOOD, "Detail": "x"}, GOOD, {**GOOD, "Source": ""}]
    answer = endpoint.client(OWNER).put_events(Entries=entries)
    assert answer["FailedEntryCount"] == 2
    assert [entry.get("ErrorCode") for entry in answer["Entries"]] == ["MalformedDetail", None, "InvalidArgument"]
    assert answer["Entries"][0]["ErrorMessage"] == "Detail is malformed."


def test_entries_may_go_to_different_buses(endpoint: Endpoint) -> None:
    entries = [GOOD, {**GOOD, "EventBusName": CLOSED.arn}]
    assert endpoint.client(OWNER).put_events(Entries=entries)["FailedEntryCount"] == 0
    assert (len(endpoint.stored(SHOP)), len(endpoint.stored(CLOSED))) == (1, 1)


def test_without_a_bus_name_the_event_goes_to_the_default_bus(endpoint: Endpoint) -> None:
    endpoint.client(OWNER).put_events(Entries=[{k: v for k, v in GOOD.items() if k != "EventBusName"}])
    assert len(endpoint.stored(Bus(REGION, ORDERS, "default"))) == 1


def test_an_event_for_an_unknown_bus_gets_an_id_and_vanishes(endpoint: Endpoint) -> None:
    answer = endpoint.client(OWNER).put_events(Entries=[{**GOOD, "EventBusName": "no-such-bus"}])
    assert answer["FailedEntryCount"] == 0
    assert "EventId" in answer["Entries"][0]


def test_eleven_entries_are_refused_as_a_whole(endpoint: Endpoint) -> None:
    with pytest.raises(ClientError) as refused:
        endpoint.client(OWNER).put_events(Entries=[GOOD] * 11)
    assert refusal(refused.value)[::2] == ("ValidationException", 400)
    assert endpoint.stored(SHOP) == []


@pytest.mark.parametrize(("over", "allowed"), [(0, True), (1, False)], ids=["at the quota", "a byte above it"])
@pytest.mark.parametrize("quota", [262_144, 1_048_576])
def test_the_size_of_a_request_is_a_quota(loop: Loop, quota: int, over: int, allowed: bool) -> None:
    endpoint = Endpoint(loop, MemoryStore(), Limits(put_events_bytes=quota))
    empty = {**GOOD, "Detail": json.dumps({"a": ""})}
    letters = quota - sum(len(empty[name]) for name in ("Source", "DetailType", "Detail")) + over
    entries = [{**GOOD, "Detail": json.dumps({"a": "x" * letters})}]
    with serving(endpoint.api, ENDPOINT, loop) as endpoint.url:
        if allowed:
            assert endpoint.client(OWNER).put_events(Entries=entries)["FailedEntryCount"] == 0
        else:
            with pytest.raises(ClientError, match="Total size of the entries"):
                endpoint.client(OWNER).put_events(Entries=entries)


def test_too_many_bytes_are_refused_as_a_whole(endpoint: Endpoint) -> None:
    with pytest.raises(ClientError) as refused:
        endpoint.client(OWNER).put_events(Entries=[{**GOOD, "Detail": json.dumps({"a": "x" * 1_048_576})}])
    text = "Total size of the entries in the request is over the limit."
    assert refusal(refused.value) == ("ValidationException", text, 400)


def test_a_role_without_a_policy_is_refused(endpoint: Endpoint) -> None:
    with pytest.raises(ClientError) as refused:
        endpoint.client(NOBODY).put_events(Entries=[GOOD])
    text = (
        f"User: arn:aws:sts::{ORDERS}:assumed-role/nobody/session is not authorized to perform: events:PutEvents "
        f"on resource: {SHOP.arn} because no identity-based policy allows the events:PutEvents action"
    )
    assert refusal(refused.value) == ("AccessDeniedException", text, 400)
    assert endpoint.stored(SHOP) == []


@pytest.mark.parametrize(
    ("role", "entry", "allowed"),
    [
        pytest.param(OWNER, {"EventBusName": "closed"}, True, id="the owner's account needs no bus policy"),
        pytest.param(STRANGER, {"EventBusName": CLOSED.arn}, False, id="another account needs a bus policy"),
        pytest.param(
            STRANGER,
            {"EventBusName": ENTERPRISE.arn, "Source": "stock", "DetailType": "StockReserved"},
            True,
            id="another account that the bus policy names may put what it names",
        ),
        pytest.param(
            STRANGER,
            {"EventBusName": ENTERPRISE.arn, "Source": "orders", "DetailType": "StockReserved"},
            False,
            id="but not from another source",
        ),
        pytest.param(
            STRANGER,
            {"EventBusName": ENTERPRISE.arn, "Source": "stock", "DetailType": "Placed"},
            False,
            id="nor of another detail type",
        ),
        pytest.param(
            STRANGER_WITHOUT,
            {"EventBusName": ENTERPRISE.arn, "Source": "stock", "DetailType": "StockReserved"},
            False,
            id="another account needs its own identity policy as well",
        ),
        pytest.param(INSIDE, {}, True, id="through the VPC endpoint that the policy asks for"),
        pytest.param(ONE_SOURCE, {"Source": "orders"}, True, id="an identity policy may name the source"),
        pytest.param(ONE_SOURCE, {"Source": "payments"}, False, id="and refuses another source"),
    ],
)
def test_who_may_put(endpoint: Endpoint, role: Role, entry: dict[str, str], allowed: bool) -> None:
    client = endpoint.client(role)
    if allowed:
        assert client.put_events(Entries=[{**GOOD, **entry}])["FailedEntryCount"] == 0
    else:
        with pytest.raises(ClientError, match="AccessDeniedException"):
            client.put_events(Entries=[{**GOOD, **entry}])


def test_one_entry_that_is_not_allowed_refuses_the_call(endpoint: Endpoint) -> None:
    with pytest.raises(ClientError, match="AccessDeniedException"):
        endpoint.client(ONE_SOURCE).put_events(Entries=[GOOD, {**GOOD, "Source": "payments"}])
    assert endpoint.stored(SHOP) == []


def test_outside_the_vpc_endpoint_the_policy_refuses(loop: Loop) -> None:
    endpoint = Endpoint(loop, MemoryStore())
    with serving(endpoint.api, WORKBENCH, loop) as endpoint.url, pytest.raises(ClientError, match="explicit deny"):
        endpoint.client(INSIDE).put_events(Entries=[GOOD])


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        pytest.param({"aws_secret_access_key": "x" * 40}, "InvalidSignatureException", id="a wrong secret"),
        pytest.param({"aws_session_token": None}, "UnrecognizedClientException", id="no session token"),
        pytest.param({"aws_session_token": "abc"}, "UnrecognizedClientException", id="a forged session token"),
    ],
)
def test_credentials_are_refused(endpoint: Endpoint, settings: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as refused:
        endpoint.client(OWNER, **settings).put_events(Entries=[GOOD])
    assert refusal(refused.value)[::2] == (code, 400)


def test_an_unsigned_call_is_refused(endpoint: Endpoint) -> None:
    headers = [(b"x-amz-target", b"AWSEvents.PutEvents")]
    response = endpoint.loop.run(_answer(endpoint, HttpRequest("POST", b"/", b"", headers, b"{}")))
    assert response[0] == 400
    assert json.loads(response[1])["__type"] == "MissingAuthenticationTokenException"


async def _answer(endpoint: Endpoint, request: HttpRequest) -> tuple[int, bytes]:
    response = await endpoint.api(request, ENDPOINT)
    return response.status, response.body


def test_an_operation_that_is_not_built_is_named(endpoint: Endpoint) -> None:
    with pytest.raises(ClientError) as refused:
        endpoint.client(OWNER).list_endpoints()
    code, text, status = refusal(refused.value)
    assert (code, status) == ("UnknownOperationException", 400)
    assert text.startswith('"AWSEvents.ListEndpoints" is not an operation of this endpoint: CancelReplay, ')


def test_an_event_says_what_its_edge_knew_of_rules(endpoint: Endpoint) -> None:
    endpoint.loop.run(endpoint.desk.replica.put(("any",), b"1"))
    endpoint.client(OWNER).put_events(Entries=[GOOD])
    (held,) = endpoint.loop.run(endpoint.store.pull_events(SHOP.arn, 1, 0.01))
    assert held.headers[REVISION] == str(endpoint.desk.replica.newest)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        pytest.param(StoreUnavailable("away"), "InternalFailure", id="a store that does not confirm"),
        pytest.param(StoreFull("full"), "ThrottlingException", id="a store that is full"),
    ],
)
def test_what_is_not_stored_is_an_entry_error(loop: Loop, error: Exception, code: str) -> None:
    endpoint = Endpoint(loop, BrokenStore(error))
    with serving(endpoint.api, ENDPOINT, loop) as endpoint.url:
        answer = endpoint.client(OWNER).put_events(Entries=[GOOD, {}])
    assert answer["FailedEntryCount"] == 2
    assert [entry["ErrorCode"] for entry in answer["Entries"]] == [code, "InvalidArgument"]


@pytest.mark.parametrize("kind", FaultKind)
def test_every_fault_has_its_type(kind: FaultKind) -> None:
    assert FAULT_TYPES[kind].endswith("Exception")
