"""What the owner is told of the event store: by kind and name, with bounds; dead letters and log groups."""

import json
from typing import Any

import pytest

from harness.bus.catalogue import Catalogue
from harness.bus.memory import MemoryStore
from harness.bus.model import Bus, Rule, Target
from harness.bus.patterns.pattern import compile_pattern
from harness.bus.store import DeadLetter, Delivery, Kept, Kind, Record, target_key
from harness.clock import utc_now
from harness.local.operator import Operator, operator_token
from harness.local.storage_report import report, storage_routes
from harness.storage.memory_state import MemoryState
from harness.storage.replica import Replica
from harness.storage.shares import Share
from tests.local.asgi import WORKBENCH, Exchange

pytestmark = pytest.mark.anyio

BUS = Bus("eu-west-1", "333333333333", "enterprise")
RULE = Rule("placed", BUS.arn, BUS.account, compile_pattern({"source": ["a"]}), (Target("t", "arn:aws:sqs:r:1:q"),))
GROUP = "arn:aws:logs:eu-west-1:333333333333:log-group:/aws/events/all"
TOKEN = operator_token(bytes(32))


async def edge(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("not for the edge")


@pytest.fixture
async def store() -> MemoryStore:
    store = MemoryStore()
    await store.prepare([BUS.arn])
    return store


@pytest.fixture
def app(store: MemoryStore) -> Operator:
    catalogue = Catalogue(Replica(MemoryState()), region="eu-west-1", accounts=[], buses=[BUS], rules=[RULE])
    return Operator(edge, storage_routes(store, catalogue), token=TOKEN, addresses=[WORKBENCH])


async def asked(app: Operator, path: str) -> Exchange:
    exchange = Exchange(app, path, headers=(("authorization", f"Bearer {TOKEN}"),))
    await exchange.end()
    return exchange


async def test_places_are_told_by_the_names_that_people_use(app: Operator, store: MemoryStore) -> None:
    await store.publish(BUS.arn, [Record("1", b"12345")])
    await store.enqueue([Delivery("1", target_key(RULE.arn, "t"), b"12345", utc_now())])
    told = json.loads((await asked(app, "/_harness/storage")).body)
    named = {(place["kind"], place["name"]): (place["messages"], place["bytes"]) for place in told["kept"]}
    assert named == {("bus", BUS.arn): (1, 5), ("target", f"{RULE.arn} t"): (1, 5), ("undelivered", ""): (0, 0)}
    assert (told["bytes"], told["accounts"]) == (10, [])


async def test_what_each_account_has_of_the_state_is_told(store: MemoryStore) -> None:
    catalogue = Catalogue(Replica(MemoryState()), region="eu-west-1", accounts=[])
    shares = {"1": Share(2, 50, 200), "2": Share(1, 7, 0)}
    told = await storage_routes(store, catalogue, shares=lambda: shares)["storage"]({})
    assert told["accounts"] == [
        {"account": "1", "documents": 2, "bytes": 50, "bound": 200, "full": 0.25},
        {"account": "2", "documents": 1, "bytes": 7, "bound": 0, "full": 0.0},
    ]


def test_the_share_of_a_bound_is_told() -> None:
    archive = "arn:aws:events:eu-west-1:1:archive/all"
    kept = [Kept(Kind.ARCHIVE, archive + "#1.5", 3, 25, 100), Kept(Kind.OTHER, "STATE", 1, 5)]
    told = report([*kept, Kept(Kind.OTHER, "QUEUE_1", 2, 10, 20)], {}, {"QUEUE_1": "arn:q"})
    assert [(place["kind"], place["name"], place["bound"], place["full"]) for place in told["kept"]] == [
        ("archive", archive, 100, 0.25),
        ("other", "STATE", 0, 0.0),
        ("queue", "arn:q", 20, 0.5),
    ]
    assert (told["bytes"], told["bound"]) == (40, 120)


async def test_a_dead_letter_that_no_queue_took_is_shown_with_the_reason(app: Operator, store: MemoryStore) -> None:
    await store.set_aside(DeadLetter("1", "arn:q", '{"ü":1}'.encode(), {"ERROR_CODE": "TIMEOUT"}, "it is gone"))
    answer = await asked(app, "/_harness/undelivered")
    assert [json.loads(line) for line in answer.body.splitlines()] == [
        {"queue": "arn:q", "reason": "it is gone", "attributes": {"ERROR_CODE": "TIMEOUT"}, "body": '{"ü":1}'}
    ]


async def test_the_lines_of_a_log_group_are_shown(app: Operator, store: MemoryStore) -> None:
    await store.log(GROUP, [Record("1", b'{"a":1}'), Record("2", b'"two"')])
    answer = await asked(app, f"/_harness/logs?group={GROUP}:*")
    assert [json.loads(line) for line in answer.body.splitlines()] == ['{"a":1}', '"two"']


async def test_a_group_that_is_no_arn_is_refused(app: Operator) -> None:
    assert (await asked(app, "/_harness/logs?group=all")).status == 400
