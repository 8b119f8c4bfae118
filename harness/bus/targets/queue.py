"""An SQS queue as a target: the event as the body of a message, no attributes of the message's own.

A target with a role sends as that role, and the queue's policy need not name EventBridge; without one EventBridge
itself sends for the rule. Source: EventBridge user guide, "Using resource-based policies" and "IAM roles for targets".
"""

from collections.abc import Sequence
from typing import Protocol

from harness.access import Assumed
from harness.bus.dead_letters import SendToQueue
from harness.bus.routes import Route
from harness.bus.store import Delivery
from harness.bus.targets.delivery import Failure
from harness.bus.targets.roles import Roles
from harness.storage.held import StoreFull


class QueueDelivery:
    def __init__(self, send: SendToQueue, roles: Roles) -> None:
        self._send = send
        self._roles = roles

    async def __call__(self, route: Route, delivery: Delivery) -> Failure | None:
        parameters = route.target.settings.get("SqsParameters") or {}
        assumed = _assumed(self._roles, route)
        if isinstance(assumed, Failure):
            return assumed
        try:
            return await self._send(
                route.target.arn,
                delivery.body,
                source_arn=route.rule.arn,
                id=delivery.id,
                group=parameters.get("MessageGroupId", ""),
                trace=delivery.trace,
                assumed=assumed,
            )
        except StoreFull as error:
            return Failure("RESOURCE_LIMIT_EXCEEDED", str(error))


class SendAllToQueue(Protocol):
    """Many messages, each with its body, its AWSTraceHeader (or none) and its name. True when all are stored; else,
    and when it raises StoreFull or StoreUnavailable, some may be.
    """

    async def __call__(
        self,
        queue: str,
        messages: Sequence[tuple[bytes, str, str]],
        *,
        source_arn: str,
        group: str,
        assumed: Assumed | None = None,
    ) -> bool: ...


class QueueDeliveries:
    def __init__(self, send_all: SendAllToQueue, roles: Roles) -> None:
        self._send_all = send_all
        self._roles = roles

    async def __call__(self, route: Route, deliveries: Sequence[Delivery]) -> bool:
        parameters = route.target.settings.get("SqsParameters") or {}
        assumed = _assumed(self._roles, route)
        if isinstance(assumed, Failure):
            return False
        return await self._send_all(
            route.target.arn,
            [(each.body, each.trace, each.id) for each in deliveries],
            source_arn=route.rule.arn,
            group=parameters.get("MessageGroupId", ""),
            assumed=assumed,
        )


def _assumed(roles: Roles, route: Route) -> Assumed | Failure | None:
    role = route.target.role_arn
    return roles.assume(route.rule, role) if role else None
