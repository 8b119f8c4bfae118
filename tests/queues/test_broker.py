"""What queues promise, on both kinds of shelf: standard queues, visibility, delay, dead letters, bounds."""

import asyncio
from dataclasses import replace

import pytest

from harness.queues.broker import Broker
from harness.queues.dispenser import Trouble
from harness.queues.index import Counts
from tests.queues.conftest import NewBroker
from tests.queues.queues import Ahead, a_message, a_queue, bodies, receive, redrive_to, send

pytestmark = pytest.mark.anyio


async def test_what_is_sent_is_received(broker: Broker, account: str) -> None:
    queue = await a_queue(broker, account)
    sent = await send(broker, queue, "one")
    [received] = await receive(broker, queue, wait=0)
    assert (received.message.body, received.message.id) == ("one", sent.id)
    assert (received.claim.count, received.claim.first) == (1, received.claim.at)


async def test_a_received_message_is_hidden_from_others(broker: Broker, account: str) -> None:
    queue = await a_queue(broker, account)
    await send(broker, queue, "one")
    await receive(broker, queue)
    assert await receive(broker, queue, wait=0) == []
    assert await broker.counts(queue) == Counts(0, 1, 0)


async def test_a_message_that_nobody_deletes_comes_back(broker: Broker, account: str) -> None:
    queue = await a_queue(broker, account)
    await send(broker, queue, "one")
    [first] = await receive(broker, queue, visibility=1)
    [second] = await receive(broker, queue)
    assert second.message == first.message
    assert (second.claim.count, second.claim.first) == (2, first.claim.first)
    assert second.claim.at - first.claim.at >= 1000


async def test_a_deleted_message_does_not_come_back(broker: Broker, account: str) -> None:
    queue = await a_queue(broker, account)
    await send(broker, queue, "one")
    [received] = await receive(broker, queue, visibility=1)
    assert await broker.delete(queue, received.handle) is None
    assert await receive(broker, queue, wait=1.2) == []
    assert await broker.counts(queue) == Counts(0, 0, 0)


async def test_a_message_is_deleted_once_and_again(broker: Broker, account: str) -> None:
    queue = await a_queue(broker, account)
    await send(broker, queue, "one")
    [received] = await receive(broker, queue)
    assert await broker.delete(queue, received.handle) is None
    assert await broker.delete(queue, received.handle) is None


async def test_an_older_receipt_does_not_delete_what_another_has_now(broker: Broker, account: str) -> None:
    queue = await a_queue(broker, account)
    await send(broker, queue, "one")
    [first] = await receive(broker, queue, visibility=0)
    [second] = await receive(broker, queue)
    assert await broker.delete(queue, first.handle) is None
    assert await broker.counts(queue) == Counts(0, 1, 0)
    assert await broker.delete(queue, second.handle) is None
    assert await broker.counts(queue) == Counts(0, 0, 0)


async def test_visibility_can_be_ended(broker: Broker, account: str) -> None:
    queue = await a_queue(broker, account)
    await send(broker, queue, "one")
    [received] = await receive(broker, queue, visibility=600)
    assert await broker.hide(queue, received.handle, 0) is None
    assert bodies(await receive(broker, queue, wait=0)) == ["one"]


async def test_visibility_can_be_extended(new_broker: NewBroker, account: str) -> None:
    clock = Ahead()
    broker = await new_broker(clock=clock)
    queue = await a_queue(broker, account)
    await send(broker, queue, "one")
    [received] = await receive(broker, queue, visibility=600)
    assert await broker.hide(queue, received.handle, 6000) is None
    clock.seconds = 700
    assert await receive(broker, queue, wait=0) == []
    clock.seconds = 6100
    assert bodies(await receive(broker, queue, wait=0)) == ["one"]


async def test_visibility_of_a_message_that_is_not_in_flight_cannot_be_changed(broker: Broker, account: str) -> None:
    queue = await a_queue(broker, account)
    await send(broker, queue, "one")
    [received] = await receive(broker, queue, visibility=0)
    assert await broker.hide(queue, received.handle, 10) is Trouble.NOT_IN_FLIGHT


async def test_a_message_is_hidden_for_twelve_hours_at_most(broker: Broker, account: str) -> None:
    queue = await a_queue(broker, account)
    await send(broker, queue, "one")
    [received] = await receive(broker, queue)
    await asyncio.sleep(0.002)
    assert await broker.hide(queue, received.handle, 43_200) is Trouble.TOO_LONG


