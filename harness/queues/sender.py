"""What other parts of the landscape send to queues by themselves, as AWS's services do: events, notifications, dead
letters.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from harness.access import Assumed, Authority
from harness.clock import Clock, utc_now
from harness.queues.access import NO_ACCESS, send_refusal
from harness.queues.broker import Broker
from harness.queues.message import Attribute
from harness.queues.model import Queue
from harness.queues.refusals import Refusal
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
        assumed: Assumed | None = None,
        beside: Mapping[str, str] | None = None,
    ) -> Refusal | None:
        """None when the message is stored. Else why it never will be, in SQS's words.

        `service` and `source_arn`: who sends on whose behalf, which the queue's policy must allow
        (`events.amazonaws.com` for the ARN of a rule); `assumed`: the role as which it sends instead, whose policies
        then count as at any call. `once`: a name of the sender's by which an attempt that is repeated within two
        minutes is known, so that it is stored once. `beside` as in `Message`.
        """
        queue = await self._open(queue_arn, service, source_arn, assumed)
        if isinstance(queue, Refusal):
            return queue
        entry = _entry(body, attributes or {}, group, deduplication, trace)
        now = int(self._clock().timestamp() * 1000)
        draft = read_message(entry, queue, sender=_sender(service, assumed), now=now, once=once)
        if isinstance(draft, Refusal):
            return draft
        await self._broker.send(queue, replace(draft.message, beside=dict(beside or {})), once=draft.once)
        return None

    async def send_all(
        self,
        queue_arn: str,
        messages: Sequence[tuple[str, str, str]],
        *,
        service: str,
        source_arn: str,
        group: str = "",
        assumed: Assumed | None = None,
    ) -> bool:
        """Of many messages (body, trace, once), each as in `send`: whether all are stored.

        If not, or when StoreFull or StoreUnavailable is raised, some may be.
        """
        queue = await self._open(queue_arn, service, source_arn, assumed)
        if isinstance(queue, Refusal):
            return False
        sender = _sender(service, assumed)
        now = int(self._clock().timestamp() * 1000)
        drafts = []
        for body, trace, once in messages:
            draft = read_message(_entry(body, {}, group, "", trace), queue, sender=sender, now=now, once=once)
            if isinstance(draft, Refusal):
                return False
            drafts.append((draft.message, draft.once))
        await self._broker.send_all(queue, drafts)
        return True

    async def _open(self, arn: str, service: str, source_arn: str, assumed: Assumed | None) -> Queue | Refusal:
        """The queue, if it is there and lets the message in."""
        queue = await self._broker.registry.by_arn(arn)
        refused = send_refusal(self._authority, arn, queue, service=service, source_arn=source_arn, assumed=assumed)
        return refused or queue or NO_ACCESS


def _sender(service: str, assumed: Assumed | None) -> str:
    """What the message's SenderId is."""
    return service if assumed is None else assumed.caller.principal.user_id


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
