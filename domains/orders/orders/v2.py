"""Version 2: orders of several lines."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field, StringConstraints
from pydantic.json_schema import SkipJsonSchema

from kit.caller import caller_of
from kit.database import Sessions
from kit.envelope import cause_of
from kit.idempotency import Answer, KeyHeader, idempotent
from kit.openapi import problems
from kit.paging import DEFAULT_LIMIT, Cursor, Limit, Page
from kit.strictness import Input, strict_request
from orders import reading
from orders.forms import MAX_LINES, OrderId, Quantity, Sku
from orders.model import Order, Status
from orders.placing import Placing, Wanted, WantedLine

LOCATION = {"Location": {"required": True, "schema": {"type": "string"}}}

Reference = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$")]


class NewLine(Input):
    sku: Sku
    quantity: Quantity


class NewOrder(Input):
    lines: list[NewLine] = Field(min_length=1, max_length=MAX_LINES)
    customerReference: Reference | None = None


class Line(BaseModel):
    sku: str
    quantity: int = Field(ge=1)
    availableAtPlacement: int = Field(ge=0)


class OrderV2(BaseModel):
    id: UUID
    status: Status
    lines: list[Line] = Field(min_length=1)
    placedAt: datetime
    customerReference: str | None
    rejectionReason: str | None

    @classmethod
    def of(cls, order: Order) -> "OrderV2":
        return cls(
            id=order.id,
            status=Status(order.status),
            lines=[
                Line(sku=line.sku, quantity=line.quantity, availableAtPlacement=line.available_at_placement)
                for line in order.lines
            ],
            placedAt=order.placed_at,
            customerReference=order.customer_reference,
            rejectionReason=order.rejection_reason,
        )


class OrderPageV2(BaseModel):
    items: list[OrderV2]
    page: Page


def router(placing: Placing, sessions: Sessions) -> APIRouter:
    routes = APIRouter(prefix="/v2", dependencies=[Depends(strict_request)])

    @routes.post(
        "/orders",
        operation_id="placeOrder",
        status_code=201,
        response_model=OrderV2,
        responses={201: {"headers": LOCATION}, **problems(400, 415, 422, 503)},
    )
    def place_order(request: Request, order: NewOrder, idempotency_key: KeyHeader = None) -> Response:
        wanted = Wanted(
            lines=[
                WantedLine(line.sku, line.quantity, f"#/lines/{index}/sku") for index, line in enumerate(order.lines)
            ],
            customer_reference=order.customerReference,
            caller=caller_of(request),
            cause=cause_of(request),
        )
        answer = placing.place(wanted, _placed, once=idempotent(request, idempotency_key, order))
        headers = {"Location": answer.location} if answer.location else {}
        return Response(answer.body, answer.status, headers, media_type="application/json")

    @routes.get("/orders", operation_id="listOrders", responses=problems(400, 503))
    def list_orders(
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
        status: Annotated[Status | SkipJsonSchema[None], Query(description="Orders in this state alone.")] = None,
    ) -> OrderPageV2:
        with sessions.begin() as session:
            orders, page = reading.page(session, limit=limit, cursor=cursor, status=status)
            return OrderPageV2(items=[OrderV2.of(order) for order in orders], page=page)

    @routes.get("/orders/{orderId}", operation_id="getOrder", responses=problems(400, 404, 503))
    def get_order(orderId: OrderId) -> OrderV2:
        with sessions.begin() as session:
            return OrderV2.of(reading.find(session, orderId))

    return routes


def _placed(order: Order) -> Answer:
    return Answer(201, f"/v2/orders/{order.id}", OrderV2.of(order).model_dump_json())
