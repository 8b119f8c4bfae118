"""From the bus to the targets, on both stores."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from harness.bus import lane, router
from harness.bus.memory import MemoryStore
from harness.bus.model import RetryPolicy, Rule, Target
from harness.bus.patterns.pattern import compile_pattern
from harness.bus.routes import Route
from harness.bus.store import Archived, Delivery, Record, Store, target_key
from harness.bus.tail import kept, tail
from harness.bus.targets.delivery import Failure
from harness.storage.held import StoreFull, StoreUnavailable
from harness.wire import function_arn
from tests.bus.routing import Queues, a_router

pytestmark = pytest.mark.anyio

FAILED = Failure("ERROR_FROM_TARGET", "stock answered 500")


class Targets:
    """Stands for the containers: remembers what each target took, fails where told to."""

    def __init__(self, fails: Callable[[Target, int], bool] = lambda target, attempt: False) -> None:
        self.taken: list[tuple[str, str]] = []
        self.attempts: dict[tuple[str, str], int] = {}
        self._fails = fails
        self._changed = asyncio.Event()

    async def __call__(self, route: Route, delivery: Delivery) -> Failure | None:
        target = route.target
        key = (target.id, delivery.event_id)
        self.attempts[key] = self.attempts.get(key, 0) + 1
        self._changed.set()
        if self._fails(target, self.attempts[key]):
            return FAILED
        self.taken.append(key)
        return None

    async def until(self, holds: Callable[["Targets"], bool]) -> None:
        async with asyncio.timeout(60):
            while not holds(self):
                self._changed.clear()
                await self._changed.wait()


def a_rule(bus: str, pattern: object, *targets: Target, name: str = "rule") -> Rule:
    return Rule(name, bus, "222222222222", compile_pattern(pattern), targets)


def a_target(id_: str, *, retries: int = 185, dead_letter: str = "") -> Target:
    return Target(
        id_, function_arn("eu-west-1", "222222222222", id_), RetryPolicy(maximum_retry_attempts=retries), dead_letter
    )


def an_event(id_: str, source: str = "orders") -> Record:
    return Record(id_, json.dumps({"id": id_, "source": source, "detail": {}}).encode())


@asynccontextmanager
async def routing(
    store: Store,
    rules: Sequence[Rule],
    deliver: Callable[[Route, Delivery], Awaitable[Failure | None]],
    queues: Queues | None = None,
) -> AsyncIterator[None]:
    stop = asyncio.Event()
    buses = [rule.bus_arn for rule in rules]
    await store.prepare(buses)
    running = asyncio.create_task(a_router(store, rules, deliver, queues=queues).run(stop))
    yield
    stop.set()
    async with asyncio.timeout(60):
        await running


async def test_an_event_reaches_the_target_of_the_rule_that_matches(store: Store, bus: str) -> None:
    targets = Targets()
    rules = [a_rule(bus, {"source": ["orders"]}, a_target("stock"))]
    async with routing(store, rules, targets):
        await store.publish(bus, [an_event("1", "payments"), an_event("2")])
        await targets.until(lambda seen: bool(seen.taken))
    assert targets.taken == [("stock", "2")]


async def test_an_event_reaches_each_target_of_each_rule_that_matches(store: Store, bus: str) -> None:
    targets = Targets()
    rules = [
        a_rule(bus, {"source": ["orders"]}, a_target("stock"), a_target("payments"), name="one"),
        a_rule(bus, {"detail": {"x": [{"exists": False}]}}, a_target("audit"), name="two"),
    ]
    async with routing(store, rules, targets):
        await store.publish(bus, [an_event("1")])
        await targets.until(lambda seen: len(seen.taken) == 3)
    assert sorted(targets.taken) == [("audit", "1"), ("payments", "1"), ("stock", "1")]


async def test_a_failed_attempt_is_repeated_until_the_target_takes_it(store: Store, bus: str) -> None:
    targets = Targets(lambda target, attempt: attempt < 4)
    async with routing(store, [a_rule(bus, {"source": ["orders"]}, a_target("stock"))], targets):
        await store.publish(bus, [an_event("1")])
        await targets.until(lambda seen: bool(seen.taken))
    assert targets.attempts == {("stock", "1"): 4}


async def test_a_fault_of_ours_about_one_event_stops_no_other(
    store: Store, bus: str, caplog: pytest.LogCaptureFixture
) -> None:
    targets = Targets()

    async def faulty(route: Route, delivery: Delivery) -> Failure | None:
        if delivery.event_id == "poison" and not targets.taken:
            raise RuntimeError("a fault of ours")
        return await targets(route, delivery)

    async with routing(store, [a_rule(bus, {"source": ["orders"]}, a_target("stock"))], faulty):
        await store.publish(bus, [an_event("poison"), an_event("good")])
        await targets.until(lambda seen: len(seen.taken) == 2)
    assert targets.taken == [("stock", "good"), ("stock", "poison")]
    assert "a fault of ours" in caplog.text


async def test_a_target_that_is_down_holds_up_no_other(store: Store, bus: str) -> None:
    targets = Targets(lambda target, attempt: target.id == "down")
    rules = [a_rule(bus, {"source": ["orders"]}, a_target("down"), a_target("up"))]
    async with routing(store, rules, targets):
        await store.publish(bus, [an_event(str(number)) for number in range(50)])
        await targets.until(lambda seen: len(seen.taken) == 50)
    assert {target for target, _ in targets.taken} == {"up"}


async def test_an_event_that_fails_holds_up_no_other_of_its_target(store: Store, bus: str) -> None:
    targets = Targets()
    deliveries: list[str] = []

    async def poisoned(route: Route, delivery: Delivery) -> Failure | None:
        deliveries.append(delivery.event_id)
        return FAILED if delivery.event_id == "poison" else await targets(route, delivery)

    async with routing(store, [a_rule(bus, {"source": ["orders"]}, a_target("stock"))], poisoned):
        await store.publish(bus, [an_event("poison"), *(an_event(str(number)) for number in range(30))])
        await targets.until(lambda seen: len(seen.taken) == 30)
    assert "poison" in deliveries


async def eventually(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.01)


async def test_after_the_last_attempt_the_event_is_a_dead_letter(store: Store, bus: str) -> None:
    targets = Targets(lambda target, attempt: True)
    queue, queues = "arn:aws:sqs:eu-west-1:222222222222:dead", Queues()
    rule = a_rule(bus, {"source": ["orders"]}, a_target("stock", retries=2, dead_letter=queue))
    async with routing(store, [rule], targets, queues):
        await store.publish(bus, [an_event("1")])
        await eventually(lambda: bool(queues.taken))
    assert targets.attempts == {("stock", "1"): 3}
    (letter,) = queues.taken[queue]
    assert (letter["body"], letter["source_arn"]) == (an_event("1").body, rule.arn)
    assert letter["attributes"] == {
        "RULE_ARN": rule.arn,
        "TARGET_ARN": "arn:aws:lambda:eu-west-1:222222222222:function:stock",
        "ERROR_CODE": "ERROR_FROM_TARGET",
        "ERROR_MESSAGE": "stock answered 500",
        "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts",
        "RETRY_ATTEMPTS": "2",
    }


async def test_attempts_at_one_target_at_once_are_bounded(store: Store, bus: str) -> None:
    under_way, most = 0, 0
    targets, as_many_as_may_be = Targets(), asyncio.Event()

    async def slow(route: Route, delivery: Delivery) -> Failure | None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        if most >= 16:
            as_many_as_may_be.set()
        await as_many_as_may_be.wait()
        await asyncio.sleep(0.005)
        under_way -= 1
        return await targets(route, delivery)

    async with routing(store, [a_rule(bus, {"source": ["orders"]}, a_target("stock"))], slow):
        await store.publish(bus, [an_event(str(number)) for number in range(100)])
        await targets.until(lambda seen: len(seen.taken) == 100)
    assert most == 16


async def test_stopping_ends_what_is_under_way(store: Store, bus: str) -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()
    targets = Targets()

    async def held_up(route: Route, delivery: Delivery) -> Failure | None:
        begun.set()
        await may_end.wait()
        return await targets(route, delivery)

    await store.prepare([bus])
    stop = asyncio.Event()
    rule = a_rule(bus, {"source": ["orders"]}, a_target("stock"))
    running = asyncio.create_task(a_router(store, [rule], held_up).run(stop))
    await store.publish(bus, [an_event("1")])
    await begun.wait()
    stop.set()
    may_end.set()
    await running
    assert targets.taken == [("stock", "1")]


async def test_what_is_matched_and_delivered_does_not_come_again(hasty: Store, bus: str) -> None:
    targets = Targets()
    rule = a_rule(bus, {"source": ["orders"]}, a_target("stock"))
    async with routing(hasty, [rule], targets):
        await hasty.publish(bus, [an_event("1")])
        await targets.until(lambda seen: bool(seen.taken))
    # Longer than the half second after which silence gives it to another holder.
    pulled = await asyncio.gather(
        hasty.pull_events(bus, 1, 0.8), hasty.pull_deliveries(target_key(rule.arn, "stock"), 1, 0.8)
    )
    assert [list(held) for held in pulled] == [[], []]


async def test_stopping_begins_no_attempt_and_leaves_the_rest_to_the_next(hasty: Store, bus: str) -> None:
    begun, may_end, stop = asyncio.Event(), asyncio.Event(), asyncio.Event()
    targets = Targets()

    async def held_up(route: Route, delivery: Delivery) -> Failure | None:
        begun.set()
        await may_end.wait()
        return await targets(route, delivery)

    await hasty.prepare([bus])
    rule = a_rule(bus, {"source": ["orders"]}, a_target("stock"))
    await hasty.publish(bus, [an_event(str(number)) for number in range(4)])
    running = asyncio.create_task(a_router(hasty, [rule], held_up, concurrency=1).run(stop))
    await begun.wait()
    stop.set()
    may_end.set()
    await running
    assert len(targets.taken) == 1
    async with routing(hasty, [rule], targets):
        await targets.until(lambda seen: len(set(seen.taken)) == 4)


async def test_what_one_router_left_the_next_one_delivers(hasty: Store, bus: str) -> None:
    rule = a_rule(bus, {"source": ["orders"]}, a_target("stock"))
    hung = asyncio.Event()

    async def hangs(route: Route, delivery: Delivery) -> Failure | None:
        hung.set()
        await asyncio.Event().wait()
        return None

    await hasty.prepare([bus])
    dying = asyncio.create_task(a_router(hasty, [rule], hangs).run(asyncio.Event()))
    await hasty.publish(bus, [an_event("1")])
    await hung.wait()
    dying.cancel()
    targets = Targets()
    async with routing(hasty, [rule], targets):
        await targets.until(lambda seen: bool(seen.taken))
    assert set(targets.taken) == {("stock", "1")}


async def test_a_tail_is_narrowed_by_its_pattern(store: Store, bus: str) -> None:
    await store.prepare([bus])
    await store.publish(bus, [an_event("1", "payments"), an_event("2", "orders")])
    events = tail(store, bus, pattern=compile_pattern({"source": ["orders"]}), from_start=True)
    assert (await anext(events))["id"] == "2"
    await events.aclose()


async def test_what_a_bus_keeps_is_narrowed_by_the_pattern(store: Store, bus: str) -> None:
    await store.prepare([bus])
    await store.publish(bus, [an_event("1", "payments"), an_event("2", "orders")])
    events = kept(store, bus, pattern=compile_pattern({"source": ["orders"]}))
    assert [event["id"] async for event in events] == ["2"]


class FullFor(MemoryStore):
    """Has no room for one target until it is told to."""

    def __init__(self, target: str) -> None:
        super().__init__()
        self._target = target
        self.full = True

    async def enqueue(self, deliveries: Sequence[Delivery], archived: Sequence[Archived] = ()) -> None:
        if self.full and any(delivery.target == self._target for delivery in deliveries):
            raise StoreFull("the event store is full")
        await super().enqueue(deliveries, archived)


async def test_a_target_whose_queue_is_full_holds_up_its_own_events_alone(
    bus: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(router, "FULL_SECONDS", 0.05)
    rules = [
        a_rule(bus, {"source": ["orders"]}, a_target("full"), name="one"),
        a_rule(bus, {"source": ["payments"]}, a_target("free"), name="two"),
    ]
    store, targets = FullFor(target_key(rules[0].arn, "full")), Targets()
    async with routing(store, rules, targets):
        await store.publish(bus, [an_event("1"), an_event("2", "payments"), an_event("3")])
        await targets.until(lambda seen: seen.taken == [("free", "2")])
        store.full = False
        await targets.until(lambda seen: len(seen.taken) == 3)
    assert sorted(targets.taken) == [("free", "2"), ("full", "1"), ("full", "3")]
    await store.close()


async def test_a_dead_letter_that_the_store_did_not_confirm_is_written_again(hasty: Store, bus: str) -> None:
    queue = "arn:aws:sqs:eu-west-1:222222222222:dead"
    queues, failures = Queues(), [StoreUnavailable("away")]
    send = queues.__call__

    class Failing(Queues):
        async def __call__(self, queue: str, body: bytes, **more: Any) -> Failure | None:
            if failures:
                raise failures.pop()
            return await send(queue, body, **more)

    targets = Targets(lambda target, attempt: True)
    rule = a_rule(bus, {"source": ["orders"]}, a_target("stock", retries=0, dead_letter=queue))
    async with routing(hasty, [rule], targets, Failing()):
        await hasty.publish(bus, [an_event("1")])
        await eventually(lambda: bool(queues.taken))
    assert len(queues.taken[queue]) == 1


async def test_what_a_target_would_get_is_the_body_of_its_dead_letter(store: Store, bus: str) -> None:
    queue, queues = "arn:aws:sqs:eu-west-1:222222222222:dead", Queues()
    shaped = replace(a_target("one", retries=0, dead_letter=queue), settings={"InputPath": "$.source"})
    template = {"InputPathsMap": {"s": "$.source"}, "InputTemplate": '{"s": "<s>"}'}
    broken = replace(a_target("two", dead_letter=queue), settings={"InputTransformer": template})
    targets = Targets(lambda target, attempt: True)
    async with routing(store, [a_rule(bus, {"source": [{"exists": True}]}, shaped, broken)], targets, queues):
        await store.publish(bus, [an_event("1", 'a"b')])
        await eventually(lambda: len(queues.taken.get(queue, ())) == 2)
    letters = {letter["attributes"]["ERROR_CODE"]: letter for letter in queues.taken[queue]}
    assert letters["ERROR_FROM_TARGET"]["body"] == b'"a\\"b"'
    assert letters["INVALID_JSON"]["body"] == an_event("1", 'a"b').body
    assert letters["INVALID_JSON"]["attributes"]["RETRY_ATTEMPTS"] == "0"
    assert set(targets.attempts) == {("one", "1")}


async def test_a_fault_about_one_dead_letter_ends_no_delivery_and_the_letter_is_written_again(
    store: Store, bus: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(lane, "FAULT_SECONDS", 0.05)
    queue, faults = "arn:aws:sqs:eu-west-1:222222222222:dead", [RuntimeError("of ours"), RuntimeError("again")]

    class Faulty(Queues):
        async def __call__(self, queue: str, body: bytes, **more: Any) -> Failure | None:
            if faults:
                raise faults.pop()
            return await super().__call__(queue, body, **more)

    queues = Faulty()
    targets = Targets(lambda target, attempt: target.id == "broken")
    rule = a_rule(
        bus, {"source": ["orders"]}, a_target("broken", retries=0, dead_letter=queue), a_target("stock", retries=0)
    )
    async with routing(store, [rule], targets, queues):
        await store.publish(bus, [an_event("1")])
        await eventually(lambda: "is not settled" in caplog.text)
        await store.publish(bus, [an_event("2")])
        await targets.until(lambda seen: ("stock", "2") in seen.taken)
        await eventually(lambda: len(queues.taken.get(queue, ())) == 2)
    assert sorted(json.loads(each["body"])["id"] for each in queues.taken[queue]) == ["1", "2"]
