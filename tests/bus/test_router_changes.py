"""A router whose catalogue changes while it runs: rules, targets and buses come and go."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from harness.bus import lanes
from harness.bus.catalogue import Catalogue
from harness.bus.dead_letters import DeadLetters
from harness.bus.documents import archive_arn, archive_key, bus_key, rule_key
from harness.bus.lane import Work
from harness.bus.model import Bus, Rule, Target
from harness.bus.patterns.pattern import compile_pattern
from harness.bus.router import Router
from harness.bus.routes import Route, Routes
from harness.bus.store import FOR_RULE, ONLY_RULES, REVISION, Archive, Delivery, Kind, Record, Store, target_key
from harness.bus.targets.delivery import Deliver, Failure
from harness.storage.memory_state import MemoryState
from harness.storage.replica import Replica
from harness.storage.state import Key
from harness.wire import function_arn, rule_arn
from tests.bus.routing import SOON, Queues

pytestmark = pytest.mark.anyio

PLATFORM = "333333333333"
STOCK = function_arn("eu-west-1", "222222222222", "stock")
ORDERS = {"EventPattern": '{"source": ["orders"]}', "Targets": [{"Id": "stock", "Arn": STOCK}]}


@dataclass
class Landscape:
    """One bus, rules in a state that tests change, and what the targets took: pairs of rule and event."""

    store: Store
    state: MemoryState
    replica: Replica
    bus: str
    taken: list[tuple[str, str]]

    @property
    def bus_name(self) -> str:
        return self.bus.split("event-bus/")[1]

    async def put_rule(self, name: str, document: Mapping[str, Any] = ORDERS) -> int:
        return (await self.replica.put(rule_key(PLATFORM, self.bus_name, name), json.dumps(document).encode())).revision

    async def delete_rule(self, name: str) -> None:
        await self.replica.delete(rule_key(PLATFORM, self.bus_name, name))

    @property
    def archive_key(self) -> Key:
        return archive_key(PLATFORM, f"of-{self.bus_name[:40]}")

    @property
    def archive(self) -> Archive:
        return Archive(archive_arn("eu-west-1", PLATFORM, self.archive_key[-1]), made="1.5")

    async def publish(self, *ids: str, source: str = "orders", headers: Mapping[str, str] | None = None) -> None:
        records = [
            Record(id_, json.dumps({"id": id_, "source": source, "detail": {}}).encode(), headers or {}) for id_ in ids
        ]
        await self.store.publish(self.bus, records)

    def key(self, rule: str, target: str = "stock") -> str:
        return target_key(rule_arn("eu-west-1", PLATFORM, self.bus_name, rule), target)

    async def queue(self, rule: str) -> int | None:
        """How many deliveries wait, None when there is no queue."""
        kept = {each.name: each.messages for each in await self.store.usage() if each.kind is Kind.TARGET}
        return kept.get(self.key(rule))

    async def until_taken(self, *wanted: tuple[str, str]) -> None:
        await eventually(lambda: set(wanted) <= set(self.taken))


async def eventually(holds: Any) -> None:
    async with asyncio.timeout(60):
        while not (await found if asyncio.iscoroutine(found := holds()) else found):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@pytest.fixture
async def landscape(store: Store, bus: str) -> AsyncIterator[Landscape]:
    async with a_landscape(store, bus) as made:
        yield made


@pytest.fixture
async def hasty_landscape(hasty: Store, bus: str) -> AsyncIterator[Landscape]:
    async with a_landscape(hasty, bus) as made:
        yield made


@asynccontextmanager
async def a_landscape(store: Store, bus: str) -> AsyncIterator[Landscape]:
    state = MemoryState()
    bus = bus.replace("111111111111", PLATFORM)
    async with Replica(state).running() as replica:
        await replica.put(bus_key(PLATFORM, bus.split("event-bus/")[1]), b"{}")
        yield Landscape(store, state, replica, bus, [])


@asynccontextmanager
async def routing(
    landscape: Landscape, deliver: Deliver | None = None, *, replica: Replica | None = None, **options: Any
) -> AsyncIterator[None]:
    async def take(route: Route, delivery: Delivery) -> Failure | None:
        landscape.taken.append((route.rule.name, delivery.event_id))
        return None

    catalogue = Catalogue(replica or landscape.replica, region="eu-west-1", accounts=[])
    work = Work(landscape.store, deliver or take, DeadLetters(Queues(), landscape.store), backoff=SOON)
    stop = asyncio.Event()
    await landscape.store.prepare([landscape.bus])
    running = asyncio.create_task(Router(catalogue, work, **{"look": 0.05, **options}).run(stop))
    try:
        yield
    finally:
        stop.set()
        async with asyncio.timeout(60):
            await running


async def test_a_rule_that_is_put_matches_the_events_that_follow(landscape: Landscape) -> None:
    async with routing(landscape):
        revision = await landscape.put_rule("one")
        await landscape.publish("1", headers={REVISION: str(revision)})
        await landscape.until_taken(("one", "1"))


async def test_a_rule_that_is_gone_does_not_match(landscape: Landscape) -> None:
    await landscape.put_rule("one")
    await landscape.put_rule("other")
    async with routing(landscape):
        await landscape.delete_rule("one")
        await landscape.publish("1")
        await landscape.until_taken(("other", "1"))
    assert landscape.taken == [("other", "1")]


async def test_an_event_waits_for_the_rules_that_its_edge_knew(landscape: Landscape) -> None:
    """The router's own copy of the state is behind: it must not match with what it has."""
    behind = LateState(landscape.state)
    copy = Waited(behind)
    async with copy.running() as replica, routing(landscape, replica=replica):
        revision = await landscape.put_rule("one")
        await landscape.publish("1", headers={REVISION: str(revision)})
        await asyncio.wait_for(copy.asked.wait(), 60)
        assert landscape.taken == []
        behind.tell.set()
        await landscape.until_taken(("one", "1"))


