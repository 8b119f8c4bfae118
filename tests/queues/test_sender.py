"""What the landscape's own services send to queues: by the queue's policy, once, and refused as SQS refuses."""

import json
from typing import Any

import pytest

from harness.access import Authority
from harness.queues.declared import Declared, declare, policy_for_rules
from harness.queues.message import Attribute
from harness.queues.sender import Sender
from tests.access.landscape import ORDERS, REGION, a_directory
from tests.queues.conftest import NewBroker
from tests.queues.queues import a_queue, receive

pytestmark = pytest.mark.anyio

RULE = f"arn:aws:events:{REGION}:{ORDERS}:rule/enterprise/placed"
EVENTS = "events.amazonaws.com"


def open_to(rule: str, account: str) -> dict[str, str]:
    return {"Policy": policy_for_rules(f"arn:aws:sqs:{REGION}:{account}:q", [rule])}


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


def test_the_policy_for_rules_is_one_that_sqs_takes() -> None:
    assert json.loads(policy_for_rules("arn", [RULE]))["Statement"][0]["Principal"] == {"Service": EVENTS}