async def test_a_delayed_message_waits(new_broker: NewBroker, account: str) -> None:
    clock = Ahead()
    broker = await new_broker(clock=clock)
    queue = await a_queue(broker, account)
    await send(broker, queue, "later", delay=600)
    await send(broker, queue, "now")
    assert bodies(await receive(broker, queue, wait=0)) == ["now"]
    assert await broker.counts(queue) == Counts(0, 1, 1)
    clock.seconds = 601
    assert "later" in bodies(await receive(broker, queue))


async def test_whoever_waits_gets_a_delayed_message_when_it_is_due(broker: Broker, account: str) -> None:
    queue = await a_queue(broker, account)
    await send(broker, queue, "later", delay=0.5)
    [received] = await receive(broker, queue)
    assert received.claim.at - received.message.sent >= 500


async def test_whoever_waits_gets_a_message_when_it_comes(broker: Broker, account: str) -> None:
    queue = await a_queue(broker, account)
    waiting = asyncio.create_task(receive(broker, queue, wait=20))
    assert await receive(broker, queue, wait=0) == []
    await send(broker, queue, "one")
    assert bodies(await waiting) == ["one"]


async def test_of_many_that_wait_each_gets_its_own(broker: Broker, account: str) -> None:
    queue = await a_queue(broker, account)
    waiting = [asyncio.create_task(receive(broker, queue, 1, wait=20)) for _ in range(5)]
    await receive(broker, queue, wait=0)
    for number in range(5):
        await send(broker, queue, str(number))
    received = await asyncio.gather(*waiting)
    assert sorted(body for each in received for body in bodies(each)) == list("01234")


async def test_whoever_leaves_takes_nothing_along(broker: Broker, account: str) -> None:
    queue = await a_queue(broker, account)
    waiting = asyncio.create_task(receive(broker, queue, wait=20))
    assert await receive(broker, queue, wait=0) == []
    waiting.cancel()
    await send(broker, queue, "one")
    [received] = await receive(broker, queue)
    assert (received.message.body, received.claim.count) == ("one", 1)


async def test_a_batch_has_at_most_what_was_asked_for(broker: Broker, account: str) -> None:
    queue = await a_queue(broker, account)
    for number in range(12):
        await send(broker, queue, str(number))
    batches = [bodies(await receive(broker, queue, limit, wait=0)) for limit in (3, 10, 10)]
    assert [len(batch) for batch in batches] == [3, 9, 0]
    assert sorted(int(body) for batch in batches for body in batch) == list(range(12))


async def test_two_processes_never_give_out_the_same_message(new_broker: NewBroker, account: str) -> None:
    one, other = await new_broker(), await new_broker()
    queue = await a_queue(one, account)
    for number in range(40):
        await send(one, queue, str(number))
    found: list[str] = []

    async def drain(broker: Broker) -> None:
        while batch := await receive(broker, queue, wait=0):
            found.extend(bodies(batch))

    await asyncio.gather(*(drain(broker) for broker in (one, other, one, other)))
    assert sorted(map(int, found)) == list(range(40))


async def test_another_process_deletes_and_hides_what_this_one_gave_out(new_broker: NewBroker, account: str) -> None:
    one, other = await new_broker(), await new_broker()
    queue = await a_queue(one, account)
    await send(one, queue, "deleted")
    await send(one, queue, "back")
    received = {each.message.body: each.handle for each in await receive(one, queue)}
    assert await other.delete(queue, received["deleted"]) is None
    assert await other.hide(queue, received["back"], 0) is None
    assert bodies(await receive(one, queue)) == ["back"]
    async with asyncio.timeout(60):
        while not await one.counts(queue) == await other.counts(queue) == Counts(0, 1, 0):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_what_one_process_sent_another_receives_at_once(new_broker: NewBroker, account: str) -> None:
    one, other = await new_broker(), await new_broker()
    queue = await a_queue(one, account)
    assert await receive(other, queue, wait=0) == []
    for number in range(20):
        await send(one, queue, str(number))
        assert bodies(await receive(other, queue, wait=0)) == [str(number)]


async def test_a_process_that_begins_later_knows_what_is_hidden(new_broker: NewBroker, account: str) -> None:
    one = await new_broker()
    queue = await a_queue(one, account)
    await send(one, queue, "hidden")
    await send(one, queue, "deleted")
    await send(one, queue, "delayed", delay=60)
    await send(one, queue, "visible")
    received = {each.message.body: each.handle for each in await receive(one, queue, 3)}
    assert set(received) == {"hidden", "deleted", "visible"}
    await one.delete(queue, received["deleted"])
    await one.hide(queue, received["visible"], 0)
    other = await new_broker()
    assert await other.counts(queue) == Counts(1, 1, 1)
    assert bodies(await receive(other, queue)) == ["visible"]


