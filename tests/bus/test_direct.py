"""Many events to a target in one go: what it takes never lies in its work queue, the rest goes the long way."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from harness.bus.model import Rule, Target
from harness.bus.routes import Route
from harness.bus.store import Delivery, Kind, Store
from harness.bus.targets.delivery import Failure
from harness.bus.tracing import Attempt, Untraced
from harness.storage.held import StoreFull, StoreUnavailable
from tests.bus.routing import Queues, a_router
from tests.bus.test_router import a_rule, an_event

pytestmark = pytest.mark.anyio

QUEUE = "arn:aws:sqs:eu-west-1:222222222222:inbox"
Answer = Callable[[int], bool]


def takes(call: int) -> bool:
    return True


def fails_once(error: Exception | None) -> Answer:
    def answer(call: int) -> bool:
        if call > 1:
            return True
        if error is not None:
            raise error
        return False

    return answer


@dataclass
class Inbox(Untraced):
    """A queue, and the tracer of what the router does: `together` what came in one go, `alone` one by one."""

    answer: Answer = takes
    calls: int = 0
    together: list[Delivery] = field(default_factory=list)
    alone: list[Delivery] = field(default_factory=list)
    steps: list[tuple[str, str, int]] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def all(self, route: Route, deliveries: Sequence[Delivery]) -> bool:
        self.calls += 1
        taken = self.answer(self.calls)
        if taken:
            self.together += deliveries
            self.changed.set()
        return taken

    async def one(self, route: Route, delivery: Delivery) -> Failure | None:
        self.alone.append(delivery)
        return None

    def matched(self, event_id: str, bus: str, rules: Sequence[Rule]) -> None:
        self._step("matched", event_id, 0)

    def attempted(self, attempt: Attempt) -> None:
        self._step("attempt", attempt.event_id, attempt.number)

    def given_up(self, event_id: str, rule: Rule, target: Target, *, code: str, queue: str, reason: str) -> None:
        self._step("given up", event_id, 0)

    def _step(self, *step: Any) -> None:
        self.steps.append(step)
        self.changed.set()

    async def until(self, count: int, of: Sequence[object] | None = None) -> None:
        """That many steps, or that many of something else."""
        async with asyncio.timeout(60):
            while len(self.steps if of is None else of) < count:
                self.changed.clear()
                await self.changed.wait()


@asynccontextmanager
async def routing(store: Store, rule: Rule, inbox: Inbox, queues: Queues | None = None) -> AsyncIterator[None]:
    stop = asyncio.Event()
    await store.prepare([rule.bus_arn])
    router = a_router(store, [rule], inbox.one, queues=queues, tracer=inbox, deliver_all={"sqs": inbox.all})
    running = asyncio.create_task(router.run(stop))
    yield
    stop.set()
    async with asyncio.timeout(60):
        await running


def a_queue_rule(bus: str, **settings: Any) -> Rule:
    return a_rule(bus, {"source": ["orders"]}, replace(Target("inbox", QUEUE), settings=settings))


async def test_what_a_target_takes_in_one_go_never_lies_in_its_work_queue(store: Store, bus: str) -> None:
    inbox = Inbox()
    async with routing(store, a_queue_rule(bus), inbox):
        await store.publish(bus, [an_event("1"), an_event("2", "payments"), an_event("3")])
        await inbox.until(5)
        kept = [each for each in await store.usage() if each.kind is Kind.TARGET and "inbox" in each.name]
    assert ([each.event_id for each in inbox.together], inbox.alone) == (["1", "3"], [])
    assert [each for each in kept if bus.rpartition("/")[2] in each.name] == []


async def test_each_event_has_one_attempt_after_its_match(store: Store, bus: str) -> None:
    inbox = Inbox()
    async with routing(store, a_queue_rule(bus), inbox):
        await store.publish(bus, [an_event("1"), an_event("2")])
        await inbox.until(4)
    for event in ("1", "2"):
        assert [step for step in inbox.steps if step[1] == event] == [("matched", event, 0), ("attempt", event, 1)]


@pytest.mark.parametrize("error", [None, StoreFull("full"), StoreUnavailable("gone"), RuntimeError("ours")], ids=repr)
async def test_what_is_not_surely_taken_goes_the_long_way(store: Store, bus: str, error: Exception | None) -> None:
    inbox = Inbox(fails_once(error))
    async with routing(store, a_queue_rule(bus), inbox):
        await store.publish(bus, [an_event("1")])
        await inbox.until(2)
        await store.publish(bus, [an_event("2")])
        await inbox.until(4)
    assert [each.event_id for each in inbox.alone] == ["1"]
    assert [each.event_id for each in inbox.together] == ["2"]


async def test_an_event_without_a_shape_for_the_target_goes_the_long_way_alone(store: Store, bus: str) -> None:
    queues, inbox = Queues(), Inbox()
    rule = a_queue_rule(bus, InputPath="$.detail.order")
    dead = f"{QUEUE}-dead"
    rule = replace(rule, targets=(replace(rule.targets[0], dead_letter=dead),))
    good = replace(an_event("2"), body=b'{"id":"2","source":"orders","detail":{"order":{"id":17}}}')
    async with routing(store, rule, inbox, queues):
        await store.publish(bus, [an_event("1"), good])
        await inbox.until(5)
    assert [each.body for each in inbox.together] == [b'{"id":17}']
    assert queues.taken[dead][0]["attributes"]["ERROR_CODE"] == "INVALID_PARAMETER"


async def test_an_event_that_is_handed_out_again_is_sent_under_the_same_id(hasty: Store, bus: str) -> None:
    """As when the router dies between the queue's answer and its own word to the bus."""
    inbox = Inbox()
    await hasty.prepare([bus])
    await hasty.publish(bus, [an_event("1")])
    rule = a_queue_rule(bus)

    async def lost(*_: object) -> None:
        raise StoreUnavailable("gone")

    real, hasty.enqueue = hasty.enqueue, lost  # type: ignore[method-assign, assignment]
    other = a_rule(bus, {"source": ["orders"]}, Target("stock", "arn:aws:lambda:eu-west-1:2:function:x"), name="o")
    stop = asyncio.Event()
    router = a_router(hasty, [rule, other], inbox.one, tracer=inbox, deliver_all={"sqs": inbox.all})
    running = asyncio.create_task(router.run(stop))
    await inbox.until(2, of=inbox.together)
    hasty.enqueue = real  # type: ignore[method-assign]
    await inbox.until(3)
    stop.set()
    await running
    assert len({each.id for each in inbox.together}) == 1
