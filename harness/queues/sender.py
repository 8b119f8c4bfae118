"""What other parts of the landscape send to queues by themselves, as AWS's services do: events, notifications, dead
letters.
"""

from collections.abc import Mapping, Sequence

from harness.access import Authority
from harness.clock import Clock, utc_now
from harness.queues.access import may_send
from harness.queues.broker import Broker
from harness.queues.message import Attribute
from harness.queues.refusals import NO_SUCH_QUEUE, Refusal
from harness.queues.sending import TRACE_HEADER, read_message


class Sender:
    """Needs no HTTP. Each send may raise StoreFull or StoreUnavailable: try again later."""

    def __init__(self, broker: Broker, authority: Authority, *, clock: Clock = utc_now) -> None:
        self._broker = broker
        self._authority = authority
        self._clock = clock

    async def send(
        self,
        queue_arn: str,
        body: str,
        *,
        service: str,
        source_arn: str,
        attributes: Mapping[str, Attribute] | None = None,
        group: str = "",
        deduplication: str = "",
        trace: str = "",
        once: str = "",
    ) -> Refusal | None:
        """None when the message is stored. Else why it never will be, in SQS's words.

        `service` and `source_arn`: who sends on whose behalf, which the queue's policy must allow
        (`events.amazonaws.com` for the ARN of a rule). `once`: a name of the sender's by which an attempt that is
        repeated within two minutes is known, so that it is stored once.
        """
        queue = await self._broker.registry.by_arn(queue_arn)
        if queue is None or not may_send(self._authority, queue, service, source_arn):
            # One sentence for both, as SQS answers a service.
            return Refusal(NO_SUCH_QUEUE.name, "The specified queue does not exist or you do not have access to it.")
        entry = _entry(body, attributes or {}, group, deduplication, trace)
        now = int(self._clock().timestamp() * 1000)
        draft = read_message(entry, queue, sender=service, now=now, once=once)
        if isinstance(draft, Refusal):
            return draft
        await self._broker.send(queue, draft.message, once=draft.once)
        return None

    async def send_all(
        self,
        queue_arn: str,
        messages: Sequence[tuple[str, str, str]],
        *,
        service: str,
        source_arn: str,
        group: str = "",
    ) -> bool:
        """Of many messages (body, trace, once), each as in `send`: whether all are stored.

        If not, or when StoreFull or StoreUnavailable is raised, some may be.
        """
        queue = await self._broker.registry.by_arn(queue_arn)
        if queue is None or not may_send(self._authority, queue, service, source_arn):
            return False
        now = int(self._clock().timestamp() * 1000)
        drafts = []
        for body, trace, once in messages:
            draft = read_message(_entry(body, {}, group, "", trace), queue, sender=service, now=now, once=once)
            if isinstance(draft, Refusal):
                return False
            drafts.append((draft.message, draft.once))
        await self._broker.send_all(queue, drafts)
        return True


def _entry(
    body: str, attributes: Mapping[str, Attribute], group: str, deduplication: str, trace: str
) -> dict[str, object]:
    """As the JSON protocol has it."""
    entry: dict[str, object] = {"MessageBody": body}
    if attributes:
        entry["MessageAttributes"] = {
            name: {"DataType": each.type, "BinaryValue" if each.binary else "StringValue": each.value}
            for name, each in attributes.items()
        }
    if group:
        entry["MessageGroupId"] = group
    if deduplication:
        entry["MessageDeduplicationId"] = deduplication
    if trace:
        entry["MessageSystemAttributes"] = {TRACE_HEADER: {"DataType": "String", "StringValue": trace}}
    return entry
