"""What orders does when stock has decided: the order is confirmed or rejected, once, and stays so."""

import logging
from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import update
from sqlalchemy.orm import Session

from kit.envelope import ReceivedEvent
from kit.events import EventType, Subscription
from kit.problems import ProblemError
from orders.model import Order, Status

STOCK = "acme.stock"

log = logging.getLogger(__name__)


class StockReserved(BaseModel):
    """The members of `StockReserved.v1` that orders relies on."""

    orderId: UUID


class StockRejected(BaseModel):
    """The members of `StockRejected.v1` that orders relies on."""

    orderId: UUID
    reason: Annotated[str, Field(min_length=1, max_length=64)]


def confirm(session: Session, event: ReceivedEvent) -> None:
    data = StockReserved.model_validate(event.detail.data)
    _decide(session, data.orderId, Status.CONFIRMED, None)


def reject(session: Session, event: ReceivedEvent) -> None:
    data = StockRejected.model_validate(event.detail.data)
    _decide(session, data.orderId, Status.REJECTED, data.reason)


def _decide(session: Session, order_id: UUID, status: Status, reason: str | None) -> None:
    decided = session.execute(
        update(Order)
        .where(Order.id == order_id, Order.status == Status.PENDING)
        .values(status=status, rejection_reason=reason)
        .returning(Order.id)
    ).first()
    if decided is not None:
        return
    order = session.get(Order, order_id)
    if order is None:
        # An order is stored before it is announced, so stock cannot know one that is not here.
        raise ProblemError(422, "unknown-order", f"there is no order {order_id}", title="This event cannot be handled")
    if order.status != status:
        log.error("order %s is %s and stays so, though stock now says %s", order_id, order.status, status)


SUBSCRIPTIONS: Mapping[EventType, Subscription] = {
    EventType(STOCK, "StockReserved.v1"): Subscription("orders.confirm", confirm),
    EventType(STOCK, "StockRejected.v1"): Subscription("orders.reject", reject),
}
