"""Replays, on both stores: which events, in which order, in which state; and what becomes of one whose router dies."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from harness.bus.archives import archive_of, minute_of
from harness.bus.catalogue import Catalogue
from harness.bus.documents import archive_arn, archive_key, bus_key, replay_arn, replay_key
from harness.bus.faults import Patience
from harness.bus.replayer import LEASES, Replayer, with_name
from harness.bus.store import ONLY_RULES, ORIGIN, Archived, Record, Store
from harness.clock import Clock, utc_now
from harness.storage.held import Held, StoreFull
from harness.storage.memory_state import MemoryState
from harness.storage.replica import Replica
from harness.storage.state import Key

pytestmark = pytest.mark.anyio

PLATFORM = "333333333333"
MINUTE = 60


def an_event(id_: str, second: int) -> dict[str, Any]:
    time = f"1970-01-01T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z"
    return {"version": "0", "id": id_, "source": "orders", "time": time, "region": "r", "resources": [], "detail": {}}


@dataclass
class World:
    store: Store
    replica: Replica
    catalogue: Catalogue
    bus: str
    archive: str
    pulled: int = 0

    async def keep(self, *events: tuple[str, int]) -> None:
        """Pairs of id and second, as an archive got them."""
        document = self.catalogue.archive(self.archive)
        assert document is not None
        archive = archive_of(self.archive, document)
        await self.store.prepare_archive(archive)
        archived = [
            Archived(archive, f"{number}-{id_}", second // MINUTE, json.dumps(an_event(id_, second)).encode())
            for number, (id_, second) in enumerate(events)
        ]
        await self.store.enqueue([], archived)

    async def start(self, name: str, start: float, end: float, *, state: str = "STARTING", filters: Any = None) -> None:
        document = {
            "EventSourceArn": self.archive,
            "EventStartTime": start,
            "EventEndTime": end,
            "Destination": {"Arn": self.bus, **({"FilterArns": filters} if filters else {})},
            "State": state,
        }
        await self.replica.put(replay_key(PLATFORM, name), json.dumps(document).encode())

    def state(self, name: str) -> dict[str, Any]:
        entry = self.replica.get(replay_key(PLATFORM, name))
        assert entry is not None
        document: dict[str, Any] = json.loads(entry.value)
        return document

    async def until(self, name: str, *states: str) -> dict[str, Any]:
        async with asyncio.timeout(60):
            while self.state(name)["State"] not in states:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        return self.state(name)

    async def replayed(self) -> list[Held]:
        """What has come to the bus since this was asked last."""
        held: list[Held] = []
        there = sum([1 async for _ in self.store.kept(self.bus)]) - self.pulled
        while len(held) < there:
            pulled = await self.store.pull_events(self.bus, 1000, 60)
            assert pulled, f"{len(held)} of {there} events came"
            for each in pulled:
                await each.ack()
            held += pulled
        self.pulled += len(held)
        return held


def ids(held: list[Held]) -> list[str]:
    return [json.loads(each.body)["id"] for each in held]


@pytest.fixture
async def world(store: Store, bus: str) -> AsyncIterator[World]:
    bus = bus.replace("111111111111", PLATFORM)
    name = bus.split("event-bus/")[1]
    async with Replica(MemoryState()).running() as replica:
        await replica.put(bus_key(PLATFORM, name), b"{}")
        await replica.put(archive_key(PLATFORM, name), json.dumps({"EventSourceArn": bus, "CreationTime": 1}).encode())
        await store.prepare([bus])
        catalogue = Catalogue(replica, region="eu-west-1", accounts=[])
        yield World(store, replica, catalogue, bus, archive_arn("eu-west-1", PLATFORM, name))


@asynccontextmanager
async def replaying(
    world: World,
    *,
    lease: float = 30,
    store: Store | None = None,
    patience: Patience[Key] | None = None,
    clock: Clock = utc_now,
) -> AsyncIterator[None]:
    stop = asyncio.Event()
    replayer = Replayer(
        world.replica, world.catalogue, store or world.store, lease=lease, patience=patience, clock=clock
    )
    running = asyncio.create_task(replayer.run(stop))
    try:
        yield
    finally:
        stop.set()
        async with asyncio.timeout(60):
            await running


async def test_the_window_is_of_the_events_own_time_without_its_end(world: World) -> None:
    await world.keep(("late", 125), ("end", 120), ("first", 60), ("before", 59), ("last", 119))
    async with replaying(world):
        await world.start("again", 60, 120)
        ended = await world.until("again", "COMPLETED")
    held = await world.replayed()
    assert sorted(ids(held)) == ["first", "last"]
    assert ended["EventLastReplayedTime"] == 120
    assert ended["ReplayEndTime"] > 0


async def test_events_from_before_1970_are_replayed_too(world: World) -> None:
    document = world.catalogue.archive(world.archive)
    assert document is not None
    archive = archive_of(world.archive, document)
    await world.store.prepare_archive(archive)
    event = {**an_event("old", 0), "time": "1969-12-31T23:58:30Z"}
    await world.store.enqueue([], [Archived(archive, "1", minute_of(event), json.dumps(event).encode())])
    async with replaying(world):
        await world.start("again", -1000, 1000)
        await world.until("again", "COMPLETED")
    assert ids(await world.replayed()) == ["old"]


async def test_minutes_go_in_their_order_whatever_came_first(world: World) -> None:
    await world.keep(("d", 3700), ("b", 61), ("c", 600), ("a", 0))
    async with replaying(world):
        await world.start("again", 0, 10_000)
        await world.until("again", "COMPLETED")
    assert ids(await world.replayed()) == ["a", "b", "c", "d"]


async def test_an_event_is_the_same_but_for_the_replay_s_name(world: World) -> None:
    await world.keep(("a", 0))
    rule = f"arn:aws:events:eu-west-1:{PLATFORM}:rule/x/one"
    async with replaying(world):
        await world.start("again", 0, 60, filters=[rule, rule + "-2"])
        await world.until("again", "COMPLETED")
    (held,) = await world.replayed()
    assert list(json.loads(held.body)) == [
        "version", "id", "source", "time", "region", "replay-name", "resources", "detail",
    ]  # fmt: skip
    assert json.loads(held.body) == {**an_event("a", 0), "replay-name": "again"}
    assert held.headers[ONLY_RULES] == f"{rule} {rule}-2"
    assert held.headers[ORIGIN] == f"a:1:{replay_arn('eu-west-1', PLATFORM, 'again')}"


async def test_two_replays_each_send_every_event_and_every_copy(world: World) -> None:
    await world.keep(("a", 0), ("a", 0), ("b", 1))
    async with replaying(world):
        await world.start("one", 0, 60)
        await world.start("two", 0, 60)
        await world.until("one", "COMPLETED")
        await world.until("two", "COMPLETED")
    assert sorted(ids(await world.replayed())) == ["a"] * 4 + ["b"] * 2


async def test_routers_do_not_replay_the_same_twice(world: World) -> None:
    await world.keep(*((f"e{number}", number) for number in range(300)))
    async with replaying(world), replaying(world), replaying(world):
        await world.start("again", 0, 1000)
        await world.until("again", "COMPLETED")
    assert sorted(ids(await world.replayed())) == sorted(f"e{number}" for number in range(300))


class Dying:
    """A store in which the publishing of the third minute never ends."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.hung = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def publish(self, bus: str, records: list[Record]) -> None:
        if records[0].id.startswith("c"):
            self.hung.set()
            await asyncio.Event().wait()
        await self._store.publish(bus, records)


