"""Queues, other buses and log groups as targets: what they get, and who may send there."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from harness.access import Authority
from harness.bus.catalogue import Catalogue
from harness.bus.memory import MemoryStore
from harness.bus.model import Bus, Rule, Target
from harness.bus.routes import Route, routes_of
from harness.bus.shaping.shape import WHOLE
from harness.bus.store import ORIGIN, REVISION, TRACE, VIA_BUS, Delivery
from harness.bus.targets.bus import BusDelivery
from harness.bus.targets.delivery import Deliveries, Failure, service_of
from harness.bus.targets.logs import LogDelivery
from harness.bus.targets.queue import QueueDelivery
from harness.bus.targets.roles import Roles
from harness.identity import Directory, Role, role_id
from harness.policy import PolicyKind, compile_document
from harness.storage.held import StoreFull
from harness.storage.memory_state import MemoryState
from harness.storage.replica import Replica
from tests.bus.routing import Queues

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 1, 15, 12, 0, 0, tzinfo=UTC)
ORDERS, PLATFORM, STRANGER = "111111111111", "333333333333", "999999999999"
EVENT = {"id": "id-1", "source": "acme.orders", "detail-type": "OrderPlaced.v1", "detail": {}}
DELIVERY = Delivery("id-1", "key", orjson.dumps(EVENT), NOON, "Root=1-2")
QUEUE = f"arn:aws:sqs:eu-west-1:{ORDERS}:inbox"
OWN = Bus("eu-west-1", PLATFORM, "own")
SOURCE = Bus("eu-west-1", PLATFORM, "enterprise")


def policy(kind: PolicyKind, *statements: Mapping[str, Any]) -> Any:
    text = orjson.dumps({"Version": "2012-10-17", "Statement": list(statements)}).decode()
    return compile_document(text, kind=kind, name=kind.value)


def receiver(principal: object, **condition: Any) -> Bus:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "events:PutEvents", "Resource": "*", **condition}
    return Bus("eu-west-1", ORDERS, "orders", policy(PolicyKind.RESOURCE, statement))


def a_role(name: str, *, trusts: str = "events.amazonaws.com", may: str = "events:PutEvents") -> Role:
    trust = {"Effect": "Allow", "Principal": {"Service": trusts}, "Action": "sts:AssumeRole"}
    allow = {"Effect": "Allow", "Action": may, "Resource": "*"}
    return Role(
        PLATFORM,
        name,
        role_id(PLATFORM, name),
        trust=policy(PolicyKind.TRUST, trust),
        policies=(policy(PolicyKind.IDENTITY, allow),),
    )


FORWARDER = a_role("forwarder")
UNTRUSTING = a_role("untrusting", trusts="lambda.amazonaws.com")
WEAK = a_role("weak", may="events:ListRules")
FOREIGN = replace(a_role("foreign"), account=ORDERS)
ROLES = {role.arn: role for role in (FORWARDER, UNTRUSTING, WEAK, FOREIGN)}
DIRECTORY = Directory("eu-west-1", "o-acme", {ORDERS: "orders", PLATFORM: "platform"}, ROLES)
ROLES_OF_RULES = Roles(Authority(DIRECTORY, None, clock=lambda: NOON), clock=lambda: NOON)
ANY_OF_THE_ORGANISATION = receiver("*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-acme"}})


def a_route(arn: str, *, role: Role | None = None, **settings: Any) -> Route:
    target = Target("t", arn, role_arn=role.arn if role else "", settings=settings)
    (route,) = routes_of(Rule("forward", SOURCE.arn, PLATFORM, None, (target,)))
    return route


@dataclass
class Attempted:
    failure: Failure | None
    received: list[Any]


async def to_bus(bus: Bus, route: Route, delivery: Delivery = DELIVERY) -> Attempted:
    store = MemoryStore()
    await store.prepare([bus.arn])
    catalogue = Catalogue(Replica(MemoryState()), region="eu-west-1", accounts=[], buses=[bus])
    deliver = BusDelivery(store, catalogue, ROLES_OF_RULES)
    failure = await deliver(route, delivery)
    return Attempted(failure, list(await store.pull_events(bus.arn, 10, 0)))


async def test_an_event_goes_to_a_bus_under_its_own_id_and_is_marked() -> None:
    bus = receiver({"AWS": PLATFORM})
    attempted = await to_bus(bus, a_route(bus.arn))
    assert attempted.failure is None
    (held,) = attempted.received
    assert orjson.loads(held.body) == EVENT
    assert held.headers == {ORIGIN: "id-1:key", VIA_BUS: SOURCE.arn, TRACE: "Root=1-2", REVISION: "0"}


async def test_an_event_that_came_from_a_bus_goes_to_no_further_one() -> None:
    bus = receiver({"AWS": PLATFORM})
    attempted = await to_bus(bus, a_route(bus.arn), replace(DELIVERY, via_bus="arn:of:a:bus"))
    assert attempted.received == []
    assert attempted.failure == Failure(
        "THIRD_ACCOUNT_HOP_DETECTED",
        "Event ingestion rejected for event id-1 because an event can be sent to an event bus target only once. "
        "This event was previously delivered to an event bus target.",
        retryable=False,
    )


ALLOWED = {
    "a bus of the rule's account, without a role": (OWN, None),
    "a bus of the rule's account, with a role": (OWN, FORWARDER),
    "a bus whose policy names the account": (receiver({"AWS": PLATFORM}), None),
    "a bus whose policy names the role": (receiver({"AWS": FORWARDER.arn}), FORWARDER),
    "a bus whose policy names the organisation": (ANY_OF_THE_ORGANISATION, FORWARDER),
    "a bus that takes what comes from a bus": (
        receiver({"AWS": PLATFORM}, Condition={"Bool": {"events:eventBusInvocation": "true"}}),
        FORWARDER,
    ),
    "a bus that takes this source from this rule": (
        receiver(
            {"AWS": PLATFORM},
            Condition={
                "StringEquals": {"events:source": "acme.orders", "events:detail-type": "OrderPlaced.v1"},
                "ArnEquals": {"aws:SourceArn": f"arn:aws:events:eu-west-1:{PLATFORM}:rule/enterprise/forward"},
            },
        ),
        FORWARDER,
    ),
}


@pytest.mark.parametrize(("bus", "role"), ALLOWED.values(), ids=ALLOWED)
async def test_it_is_taken_by(bus: Bus, role: Role | None) -> None:
    attempted = await to_bus(bus, a_route(bus.arn, role=role))
    assert attempted.failure is None
    assert len(attempted.received) == 1


REFUSED = {
    "a bus of another account without a policy": (Bus("eu-west-1", ORDERS, "orders"), FORWARDER, "NO_PERMISSIONS"),
    "a bus whose policy names another account": (receiver({"AWS": STRANGER}), FORWARDER, "NO_PERMISSIONS"),
    "a bus that takes only what comes from nowhere": (
        receiver({"AWS": PLATFORM}, Condition={"Bool": {"events:eventBusInvocation": "false"}}),
        FORWARDER,
        "NO_PERMISSIONS",
    ),
    "a role that may not put events": (receiver({"AWS": PLATFORM}), WEAK, "NO_PERMISSIONS"),
    "a role that may not put events to its own account's bus": (OWN, WEAK, "NO_PERMISSIONS"),
    "a role that does not trust the bus": (OWN, UNTRUSTING, "FAILED_TO_ASSUME_ROLE"),
    "a role of another account": (OWN, FOREIGN, "FAILED_TO_ASSUME_ROLE"),
    "a role that is not there": (OWN, replace(FORWARDER, name="nobody"), "FAILED_TO_ASSUME_ROLE"),
}


@pytest.mark.parametrize(("bus", "role", "code"), REFUSED.values(), ids=REFUSED)
async def test_it_is_refused_for_good_by(bus: Bus, role: Role, code: str) -> None:
    attempted = await to_bus(bus, a_route(bus.arn, role=role))
    assert attempted.failure is not None
    assert (attempted.failure.code, attempted.failure.retryable, attempted.received) == (code, False, [])


async def test_a_bus_that_is_not_there_is_no_resource() -> None:
    attempted = await to_bus(OWN, a_route(OWN.arn + "-gone"))
    assert attempted.failure is not None
    assert (attempted.failure.code, attempted.failure.retryable) == ("NO_RESOURCE", False)


async def test_a_bus_takes_no_event_that_was_shaped() -> None:
    attempted = await to_bus(OWN, a_route(OWN.arn, Input="{}"))
    assert attempted.failure is not None
    assert attempted.failure.code == "INVALID_PARAMETER"


async def test_a_full_bus_is_tried_again() -> None:
    class Full(MemoryStore):
        async def publish(self, bus: str, records: object) -> None:
            raise StoreFull("the event store is full")

    catalogue = Catalogue(Replica(MemoryState()), region="eu-west-1", accounts=[], buses=[OWN])
    deliver = BusDelivery(Full(), catalogue, Roles(Authority(DIRECTORY, None)))
    failure = await deliver(a_route(OWN.arn), DELIVERY)
    assert failure is not None
    assert (failure.code, failure.retryable) == ("THROTTLING", True)


@pytest.fixture
async def store() -> AsyncIterator[MemoryStore]:
    store = MemoryStore()
    yield store
    await store.close()


async def test_a_queue_gets_the_event_as_a_message_without_attributes() -> None:
    queues = Queues()
    route = a_route(QUEUE, SqsParameters={"MessageGroupId": "orders"})
    assert await QueueDelivery(queues, ROLES_OF_RULES)(route, DELIVERY) is None
    (message,) = queues.taken[QUEUE]
    assert message == {
        "body": DELIVERY.body,
        "source_arn": route.rule.arn,
        "id": "id-1:key",
        "attributes": {},
        "group": "orders",
        "trace": "Root=1-2",
    }


async def test_what_a_queue_refuses_is_the_failure_of_the_attempt() -> None:
    refused = Failure("NO_RESOURCE", "The specified queue does not exist or you do not have access to it.", False)
    assert await QueueDelivery(Queues(refuses={QUEUE: refused}), ROLES_OF_RULES)(a_route(QUEUE), DELIVERY) == refused


async def test_a_full_queue_is_tried_again() -> None:
    async def full(*_: object, **__: object) -> Failure | None:
        raise StoreFull("the event store is full")

    failure = await QueueDelivery(full, ROLES_OF_RULES)(a_route(QUEUE), DELIVERY)
    assert failure is not None
    assert failure.retryable


async def test_a_log_group_gets_a_line_for_each_event(store: MemoryStore) -> None:
    group = f"arn:aws:logs:eu-west-1:{ORDERS}:log-group:/aws/events/orders"
    deliver = LogDelivery(store)
    for arn in (group, group + ":*"):
        assert await deliver(a_route(arn), DELIVERY) is None
    assert [body async for body in store.logged(group)] == [DELIVERY.body]


async def test_a_rule_that_somebody_made_writes_to_no_log_group_of_another_account(store: MemoryStore) -> None:
    route = a_route("arn:aws:logs:eu-west-1:999999999999:log-group:/theirs")
    made = replace(route, rule=replace(route.rule, managed=False))
    failure = await LogDelivery(store)(made, DELIVERY)
    assert failure is not None
    assert failure.code == "NO_PERMISSIONS"
    assert [body async for body in store.logged(route.target.arn)] == []


@pytest.mark.parametrize(
    ("arn", "service"),
    [
        ("arn:aws:lambda:eu-west-1:1:function:stock", "lambda"),
        ("arn:aws:sqs:eu-west-1:1:inbox", "sqs"),
        ("arn:aws:events:eu-west-1:1:event-bus/own", "event-bus"),
        ("arn:aws:events:eu-west-1:1:api-destination/hook/17", "api-destination"),
        ("arn:aws:logs:eu-west-1:1:log-group:/aws/events/x:*", "logs"),
        ("nonsense", ""),
    ],
)
def test_an_arn_says_what_a_target_is(arn: str, service: str) -> None:
    assert service_of(arn) == service


async def test_a_target_of_a_kind_that_is_not_known_is_refused_for_good() -> None:
    failure = await Deliveries({})(Route("k", Rule("r", OWN.arn, PLATFORM, None), Target("t", QUEUE), WHOLE), DELIVERY)
    assert failure is not None
    assert (failure.code, failure.retryable) == ("INVALID_PARAMETER", False)
