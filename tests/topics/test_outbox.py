"""What both kinds of outbox promise."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from harness.storage.connection import Connection
from harness.topics.jetstream import JetStreamOutbox
from harness.topics.outbox import Lane, MemoryOutbox, Outbox
from tests.storage.nats_server import NatsServer

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["memory", pytest.param("jetstream", marks=pytest.mark.slow)])
async def outbox(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Outbox]:
    if request.param == "memory":
        yield MemoryOutbox()
        return
    server = NatsServer(tmp_path).start()
    connection = await Connection.connect(server.url)
    kept = JetStreamOutbox(connection)
    await kept.prepare()
    yield kept
    await connection.close()
    server.kill()


async def test_what_is_added_is_pulled_in_its_lane(outbox: Outbox) -> None:
    await outbox.add(Lane.QUEUES, b"one", once=uuid.uuid4().hex)
    assert await outbox.pull(Lane.HTTP, 1, 0.05) == []
    [held] = await outbox.pull(Lane.QUEUES, 1, 60)
    assert (held.body, held.attempt) == (b"one", 1)
    await held.ack()
    assert list(await outbox.pull(Lane.QUEUES, 1, 0.05)) == []


async def test_what_is_added_twice_is_there_once(outbox: Outbox) -> None:
    first = await outbox.add(Lane.PUBLISHED, b"one", once="same")
    assert first[1] is False
    assert await outbox.add(Lane.PUBLISHED, b"one", once="same") == (first[0], True)
    [held] = await outbox.pull(Lane.PUBLISHED, 5, 60)
    assert held.body == b"one"


async def test_whoever_stops_waiting_at_the_moment_a_message_comes_takes_nothing_along() -> None:
    outbox = MemoryOutbox()
    pull = asyncio.create_task(outbox.pull(Lane.QUEUES, 1, 60))
    await asyncio.sleep(0.01)
    await outbox.add(Lane.QUEUES, b"now", once="1")
    pull.cancel()
    await asyncio.wait([pull])
    assert pull.cancelled()
    assert [held.body for held in await outbox.pull(Lane.QUEUES, 1, 60)] == [b"now"]


async def test_what_is_given_back_comes_again(outbox: Outbox) -> None:
    await outbox.add(Lane.QUEUES, b"one", once="1")
    [held] = await outbox.pull(Lane.QUEUES, 1, 60)
    await held.nak(0.05)
    [again] = await outbox.pull(Lane.QUEUES, 1, 60)
    assert (again.body, again.attempt) == (b"one", 2)


async def test_of_what_is_ordered_one_is_out_at_a_time(outbox: Outbox) -> None:
    for number in range(3):
        await outbox.add(Lane.ORDERED, str(number).encode(), once=str(number))
    [first] = await outbox.pull(Lane.ORDERED, 5, 60)
    assert list(await outbox.pull(Lane.ORDERED, 5, 0.1)) == []
    await first.nak(0.05)
    found: list[bytes] = []
    async with asyncio.timeout(60):
        while len(found) < 3:
            for held in await outbox.pull(Lane.ORDERED, 5, 60):
                found.append(held.body)
                await held.ack()
    assert found == [b"0", b"1", b"2"]


@pytest.mark.slow
async def test_a_lane_that_is_given_up_is_handed_to_others(tmp_path: Path) -> None:
    server = NatsServer(tmp_path).start()
    connections = [await Connection.connect(server.url) for _ in range(2)]
    one, other = (JetStreamOutbox(connection, ack_wait=0.5) for connection in connections)
    await one.prepare()
    await one.add(Lane.QUEUES, b"one", once="1")
    assert len(await one.pull(Lane.QUEUES, 1, 60)) == 1
    [again] = await other.pull(Lane.QUEUES, 1, 60)
    assert (again.body, again.attempt) == (b"one", 2)
    for connection in connections:
        await connection.close()
    server.kill()
