"""`kill -9` in the middle of 200 orders: every order is decided, stock adds up, no event is lost."""

import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from harness.local.folders import find_manifest
from harness.local.handle import Harness
from tests.runtime.commands import gone
from tests.system.landscapes import landscape, pid_of, status
from tests.system.walkthrough import ROOT, eventually

pytestmark = pytest.mark.slow

ORDERS = 200
IN_STOCK = 150
KILL_AFTER = 60


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("kills") / "state"
    with landscape(folder):
        yield folder


@pytest.fixture
def harness(state: Path) -> Harness:
    return Harness.attach(find_manifest(None, start=ROOT), state)


class Customer:
    """Places orders as a careful client does: one idempotency key an order, tried again until it is answered."""

    def __init__(self, harness: Harness, sku: str) -> None:
        self._harness = harness
        self._sku = sku
        self._local = threading.local()
        self.tries = 0

    def place(self, number: int) -> str:
        key = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self._sku}/{number}"))
        body = {"lines": [{"sku": self._sku, "quantity": 1}]}
        answer = eventually(lambda: self._try(key, body), lambda answer: answer is not None, seconds=300)
        assert answer is not None, f"order {number} was never taken"
        order_id: str = answer["id"]
        return order_id

    def _try(self, key: str, body: Any) -> dict[str, Any] | None:
        if not hasattr(self._local, "client"):
            self._local.client = self._harness.client("orders", "storefront")
        self.tries += 1
        try:
            answer = self._local.client.post("/v2/orders", json=body, headers={"Idempotency-Key": key}, timeout=30)
        except requests.RequestException:
            return None
        # 409: the first try with this key is still under way, or its answer was lost on the way back.
        if answer.status_code in (409, 500, 502, 503, 504):
            return None
        assert answer.status_code == 201, f"{answer.status_code} {answer.text}"
        order: dict[str, Any] = answer.json()
        return order


@pytest.mark.parametrize("victim", ["edge", "router", "orders", "stock", "nats", "postgres"])
def test_every_order_is_decided_although_a_process_is_killed(victim: str, harness: Harness, state: Path) -> None:
    sku = f"kill-{victim}"
    stock = harness.client("stock", "tester")
    assert stock.put(f"/v1/items/{sku}", json={"onHand": IN_STOCK}).status_code in (200, 201)
    customer = Customer(harness, sku)
    killed = psutil.Process(pid_of(state, victim))

    with ThreadPoolExecutor(4) as pool:
        placing = [pool.submit(customer.place, number) for number in range(ORDERS)]
        eventually(lambda: sum(each.done() for each in placing), lambda done: done >= KILL_AFTER, seconds=300)
        killed.kill()
        ids = [each.result() for each in placing]

    assert len(set(ids)) == ORDERS
    assert gone([killed])
    reader = harness.client("orders", "storefront")

    def undecided() -> list[str]:
        return [each for each in ids if reader.get(f"/v2/orders/{each}").json()["status"] == "pending"]

    assert eventually(undecided, lambda left: not left, seconds=300) == []
    outcomes = Counter(reader.get(f"/v2/orders/{each}").json()["status"] for each in ids)
    assert outcomes == {"confirmed": IN_STOCK, "rejected": ORDERS - IN_STOCK}
    item = stock.get(f"/v1/items/{sku}").json()
    assert item["available"] == 0
    assert (item["onHand"], item["reserved"]) == (IN_STOCK, IN_STOCK)
    events = [event for event in harness.events_so_far() if event["detail"]["data"].get("orderId") in set(ids)]
    published = Counter(
        kind for kind, _ in {(event["detail-type"], event["detail"]["data"]["orderId"]) for event in events}
    )
    assert published == {
        "OrderPlaced.v1": ORDERS,
        "StockReserved.v1": IN_STOCK,
        "StockRejected.v1": ORDERS - IN_STOCK,
    }
    assert eventually(lambda: status(state)["healthy"], bool)
