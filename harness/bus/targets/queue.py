"""An SQS queue as a target: the event as the body of a message, no attributes of the message's own."""

from collections.abc import Sequence
from typing import Protocol

from harness.bus.dead_letters import SendToQueue
from harness.bus.routes import Route
from harness.bus.store import Delivery
from harness.bus.targets.delivery import Failure
from harness.storage.held import StoreFull


class QueueDelivery:
    def __init__(self, send: SendToQueue) -> None:
        self._send = send

    async def __call__(self, route: Route, delivery: Delivery) -> Failure | None:
        parameters = route.target.settings.get("SqsParameters") or {}
        try:
            return await self._send(
                route.target.arn,
                delivery.body,
                source_arn=route.rule.arn,
                id=delivery.id,
                group=parameters.get("MessageGroupId", ""),
                trace=delivery.trace,
            )
        except StoreFull as error:
            return Failure("RESOURCE_LIMIT_EXCEEDED", str(error))


class SendAllToQueue(Protocol):
    """Many messages, each with its body, its AWSTraceHeader (or none) and its name. True when all are stored; else,
    and when it raises StoreFull or StoreUnavailable, some may be.
    """

    async def __call__(
        self, queue: str, messages: Sequence[tuple[bytes, str, str]], *, source_arn: str, group: str
    ) -> bool: ...


class QueueDeliveries:
    def __init__(self, send_all: SendAllToQueue) -> None:
        self._send_all = send_all

    async def __call__(self, route: Route, deliveries: Sequence[Delivery]) -> bool:
        parameters = route.target.settings.get("SqsParameters") or {}
        return await self._send_all(
            route.target.arn,
            [(each.body, each.trace, each.id) for each in deliveries],
            source_arn=route.rule.arn,
            group=parameters.get("MessageGroupId", ""),
        )
