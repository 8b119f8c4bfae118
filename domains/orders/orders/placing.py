"""Placing an order: known to stock, stored as pending, and announced in the same transaction."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from sqlalchemy.orm import Session

from kit.caller import Caller
from kit.database import Sessions
from kit.envelope import Cause, NewEvent
from kit.idempotency import Answer, IdempotentRequest
from kit.outbox import Outbox
from kit.problems import Finding, ProblemError
from orders.model import Order, OrderLine, Status
from orders.stock_api import StockApi

ORDER_PLACED = "OrderPlaced.v1"


@dataclass(frozen=True, slots=True)
class WantedLine:
    """`pointer` is where the SKU stands in the caller's body."""

    sku: str
    quantity: int
    pointer: str


@dataclass(frozen=True, slots=True)
class Wanted:
    lines: Sequence[WantedLine]
    customer_reference: str | None
    caller: Caller | None
    cause: Cause


class Placing:
    """The one way in which an order comes to be, whatever the version of the API."""

    def __init__(
        self,
        sessions: Sessions,
        stock: StockApi,
        outbox: Outbox,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sessions = sessions
        self._stock = stock
        self._outbox = outbox
        self._now = now

    def place(
        self, wanted: Wanted, show: Callable[[Order], Answer], *, once: IdempotentRequest | None = None
    ) -> Answer:
        """The answer, which `show` makes of the order. Raises 422 for an unknown SKU, 503 without stock."""
        if once is not None:
            with self._sessions.begin() as session:
                earlier = once.earlier(session)
            if earlier is not None:
                return earlier
        # No transaction is open while another domain is asked.
        available = self._available(wanted.lines)
        with self._sessions.begin() as session:
            earlier = once.claim(session) if once is not None else None
            if earlier is not None:
                return earlier
            answer = show(self._store(session, wanted, available))
            if once is not None:
                once.settle(session, answer)
            return answer

    def _available(self, lines: Sequence[WantedLine]) -> Mapping[str, int]:
        found = self._stock.available(dict.fromkeys(line.sku for line in lines))
        unknown = [
            Finding(code="unknown-sku", detail=f'stock does not know "{line.sku}"', pointer=line.pointer)
            for line in lines
            if found[line.sku] is None
        ]
        if unknown:
            raise ProblemError(422, "unknown-sku", unknown[0].detail, title="There is no such item", errors=unknown)
        return {sku: available for sku, available in found.items() if available is not None}

    def _store(self, session: Session, wanted: Wanted, available: Mapping[str, int]) -> Order:
        order = Order(
            id=uuid4(),
            status=Status.PENDING,
            customer_reference=wanted.customer_reference,
            placed_at=self._now(),
            placed_by=wanted.caller.user_arn if wanted.caller else None,
            lines=[
                OrderLine(
                    number=number, sku=line.sku, quantity=line.quantity, available_at_placement=available[line.sku]
                )
                for number, line in enumerate(wanted.lines, 1)
            ],
        )
        session.add(order)
        session.flush()
        self._outbox.add(
            session,
            NewEvent(
                detail_type=ORDER_PLACED,
                data={
                    "orderId": str(order.id),
                    "placedAt": order.placed_at.isoformat().replace("+00:00", "Z"),
                    "customerReference": order.customer_reference,
                    "lines": [{"sku": line.sku, "quantity": line.quantity} for line in order.lines],
                },
                occurred_at=order.placed_at,
                cause=wanted.cause,
            ),
        )
        return order
