"""Reading orders, newest first."""

from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from kit.paging import Page, position_of, split_page
from kit.problems import ProblemError
from orders.model import Order, OrderLine, Status

Orders = tuple[list[Order], Page]


def find(session: Session, order_id: UUID) -> Order:
    order = session.get(Order, order_id)
    if order is None:
        raise not_found(order_id)
    return order


def page(
    session: Session, *, limit: int, cursor: str | None, status: Status | None = None, single_line: bool = False
) -> Orders:
    wanted = select(Order).order_by(Order.position.desc()).limit(limit + 1)
    if cursor is not None:
        wanted = wanted.where(Order.position < position_of(cursor))
    if status is not None:
        wanted = wanted.where(Order.status == status)
    if single_line:
        wanted = wanted.where(~exists().where(OrderLine.order_id == Order.id, OrderLine.number == 2))
    shown, cut = split_page(session.scalars(wanted).all(), limit)
    return list(shown), cut


def not_found(order_id: UUID, detail: str | None = None) -> ProblemError:
    return ProblemError(404, "order-not-found", detail or f"there is no order {order_id}", title="No such order")
