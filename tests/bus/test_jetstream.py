"""What only the store on JetStream has: bounds, a server that goes away, and one that is not there."""

import asyncio
import shutil
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from nats.js.api import StreamConfig

from harness.bus.jetstream import JetStreamStore
from harness.bus.store import Delivery, Kept, Kind, Record, target_key
from harness.bus.streams import Bounds
from harness.clock import utc_now
from harness.errors import StartError
from harness.storage.connection import Connection
from harness.storage.held import StoreFull
from harness.wire import rule_arn
from tests.storage.nats_server import NatsServer

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

SMALL = Bounds(bus_bytes=200_000, target_bytes=50_000, ack_wait=60)
KILOBYTE = b"x" * 1000


@pytest.fixture
async def small(nats_server: NatsServer) -> AsyncIterator[JetStreamStore]:
    store = await JetStreamStore.connect(nats_server.url, bounds=SMALL)
    yield store
    await store.close()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[NatsServer]:
    server = NatsServer(tmp_path).start()
    yield server
    server.kill()


def records(count: int) -> list[Record]:
    return [Record(str(uuid.uuid4()), KILOBYTE) for _ in range(count)]


async def fill(store: JetStreamStore, bus: str) -> int:
    """How many events of a kilobyte it took until it was full."""
    taken = 0
    while True:
        try:
            await store.publish(bus, records(1))
        except StoreFull:
            return taken
        taken += 1


async def settle_all(store: JetStreamStore, bus: str, wanted: int) -> None:
    while wanted > 0:
        held = await store.pull_events(bus, 100, 60)
        assert held, f"{wanted} more were wanted"
        for item in held:
            await item.ack()
        wanted -= len(held)
    assert wanted == 0


async def test_a_full_bus_refuses_and_keeps_every_event_that_is_not_matched(small: JetStreamStore, bus: str) -> None:
    await small.prepare([bus])
    taken = await fill(small, bus)
    await small.trim(bus)
    await settle_all(small, bus, taken)
    assert await small.pull_events(bus, 1, 0.3) == []


async def test_trimming_makes_room_once_events_are_matched(small: JetStreamStore, bus: str) -> None:
    await small.prepare([bus])
    taken = await fill(small, bus)
    await settle_all(small, bus, taken)
    async with asyncio.timeout(60):
        while True:
            await small.trim(bus)
            try:
                await small.publish(bus, records(taken // 4))
                break
            except StoreFull:
                continue  # acknowledgements are not answered: the server may not know yet


async def test_a_full_target_refuses_and_another_does_not(small: JetStreamStore) -> None:
    full, empty = (target_key(rule_arn("eu-west-1", "1" * 12, "shop", uuid.uuid4().hex), "t") for _ in range(2))

    def deliveries(target: str, count: int) -> list[Delivery]:
        return [Delivery(str(uuid.uuid4()), target, KILOBYTE, utc_now()) for _ in range(count)]

    await small.prepare([], [full, empty])
    with pytest.raises(StoreFull):
        await small.enqueue(deliveries(full, 100))
    await small.enqueue(deliveries(empty, 10))


async def test_streams_of_other_parts_are_counted_whatever_they_say_of_themselves(nats_server: NatsServer) -> None:
    connection = await Connection.connect(nats_server.url)
    config = StreamConfig(name="OTHERS", subjects=["others"], metadata={"kind": "strange", "name": "x"})
    await connection.keep_stream(config)
    kept = await JetStreamStore(connection).usage()
    await connection.drop_stream("OTHERS")
    await connection.close()
    assert [each for each in kept if each.name == "OTHERS"] == [Kept(Kind.OTHER, "OTHERS", 0, 0)]


async def test_an_event_larger_than_the_server_takes_is_refused(small: JetStreamStore, bus: str) -> None:
    await small.prepare([bus])
    with pytest.raises(StoreFull):
        await small.publish(bus, [Record("big", b"x" * 9_000_000)])


async def test_bounds_may_be_changed_later(nats_server: NatsServer, small: JetStreamStore, bus: str) -> None:
    await small.prepare([bus])
    await fill(small, bus)
    larger = await JetStreamStore.connect(nats_server.url, bounds=Bounds(bus_bytes=400_000))
    await larger.prepare([bus])
    await larger.publish(bus, records(50))
    await larger.close()


async def test_what_arrived_and_was_not_pulled_is_given_back_at_the_end(nats_server: NatsServer, bus: str) -> None:
    patient = Bounds(ack_wait=3600)
    first = await JetStreamStore.connect(nats_server.url, bounds=patient)
    await first.prepare([bus])
    await first.pull_events(bus, 10, 0.05)  # leaves a request open
    await first.publish(bus, records(10))
    (await first.pull_events(bus, 1, 60))[0]
    (puller,) = first.connection._pullers.values()
    async with asyncio.timeout(60):
        while len(puller._buffer) < 9:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await first.close()
    second = await JetStreamStore.connect(nats_server.url, bounds=patient)
    pulled = 0
    while pulled < 9:
        held = await second.pull_events(bus, 10, 60)
        assert held, f"only {pulled} came"
        pulled += len(held)
    assert (pulled, await second.pull_events(bus, 10, 0.5)) == (9, [])
    await second.close()


async def test_no_server_is_a_clear_error() -> None:
    with pytest.raises(StartError, match=r"no event store answers at 127\.0\.0\.1:1 "):
        await JetStreamStore.connect("nats://user:secret@127.0.0.1:1", timeout=0.5)


async def test_it_knows_when_the_server_is_away_and_when_it_is_back(own_server: NatsServer) -> None:
    store = await JetStreamStore.connect(own_server.url)
    async with asyncio.timeout(60):
        assert store.connected()
        own_server.kill()
        while store.connected():  # noqa: ASYNC110 - the connection tells nobody
            await asyncio.sleep(0.01)
        await asyncio.to_thread(own_server.start)
        while not store.connected():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await store.close()


async def test_a_publish_waits_for_the_server_to_come_back(own_server: NatsServer, bus: str) -> None:
    store = await JetStreamStore.connect(own_server.url)
    await store.prepare([bus])
    own_server.kill()
    publishing = asyncio.create_task(store.publish(bus, records(3)))
    await asyncio.to_thread(own_server.start)
    await publishing
    held = await store.pull_events(bus, 10, 60)
    assert held
    await store.close()


async def test_a_tail_goes_on_after_the_server_came_back(own_server: NatsServer, bus: str) -> None:
    store = await JetStreamStore.connect(own_server.url)
    await store.prepare([bus])
    await store.publish(bus, [Record("1", b"one")])
    tail = store.tail(bus, from_start=True)
    assert await anext(tail) == b"one"
    own_server.kill()
    await asyncio.to_thread(own_server.start)
    await store.publish(bus, [Record("2", b"two")])
    async with asyncio.timeout(60):
        assert await anext(tail) == b"two"
    await tail.aclose()
    await store.close()


async def test_a_worker_whose_data_was_wiped_begins_anew(own_server: NatsServer, tmp_path: Path, bus: str) -> None:
    store = await JetStreamStore.connect(own_server.url)
    await store.prepare([bus])
    await store.pull_events(bus, 1, 0.05)
    own_server.kill()
    shutil.rmtree(tmp_path / "data")
    await asyncio.to_thread(own_server.start)
    pulling = asyncio.create_task(_first(store, bus))
    await store.publish(bus, records(1))
    async with asyncio.timeout(60):
        await pulling
    await store.close()


async def _first(store: JetStreamStore, bus: str) -> None:
    while not await store.pull_events(bus, 1, 0.2):
        pass