async def test_a_replay_whose_router_died_goes_on_with_the_minute_that_was_not_done(world: World) -> None:
    await world.keep(("a", 0), ("b", 60), ("c", 120), ("d", 180))
    dying = Dying(world.store)
    died = asyncio.create_task(
        Replayer(world.replica, world.catalogue, dying).run(asyncio.Event())  # type: ignore[arg-type]
    )
    await world.start("again", 0, 1000)
    await asyncio.wait_for(dying.hung.wait(), 60)
    died.cancel()
    assert ids(await world.replayed()) == ["a", "b"]
    watched = Full(world.store, lambda id_: True)
    # An hour later the lease of the dead is over.
    async with replaying(world, store=watched, clock=lambda: utc_now() + timedelta(hours=1)):  # type: ignore[arg-type]
        await world.until("again", "COMPLETED")
    assert ids(await world.replayed()) == ["c", "d"]
    assert [id_[0] for id_ in watched.published] == ["c", "d"]


async def test_a_router_that_stops_hands_its_replay_over_at_once(world: World) -> None:
    await world.keep(*((f"e{number}", number * MINUTE) for number in range(50)))
    full = Full(world.store, lambda id_: not id_.startswith("e20"))
    async with replaying(world, lease=3600, store=full):  # type: ignore[arg-type]
        await world.start("again", 0, 100_000)
        await asyncio.wait_for(full.met.wait(), 60)
    assert world.state("again")["State"] == "RUNNING"
    async with replaying(world, lease=3600):
        await world.until("again", "COMPLETED")
    assert ids(await world.replayed()) == [f"e{number}" for number in range(50)]


class Full:
    """A store whose bus is full for some events."""

    def __init__(self, store: Store, takes: Callable[[str], bool]) -> None:
        self._store = store
        self._takes = takes
        self.met = asyncio.Event()
        self.published: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def publish(self, bus: str, records: list[Record]) -> None:
        self.published += [record.id for record in records]
        if not all(self._takes(record.id) for record in records):
            self.met.set()
            raise StoreFull("the event store is full")
        await self._store.publish(bus, records)