async def test_a_purged_queue_is_empty_for_everyone(new_broker: NewBroker, account: str) -> None:
    one, other = await new_broker(), await new_broker()
    queue = await a_queue(one, account)
    for number in range(5):
        await send(one, queue, str(number))
    [received] = await receive(other, queue, 1, visibility=1)
    await one.purge(queue)
    assert await receive(one, queue, wait=0) == []
    assert await receive(other, queue, wait=1.5) == []
    assert await other.delete(queue, received.handle) is None
    await send(one, queue, "new")
    assert bodies(await receive(other, queue)) == ["new"]


async def test_a_message_that_is_received_too_often_goes_to_the_dead_letter_queue(broker: Broker, account: str) -> None:
    dead = await a_queue(broker, account, "dead")
    queue = await a_queue(broker, account, RedrivePolicy=redrive_to(dead, 2))
    sent = await send(broker, queue, "poison")
    for count in (1, 2):
        [received] = await receive(broker, queue, visibility=0)
        assert received.claim.count == count
    assert await receive(broker, queue, wait=0) == []
    [buried] = await receive(broker, dead, wait=0)
    assert (buried.message.body, buried.message.id) == ("poison", sent.id)
    assert (buried.message.source, buried.message.sent) == (queue.arn, received.message.sent)
    assert await broker.counts(queue) == Counts(0, 0, 0)


async def test_a_message_stays_when_its_dead_letter_queue_is_gone(broker: Broker, account: str) -> None:
    dead = await a_queue(broker, account, "dead")
    queue = await a_queue(broker, account, RedrivePolicy=redrive_to(dead, 1))
    known = await broker.registry.find(account, "dead")
    assert known is not None
    await broker.registry.delete(known)
    await send(broker, queue, "poison")
    counts = [(await receive(broker, queue, visibility=0))[0].claim.count for _ in range(3)]
    assert counts == [1, 2, 3]


async def test_a_queue_that_denies_redrive_takes_nothing(broker: Broker, account: str) -> None:
    dead = await a_queue(broker, account, "dead", RedriveAllowPolicy='{"redrivePermission": "denyAll"}')
    queue = await a_queue(broker, account, RedrivePolicy=redrive_to(dead, 1))
    await send(broker, queue, "poison")
    await receive(broker, queue, visibility=0)
    assert bodies(await receive(broker, queue)) == ["poison"]


async def test_messages_older_than_the_retention_are_gone(broker: Broker, account: str) -> None:
    queue = await a_queue(broker, account, MessageRetentionPeriod="60")
    await send(broker, queue, "new")
    await broker.send(queue, replace(a_message("old", id="old"), sent=0), once="old")
    assert bodies(await receive(broker, queue)) == ["new"]
    assert await broker.counts(queue) == Counts(0, 1, 0)


async def test_when_too_many_are_in_flight_short_polls_are_told(new_broker: NewBroker, account: str) -> None:
    broker = await new_broker(most_in_flight=2)
    queue = await a_queue(broker, account)
    for number in range(3):
        await send(broker, queue, str(number))
    first = await receive(broker, queue)
    assert len(first) == 2
    assert await broker.receive(queue, limit=1, visibility=30, wait=0) is Trouble.TOO_MANY_IN_FLIGHT
    assert await receive(broker, queue, wait=0.1) == []
    await broker.delete(queue, first[0].handle)
    assert len(await receive(broker, queue, wait=0)) == 1


async def test_a_repeated_attempt_to_send_adds_nothing(broker: Broker, account: str) -> None:
    queue = await a_queue(broker, account)
    first = await send(broker, queue, "one", once="same")
    again = await send(broker, queue, "one", once="same")
    assert again.sequence == first.sequence
    assert bodies(await receive(broker, queue)) == ["one"]


async def test_a_deleted_queue_ends_the_waiting(new_broker: NewBroker, account: str) -> None:
    one, other = await new_broker(), await new_broker()
    queue = await a_queue(one, account)
    waiting = asyncio.create_task(receive(other, queue, wait=20))
    assert await receive(other, queue, wait=0) == []
    known = await one.registry.find(account, "q")
    assert known is not None
    await one.registry.delete(known)
    await one.drop(queue)
    async with asyncio.timeout(60):
        assert await waiting == []


async def test_a_queue_that_rests_is_taken_up_again(new_broker: NewBroker, account: str) -> None:
    broker = await new_broker(idle_seconds=0)
    first, second = await a_queue(broker, account, "a"), await a_queue(broker, account, "b")
    await send(broker, first, "one")
    [received] = await receive(broker, first, visibility=600)
    assert await receive(broker, second, wait=0.05) == []
    assert await receive(broker, first, wait=0.05) == []
    assert await broker.hide(first, received.handle, 0) is None
    assert bodies(await receive(broker, first)) == ["one"]
