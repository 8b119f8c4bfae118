"""Bounds of the shelves on JetStream: at them something is refused, and nothing that was kept is lost."""

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest

from harness.queues.dispenser import Asked, Dispenser
from harness.queues.jetstream import Bounds, JetStreamShelf, JetStreamShelves
from harness.queues.message import Message
from harness.queues.shelf import Place
from harness.storage.connection import Connection
from harness.storage.held import StoreFull
from tests.queues.queues import a_message
from tests.storage.nats_server import NatsServer

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


@pytest.fixture
async def connection(nats_server: NatsServer) -> AsyncIterator[Connection]:
    connection = await Connection.connect(nats_server.url)
    yield connection
    await connection.close()


async def a_shelf(connection: Connection, bounds: Bounds, **place: object) -> JetStreamShelf:
    shelves = JetStreamShelves(connection, bounds)
    await shelves.prepare()
    made = Place(uuid.uuid4().hex, **{"ordered": False, "seconds": 3600, "once_seconds": 120, **place})  # type: ignore[arg-type]
    await shelves.keep(made)
    return shelves.shelf(made)


async def fill(shelf: JetStreamShelf, size: int, most: int = 100) -> int:
    """How many messages were kept before one was refused."""
    for number in range(most):
        try:
            await shelf.append(a_message("x" * size, id=str(number)), once=str(number))
        except StoreFull:
            return number
    raise AssertionError("nothing was refused")


@pytest.mark.parametrize(
    ("bounds", "size"),
    [
        pytest.param(Bounds(queue_messages=5), 10, id="by messages"),
        pytest.param(Bounds(queue_bytes=200_000), 40_000, id="by bytes"),
    ],
)
async def test_a_full_queue_refuses_and_has_room_again(connection: Connection, bounds: Bounds, size: int) -> None:
    shelf = await a_shelf(connection, bounds)
    kept = await fill(shelf, size)
    assert kept >= 3
    assert all([await shelf.fetch(sequence) is not None for sequence in range(1, kept + 1)])
    await shelf.erase(1)
    await shelf.append(a_message("x" * size, id="again"), once="again")


async def test_a_queue_whose_claims_have_no_room_gives_out_nothing_and_loses_nothing(connection: Connection) -> None:
    shelf = await a_shelf(connection, Bounds())
    for number in range(5):
        await shelf.append(a_message(str(number), id=str(number)), once=str(number))

    class Full(JetStreamShelf):
        async def write_lane(self, lane: object) -> int:
            raise StoreFull("no room")

    full = Full(connection, shelf._place)
    dispenser = Dispenser(full, ordered=False)
    await dispenser.start()
    with pytest.raises(StoreFull):
        await dispenser.receive(Asked(10, 30_000, 0, 3_600_000, 100), _nowhere)
    assert (await dispenser.counts(3_600_000)).visible == 5
    await dispenser.close()


async def test_of_one_message_that_two_take_at_once_one_gets_it(connection: Connection) -> None:
    shelf = await a_shelf(connection, Bounds())
    dispensers = [Dispenser(shelf, ordered=False) for _ in range(4)]
    for dispenser in dispensers:
        await dispenser.start()
    for number in range(20):
        await shelf.append(a_message(str(number), id=str(number)), once=str(number))
        asked = Asked(1, 30_000, 0, 3_600_000, 100)
        found = await asyncio.gather(*(dispenser.receive(asked, _nowhere) for dispenser in dispensers))
        assert sum(len(each) for each in found if isinstance(each, list)) == 1
    for dispenser in dispensers:
        await dispenser.close()


async def _nowhere(message: Message, sequence: int) -> bool:
    return False