async def test_a_replay_is_cancelled_while_its_bus_is_full(world: World) -> None:
    await world.keep(("a", 0), ("b", 60))
    full = Full(world.store, lambda id_: id_.startswith("a"))
    async with replaying(world, store=full):  # type: ignore[arg-type]
        await world.start("again", 0, 1000)
        await asyncio.wait_for(full.met.wait(), 60)
        document = {**world.state("again"), "State": "CANCELLING"}
        await world.replica.put(replay_key(PLATFORM, "again"), json.dumps(document).encode())
        ended = await world.until("again", "CANCELLED")
    assert ended["ReplayEndTime"] > 0
    assert ids(await world.replayed()) == ["a"]


async def test_a_replay_that_is_cancelled_before_it_begins_sends_nothing(world: World) -> None:
    await world.keep(("a", 0))
    await world.start("again", 0, 60, state="CANCELLING")
    async with replaying(world):
        await world.until("again", "CANCELLED")
    assert await world.replayed() == []


async def test_a_replay_of_an_archive_that_is_gone_fails_and_says_why(world: World) -> None:
    name = world.archive.rpartition("/")[2]
    await world.replica.delete(archive_key(PLATFORM, name))
    await world.start("again", 0, 60)
    async with replaying(world):
        ended = await world.until("again", "FAILED")
    assert ended["StateReason"] == f"Archive {name} does not exist."


async def test_a_replay_of_nothing_is_completed(world: World) -> None:
    await world.start("again", 0, 60)
    async with replaying(world):
        await world.until("again", "COMPLETED")
    assert await world.replayed() == []


async def test_a_replay_that_has_ended_is_left_alone(world: World) -> None:
    await world.keep(("a", 0))
    for state in ("COMPLETED", "CANCELLED", "FAILED"):
        await world.start(state.lower(), 0, 60, state=state)
    async with replaying(world):
        await world.start("again", 0, 60)
        await world.until("again", "COMPLETED")
    assert len(await world.replayed()) == 1


def test_an_event_without_a_region_is_marked_too() -> None:
    assert with_name({"id": "a"}, "again") == {"id": "a", "replay-name": "again"}


BROKEN = {
    "it is no JSON": "no JSON",
    "it has no state": "{}",
    "it names no archive": '{"State": "STARTING"}',
    "it has no window": '{"State": "STARTING", "EventSourceArn": "$archive", "Destination": {"Arn": "$bus"}}',
    "its archive is kept for a text of days": '{"State": "STARTING", "EventSourceArn": "$broken", '
    '"Destination": {"Arn": "$bus"}, "EventStartTime": 0, "EventEndTime": 600}',
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
async def test_a_replay_that_is_broken_holds_up_no_other_and_goes_on_once_it_is_mended(
    world: World, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    await world.keep(("a", 0), ("b", 60))
    broken = archive_key(PLATFORM, f"{world.archive.rpartition('/')[2]}-broken")
    document = json.dumps({"EventSourceArn": world.bus, "RetentionDays": "7"}).encode()
    await world.replica.put(broken, document)
    arn = archive_arn("eu-west-1", PLATFORM, broken[3])
    text = text.replace("$archive", world.archive).replace("$bus", world.bus).replace("$broken", arn)
    await world.replica.put(replay_key(PLATFORM, "broken"), text.encode())
    async with replaying(world, patience=Patience(first=0.01, most=0.05)):
        await world.start("good", 0, 600)
        await world.until("good", "COMPLETED")
        assert "replay broken of 333333333333 met a fault" in caplog.text
        await world.start("broken", 0, 600)
        await world.until("broken", "COMPLETED")
    assert sorted(ids(await world.replayed())) == ["a", "a", "b", "b"]


async def test_a_lease_that_cannot_be_read_holds_nobody_off(world: World) -> None:
    await world.keep(("a", 0))
    await world.start("one", 0, 600)
    for number, text in enumerate((b"no JSON", b"{}", b'{"Owner": "x", "Until": "noon", "Done": 1}'), start=1):
        await world.start(f"one-{number}", 0, 600)
        await world.replica.put((*LEASES, PLATFORM, f"one-{number}"), text)
    async with replaying(world):
        for number in (1, 2, 3):
            await world.until(f"one-{number}", "COMPLETED")


async def test_what_is_no_event_in_an_archive_is_left_out(world: World, caplog: pytest.LogCaptureFixture) -> None:
    document = world.catalogue.archive(world.archive)
    assert document is not None
    archive = archive_of(world.archive, document)
    await world.keep(("a", 0), ("b", 1))
    broken = (b"no JSON", b"{}", b'{"id":"x","time":17}', b'{"id":"x","time":"noon"}')
    await world.store.enqueue([], [Archived(archive, f"x-{n}", 0, body) for n, body in enumerate(broken)])
    await world.keep(("c", 2))
    async with replaying(world):
        await world.start("one", 0, 600)
        await world.until("one", "COMPLETED")
    assert sorted(set(ids(await world.replayed()))) == ["a", "b", "c"]
    assert caplog.text.count("keeps what is no event") == len(broken)
