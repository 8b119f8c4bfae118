"""A delivery in the shape that its target gets."""

from dataclasses import replace

from harness.bus.routes import Route
from harness.bus.shaping.shape import WHOLE, InputShape, NotDelivered
from harness.bus.store import Delivery
from harness.bus.targets.delivery import Failure


def shaped(route: Route, delivery: Delivery) -> Delivery | Failure:
    shape = route.shape
    if shape is WHOLE:
        return delivery
    if not isinstance(shape, InputShape):
        return Failure("INVALID_PARAMETER", shape, retryable=False)
    body = shape.shape(delivery.body, rule_arn=route.rule.arn, rule_name=route.rule.name, ingested=delivery.ingested)
    if isinstance(body, NotDelivered):
        return Failure(body.code, body.reason, retryable=False)
    return replace(delivery, body=body, event=delivery.body)
