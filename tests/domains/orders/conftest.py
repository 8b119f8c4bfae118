"""The domain orders in this process: a real database, a stock that is a dictionary, a bus that nobody listens to."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx2
import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from kit import database
from kit.application import application
from kit.client import ApiClient
from kit.events import events_router
from kit.outbox import Outbox
from kit.relay import EventsClient, Relay
from orders import v1, v2
from orders.application import MIGRATIONS
from orders.placing import Placing
from orders.reactions import SUBSCRIPTIONS
from orders.stock_api import StockApi
from tests.domains.conftest import NewDatabase


@dataclass
class Stock:
    """`available` by SKU; `status` is answered in place of it when it is set."""

    available: dict[str, int] = field(default_factory=lambda: {"chair-oak": 100, "lamp-brass": 3})
    status: int | None = None
    asked: list[str] = field(default_factory=list)

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        sku = request.url.path.removeprefix("/v1/items/")
        self.asked.append(sku)
        if self.status is not None:
            return httpx2.Response(self.status)
        if sku not in self.available:
            return httpx2.Response(404)
        return httpx2.Response(200, json={"sku": sku, "available": self.available[sku]})


@dataclass
class Orders:
    http: TestClient
    stock: Stock
    sessions: database.Sessions

    def count(self, table: str) -> int:
        with self.sessions.begin() as session:
            return int(session.scalar(text(f"SELECT count(*) FROM {table}")) or 0)


def _no_bus() -> EventsClient:
    raise AssertionError("the relay does not run in these tests")


@pytest.fixture(scope="module")
def orders(new_database: NewDatabase) -> Iterator[Orders]:
    engine = database.create(new_database(), application_name="tests")
    database.migrate(engine, MIGRATIONS)
    sessions = database.sessions_of(engine)
    stock = Stock()
    client = ApiClient(
        "http://stock.test", httpx2.Auth(), transport=httpx2.MockTransport(stock.answer), pause=lambda _: None
    )
    placing = Placing(sessions, StockApi(client), Outbox(source="acme.orders", domain="orders"))
    app = application(
        "orders",
        engine=engine,
        relay=Relay(sessions, _no_bus, bus_arn="arn"),
        routers=[v1.router(placing, sessions), v2.router(placing, sessions), events_router(sessions, SUBSCRIPTIONS)],
        retirements=[v1.RETIREMENT],
    )
    # Without its lifespan, so that the relay does not run.
    yield Orders(TestClient(app, raise_server_exceptions=False), stock, sessions)
    engine.dispose()


@pytest.fixture(autouse=True)
def _stock_as_it_was(orders: Orders) -> Iterator[None]:
    yield
    orders.stock.status = None
    orders.stock.asked.clear()