class LateState(MemoryState):
    """Tells what has changed only once `tell` is set."""

    def __init__(self, state: MemoryState) -> None:
        super().__init__()
        self._real = state
        self.tell = asyncio.Event()

    async def changes(self) -> Any:
        told = False
        async for change in self._real.changes():
            if told:
                await self.tell.wait()
            told = told or type(change).__name__ == "CaughtUp"
            yield change


class Waited(Replica):
    """Says when it is waited for."""

    def __init__(self, state: LateState) -> None:
        super().__init__(state)
        self.asked = asyncio.Event()

    async def reach(self, revision: int, *, seconds: float = 10) -> None:
        self.asked.set()
        await super().reach(revision, seconds=seconds)


async def test_a_disabled_rule_delivers_what_it_matched_before(landscape: Landscape) -> None:
    may = asyncio.Event()

    async def late(route: Route, delivery: Delivery) -> Failure | None:
        if not may.is_set():
            return Failure("TIMEOUT", "not yet", not_before=0.2)  # so that its retries last
        landscape.taken.append((route.rule.name, delivery.event_id))
        return None

    await landscape.put_rule("one")
    await landscape.put_rule("other")
    async with routing(landscape, late):
        await landscape.publish("1")
        await eventually(lambda: waits(landscape, "one", 1))
        await landscape.put_rule("one", {**ORDERS, "State": "DISABLED"})
        await landscape.publish("2")
        await eventually(lambda: waits(landscape, "other", 2))
        may.set()
        await landscape.until_taken(("one", "1"), ("other", "1"), ("other", "2"))
    assert ("one", "2") not in landscape.taken


async def waits(landscape: Landscape, rule: str, count: int) -> bool:
    return await landscape.queue(rule) == count


async def test_what_waits_for_a_target_that_is_removed_is_dropped(landscape: Landscape) -> None:
    async def never(route: Route, delivery: Delivery) -> Failure | None:
        return Failure("TIMEOUT", "never", not_before=0.2)

    await landscape.put_rule("one")
    async with routing(landscape, never, grace=0.2):
        await landscape.publish("1")
        await eventually(lambda: waits(landscape, "one", 1))
        await landscape.put_rule("one", {**ORDERS, "Targets": []})
        async with asyncio.timeout(60):
            while await landscape.queue(rule="one") is not None:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


async def test_a_target_that_is_put_again_gets_what_follows(landscape: Landscape) -> None:
    await landscape.put_rule("one")
    async with routing(landscape, grace=0.2):
        await landscape.publish("1")
        await landscape.until_taken(("one", "1"))
        await landscape.delete_rule("one")
        async with asyncio.timeout(60):
            while await landscape.queue(rule="one") is not None:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await landscape.put_rule("one")
        await landscape.publish("2")
        await landscape.until_taken(("one", "2"))


