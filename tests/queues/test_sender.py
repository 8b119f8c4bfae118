"""What the landscape's own services send to queues: by the queue's policy, once, and refused as SQS refuses."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from harness.access import Authority
from harness.queues.broker import Broker
from harness.queues.declared import Declared, declare, policy_for_services
from harness.queues.message import Attribute, Message
from harness.queues.model import Queue
from harness.queues.sender import Sender
from tests.access.landscape import ORDERS, REGION, a_directory
from tests.queues.conftest import NewBroker
from tests.queues.queues import a_queue, bodies, receive

pytestmark = pytest.mark.anyio

RULE = f"arn:aws:events:{REGION}:{ORDERS}:rule/enterprise/placed"
EVENTS = "events.amazonaws.com"


def open_to(rule: str, account: str) -> dict[str, str]:
    return {"Policy": policy_for_services(f"arn:aws:sqs:{REGION}:{account}:q", [rule])}


async def sent(new_broker: NewBroker, account: str, *, given: dict[str, str], **more: Any) -> tuple[str, list[Any]]:
    """The refusal's name, empty without one, and what is in the queue."""
    broker = await new_broker()
    queue = await a_queue(broker, account, **given)
    sender = Sender(broker, Authority(a_directory(), None))
    options = {"service": EVENTS, "source_arn": RULE, **more}
    body = options.pop("body", "x")
    names = [await sender.send(queue.arn, body, **options) for _ in range(2)]
    received = await receive(broker, queue, wait=0)
    return (names[0].name if names[0] else ""), received


async def test_a_rule_that_the_policy_names_may_send(new_broker: NewBroker, account: str) -> None:
    attributes = {"RULE_ARN": Attribute("String", RULE)}
    refused, received = await sent(
        new_broker, account, given=open_to(RULE, account), attributes=attributes, trace="Root=1", once="event-1"
    )
    assert refused == ""
    [only] = received
    assert (only.message.body, only.message.attributes, only.message.trace) == ("x", attributes, "Root=1")


async def test_what_is_kept_beside_a_message_goes_with_it(new_broker: NewBroker, account: str) -> None:
    beside = {"target": "t", "event": "x" * 2000}
    given = {**open_to(RULE, account), "MaximumMessageSize": "1024"}
    refused, [only] = await sent(new_broker, account, given=given, beside=beside, once="event-1")
    assert (refused, only.message.beside) == ("", beside)
    assert Message.from_bytes(only.message.to_bytes()) == only.message


def test_a_message_that_was_kept_before_there_was_anything_beside_it_reads_on() -> None:
    message = Message("x", sent=1, due=2, sender=EVENTS)
    assert b"beside" not in message.to_bytes()
    assert Message.from_bytes(message.to_bytes()) == message


async def test_another_rule_may_not(new_broker: NewBroker, account: str) -> None:
    refused, received = await sent(new_broker, account, given=open_to(RULE + "-2", account))
    assert (refused, received) == ("QueueDoesNotExist", [])


async def test_another_service_may_not(new_broker: NewBroker, account: str) -> None:
    refused, _ = await sent(new_broker, account, given=open_to(RULE, account), service="sns.amazonaws.com")
    assert refused == "QueueDoesNotExist"


async def test_a_queue_without_a_policy_is_closed(new_broker: NewBroker, account: str) -> None:
    assert (await sent(new_broker, account, given={}))[0] == "QueueDoesNotExist"


async def test_what_is_too_large_is_refused(new_broker: NewBroker, account: str) -> None:
    given = {**open_to(RULE, account), "MaximumMessageSize": "1024"}
    assert (await sent(new_broker, account, given=given, body="x" * 1025))[0] == "InvalidParameterValue"


async def test_a_queue_that_is_not_there_is_refused_in_the_same_words(new_broker: NewBroker, account: str) -> None:
    broker = await new_broker()
    sender = Sender(broker, Authority(a_directory(), None))
    closed = await a_queue(broker, account)
    answers = [
        await sender.send(arn, "x", service=EVENTS, source_arn=RULE) for arn in (closed.arn, closed.arn + "-none", "x")
    ]
    assert answers[0] == answers[1] == answers[2]
    assert answers[0] is not None


