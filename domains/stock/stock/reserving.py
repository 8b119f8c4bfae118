"""What stock does when an order is placed: all of it is reserved, or nothing is, and the bus hears which."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from kit.envelope import NewEvent, ReceivedEvent
from kit.events import EventType, Subscription
from kit.outbox import Outbox
from stock.model import Item, Outcome, Reservation, ReservationLine

ORDERS = "acme.orders"
STOCK_RESERVED = "StockReserved.v1"
STOCK_REJECTED = "StockRejected.v1"

log = logging.getLogger(__name__)


class PlacedLine(BaseModel):
    sku: Annotated[str, Field(min_length=1, max_length=40)]
    quantity: Annotated[int, Field(ge=1, le=1_000_000)]


class OrderPlaced(BaseModel):
    """The members of `OrderPlaced.v1` that stock relies on."""

    orderId: UUID
    lines: Annotated[list[PlacedLine], Field(min_length=1, max_length=1000)]


@dataclass(frozen=True, slots=True)
class Shortage:
    """`available` is None for an SKU that is not kept here."""

    sku: str
    requested: int
    available: int | None


@dataclass(frozen=True, slots=True)
class Reserve:
    outbox: Outbox

    def __call__(self, session: Session, event: ReceivedEvent) -> None:
        placed = OrderPlaced.model_validate(event.detail.data)
        wanted = totals(placed.lines)
        items = _locked(session, sorted(wanted))
        found = shortages(wanted, {sku: item.available for sku, item in items.items()})
        reason = rejection_reason(found)
        now = datetime.now(UTC)
        if not _decide(session, placed.orderId, reason, now):
            log.warning("order %s was placed in two events; the first one counts", placed.orderId)
            return
        if reason is None:
            _reserve(session, placed.orderId, wanted, items)
        detail_type = STOCK_RESERVED if reason is None else STOCK_REJECTED
        data = _reserved(placed.orderId, wanted) if reason is None else _rejected(placed.orderId, reason, found)
        self.outbox.add(
            session,
            NewEvent(detail_type=detail_type, data=data, occurred_at=now, cause=event.detail.metadata.cause()),
        )


def totals(lines: Sequence[PlacedLine]) -> dict[str, int]:
    """An order may name an SKU in several lines."""
    counted: Counter[str] = Counter()
    for line in lines:
        counted[line.sku] += line.quantity
    return dict(counted)


def shortages(wanted: Mapping[str, int], available: Mapping[str, int]) -> list[Shortage]:
    return [
        Shortage(sku, quantity, available.get(sku))
        for sku, quantity in wanted.items()
        if available.get(sku, 0) < quantity
    ]


def rejection_reason(found: Sequence[Shortage]) -> str | None:
    if any(shortage.available is None for shortage in found):
        return "unknown-sku"
    return "insufficient-stock" if found else None


def _locked(session: Session, skus: Sequence[str]) -> dict[str, Item]:
    """The rows stay as they are until the transaction ends. Locked in order of SKU: two orders never wait in a ring."""
    rows = session.scalars(select(Item).where(Item.sku.in_(skus)).order_by(Item.sku).with_for_update())
    return {item.sku: item for item in rows}


def _decide(session: Session, order_id: UUID, reason: str | None, now: datetime) -> bool:
    outcome = Outcome.RESERVED if reason is None else Outcome.REJECTED
    added = session.execute(
        insert(Reservation)
        .values(order_id=order_id, outcome=outcome, reason=reason, decided_at=now)
        .on_conflict_do_nothing()
        .returning(Reservation.order_id)
    )
    return added.first() is not None


def _reserve(session: Session, order_id: UUID, wanted: Mapping[str, int], items: Mapping[str, Item]) -> None:
    for sku, quantity in wanted.items():
        items[sku].reserved += quantity
        items[sku].version += 1
        session.add(ReservationLine(order_id=order_id, sku=sku, quantity=quantity))


def _reserved(order_id: UUID, wanted: Mapping[str, int]) -> dict[str, Any]:
    lines = [{"sku": sku, "quantity": quantity} for sku, quantity in wanted.items()]
    return {"orderId": str(order_id), "lines": lines}


def _rejected(order_id: UUID, reason: str, found: Sequence[Shortage]) -> dict[str, Any]:
    short = [{"sku": each.sku, "requested": each.requested, "available": each.available or 0} for each in found]
    return {"orderId": str(order_id), "reason": reason, "shortages": short}


def subscriptions(outbox: Outbox) -> Mapping[EventType, Subscription]:
    return {EventType(ORDERS, "OrderPlaced.v1"): Subscription("stock.reserve", Reserve(outbox))}
