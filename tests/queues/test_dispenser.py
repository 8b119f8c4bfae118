"""A dispenser whose store tells late, or not at all."""

import pytest

from harness.queues.dispenser import Asked, Dispenser
from harness.queues.index import Arrived, Counts
from harness.queues.lane_codec import own_lane
from harness.queues.memory import MemoryShelf, MemoryShelves
from harness.queues.message import Message
from harness.queues.shelf import Place
from tests.queues.queues import a_message

pytestmark = pytest.mark.anyio

DAY_MS = 86_400_000
ASKED = Asked(limit=10, visibility=30_000, wait=0, retention=DAY_MS, most_in_flight=100)


async def nowhere(message: Message, sequence: int) -> bool:
    return False


def a_shelf() -> MemoryShelf:
    return MemoryShelves().shelf(Place("q", ordered=False, seconds=60, once_seconds=60))


async def test_a_message_that_went_before_it_was_told_holds_nobody_up() -> None:
    shelf = a_shelf()
    dispenser = Dispenser(shelf, ordered=False)
    await dispenser.start()
    sequence, _ = await shelf.append(a_message("gone", id="1"), once="1")
    await shelf.erase(sequence)
    assert await dispenser.receive(ASKED, nowhere) == []
    assert await dispenser.counts(DAY_MS) == Counts(0, 0, 0)
    await dispenser.close()


async def test_what_went_while_the_store_was_away_is_known_when_it_is_back() -> None:
    shelf = a_shelf()
    dispenser = Dispenser(shelf, ordered=False)
    for number in range(2):
        await shelf.append(a_message(str(number), id=str(number)), once=str(number))
    await dispenser.start()
    await dispenser.close()
    await shelf.erase(1)
    await dispenser.start()
    assert await dispenser.counts(DAY_MS) == Counts(1, 0, 0)
    await dispenser.close()


async def test_a_message_that_is_known_and_gone_is_not_given_out() -> None:
    shelf = a_shelf()
    dispenser = Dispenser(shelf, ordered=False)
    for number in range(2):
        await shelf.append(a_message(str(number), id=str(number)), once=str(number))
    await dispenser.start()
    await shelf.erase(1)
    received = await dispenser.receive(ASKED, nowhere)
    assert isinstance(received, list)
    assert [each.message.body for each in received] == ["1"]
    assert await dispenser.counts(DAY_MS) == Counts(0, 1, 0)
    await dispenser.close()


def test_lanes_are_named_by_their_message() -> None:
    assert Arrived(7, own_lane(7), 0, 0).lane == "s7"
