"""What both stores promise."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from harness.bus.memory import MemoryStore
from harness.bus.store import (
    TRACE,
    Archive,
    Archived,
    DeadLetter,
    Delivery,
    Kind,
    Record,
    Store,
    delivery_of,
    target_key,
)
from harness.storage.held import Held
from harness.wire import rule_arn
from tests.bus.conftest import a_store

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 1, 15, 12, 0, 0, tzinfo=UTC)


def a_record(body: bytes = b"{}") -> Record:
    return Record(str(uuid.uuid4()), body)


def a_target() -> str:
    return target_key(rule_arn("eu-west-1", "111111111111", "orders", uuid.uuid4().hex), "stock")


def a_delivery(target: str, body: bytes = b"{}") -> Delivery:
    return Delivery(str(uuid.uuid4()), target, body, NOON, "Root=1-2")


@pytest.fixture
async def three_seconds(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    store = await a_store(request, 3)
    yield store
    await store.close()


async def pull_all(store: Store, bus: str, count: int) -> list[Held]:
    held: list[Held] = []
    while len(held) < count:
        pulled = await store.pull_events(bus, count - len(held), 60)
        assert pulled, f"{len(held)} of {count} events came"
        held += pulled
    return held


async def take(store: Store, target: str) -> Held:
    (held,) = await store.pull_deliveries(target, 1, 60)
    return held


def bodies(held: Sequence[Held]) -> list[bytes]:
    return [item.body for item in held]


async def test_a_published_event_is_handed_out_with_its_headers(store: Store, bus: str) -> None:
    await store.prepare([bus])
    await store.publish(bus, [Record("id-1", b'{"a":1}', {TRACE: "Root=1-2"})])
    (held,) = await store.pull_events(bus, 10, 60)
    assert (held.body, held.headers[TRACE], held.attempt) == (b'{"a":1}', "Root=1-2", 1)


async def test_events_are_handed_out_in_the_order_published(store: Store, bus: str) -> None:
    await store.prepare([bus])
    await store.publish(bus, [a_record(str(number).encode()) for number in range(20)])
    held = await pull_all(store, bus, 20)
    assert bodies(held) == [str(number).encode() for number in range(20)]


async def test_a_record_published_twice_is_stored_once(store: Store, bus: str) -> None:
    await store.prepare([bus])
    record = a_record(b"once")
    await store.publish(bus, [record])
    await store.publish(bus, [record, a_record(b"next")])
    assert bodies(await pull_all(store, bus, 2)) == [b"once", b"next"]


async def test_pulling_from_an_empty_bus_gives_nothing(store: Store, bus: str) -> None:
    await store.prepare([bus])
    assert list(await store.pull_events(bus, 10, 0.05)) == []


async def test_a_waiting_pull_wakes_when_an_event_comes(store: Store, bus: str) -> None:
    await store.prepare([bus])
    pull = asyncio.create_task(store.pull_events(bus, 10, 60))
    await store.publish(bus, [a_record(b"now")])
    assert bodies(await pull) == [b"now"]


async def test_whoever_stops_waiting_at_the_moment_an_event_comes_takes_nothing_along(bus: str) -> None:
    store = MemoryStore()
    await store.prepare([bus])
    pull = asyncio.create_task(store.pull_events(bus, 1, 60))
    await asyncio.sleep(0.01)
    await store.publish(bus, [a_record(b"now")])
    pull.cancel()
    await asyncio.wait([pull])
    assert pull.cancelled()
    assert bodies(await store.pull_events(bus, 1, 60)) == [b"now"]
    await store.close()


async def test_buses_do_not_see_each_others_events(store: Store, bus: str) -> None:
    other = bus + "-other"
    await store.prepare([bus, other])
    await store.publish(other, [a_record()])
    assert list(await store.pull_events(bus, 10, 0.05)) == []


async def test_preparing_again_keeps_what_is_there(store: Store, bus: str) -> None:
    await store.prepare([bus])
    await store.publish(bus, [a_record(b"kept")])
    await store.prepare([bus])
    assert bodies(await pull_all(store, bus, 1)) == [b"kept"]


async def test_a_bus_that_was_cleared_has_nothing_and_goes_on(store: Store, bus: str) -> None:
    await store.prepare([bus])
    await store.publish(bus, [a_record(b"before")])
    await store.clear(bus)
    assert [body async for body in store.kept(bus)] == []
    assert await store.pull_events(bus, 10, 0.05) == []
    await store.publish(bus, [a_record(b"after")])
    assert bodies(await pull_all(store, bus, 1)) == [b"after"]


async def test_a_bus_that_was_dropped_and_made_again_is_empty(store: Store, bus: str) -> None:
    # Many times: nats-server gives a stream back what a deleted one of its name had, now and then.
    for _ in range(30):
        await store.prepare([bus])
        assert [body async for body in store.kept(bus)] == []
        await store.publish(bus, [Record("1", b"{}")])
        await store.drop([bus])
        await store.drop([bus])


async def test_what_is_acknowledged_is_not_handed_out_again(hasty: Store) -> None:
    target = a_target()
    await hasty.prepare([], [target])
    await hasty.enqueue([a_delivery(target)])
    await (await take(hasty, target)).ack()
    assert list(await hasty.pull_deliveries(target, 10, 0.8)) == []


async def test_what_is_given_back_comes_again_and_counts(store: Store) -> None:
    target = a_target()
    await store.prepare([], [target])
    await store.enqueue([a_delivery(target)])
    await (await take(store, target)).nak(0.05)
    assert (await take(store, target)).attempt == 2


async def test_what_is_given_back_waits_for_its_delay(store: Store) -> None:
    target = a_target()
    await store.prepare([], [target])
    await store.enqueue([a_delivery(target)])
    await (await take(store, target)).nak(60)
    assert list(await store.pull_deliveries(target, 1, 0.1)) == []


async def test_what_a_dead_holder_left_comes_again(hasty: Store) -> None:
    target = a_target()
    await hasty.prepare([], [target])
    await hasty.enqueue([a_delivery(target)])
    await take(hasty, target)
    assert (await take(hasty, target)).attempt == 2


@pytest.mark.parametrize("three_seconds", ["memory", pytest.param("jetstream", marks=pytest.mark.slow)], indirect=True)
async def test_what_is_in_progress_is_not_given_to_another(three_seconds: Store) -> None:
    store, target = three_seconds, a_target()
    await store.prepare([], [target])
    await store.enqueue([a_delivery(target)])
    held = await take(store, target)
    for _ in range(8):  # in all longer than the three seconds after which silence would give it away
        assert list(await store.pull_deliveries(target, 1, 0.4)) == []
        await held.in_progress()


async def test_what_is_ended_never_comes_again(hasty: Store) -> None:
    target = a_target()
    await hasty.prepare([], [target])
    await hasty.enqueue([a_delivery(target)])
    await (await take(hasty, target)).term()
    assert list(await hasty.pull_deliveries(target, 1, 0.8)) == []


async def test_a_delivery_comes_out_as_it_went_in(store: Store) -> None:
    target = a_target()
    await store.prepare([], [target])
    delivery = a_delivery(target, b'{"detail":{}}')
    await store.enqueue([delivery])
    assert delivery_of(await take(store, target), target) == delivery


async def test_a_delivery_enqueued_twice_is_stored_once(store: Store) -> None:
    target = a_target()
    await store.prepare([], [target])
    delivery = a_delivery(target)
    await store.enqueue([delivery, delivery])
    await store.enqueue([delivery])
    await (await take(store, target)).ack()
    assert list(await store.pull_deliveries(target, 1, 0.05)) == []


async def test_targets_have_queues_of_their_own(store: Store) -> None:
    one, other = a_target(), a_target()
    await store.prepare([], [one, other])
    await store.enqueue([a_delivery(other)])
    assert list(await store.pull_deliveries(one, 1, 0.05)) == []


async def test_a_dead_letter_that_is_set_aside_is_kept_once_with_its_reason(store: Store) -> None:
    letter = DeadLetter(uuid.uuid4().hex, "arn:of:queue", b"{}", {"ERROR_CODE": "TIMEOUT"}, "it is\ngone, ü")
    await store.prepare([])
    await store.set_aside(letter)
    await store.set_aside(letter)
    assert [each async for each in store.undelivered() if each.id == letter.id] == [letter]


async def kept(store: Store, kind: Kind, name: str) -> int | None:
    """How many messages, None when there is no such place."""
    found = [each.messages for each in await store.usage() if (each.kind, each.name) == (kind, name)]
    return found[0] if found else None


async def test_the_store_says_how_much_it_keeps(store: Store, bus: str) -> None:
    target = a_target()
    await store.prepare([bus], [target])
    await store.publish(bus, [a_record(), a_record()])
    await store.enqueue([a_delivery(target)])
    held = await take(store, target)
    assert (await kept(store, Kind.BUS, bus), await kept(store, Kind.TARGET, target)) == (2, 1)
    await held.nak(0.01)
    await (await take(store, target)).ack()
    async with asyncio.timeout(60):
        while await kept(store, Kind.TARGET, target):  # noqa: ASYNC110 - an acknowledgement is not answered
            await asyncio.sleep(0.01)


async def test_what_is_dropped_is_gone_with_all_that_it_kept(store: Store, bus: str) -> None:
    target = a_target()
    await store.prepare([bus], [target])
    await store.publish(bus, [a_record(b"old")])
    await store.enqueue([a_delivery(target, b"old")])
    await store.drop([bus], [target])
    await store.drop([bus], [target])
    assert (await kept(store, Kind.BUS, bus), await kept(store, Kind.TARGET, target)) == (None, None)
    await store.prepare([bus], [target])
    await store.publish(bus, [a_record(b"new")])
    await store.enqueue([a_delivery(target, b"new")])
    assert (bodies(await pull_all(store, bus, 1)), (await take(store, target)).body) == ([b"new"], b"new")


async def test_after_a_release_it_is_pulled_as_before(store: Store, bus: str) -> None:
    target = a_target()
    await store.prepare([bus], [target])
    assert list(await store.pull_deliveries(target, 10, 0.05)) == []
    await store.release_target(target)
    await store.release_bus(bus)
    await store.enqueue([a_delivery(target)])
    await store.publish(bus, [a_record(b"new")])
    held = await take(store, target)
    assert (held.attempt, bodies(await pull_all(store, bus, 1))) == (1, [b"new"])


async def test_what_settles_too_late_changes_nothing(hasty: Store) -> None:
    target = a_target()
    await hasty.prepare([], [target])
    await hasty.enqueue([a_delivery(target)])
    late = await take(hasty, target)
    again = await take(hasty, target)
    await late.in_progress()
    await again.ack()
    assert list(await hasty.pull_deliveries(target, 10, 0.8)) == []


def an_archive() -> Archive:
    return Archive(f"arn:aws:events:eu-west-1:111111111111:archive/{uuid.uuid4().hex}", made="1.5", days=1)


async def events_of(store: Store, archive: Archive, minute: int) -> list[bytes]:
    return [body async for body in store.archived(archive, minute)]


async def test_an_archive_keeps_events_by_the_minute(store: Store) -> None:
    archive = an_archive()
    await store.prepare_archive(archive)
    events = [Archived(archive, str(number), number // 2, str(number).encode()) for number in range(5)]
    await store.enqueue([], events)
    await store.enqueue([], events)
    assert await store.archived_minutes(archive) == {0: 2, 1: 2, 2: 1}
    assert await events_of(store, archive, 1) == [b"2", b"3"]
    assert await events_of(store, archive, 7) == []


async def test_an_archive_that_is_not_there_has_nothing(store: Store) -> None:
    assert await store.archived_minutes(an_archive()) == {}


async def test_an_archive_of_the_same_name_made_later_begins_empty(store: Store) -> None:
    archive = an_archive()
    later = replace(archive, made="2")
    for each in (archive, later):
        await store.prepare_archive(each)
    await store.enqueue([], [Archived(archive, "1", 0, b"old")])
    assert await store.archived_minutes(later) == {}
    await store.drop_archive(archive.name)
    await store.drop_archive(archive.name)
    assert await kept(store, Kind.ARCHIVE, archive.name) is None


async def test_an_archive_s_retention_may_be_changed(store: Store) -> None:
    archive = an_archive()
    await store.prepare_archive(archive)
    await store.enqueue([], [Archived(archive, "1", 0, b"1")])
    for days in (0, 30, 1):
        await store.prepare_archive(replace(archive, days=days))
    assert await events_of(store, archive, 0) == [b"1"]


async def test_a_log_group_keeps_its_lines_once_each(store: Store) -> None:
    group = f"arn:aws:logs:eu-west-1:111111111111:log-group:/aws/events/{uuid.uuid4().hex}"
    assert [body async for body in store.logged(group)] == []
    await store.log(group, [Record("1", b"one"), Record("2", b"two")])
    await store.log(group, [Record("2", b"two")])
    assert [body async for body in store.logged(group)] == [b"one", b"two"]
    assert await kept(store, Kind.LOG, group) == 2


async def test_a_tail_from_the_start_shows_what_was_matched_already(store: Store, bus: str) -> None:
    await store.prepare([bus])
    await store.publish(bus, [a_record(b"one"), a_record(b"two")])
    for held in await pull_all(store, bus, 2):
        await held.ack()
    tail = store.tail(bus, from_start=True)
    assert [await anext(tail), await anext(tail)] == [b"one", b"two"]


async def test_a_tail_from_now_shows_only_what_comes(store: Store, bus: str) -> None:
    await store.prepare([bus])
    await store.publish(bus, [a_record(b"before")])
    tail = store.tail(bus, from_start=False)
    following = asyncio.ensure_future(anext(tail))
    while not following.done():
        # It begins when it is first asked; until then what is published belongs to the past.
        await store.publish(bus, [a_record(b"after")])
        await asyncio.wait([following], timeout=0.05)
    assert following.result() == b"after"


async def test_what_a_bus_keeps_is_read_to_its_end(store: Store, bus: str) -> None:
    await store.prepare([bus])
    published = [str(number).encode() for number in range(600)]
    await store.publish(bus, [a_record(body) for body in published])
    assert [body async for body in store.kept(bus)] == published


async def test_a_bus_without_events_keeps_nothing(store: Store, bus: str) -> None:
    await store.prepare([bus])
    assert [body async for body in store.kept(bus)] == []


async def test_trimming_a_bus_with_room_forgets_nothing(store: Store, bus: str) -> None:
    await store.prepare([bus])
    await store.publish(bus, [a_record(b"kept")])
    await store.trim(bus)
    assert bodies(await pull_all(store, bus, 1)) == [b"kept"]


@pytest.mark.parametrize(
    ("one", "other"),
    [("a.b", "a=2Eb"), ("a_b", "a-b"), ("a/b", "a.b"), ("ä", "a")],
)
def test_different_rule_names_have_different_queues(one: str, other: str) -> None:
    keys = {target_key(rule_arn("eu-west-1", "111111111111", "orders", name), "stock") for name in (one, other)}
    assert len(keys) == 2


def test_the_longest_names_still_make_a_stream_name() -> None:
    key = target_key(rule_arn("eu-west-1", "111111111111", "/" * 256, "." * 64), "_" * 64)
    assert len(key) <= 200


async def test_an_archive_says_how_much_it_keeps(store: Store) -> None:
    archive = an_archive()
    assert (await store.archive_kept(archive)).messages == 0
    await store.prepare_archive(archive)
    await store.enqueue([], [Archived(archive, str(number), 0, b"12345") for number in range(3)])
    found = await store.archive_kept(archive)
    assert (found.messages, found.bytes >= 15) == (3, True)
