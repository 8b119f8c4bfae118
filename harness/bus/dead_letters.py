"""What becomes of an event that a target will not get: a message in the dead-letter queue of the target.

Without such a queue the event is dropped, as on AWS. One that the queue does not take (it is gone, or its policy does
not let the rule in) is set aside in the store with the reason, where its owner sees it: on AWS it would be lost.
"""

import logging
import re
from collections.abc import Mapping
from typing import Protocol

from harness.access import Assumed
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
    the message, so that one sent twice is one. May raise StoreUnavailable.
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


def _one_line(text: str) -> str:
    printable = re.sub(r"[^\x20-\x7e]", " ", text)
    return printable[:ERROR_MESSAGE_CHARACTERS].strip()