async def test_a_queue_that_another_router_dropped_is_made_again(
    landscape: Landscape, monkeypatch: pytest.MonkeyPatch
) -> None:
    await landscape.put_rule("one")
    looks, usage = 0, landscape.store.usage

    async def counted() -> Any:
        nonlocal looks
        found = await usage()
        looks += 1
        return found

    monkeypatch.setattr(landscape.store, "usage", counted)
    async with routing(landscape):
        await landscape.publish("1")
        await landscape.until_taken(("one", "1"))
        await landscape.delete_rule("one")
        await landscape.store.drop([], [landscape.key("one")])
        before = looks
        # A whole look at the store, which is what it hears by: one may have been under way, the next has begun since.
        await eventually(lambda: looks >= before + 3)
        await landscape.put_rule("one")
        await landscape.publish("2")
        await landscape.until_taken(("one", "2"))


async def test_what_waits_for_a_domain_that_does_not_run_is_kept(landscape: Landscape) -> None:
    key = landscape.key("asleep")
    await landscape.store.prepare([], [key])
    await landscape.put_rule("one")
    async with routing(landscape, grace=0, asleep=[key]):
        for number in range(5):  # each is seen after another look at the store
            await landscape.publish(str(number))
            await landscape.until_taken(("one", str(number)))
            await asyncio.sleep(0.06)
        assert await landscape.queue("asleep") == 0


async def test_a_bus_that_is_gone_is_dropped_with_its_events(landscape: Landscape) -> None:
    await landscape.put_rule("one")
    async with routing(landscape, grace=0.1):
        await landscape.publish("1")
        await landscape.until_taken(("one", "1"))
        await landscape.delete_rule("one")
        await landscape.replica.delete(bus_key(PLATFORM, landscape.bus_name))
        async with asyncio.timeout(60):
            while any(each.name == landscape.bus for each in await landscape.store.usage()):  # noqa: ASYNC110
                await asyncio.sleep(0.01)


async def test_an_event_for_some_rules_reaches_those_alone(landscape: Landscape) -> None:
    for name in ("one", "two", "three"):
        await landscape.put_rule(name)
    only = " ".join(rule_arn("eu-west-1", PLATFORM, landscape.bus_name, name) for name in ("one", "three"))
    async with routing(landscape):
        await landscape.publish("1", headers={ONLY_RULES: only})
        await landscape.publish("2")
        await landscape.until_taken(*((name, "2") for name in ("one", "two", "three")), ("one", "1"), ("three", "1"))
    assert ("two", "1") not in landscape.taken


async def test_a_scheduled_event_reaches_the_rule_of_its_schedule(landscape: Landscape) -> None:
    await landscape.put_rule("due", {"ScheduleExpression": "rate(1 minute)", "Targets": ORDERS["Targets"]})
    await landscape.put_rule("off", {**ORDERS, "State": "DISABLED"})
    due, off = (rule_arn("eu-west-1", PLATFORM, landscape.bus_name, name) for name in ("due", "off"))
    async with routing(landscape):
        await landscape.publish("1", source="aws.events", headers={FOR_RULE: off})
        await landscape.publish("2", source="aws.events", headers={FOR_RULE: due})
        await landscape.until_taken(("due", "2"))
    assert landscape.taken == [("due", "2")]


async def test_a_lane_with_nothing_to_do_ends_and_begins_again(
    hasty_landscape: Landscape, monkeypatch: pytest.MonkeyPatch
) -> None:
    landscape = hasty_landscape
    monkeypatch.setattr(lanes, "IDLE_SECONDS", 0.0)
    await landscape.put_rule("one")
    async with routing(landscape):
        for number in range(20):
            await landscape.publish(str(number))
            await landscape.until_taken(("one", str(number)))
            await asyncio.sleep(0.005 * number)  # meets the lane in each phase of its end
    assert len(set(landscape.taken)) == 20


