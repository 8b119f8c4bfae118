"""Items and what is reserved of them, as they are stored.

Of every item, `reserved` is the sum of its reservation lines and never more than `on_hand`; the database holds the
second half of that itself.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Identity, Integer, Text, Uuid
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

MAX_ON_HAND = 1_000_000_000


class Outcome(StrEnum):
    RESERVED = "reserved"
    REJECTED = "rejected"


class Base(DeclarativeBase):
    """Tables of this domain; the kit's have metadata of their own."""


class Item(Base):
    """`position` grows with each item and pages are cut by it; `version` grows with each change."""

    __tablename__ = "items"
    __table_args__ = (CheckConstraint("reserved >= 0 AND reserved <= on_hand", name="items_reserved"),)

    sku: Mapped[str] = mapped_column(Text, primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger, Identity(), unique=True)
    on_hand: Mapped[int] = mapped_column(Integer)
    reserved: Mapped[int] = mapped_column(Integer, server_default="0", default=0)
    version: Mapped[int] = mapped_column(BigInteger, server_default="1", default=1)

    @property
    def available(self) -> int:
        return self.on_hand - self.reserved


class Reservation(Base):
    """What was decided about one order, for good. A rejected one has no lines."""

    __tablename__ = "reservations"
    __table_args__ = (CheckConstraint("outcome IN ('reserved', 'rejected')", name="reservations_outcome"),)

    order_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    outcome: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    decided_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class ReservationLine(Base):
    __tablename__ = "reservation_lines"
    __table_args__ = (CheckConstraint("quantity > 0", name="reservation_lines_quantity"),)

    order_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("reservations.order_id"), primary_key=True)
    sku: Mapped[str] = mapped_column(Text, ForeignKey("items.sku"), primary_key=True)
    quantity: Mapped[int] = mapped_column(Integer)
