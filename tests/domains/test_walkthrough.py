"""Both domains for real, as processes: an order travels from its request to its confirmation."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema_rs
import psycopg
import pytest
import requests

from tests.domains.conftest import NewDatabase
from tests.domains.processes import Domain, running_domain, wait_until
from tests.domains.stub_bus import StubBus, running_bus

pytestmark = pytest.mark.slow

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"


@dataclass
class Landscape:
    orders: Domain
    stock: Domain
    bus: StubBus

    def place(self, sku: str, quantity: int, **headers: str) -> requests.Response:
        body = {"lines": [{"sku": sku, "quantity": quantity}]}
        return requests.post(f"{self.orders.url}/v2/orders", json=body, headers=headers, timeout=60)

    def order(self, order_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = requests.get(f"{self.orders.url}/v2/orders/{order_id}", timeout=60).json()
        return answer

    def decided(self, order_id: str) -> dict[str, Any]:
        wait_until(lambda: self.order(order_id)["status"] != "pending", what="a decision on the order")
        return self.order(order_id)

    def item(self, sku: str) -> dict[str, Any]:
        answer: dict[str, Any] = requests.get(f"{self.stock.url}/v1/items/{sku}", timeout=60).json()
        return answer


@pytest.fixture(scope="module")
def landscape(new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Landscape]:
    folder: Path = tmp_path_factory.mktemp("domains")
    with (
        running_bus() as bus,
        running_domain("stock", database_url=new_database(), bus_url=bus.url, folder=folder) as stock,
        running_domain(
            "orders", database_url=new_database(), bus_url=bus.url, folder=folder, STOCK_API_URL=stock.url
        ) as orders,
    ):
        bus.targets.update({"acme.orders": stock.url, "acme.stock": orders.url})
        yield Landscape(orders, stock, bus)


def test_an_order_is_confirmed(landscape: Landscape) -> None:
    placed = landscape.place("chair-oak", 2)
    assert placed.status_code == 201, placed.text
    assert placed.headers["Location"] == f"/v2/orders/{placed.json()['id']}"
    assert landscape.decided(placed.json()["id"])["status"] == "confirmed"


def test_an_order_beyond_what_is_there_is_rejected(landscape: Landscape) -> None:
    placed = landscape.place("lamp-brass", 4)
    assert placed.status_code == 201
    assert placed.json()["lines"][0]["availableAtPlacement"] == 3
    decided = landscape.decided(placed.json()["id"])
    assert (decided["status"], decided["rejectionReason"]) == ("rejected", "insufficient-stock")
    assert landscape.item("lamp-brass")["reserved"] == 0


def test_many_orders_at_once_leave_the_accounts_in_balance(landscape: Landscape) -> None:
    sku = "stool-birch"
    requests.put(f"{landscape.stock.url}/v1/items/{sku}", json={"onHand": 25}, timeout=60)
    with ThreadPoolExecutor(12) as pool:
        placed = list(pool.map(lambda _: landscape.place(sku, 1).json()["id"], range(60)))
    statuses = [landscape.decided(order_id)["status"] for order_id in placed]
    assert (statuses.count("confirmed"), statuses.count("rejected")) == (25, 35)
    assert landscape.item(sku) == {"sku": sku, "onHand": 25, "reserved": 25, "available": 0}
    _assert_accounts_balance(landscape)


@pytest.mark.parametrize("victim", ["stock", "orders"])
def test_a_killed_domain_loses_no_order(landscape: Landscape, victim: str) -> None:
    domain: Domain = getattr(landscape, victim)

    def place(number: int) -> str:
        if number == 20:
            domain.process.kill()
            domain.process.wait()
            domain.restart()
        answer = _place_patiently(landscape)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(place, range(60)))
    assert {landscape.decided(order_id)["status"] for order_id in taken} == {"confirmed"}
    _assert_accounts_balance(landscape)


def _place_patiently(landscape: Landscape) -> requests.Response:
    """As a client would: again after a broken connection and after a 503."""
    answers: list[requests.Response] = []

    def answered() -> bool:
        try:
            answer = landscape.place("table-oak", 1)
        except requests.RequestException:  # also an answer that broke off in its middle
            return False
        answers.append(answer)
        return answer.status_code != 503

    wait_until(answered, what="an answer")
    return answers[-1]


def test_the_bus_may_be_away_while_orders_are_placed(landscape: Landscape) -> None:
    landscape.bus.verdicts.extend([lambda _: (500, {"message": "away"})] * 3)
    placed = landscape.place("chair-oak", 1)
    assert placed.status_code == 201
    assert landscape.decided(placed.json()["id"])["status"] == "confirmed"


def test_an_event_that_comes_twice_counts_once(landscape: Landscape) -> None:
    placed = landscape.place("shelf-pine", 5).json()["id"]
    landscape.decided(placed)
    (envelope,) = [e for e in landscape.bus.envelopes if e["detail"]["data"]["orderId"] == placed][:1]
    before = landscape.item("shelf-pine")
    answer = requests.post(f"{landscape.stock.url}/events", json=envelope | {"id": "another"}, timeout=60)
    assert answer.status_code == 204
    assert landscape.item("shelf-pine") == before


def test_every_published_event_keeps_its_schema(landscape: Landscape) -> None:
    for sku in ("chair-oak", "globe-antique"):
        landscape.decided(landscape.place(sku, 1).json()["id"])
    types = {envelope["detail-type"] for envelope in landscape.bus.envelopes}
    assert types == {file.stem for file in CONTRACTS.glob("*/events/*.json")}
    for detail_type in types:
        (file,) = CONTRACTS.glob(f"*/events/{detail_type}.json")
        schema = json.loads(file.read_text())
        validator = jsonschema_rs.validator_for(schema, validate_formats=True)
        sources = {e["source"] for e in landscape.bus.envelopes if e["detail-type"] == detail_type}
        assert sources == {schema["x-event"]["source"]}
        for detail in landscape.bus.details(detail_type):
            validator.validate(detail)


def test_the_events_of_one_order_name_their_cause(landscape: Landscape) -> None:
    order_id = landscape.place("chair-oak", 1).json()["id"]
    landscape.decided(order_id)
    details = [e["detail"] for e in landscape.bus.envelopes if e["detail"]["data"]["orderId"] == order_id]
    placed, reserved = (detail["metadata"] for detail in details)
    assert reserved["causationId"] == placed["eventId"]
    assert reserved["correlationId"] == placed["correlationId"]


def test_nothing_was_refused_on_the_way(landscape: Landscape) -> None:
    assert landscape.bus.refused == []


def test_sigterm_ends_a_domain_in_time(landscape: Landscape) -> None:
    for domain in (landscape.orders, landscape.stock):
        domain.process.terminate()
        domain.process.wait(60)
        assert "Traceback" not in domain.log.read_text()
        domain.restart()


def _assert_accounts_balance(landscape: Landscape) -> None:
    """What is reserved is the sum of the reservations, and they are those of the confirmed orders."""
    wait_until(lambda: not _ordered(landscape, "pending"), what="every order to be decided")
    with psycopg.connect(landscape.stock.environment["DATABASE_URL"]) as stock:
        reserved: dict[str, int] = dict(stock.execute("SELECT sku, reserved FROM items WHERE reserved > 0").fetchall())
        summed: dict[str, int] = dict(
            stock.execute("SELECT sku, sum(quantity) FROM reservation_lines GROUP BY sku").fetchall()
        )
    assert reserved == summed
    assert _ordered(landscape, "confirmed") == summed


def _ordered(landscape: Landscape, status: str) -> dict[str, int]:
    query = """SELECT sku, sum(quantity) FROM order_lines JOIN orders ON id = order_id
               WHERE status = %s GROUP BY sku"""
    with psycopg.connect(landscape.orders.environment["DATABASE_URL"]) as orders:
        return dict(orders.execute(query, [status]).fetchall())
