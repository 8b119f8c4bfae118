"""What FIFO queues promise, on both kinds of shelf: order in a group, one holder of a group, each message once."""

import asyncio

import pytest

from harness.queues.broker import Broker
from harness.queues.dispenser import Trouble
from harness.queues.index import Counts
from harness.queues.model import Queue
from tests.queues.conftest import NewBroker
from tests.queues.queues import Ahead, a_queue, bodies, receive, send

pytestmark = pytest.mark.anyio


async def fifo(broker: Broker, account: str, **given: str) -> Queue:
    return await a_queue(broker, account, FifoQueue="true", **given)


async def test_messages_of_a_group_come_in_their_order(broker: Broker, account: str) -> None:
    queue = await fifo(broker, account)
    for number in range(12):
        await send(broker, queue, str(number), group="one")
    found = []
    while batch := await receive(broker, queue, 5, wait=0):
        found += bodies(batch)
        for each in batch:
            assert await broker.delete(queue, each.handle) is None
    assert found == [str(number) for number in range(12)]


async def test_a_group_is_locked_while_one_of_its_messages_is_in_flight(broker: Broker, account: str) -> None:
    queue = await fifo(broker, account)
    for body in "abc":
        await send(broker, queue, body, group="one")
    await send(broker, queue, "x", group="other")
    first, second = await receive(broker, queue, 2)
    assert bodies([first, second]) == ["a", "b"]
    assert bodies(await receive(broker, queue)) == ["x"]
    await broker.delete(queue, first.handle)
    assert await receive(broker, queue, wait=0) == []
    await broker.delete(queue, second.handle)
    assert bodies(await receive(broker, queue)) == ["c"]


async def test_a_message_that_comes_back_comes_before_those_behind_it(broker: Broker, account: str) -> None:
    queue = await fifo(broker, account)
    for body in "abc":
        await send(broker, queue, body, group="one")
    await receive(broker, queue, 1, visibility=1)
    again = await receive(broker, queue)
    assert bodies(again) == ["a", "b", "c"]
    assert [each.claim.count for each in again] == [2, 1, 1]


async def test_a_message_sent_twice_is_there_once(broker: Broker, account: str) -> None:
    queue = await fifo(broker, account)
    first = await send(broker, queue, "a", group="one", once="same")
    [received] = await receive(broker, queue)
    await broker.delete(queue, received.handle)
    again = await send(broker, queue, "a", group="one", once="same")
    assert (again.id, again.sequence) == (first.id, first.sequence)
    assert await receive(broker, queue, wait=0) == []


async def test_a_receipt_that_has_expired_deletes_nothing(broker: Broker, account: str) -> None:
    queue = await fifo(broker, account)
    await send(broker, queue, "a", group="one")
    [expired] = await receive(broker, queue, visibility=0)
    assert await broker.delete(queue, expired.handle) is Trouble.EXPIRED
    [received] = await receive(broker, queue)
    assert await broker.delete(queue, expired.handle) is Trouble.EXPIRED
    assert await broker.delete(queue, received.handle) is None
    assert await broker.delete(queue, received.handle) is None
    assert await broker.counts(queue) == Counts(0, 0, 0)


async def test_a_delayed_message_holds_back_its_group_alone(new_broker: NewBroker, account: str) -> None:
    clock = Ahead()
    broker = await new_broker(clock=clock)
    queue = await fifo(broker, account)
    await send(broker, queue, "late", group="one", delay=600)
    await send(broker, queue, "behind", group="one")
    await send(broker, queue, "other", group="other")
    assert bodies(await receive(broker, queue, wait=0, visibility=6000)) == ["other"]
    clock.seconds = 601
    assert bodies(await receive(broker, queue)) == ["late", "behind"]


async def test_two_processes_keep_the_order_together(new_broker: NewBroker, account: str) -> None:
    one, other = await new_broker(), await new_broker()
    queue = await fifo(one, account)
    for number in range(30):
        await send(one, queue, f"{number % 3}-{number:02}", group=str(number % 3))
    found: list[str] = []
    in_flight: set[str] = set()

    async def drain(broker: Broker) -> None:
        while len(found) < 30:
            batch = await receive(broker, queue, 2, wait=0.1)
            groups = {each.message.group for each in batch}
            assert not groups & in_flight, "a group was given out twice"
            in_flight.update(groups)
            found.extend(bodies(batch))
            in_flight.difference_update(groups)
            for each in batch:
                await broker.delete(queue, each.handle)

    async with asyncio.timeout(180):
        await asyncio.gather(*(drain(broker) for broker in (one, other, one, other)))
    for group in "012":
        ours = [body for body in found if body.startswith(group)]
        assert ours == sorted(ours)
    assert len(set(found)) == len(found) == 30


async def test_groups_may_have_any_name(broker: Broker, account: str) -> None:
    queue = await fifo(broker, account)
    names = ["a.b", "*", ">", "a b".replace(" ", "/"), "x" * 128]
    for name in names:
        await send(broker, queue, name, group=name)
    assert sorted(bodies(await receive(broker, queue))) == sorted(names)
