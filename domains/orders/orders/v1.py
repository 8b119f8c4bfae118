"""Version 1, deprecated: an order is one line, written flat. It shows the orders of version 2 that it can express."""

from datetime import UTC, datetime
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from kit.caller import caller_of
from kit.database import Sessions
from kit.envelope import cause_of
from kit.idempotency import Answer
from kit.openapi import problems
from kit.paging import DEFAULT_LIMIT, Cursor, Limit, Page
from kit.retirement import Retirement
from kit.strictness import Input, strict_request
from orders import reading
from orders.forms import OrderId, Quantity, Sku
from orders.model import Order, Status
from orders.placing import Placing, Wanted, WantedLine

RETIREMENT = Retirement(
    version="/v1",
    successor="/v2/orders",
    deprecated=datetime(2026, 6, 1, tzinfo=UTC),
    sunset=datetime(2027, 6, 30, 23, 59, 59, tzinfo=UTC),
)
RETIRED = {name: {"required": True, "schema": {"type": "string"}} for name in RETIREMENT.headers()}
LOCATION = {"Location": {"required": True, "schema": {"type": "string"}}}


class NewOrderV1(Input):
    sku: Sku
    quantity: Quantity


class OrderV1(BaseModel):
    id: UUID
    sku: str
    quantity: int = Field(ge=1)
    status: Status
    placedAt: datetime

    @classmethod
    def of(cls, order: Order) -> "OrderV1":
        (line,) = order.lines
        return cls(
            id=order.id,
            sku=line.sku,
            quantity=line.quantity,
            status=Status(order.status),
            placedAt=order.placed_at,
        )


class OrderPageV1(BaseModel):
    items: list[OrderV1]
    page: Page


def router(placing: Placing, sessions: Sessions) -> APIRouter:
    routes = APIRouter(prefix="/v1", dependencies=[Depends(strict_request)], deprecated=True)

    @routes.post(
        "/orders",
        operation_id="placeOrder",
        status_code=201,
        response_model=OrderV1,
        responses={201: {"headers": LOCATION | RETIRED}, **problems(400, 415, 422, 503, headers=RETIRED)},
    )
    def place_order(request: Request, order: NewOrderV1) -> Response:
        wanted = Wanted(
            lines=[WantedLine(order.sku, order.quantity, "#/sku")],
            customer_reference=None,
            caller=caller_of(request),
            cause=cause_of(request),
        )
        answer = placing.place(wanted, _placed)
        headers = {"Location": answer.location} if answer.location else {}
        return Response(answer.body, answer.status, headers, media_type="application/json")

    @routes.get(
        "/orders",
        operation_id="listOrders",
        responses={200: {"headers": RETIRED}, **problems(400, 503, headers=RETIRED)},
    )
    def list_orders(limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> OrderPageV1:
        with sessions.begin() as session:
            orders, page = reading.page(session, limit=limit, cursor=cursor, single_line=True)
            return OrderPageV1(items=[OrderV1.of(order) for order in orders], page=page)

    @routes.get(
        "/orders/{orderId}",
        operation_id="getOrder",
        responses={200: {"headers": RETIRED}, **problems(400, 404, 503, headers=RETIRED)},
    )
    def get_order(orderId: OrderId) -> OrderV1:
        with sessions.begin() as session:
            order = reading.find(session, orderId)
            if len(order.lines) != 1:
                raise reading.not_found(orderId, "version 1 cannot show an order of several lines; use version 2")
            return OrderV1.of(order)

    return routes


def _placed(order: Order) -> Answer:
    return Answer(201, f"/v1/orders/{order.id}", OrderV1.of(order).model_dump_json())
