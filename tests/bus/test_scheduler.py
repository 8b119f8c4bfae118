"""Scheduled events: one for each due time, however many routers there are, and none for the time when none was."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from harness.bus import scheduler
from harness.bus.catalogue import Catalogue
from harness.bus.documents import rule_key
from harness.bus.memory import MemoryStore
from harness.bus.scheduler import Scheduler
from harness.bus.store import FOR_RULE, Record
from harness.storage.held import StoreUnavailable
from harness.storage.memory_state import MemoryState
from harness.storage.replica import Replica
from harness.wire import bus_arn, rule_arn

pytestmark = pytest.mark.anyio

ORDERS = "111111111111"
BUS = bus_arn("eu-west-1", ORDERS, "default")
NOON = datetime(2026, 1, 15, 12, 0, 0, tzinfo=UTC)
EVERY_MINUTE = "rate(1 minute)"


@dataclass
class World:
    replica: Replica
    store: MemoryStore
    now: datetime = NOON
    running: list[tuple[asyncio.Event, asyncio.Task[None]]] = field(default_factory=list)
    looks: int = 0

    async def put(self, name: str, expression: str, **more: Any) -> None:
        document = {"ScheduleExpression": expression, "Since": NOON.timestamp(), **more}
        await self.replica.put(rule_key(ORDERS, "default", name), json.dumps(document).encode())

    def clock(self) -> datetime:
        self.looks += 1
        return self.now

    async def looked(self) -> None:
        """Every router has looked at the clock, and at what is due by it."""
        enough = self.looks + 4 * max(1, len(self.running))
        async with asyncio.timeout(20):
            while self.looks < enough:  # noqa: ASYNC110 - a clock tells nobody that it was asked
                await asyncio.sleep(0.001)

    async def begin(self) -> None:
        """Another router."""
        stop = asyncio.Event()
        catalogue = Catalogue(self.replica, region="eu-west-1", accounts=[ORDERS])
        work = Scheduler(catalogue, self.store, clock=self.clock).run(stop)
        self.running.append((stop, asyncio.create_task(work)))
        await self.looked()

    async def end(self) -> None:
        for stop, task in self.running:
            stop.set()
            await task
        self.running.clear()

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
