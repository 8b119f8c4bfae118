"""Scheduled events: one for each due time, however many routers there are, and none for the time when none was."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from operator import lt
from typing import Any

import pytest

from harness.bus import scheduler
from harness.bus.catalogue import Catalogue
from harness.bus.documents import rule_key
from harness.bus.memory import MemoryStore
from harness.bus.scheduler import Scheduler
from harness.bus.store import FOR_RULE, Record
from harness.storage.held import StoreFull, StoreUnavailable
from harness.storage.memory_state import MemoryState
from harness.storage.replica import Replica
from harness.wire import bus_arn, rule_arn

pytestmark = pytest.mark.anyio

ORDERS, STOCK = "111111111111", "222222222222"
BUS = bus_arn("eu-west-1", ORDERS, "default")
NOON = datetime(2026, 1, 15, 12, 0, 0, tzinfo=UTC)
EVERY_MINUTE = "rate(1 minute)"


@dataclass
class World:
    replica: Replica
    store: MemoryStore
    now: datetime = NOON
    running: list[tuple[asyncio.Event, asyncio.Task[None]]] = field(default_factory=list)
    looks: list[int] = field(default_factory=list)

    async def put(self, name: str, expression: str, **more: Any) -> None:
        document = {"ScheduleExpression": expression, "Since": NOON.timestamp(), **more}
        await self.replica.put(rule_key(ORDERS, "default", name), json.dumps(document).encode())

    def clock(self, router: int) -> datetime:
        self.looks[router] += 1
        return self.now

    async def looked(self) -> None:
        """Every router has looked at the clock, and at what is due by it."""
        enough = [looks + 4 for looks in self.looks]
        async with asyncio.timeout(60):
            while any(map(lt, self.looks, enough)):  # noqa: ASYNC110 - a clock tells nobody that it was asked
                await asyncio.sleep(0.001)

    async def begin(self) -> None:
        """Another router."""
        stop = asyncio.Event()
        catalogue = Catalogue(self.replica, region="eu-west-1", accounts=[ORDERS, STOCK])
        router = len(self.looks)
        self.looks.append(0)
        work = Scheduler(catalogue, self.store, clock=lambda: self.clock(router)).run(stop)
        self.running.append((stop, asyncio.create_task(work)))
        await self.looked()

    async def end(self) -> None:
        for stop, task in self.running:
            stop.set()
            await task
        self.running.clear()
        self.looks.clear()

    async def after(self, **time: float) -> list[dict[str, Any]]:
        """What is on the bus once so much time has passed and every router has looked."""
        self.now += timedelta(**time)
        if self.running:
            await self.looked()
        return [json.loads(body) async for body in self.store.kept(BUS)]


@pytest.fixture
async def world(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr(scheduler, "NAP_SECONDS", 0.002)
    monkeypatch.setattr(scheduler, "PAUSE_SECONDS", 0.002)
    store = MemoryStore()
    await store.prepare([BUS])
    async with Replica(MemoryState()).running() as replica:
        made = World(replica, store)
        yield made
        await made.end()
    await store.close()


def times(events: list[dict[str, Any]]) -> list[str]:
    return [event["time"][11:-1] for event in events]


async def test_a_scheduled_event_is_as_eventbridge_has_it(world: World) -> None:
    await world.put("every-minute", EVERY_MINUTE)
    await world.begin()
    (event,) = await world.after(seconds=60.5)
    arn = rule_arn("eu-west-1", ORDERS, "default", "every-minute")
    assert {**event, "id": "…"} == {
        "version": "0",
        "id": "…",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ORDERS,
        "time": "2026-01-15T12:01:00Z",
        "region": "eu-west-1",
        "resources": [arn],
        "detail": {},
    }
    (held,) = await world.store.pull_events(BUS, 10, 0)
    assert held.headers[FOR_RULE] == arn


async def test_nothing_is_due_at_once(world: World) -> None:
    await world.put("every-minute", EVERY_MINUTE)
    await world.begin()
    assert await world.after(seconds=59) == []


async def test_several_routers_put_one_event(world: World) -> None:
    await world.put("every-minute", EVERY_MINUTE)
    for _ in range(3):
        await world.begin()
    await world.after(seconds=61)
    assert times(await world.after(seconds=60)) == ["12:01:00", "12:02:00"]


async def test_what_was_due_while_none_ran_is_not_made_up_for(world: World) -> None:
    await world.put("every-minute", EVERY_MINUTE)
    await world.begin()
    await world.after(seconds=61)
    await world.end()
    await world.after(minutes=10)
    await world.begin()
    assert times(await world.after(seconds=60)) == ["12:01:00", "12:12:00"]


async def test_a_router_that_was_asleep_sends_nothing_that_another_may_have_sent(world: World) -> None:
    await world.put("every-minute", EVERY_MINUTE)
    await world.begin()
    await world.after(seconds=61)
    assert times(await world.after(minutes=10)) == ["12:01:00", "12:11:00"]


async def test_a_rule_that_is_put_later_begins_to_count_then(world: World) -> None:
    await world.begin()
    await world.after(seconds=70)
    await world.put("every-minute", EVERY_MINUTE, Since=(NOON + timedelta(seconds=70)).timestamp())
    await world.put("cron", "cron(* * * * ? *)", Since=(NOON + timedelta(seconds=70)).timestamp())
    assert sorted(times(await world.after(seconds=61))) == ["12:02:00", "12:02:10"]


async def test_a_cron_that_was_due_just_before_the_rule_was_put_is_not(world: World) -> None:
    await world.begin()
    await world.after(seconds=55)
    world.now += timedelta(seconds=10)
    await world.put("cron", "cron(* * * * ? *)", Since=world.now.timestamp())
    assert await world.after(seconds=1) == []


async def test_a_rule_that_is_disabled_or_gone_is_not_due(world: World) -> None:
    await world.put("one", EVERY_MINUTE)
    await world.put("two", EVERY_MINUTE)
    await world.put("three", EVERY_MINUTE)
    await world.begin()
    await world.put("two", EVERY_MINUTE, State="DISABLED")
    await world.replica.delete(rule_key(ORDERS, "default", "three"))
    (event,) = await world.after(seconds=61)
    assert event["resources"] == [rule_arn("eu-west-1", ORDERS, "default", "one")]


async def test_an_event_that_the_store_did_not_take_is_put_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.put("every-minute", EVERY_MINUTE)
    failures = [StoreUnavailable("away")]
    publish = world.store.publish

    async def failing(bus: str, records: list[Record]) -> None:
        if failures:
            raise failures.pop()
        await publish(bus, records)

    monkeypatch.setattr(world.store, "publish", failing)
    await world.begin()
    assert times(await world.after(seconds=61)) == ["12:01:00"]


BROKEN = {
    "an expression that is none": {"ScheduleExpression": "rate(1 fortnight)"},
    "an expression that is no text": {"ScheduleExpression": 17},
    "a beginning that is no number": {"Since": "noon"},
    "a beginning after the end of all days": {"Since": 1e18},
}


def as_document(more: dict[str, Any]) -> bytes:
    return json.dumps({"ScheduleExpression": EVERY_MINUTE, "Since": NOON.timestamp(), **more}).encode()


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("when", ["before", "while it runs"])
async def test_a_broken_schedule_holds_up_no_other(world: World, broken: dict[str, Any], when: str) -> None:
    key = rule_key(ORDERS, "default", "broken")
    if when == "before":
        await world.replica.put(key, as_document(broken))
    await world.put("good", EVERY_MINUTE)
    await world.begin()
    await world.replica.put(key, as_document(broken))
    (event,) = await world.after(seconds=61)
    assert event["resources"] == [rule_arn("eu-west-1", ORDERS, "default", "good")]
    await world.put("broken", EVERY_MINUTE)
    assert len(await world.after(seconds=60)) == 3


@dataclass
class Blocked:
    """A store of which one bus takes nothing as long as there is an `error`."""

    world: World
    error: Exception | None
    tries: int = 0

    def block(self, monkeypatch: pytest.MonkeyPatch) -> None:
        publish = self.world.store.publish

        async def blocking(bus: str, records: list[Record]) -> None:
            if self.error is not None and bus == BUS:
                self.tries += 1
                raise self.error
            await publish(bus, records)

        monkeypatch.setattr(self.world.store, "publish", blocking)

    async def tried_again(self) -> None:
        wanted = self.tries + 2
        async with asyncio.timeout(30):
            while self.tries < wanted:  # noqa: ASYNC110
                await asyncio.sleep(0.001)

    async def kept(self, count: int) -> list[str]:
        """Times of the events on the bus once there are so many."""
        async with asyncio.timeout(30):
            while len(found := [json.loads(body) async for body in self.world.store.kept(BUS)]) < count:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        return sorted(times(found))


@pytest.mark.parametrize("error", [StoreFull("full"), StoreUnavailable("away"), RuntimeError("ours")], ids=repr)
async def test_what_a_bus_does_not_take_waits_and_holds_up_no_other_bus(
    world: World, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    other = bus_arn("eu-west-1", STOCK, "default")
    await world.store.prepare([other])
    blocked = Blocked(world, error)
    blocked.block(monkeypatch)
    await world.put("one", EVERY_MINUTE)
    await world.replica.put(rule_key(STOCK, "default", "two"), as_document({}))
    await world.begin()
    for minute in range(1, 6):
        assert await world.after(seconds=61 if minute == 1 else 60) == []
        assert len([body async for body in world.store.kept(other)]) == minute
    await blocked.tried_again()
    blocked.error = None
    assert await blocked.kept(5) == [f"12:0{minute}:00" for minute in range(1, 6)]
    await world.looked()
    assert len(await blocked.kept(5)) == 5


async def test_what_waits_for_a_bus_is_bounded(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(scheduler, "MOST_WAITING", 2)
    blocked = Blocked(world, StoreFull("full"))
    blocked.block(monkeypatch)
    await world.put("one", EVERY_MINUTE)
    await world.begin()
    for _ in range(4):
        await world.after(seconds=60.5)
    blocked.error = None
    assert await blocked.kept(2) == ["12:03:00", "12:04:00"]
    assert "@2026-01-15T12:01:00Z is lost" in caplog.text
