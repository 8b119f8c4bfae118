"""What orders does with stock's events."""

from typing import Any
from uuid import uuid4

import pytest

from tests.domains.orders.conftest import Orders


def pending(orders: Orders) -> str:
    answer = orders.http.post("/v2/orders", json={"lines": [{"sku": "chair-oak", "quantity": 1}]})
    return str(answer.json()["id"])


def event(detail_type: str, data: Any, *, source: str = "acme.stock", event_id: str | None = None) -> dict[str, Any]:
    metadata = {
        "eventId": event_id or str(uuid4()),
        "correlationId": "request-1",
        "causationId": str(uuid4()),
        "schemaVersion": "1.0.0",
        "occurredAt": "2026-01-15T12:00:00Z",
        "domain": "stock",
    }
    return {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": detail_type,
        "source": source,
        "account": "222222222222",
        "time": "2026-01-15T12:00:00Z",
        "region": "eu-west-1",
        "resources": [],
        "detail": {"metadata": metadata, "data": data},
    }


def status_of(orders: Orders, order_id: str) -> tuple[str, str | None]:
    order = orders.http.get(f"/v2/orders/{order_id}").json()
    return order["status"], order["rejectionReason"]


def test_reserved_stock_confirms_the_order(orders: Orders) -> None:
    order_id = pending(orders)
    assert orders.http.post("/events", json=event("StockReserved.v1", {"orderId": order_id})).status_code == 204
    assert status_of(orders, order_id) == ("confirmed", None)


def test_rejected_stock_rejects_the_order_and_says_why(orders: Orders) -> None:
    order_id = pending(orders)
    data = {"orderId": order_id, "reason": "insufficient-stock", "shortages": [], "new": "members are ignored"}
    assert orders.http.post("/events", json=event("StockRejected.v1", data)).status_code == 204
    assert status_of(orders, order_id) == ("rejected", "insufficient-stock")


def test_a_decision_stands(orders: Orders) -> None:
    order_id = pending(orders)
    orders.http.post("/events", json=event("StockReserved.v1", {"orderId": order_id}))
    late = event("StockRejected.v1", {"orderId": order_id, "reason": "insufficient-stock"})
    assert orders.http.post("/events", json=late).status_code == 204
    assert status_of(orders, order_id) == ("confirmed", None)


def test_the_same_event_again_is_accepted_and_changes_nothing(orders: Orders) -> None:
    order_id = pending(orders)
    reserved = event("StockReserved.v1", {"orderId": order_id}, event_id=str(uuid4()))
    assert [orders.http.post("/events", json=reserved).status_code for _ in range(3)] == [204, 204, 204]
    assert status_of(orders, order_id) == ("confirmed", None)


@pytest.mark.parametrize(
    ("status", "kind", "body"),
    [
        (422, "event-refused", event("StockCounted.v1", {})),
        (422, "event-refused", event("StockReserved.v1", {"orderId": str(uuid4())}, source="acme.orders")),
        (422, "event-refused", event("StockReserved.v1", {"orderId": "17"})),
        (422, "unknown-order", event("StockReserved.v1", {"orderId": str(uuid4())})),
        (400, "invalid-request", {"detail-type": "StockReserved.v1"}),
        (400, "invalid-request", event("StockReserved.v1", {}) | {"detail": {"orderId": str(uuid4())}}),
    ],
    ids=[
        "a type that nobody handles",
        "another source",
        "data that is wrong",
        "an order that is not here",
        "no envelope",
        "no metadata",
    ],
)
def test_an_event_that_cannot_be_handled_is_refused(
    orders: Orders, status: int, kind: str, body: dict[str, Any]
) -> None:
    before = orders.count("inbox")
    answer = orders.http.post("/events", json=body)
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:acme:problem:{kind}")
    assert orders.count("inbox") == before