async def send_all(broker: Broker, queue: Queue, bodies: Sequence[str], **more: Any) -> bool:
    messages = [(body, f"Root={body}", f"event-{body}") for body in bodies]
    sender = Sender(broker, Authority(a_directory(), None))
    return await sender.send_all(queue.arn, messages, **{"service": EVENTS, "source_arn": RULE, **more})


async def test_many_are_sent_in_one_go_and_a_repeated_one_once(new_broker: NewBroker, account: str) -> None:
    broker = await new_broker()
    queue = await a_queue(broker, account, **open_to(RULE, account))
    assert [await send_all(broker, queue, numbers) for numbers in ("12", "23")] == [True, True]
    found = [each.message for _ in range(3) for each in await receive(broker, queue, limit=1, wait=0)]
    assert sorted((each.body, each.trace, each.sender) for each in found) == [
        (number, f"Root={number}", EVENTS) for number in "123"
    ]
    assert await receive(broker, queue, wait=0) == []


async def test_many_keep_their_order_in_a_fifo_queue(new_broker: NewBroker, account: str) -> None:
    broker = await new_broker()
    given = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
    queue = await a_queue(broker, account, **given, Policy=policy_for_services("*", [RULE]))
    assert await send_all(broker, queue, "31245", group="one")
    assert bodies(await receive(broker, queue, wait=1)) == list("31245")


@pytest.mark.parametrize(
    ("given", "sent", "more"),
    [
        pytest.param(False, "1", {}, id="the policy does not let the rule in"),
        pytest.param(True, ["1", "\x00"], {}, id="one of them has a character that SQS refuses"),
        pytest.param(True, ["1", "x" * 1025], {}, id="one of them is too large for the queue"),
        pytest.param(True, "1", {"service": "sns.amazonaws.com"}, id="the service is another"),
    ],
)
async def test_many_are_refused_together(
    new_broker: NewBroker, account: str, given: bool, sent: Sequence[str], more: dict[str, str]
) -> None:
    broker = await new_broker()
    policy = open_to(RULE, account) if given else {}
    queue = await a_queue(broker, account, MaximumMessageSize="1024", **policy)
    assert not await send_all(broker, queue, sent, **more)
    assert await receive(broker, queue, wait=0) == []


async def test_many_go_to_no_queue_that_is_not_there(new_broker: NewBroker, account: str) -> None:
    broker = await new_broker()
    sender = Sender(broker, Authority(a_directory(), None))
    arn = f"arn:aws:sqs:{REGION}:{account}:none"
    assert not await sender.send_all(arn, [("x", "", "1")], service=EVENTS, source_arn=RULE)


async def test_declared_queues_are_made_once_and_keep_what_is_in_them(new_broker: NewBroker, account: str) -> None:
    one, other = await new_broker(), await new_broker()
    queues = [Declared(account, "work", {"VisibilityTimeout": "60"}, "domains/orders/domain.yaml")]
    await declare(one, REGION, queues)
    before = await one.registry.find(account, "work")
    await declare(other, REGION, queues)
    assert before is not None
    assert await other.registry.find(account, "work") == before
    await declare(other, REGION, [Declared(account, "work", {"DelaySeconds": "1"}, "domains/orders/domain.yaml")])
    after = await other.registry.find(account, "work")
    assert after is not None
    assert (after.queue.id, after.queue.given, after.queue.fixed) == (
        before.queue.id,
        {"DelaySeconds": "1"},
        ("DelaySeconds",),
    )


async def test_a_queue_that_is_declared_no_more_is_let_go(new_broker: NewBroker, account: str) -> None:
    broker = await new_broker()
    await declare(broker, REGION, [Declared(account, "work", {"VisibilityTimeout": "60"}, "domain.yaml")])
    await declare(broker, REGION, [])
    known = await broker.registry.find(account, "work")
    assert known is not None
    assert (known.queue.fixed, known.queue.declared_in) == ((), "")
    assert known.queue.number("VisibilityTimeout") == 60


def test_the_policy_for_services_is_one_that_sqs_takes() -> None:
    assert json.loads(policy_for_services("arn", [RULE]))["Statement"][0]["Principal"] == {"Service": EVENTS}
