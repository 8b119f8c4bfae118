"""Who sends to a queue that is a target: its role, by that one's policies and the queue's, or EventBridge itself."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.access import Authority
from harness.bus.dead_letters import DeadLetters
from harness.bus.memory import MemoryStore
from harness.bus.model import Rule, Target
from harness.bus.routes import Route, routes_of
from harness.bus.store import Delivery
from harness.bus.targets.delivery import Failure, GiveUp
from harness.bus.targets.queue import QueueDeliveries, QueueDelivery
from harness.bus.targets.roles import Roles
from harness.identity import role_id
from harness.local.queues import all_for_rules, for_rules
from harness.queues.broker import Broker
from harness.queues.memory import MemoryShelves
from harness.queues.registry import Registry
from harness.queues.sender import Sender
from harness.storage.memory_state import MemoryState
from harness.storage.replica import Replica
from harness.wire import bus_arn, queue_arn
from tests.access.landscape import NOON, ORDERS, REGION, STOCK, STOREFRONT, a_directory, a_role, text_of
from tests.queues.queues import a_queue, receive

pytestmark = pytest.mark.anyio

CASES: list[dict[str, Any]] = yaml.load(
    (Path(__file__).parent / "cases/queue_roles.yaml").read_text(), yaml.CSafeLoader
)
QUEUES = {
    "orders": queue_arn(REGION, ORDERS, "q"),
    "stock": queue_arn(REGION, STOCK, "q"),
    # There is none of these.
    "storefront": queue_arn(REGION, STOREFRONT, "q"),
    "nowhere": queue_arn(REGION, ORDERS, "q-gone"),
}
EVENTS = "events.amazonaws.com"
TRUSTING = [{"Effect": "Allow", "Principal": {"Service": EVENTS}, "Action": "sts:AssumeRole"}]
ROLE_ID = f"{role_id(ORDERS, 'r')}:events"
DELIVERIES = [Delivery(f"e-{number}", "key", f'{{"id":"e-{number}"}}'.encode(), NOON) for number in (1, 2)]


@dataclass
class World:
    one: QueueDelivery
    many: QueueDeliveries
    letters: DeadLetters
    route: Route
    broker: Broker

    async def received(self) -> list[tuple[str, str]]:
        """Body and SenderId of what the two queues have."""
        queues = [queue for queue in self.broker.registry.all() if queue.name == "q"]
        found = [each for queue in queues for each in await receive(self.broker, queue, wait=0)]
        return sorted((each.message.body, each.message.sender) for each in found)


@asynccontextmanager
async def a_world(case: dict[str, Any]) -> AsyncIterator[World]:
    state = MemoryState()
    async with Replica(state).running() as copy:
        broker = Broker(Registry(copy, state), MemoryShelves())
        given = {"Policy": text_of(*case["policy"])} if "policy" in case else {}
        for account in (ORDERS, STOCK):
            await a_queue(broker, account, **given)
        statements = case["role"] if isinstance(case["role"], list) else []
        role = a_role(ORDERS, "r", *statements, trust=case.get("trust", TRUSTING))
        authority = Authority(a_directory(*([] if case["role"] == "gone" else [role])), None)
        sender = Sender(broker, authority)
        roles = Roles(authority)
        target = Target("t", QUEUES[case.get("of", "orders")], role_arn=role.arn if case["role"] is not None else "")
        (route,) = routes_of(Rule("placed", bus_arn(REGION, ORDERS, "enterprise"), ORDERS, None, (target,)))
        send = for_rules(sender)
        letters = DeadLetters(send, MemoryStore())
        yield World(QueueDelivery(send, roles), QueueDeliveries(all_for_rules(sender), roles), letters, route, broker)
        await broker.stop()


def the_case(name: str) -> dict[str, Any]:
    (found,) = [case for case in CASES if case["name"] == name]
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
async def test_a_queue_as_a_target(case: dict[str, Any]) -> None:
    async with a_world(case) as world:
        failures = [await world.one(world.route, each) for each in DELIVERIES]
        codes = {failure.code if failure else None for failure in failures}
        assert codes == {case.get("code")}, failures
        assert all(failure is None or not failure.retryable for failure in failures)
        assert all(failure is None or case["words"] in failure.message for failure in failures), failures
        sender = {"role": ROLE_ID, "service": EVENTS}.get(case.get("sender", ""), "")
        assert await world.received() == (
            [] if "code" in case else [(each.body.decode(), sender) for each in DELIVERIES]
        )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
async def test_many_events_in_one_go_are_decided_alike(case: dict[str, Any]) -> None:
    async with a_world(case) as world:
        assert await world.many(world.route, DELIVERIES) is ("code" not in case)
        assert len(await world.received()) == (0 if "code" in case else len(DELIVERIES))


async def test_a_dead_letter_is_sent_by_eventbridge_itself_whatever_the_role_of_the_target() -> None:
    case = {**the_case("in the own account the role's own policy is enough")}
    case["policy"] = the_case("without a role the queue lets EventBridge in for this rule")["policy"]
    async with a_world(case) as world:
        target = Target("t", QUEUES["nowhere"], dead_letter=QUEUES["orders"], role_arn=world.route.target.role_arn)
        (route,) = routes_of(Rule("placed", world.route.rule.bus_arn, ORDERS, None, (target,)))
        failure = await world.one(route, DELIVERIES[0])
        assert isinstance(failure, Failure)
        await world.letters.bury(route, DELIVERIES[0], failure, GiveUp("", 0))
        assert await world.received() == [('{"id":"e-1"}', EVENTS)]
