"""What becomes of an event that a target will not get: a message in the dead-letter queue of the target.

Without such a queue the event is dropped, as on AWS. One that the queue does not take (it is gone, or its policy does
not let the rule in) is set aside in the store with the reason, where its owner sees it: on AWS it would be lost.
"""

import logging
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

import orjson

from harness.access import Assumed
from harness.bus.envelope import ENVELOPE
from harness.bus.routes import Route
from harness.bus.store import DeadLetter, Delivery, Store
from harness.bus.targets.delivery import Failure, GiveUp
from harness.bus.tracing import Tracer, Untraced

log = logging.getLogger(__name__)

ERROR_MESSAGE_CHARACTERS = 1024


class SendToQueue(Protocol):
    """Puts a message into a queue on behalf of a rule; a Failure when the queue does not take it.

    `attributes` are the message's own, all of type String. `source_arn` is the rule's ARN, `aws:SourceArn` to the
    queue's policy; `assumed` who sends instead of EventBridge itself; `trace` the message's AWSTraceHeader; `id` names
    the message, so that one sent twice is one; `beside` is kept with it, and nobody who receives it sees it. May raise
    StoreUnavailable.
    """

    async def __call__(
        self,
        queue: str,
        body: bytes,
        *,
        source_arn: str,
        id: str,
        attributes: Mapping[str, str] | None = None,
        group: str = "",
        trace: str = "",
        assumed: Assumed | None = None,
        beside: Mapping[str, str] | None = None,
    ) -> Failure | None: ...


class DeadLetters:
    """May raise StoreUnavailable and StoreFull; then nothing is settled and the letter is written again."""

    def __init__(self, send: SendToQueue, store: Store, *, tracer: Tracer | None = None) -> None:
        self._send = send
        self._store = store
        self._tracer = tracer or Untraced()

    async def bury(self, route: Route, sent: Delivery, failure: Failure, end: GiveUp) -> None:
        queue, reason = route.target.dead_letter, ""
        if queue:
            letter = dead_letter(queue, sent, failure, end, rule_arn=route.rule.arn, target_arn=route.target.arn)
            refused = await self._send(
                queue,
                letter.body,
                source_arn=route.rule.arn,
                id=letter.id,
                attributes=letter.attributes,
                trace=sent.trace,
                beside=beside(sent, route.target.id),
            )
            if refused is not None:
                reason = refused.message
                log.error("the dead letter of event %s is set aside: %s: %s", sent.event_id, queue, reason)
                await self._store.set_aside(DeadLetter(letter.id, queue, letter.body, letter.attributes, reason))
        self._tracer.given_up(sent.event_id, route.rule, route.target, code=failure.code, queue=queue, reason=reason)


def dead_letter(
    queue: str, sent: Delivery, failure: Failure, end: GiveUp, *, rule_arn: str, target_arn: str
) -> DeadLetter:
    """Source: EventBridge user guide, "Using dead-letter queues"."""
    attributes = {
        "RULE_ARN": rule_arn,
        "TARGET_ARN": target_arn,
        "ERROR_CODE": failure.code,
        "ERROR_MESSAGE": _one_line(failure.message),
        "RETRY_ATTEMPTS": str(end.retries),
    }
    if end.exhausted:
        attributes["EXHAUSTED_RETRY_CONDITION"] = end.exhausted
    return DeadLetter(sent.id, queue, sent.body, attributes)


# Beside a dead letter in its queue.
TARGET_ID, EVENT, CAME_FROM = "target", "event", "via-bus"


def beside(sent: Delivery, target_id: str) -> dict[str, str]:
    """What the six attributes do not tell of a letter: which target of the rule, the event when the body is not it."""
    kept = {TARGET_ID: target_id, EVENT: sent.event.decode(), CAME_FROM: sent.via_bus}
    return {name: value for name, value in kept.items() if value}


def returned(
    body: str, beside: Mapping[str, str], *, target: str, trace: str, origin: str, now: datetime
) -> Delivery | None:
    """The delivery that a dead letter was, from its beginning: the age of its event counts from now.

    `target` is a `target_key`. None when neither the body nor what is kept beside it is an event.
    """
    event = (beside.get(EVENT) or body).encode()
    try:
        content = orjson.loads(event)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(content, dict) or not content.keys() >= ENVELOPE:
        return None
    return Delivery(
        event_id=content["id"],
        target=target,
        body=event,
        ingested=now,
        trace=trace,
        origin=origin,
        via_bus=beside.get(CAME_FROM, ""),
    )


def _one_line(text: str) -> str:
    printable = re.sub(r"[^\x20-\x7e]", " ", text)
    return printable[:ERROR_MESSAGE_CHARACTERS].strip()
