"""Setting stock levels, over HTTP and on a real database."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from kit import database
from kit.application import application
from kit.relay import EventsClient, Relay
from stock import v1
from stock.application import MIGRATIONS
from tests.domains.conftest import NewDatabase


def _no_bus() -> EventsClient:
    raise AssertionError("the relay does not run in these tests")


@pytest.fixture(scope="module")
def sessions(new_database: NewDatabase) -> Iterator[database.Sessions]:
    engine = database.create(new_database(), application_name="tests")
    database.migrate(engine, MIGRATIONS)
    yield database.sessions_of(engine)
    engine.dispose()


@pytest.fixture(scope="module")
def stock(sessions: database.Sessions) -> TestClient:
    relay = Relay(sessions, _no_bus, bus_arn="arn")
    engine = sessions.kw["bind"]
    return TestClient(application("stock", engine=engine, relay=relay, routers=[v1.router(sessions)]))


def test_the_sample_has_plenty_of_chairs_and_three_lamps(stock: TestClient) -> None:
    items = {item["sku"]: item["available"] for item in stock.get("/v1/items").json()["items"]}
    assert (items["chair-oak"], items["lamp-brass"], items["globe-antique"]) == (1_000_000, 3, 0)


def test_a_new_item_is_created_and_then_changed(stock: TestClient) -> None:
    created = stock.put("/v1/items/desk-elm", json={"onHand": 5})
    assert (created.status_code, created.headers["location"]) == (201, "/v1/items/desk-elm")
    changed = stock.put("/v1/items/desk-elm", json={"onHand": 7})
    assert (changed.status_code, changed.json()["available"]) == (200, 7)
    assert stock.get("/v1/items/desk-elm").headers["etag"] == changed.headers["etag"] != created.headers["etag"]


def test_on_hand_cannot_fall_below_what_is_reserved(stock: TestClient, sessions: database.Sessions) -> None:
    stock.put("/v1/items/bench-oak", json={"onHand": 5})
    with sessions.begin() as session:
        session.execute(text("UPDATE items SET reserved = 3 WHERE sku = 'bench-oak'"))
    assert stock.put("/v1/items/bench-oak", json={"onHand": 3}).json()["available"] == 0
    refused = stock.put("/v1/items/bench-oak", json={"onHand": 2})
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:acme:problem:below-reserved")


@pytest.mark.parametrize(
    ("if_match", "status"),
    [('"v1"', 200), ("*", 200), ('"v9", "v1"', 200), ('"v2"', 412), ('W/"v1"', 412), ("v1", 412), ("", 412)],
)
def test_if_match_changes_the_version_that_it_names(stock: TestClient, if_match: str, status: int) -> None:
    sku = f"rug-{abs(hash(if_match)) % 10**9}"
    stock.put(f"/v1/items/{sku}", json={"onHand": 1})
    answer = stock.put(f"/v1/items/{sku}", json={"onHand": 2}, headers={"If-Match": if_match})
    assert answer.status_code == status


def test_if_match_makes_no_new_item(stock: TestClient) -> None:
    assert stock.put("/v1/items/sofa", json={"onHand": 1}, headers={"If-Match": "*"}).status_code == 412
    assert stock.get("/v1/items/sofa").status_code == 404


def test_of_many_who_create_an_item_one_does(stock: TestClient) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: stock.put("/v1/items/crate", json={"onHand": n}), range(16)))
    assert sorted(answer.status_code for answer in answers) == [200] * 15 + [201]
