"""What orders refuses, and that it says where the mistake is and nothing of what was sent."""

import pytest

from tests.domains.orders.cases import REFUSED, Refused
from tests.domains.orders.conftest import Orders


@pytest.mark.parametrize("case", REFUSED, ids=[case.name for case in REFUSED])
def test_a_request_is_refused_with_a_problem(orders: Orders, case: Refused) -> None:
    before = orders.count("orders")
    answer = orders.http.request(case.method, case.path, content=case.body, headers=case.headers)
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (case.status, f"urn:acme:problem:{case.kind}"), problem
    assert answer.headers["content-type"] == "application/problem+json"
    finding = (problem["errors"] or [{}])[0]
    assert finding.get("pointer", finding.get("parameter", "")) == case.place
    assert orders.count("orders") == before


def test_another_method_is_told_which_there_are(orders: Orders) -> None:
    answer = orders.http.delete("/v2/orders")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


@pytest.mark.parametrize("path", ["/v1/orders", "/v1/orders/17", "/v1/nothing"])
def test_every_answer_of_version_1_names_its_end(orders: Orders, path: str) -> None:
    headers = orders.http.get(path).headers
    assert headers["deprecation"] == "@1780272000"
    assert headers["sunset"] == "Wed, 30 Jun 2027 23:59:59 GMT"
    assert headers["link"] == '</v2/orders>; rel="successor-version"'


def test_version_2_is_not_deprecated(orders: Orders) -> None:
    assert not {"deprecation", "sunset"} & orders.http.get("/v2/orders").headers.keys()


@pytest.mark.parametrize("status", [403, 500, 503])
def test_without_stock_no_order_is_placed(orders: Orders, status: int) -> None:
    orders.stock.status = status
    before = orders.count("orders")
    answer = orders.http.post("/v2/orders", json={"lines": [{"sku": "chair-oak", "quantity": 1}]})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["type"] == "urn:acme:problem:unavailable"
    assert orders.count("orders") == before
