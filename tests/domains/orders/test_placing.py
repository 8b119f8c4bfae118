"""Placing and reading orders."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from sqlalchemy import text

from tests.domains.orders.conftest import Orders

ONE = {"lines": [{"sku": "chair-oak", "quantity": 2}]}
SAMPLE = "0195a5e4-8f7e-7c3a-9d52-6b1f0c2e4a10"


def place(orders: Orders, body: Any = ONE, **headers: str) -> httpx2.Response:
    return orders.http.post("/v2/orders", json=body, headers={name.replace("_", "-"): v for name, v in headers.items()})


def context(user: str, request_id: str = "request-1") -> str:
    identity = {"accountId": "333333333333", "user": user, "userArn": f"arn:aws:sts::333333333333:assumed-role/{user}"}
    return json.dumps({"requestId": request_id, "identity": identity})


def test_an_order_and_its_event_are_stored_together(orders: Orders) -> None:
    order_id = place(
        orders, {**ONE, "customerReference": "Käsekrainer ☃"}, x_amzn_request_context=context("r:1")
    ).json()["id"]
    with orders.sessions.begin() as session:
        row = session.execute(text("SELECT detail FROM outbox ORDER BY id DESC LIMIT 1")).one()
        (placed_by,) = session.execute(text("SELECT placed_by FROM orders WHERE id = :id"), {"id": order_id}).one()
    detail = json.loads(row.detail)
    assert detail["data"]["orderId"] == order_id
    assert detail["data"]["customerReference"] == "Käsekrainer ☃"
    assert detail["metadata"]["correlationId"] == "request-1"
    assert placed_by == "arn:aws:sts::333333333333:assumed-role/r:1"


def test_an_item_in_several_lines_is_asked_for_once(orders: Orders) -> None:
    body = {"lines": [{"sku": "chair-oak", "quantity": 1}, {"sku": "chair-oak", "quantity": 2.0}]}
    answer = place(orders, body)
    assert [line["quantity"] for line in answer.json()["lines"]] == [1, 2]
    assert orders.stock.asked == ["chair-oak"]


def test_more_than_there_is_may_be_ordered(orders: Orders) -> None:
    answer = place(orders, {"lines": [{"sku": "lamp-brass", "quantity": 4}]})
    assert (answer.status_code, answer.json()["status"]) == (201, "pending")
    assert answer.json()["lines"][0]["availableAtPlacement"] == 3


def test_the_same_key_and_body_are_one_order(orders: Orders) -> None:
    key = str(uuid4())
    before = orders.count("orders")
    first, again = place(orders, Idempotency_Key=key), place(orders, Idempotency_Key=f'"{key}"')
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert first.headers["location"] == again.headers["location"]
    assert orders.count("orders") == before + 1


def test_the_same_key_for_another_body_is_refused(orders: Orders) -> None:
    key = str(uuid4())
    place(orders, Idempotency_Key=key)
    answer = place(orders, {"lines": [{"sku": "chair-oak", "quantity": 3}]}, Idempotency_Key=key)
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:acme:problem:idempotency-key-reused")


def test_a_key_belongs_to_its_caller(orders: Orders) -> None:
    key = str(uuid4())
    callers = [context("AROA1:a"), context("AROA1:b"), context("AROA2:a")]
    ids = [place(orders, Idempotency_Key=key, x_amzn_request_context=caller).json()["id"] for caller in callers]
    assert ids[0] == ids[1] != ids[2]


def test_the_same_request_many_times_at_once_is_one_order(orders: Orders) -> None:
    key = str(uuid4())
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: place(orders, Idempotency_Key=key), range(16)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1


def test_a_key_is_forgotten_after_a_day(orders: Orders) -> None:
    key = str(uuid4())
    first = place(orders, Idempotency_Key=key).json()["id"]
    with orders.sessions.begin() as session:
        session.execute(text("UPDATE idempotency_keys SET created_at = now() - interval '25 hours'"))
    assert place(orders, Idempotency_Key=key).json()["id"] != first


def test_pages_hold_every_order_once_newest_first(orders: Orders) -> None:
    for _ in range(3):
        place(orders)
    whole = [order["id"] for order in orders.http.get("/v2/orders?limit=200").json()["items"]]
    assert whole[-1] == SAMPLE
    paged, cursor = [], ""
    while cursor is not None:
        answer = orders.http.get(f"/v2/orders?limit=2{cursor and '&cursor=' + cursor}").json()
        paged += [order["id"] for order in answer["items"]]
        cursor = answer["page"]["next"]
    assert paged == whole


def test_a_status_filters(orders: Orders) -> None:
    rejected = orders.http.get("/v2/orders?status=rejected&limit=200").json()["items"]
    assert {order["status"] for order in rejected} == {"rejected"}


def test_version_1_places_what_version_2_reads(orders: Orders) -> None:
    placed = orders.http.post("/v1/orders", json={"sku": "chair-oak", "quantity": 2})
    assert placed.status_code == 201
    assert placed.headers["location"] == f"/v1/orders/{placed.json()['id']}"
    read = orders.http.get(f"/v2/orders/{placed.json()['id']}").json()
    assert [(line["sku"], line["quantity"]) for line in read["lines"]] == [("chair-oak", 2)]


def test_version_1_does_not_show_several_lines(orders: Orders) -> None:
    two = place(orders, {"lines": [{"sku": "chair-oak", "quantity": 1}, {"sku": "lamp-brass", "quantity": 1}]}).json()[
        "id"
    ]
    assert orders.http.get(f"/v1/orders/{two}").status_code == 404
    assert two not in {order["id"] for order in orders.http.get("/v1/orders?limit=200").json()["items"]}


@pytest.mark.parametrize("path", ["/v1/orders/", "/v2/orders/"])
def test_an_id_may_be_written_in_capitals(orders: Orders, path: str) -> None:
    assert orders.http.get(path + SAMPLE.upper()).json()["id"] == SAMPLE
