"""What the bus sends to queues, and how SQS's refusals read to it."""

import pytest

from harness.access import Authority
from harness.local.queues import for_rules
from harness.queues.broker import Broker
from harness.queues.declared import policy_for_services
from harness.queues.memory import MemoryShelves
from harness.queues.registry import Registry
from harness.queues.sender import Sender
from harness.storage.memory_state import MemoryState
from harness.storage.replica import Replica
from tests.access.landscape import ORDERS, REGION, a_directory
from tests.queues.queues import a_queue, receive

pytestmark = pytest.mark.anyio

RULE = f"arn:aws:events:{REGION}:{ORDERS}:rule/enterprise/placed"


@pytest.mark.parametrize(
    ("rule", "body", "code"),
    [
        pytest.param(RULE, b"{}", "", id="taken"),
        pytest.param(RULE + "-2", b"{}", "NO_RESOURCE", id="a queue that is closed to the rule is none"),
        pytest.param(RULE, b"x" * 2000, "INVALID_PARAMETER", id="too large"),
    ],
)
async def test_a_rule_sends_to_a_queue(rule: str, body: bytes, code: str) -> None:
    state = MemoryState()
    async with Replica(state).running() as copy:
        broker = Broker(Registry(copy, state), MemoryShelves())
        policy = policy_for_services(f"arn:aws:sqs:{REGION}:{ORDERS}:q", [RULE])
        queue = await a_queue(broker, ORDERS, Policy=policy, MaximumMessageSize="1024")
        send = for_rules(Sender(broker, Authority(a_directory(), None)))
        for _ in range(2):
            refused = await send(
                queue.arn, body, source_arn=rule, id="event-1", attributes={"RULE_ARN": rule, "ERROR_MESSAGE": ""}
            )
            assert (refused.code if refused else "") == code
            assert refused is None or not refused.retryable
        received = await receive(broker, queue, wait=0)
        assert [each.message.body for each in received] == ([] if code else ["{}"])
        assert all(list(each.message.attributes) == ["RULE_ARN"] for each in received)
        await broker.stop()
