"""Another bus as a target, of this account or another one: the event goes there under its own id, once and no further.

Source: EventBridge user guide, "Sending and receiving events between accounts".
"""

import orjson

from harness.bus.catalogue import Catalogue
from harness.bus.routes import Route
from harness.bus.shaping.shape import WHOLE
from harness.bus.store import ORIGIN, REVISION, TRACE, VIA_BUS, Delivery, Record, Store
from harness.bus.targets.delivery import Failure
from harness.bus.targets.roles import Roles
from harness.storage.held import StoreFull


class BusDelivery:
    def __init__(self, store: Store, catalogue: Catalogue, roles: Roles) -> None:
        self._store = store
        self._catalogue = catalogue
        self._roles = roles

    async def __call__(self, route: Route, delivery: Delivery) -> Failure | None:
        refused = self._refusal(route, delivery)
        if refused is not None:
            return refused
        headers = {
            # Two rules may bring the same event: each of its copies is one of its own to whoever matches them.
            ORIGIN: delivery.id,
            VIA_BUS: route.rule.bus_arn,
            REVISION: str(self._catalogue.newest),
        }
        if delivery.trace:
            headers[TRACE] = delivery.trace
        try:
            await self._store.publish(route.target.arn, [Record(delivery.id, delivery.body, headers)])
        except StoreFull as error:
            return Failure("THROTTLING", f"{route.target.arn}: {error}")
        return None

    def _refusal(self, route: Route, delivery: Delivery) -> Failure | None:
        target = route.target
        if delivery.via_bus:
            text = (
                f"Event ingestion rejected for event {delivery.event_id} because an event can be sent to an event bus "
                "target only once. This event was previously delivered to an event bus target."
            )
            return Failure("THIRD_ACCOUNT_HOP_DETECTED", text, retryable=False)
        bus = self._catalogue.bus(target.arn)
        if bus is None:
            return Failure("NO_RESOURCE", f"The event bus {target.arn} does not exist.", retryable=False)
        if route.shape != WHOLE:
            text = f"An event bus takes an event as it is, and the target {target.id} has an input of its own."
            return Failure("INVALID_PARAMETER", text, retryable=False)
        event = orjson.loads(delivery.body)
        return self._roles.refusal(
            route.rule,
            target.role_arn,
            action="events:PutEvents",
            resource=target.arn,
            resource_policy=bus.policy,
            context={
                "events:source": event["source"],
                "events:detail-type": event["detail-type"],
                "events:eventbusinvocation": "true",
            },
        )