async def test_a_target_that_is_changed_is_delivered_to_as_it_is_now(landscape: Landscape) -> None:
    seen: list[str] = []

    async def remember(route: Route, delivery: Delivery) -> Failure | None:
        seen.append(route.target.arn)
        return Failure("TIMEOUT", "again") if route.target.arn == STOCK else None

    await landscape.put_rule("one")
    async with routing(landscape, remember):
        await landscape.publish("1")
        await eventually(lambda: bool(seen))
        await landscape.put_rule("one", {**ORDERS, "Targets": [{"Id": "stock", "Arn": STOCK + "-next"}]})
        await eventually(lambda: seen[-1] == STOCK + "-next")


@pytest.mark.parametrize("rules", [3000])
async def test_rules_that_match_nothing_cost_the_store_nothing(landscape: Landscape, rules: int) -> None:
    for number in range(rules):
        await landscape.put_rule(f"rule-{number}", {**ORDERS, "EventPattern": json.dumps({"source": [f"s-{number}"]})})
    async with routing(landscape):
        await landscape.publish("1", source="s-17")
        await landscape.until_taken(("rule-17", "1"))
        kept = [each.name for each in await landscape.store.usage() if each.kind is Kind.TARGET]
    assert landscape.key("rule-17") in kept
    assert landscape.key("rule-18") not in kept


def an_archive(landscape: Landscape, **more: Any) -> bytes:
    return json.dumps({"EventSourceArn": landscape.bus, "CreationTime": 1.5, **more}).encode()


async def publish_at(landscape: Landscape, id_: str, time: str, **more: Any) -> None:
    event = {"id": id_, "source": "orders", "time": time, "detail": {}, **more}
    await landscape.store.publish(landscape.bus, [Record(id_, json.dumps(event).encode())])


async def test_an_archive_gets_what_its_pattern_takes_and_nothing_replayed(landscape: Landscape) -> None:
    await landscape.replica.put(
        landscape.archive_key, an_archive(landscape, EventPattern='{"detail": {"keep": [true]}}')
    )
    async with routing(landscape):
        await publish_at(landscape, "1", "1970-01-01T00:00:59Z", detail={"keep": True})
        await publish_at(landscape, "2", "1970-01-01T00:01:00Z", detail={"keep": True})
        await publish_at(landscape, "3", "1970-01-01T00:01:01Z", detail={"keep": False})
        await publish_at(landscape, "4", "1970-01-01T00:01:02Z", detail={"keep": True}, **{"replay-name": "again"})
        await publish_at(landscape, "5", "1970-01-01T01:00:00Z", detail={"keep": True})
        await eventually(lambda: minutes_are(landscape, landscape.archive, {0: 1, 1: 1, 60: 1}))


async def minutes_are(landscape: Landscape, archive: Archive, wanted: dict[int, int]) -> bool:
    return await landscape.store.archived_minutes(archive) == wanted


async def test_an_archive_that_is_deleted_is_dropped(landscape: Landscape) -> None:
    await landscape.replica.put(landscape.archive_key, an_archive(landscape))
    async with routing(landscape, grace=0.1):
        await publish_at(landscape, "1", "1970-01-01T00:00:00Z")
        archive = landscape.archive
        await eventually(lambda: minutes_are(landscape, archive, {0: 1}))
        await landscape.replica.delete(landscape.archive_key)
        await eventually(lambda: minutes_are(landscape, archive, {}))
        await landscape.replica.put(landscape.archive_key, an_archive(landscape, CreationTime=2.5))
        await publish_at(landscape, "3", "1970-01-01T00:02:00Z")
        await eventually(lambda: minutes_are(landscape, replace(archive, made="2.5"), {2: 1}))


async def test_a_rule_of_a_manifest_has_its_own_targets_whatever_the_api_made_before(landscape: Landscape) -> None:
    await landscape.put_rule("one", {**ORDERS, "Targets": [{"Id": "old", "Arn": STOCK}]})
    managed = Rule(
        "one", landscape.bus, PLATFORM, compile_pattern({"source": ["orders"]}), (Target("new", STOCK + "-new"),)
    )
    bus = Bus("eu-west-1", PLATFORM, landscape.bus_name)
    catalogue = Catalogue(landscape.replica, region="eu-west-1", accounts=[], buses=[bus], rules=[managed])
    routes = Routes(catalogue)
    assert [route.target.id for route in routes.of_rule(managed)] == ["new"]
    await landscape.put_rule("one", {**ORDERS, "Targets": []})
    await landscape.delete_rule("one")
    assert [route.target.id for route in routes.of_rule(managed)] == ["new"]
