"""An SQS queue as a target: the event as the body of a message, no attributes of the message's own."""

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
