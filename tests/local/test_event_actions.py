"""What the landscape's owner does with events: dead letters sent back, archives replayed."""

import json
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from harness.access import Authority
from harness.bus import documents
from harness.bus.dead_letters import DeadLetters
from harness.bus.memory import MemoryStore
from harness.bus.model import Bus, Rule, Target
from harness.bus.patterns.pattern import compile_pattern
from harness.bus.routes import routes_of
from harness.bus.store import Delivery, delivery_of, target_key
from harness.bus.targets.delivery import Failure, GiveUp
from harness.bus.targets.roles import SERVICE
from harness.bus.targets.shaped import shaped
from harness.local.event_actions import EventActions
from harness.local.operator import NotKept
from harness.local.queues import for_rules
from harness.queues.broker import Broker
from harness.queues.declared import policy_for_services
from harness.queues.memory import MemoryShelves
from harness.queues.message import Attribute
from harness.queues.model import Queue
from harness.queues.registry import Registry
from harness.queues.sender import Sender
from harness.storage.memory_state import MemoryState
from harness.storage.replica import Replica
from harness.wire import function_arn, queue_arn
from tests.access.landscape import NOON, ORDERS, REGION, STOCK, a_directory, a_sealer
from tests.bus.desks import a_desk
from tests.queues.queues import a_queue, receive, send

pytestmark = pytest.mark.anyio

ENTERPRISE = Bus(REGION, ORDERS, "enterprise")
TO_STOCK = Target("domain", function_arn(REGION, STOCK, "stock"))
BILLING = function_arn(REGION, STOCK, "billing")
SHAPED: dict[str, dict[str, Any]] = {
    "Input": {"Input": '{"constant":true}'},
    "InputPath": {"InputPath": "$.detail"},
    "InputTransformer": {
        "InputTransformer": {"InputPathsMap": {"t": "$.detail.total"}, "InputTemplate": '{"total": <t>}'}
    },
}
QUEUE = queue_arn(REGION, STOCK, "stock-undelivered")
TARGETS = (TO_STOCK, *(Target(name, BILLING, dead_letter=QUEUE, settings=given) for name, given in SHAPED.items()))
RULE = Rule("placed", ENTERPRISE.arn, ORDERS, compile_pattern({"source": ["orders"]}), TARGETS)
EVENT: dict[str, Any] = {
    "version": "0",
    "id": "e-1",
    "detail-type": "Placed",
    "source": "orders",
    "account": ORDERS,
    "time": "2026-01-15T12:00:00Z",
    "region": REGION,
    "resources": [],
    "detail": {"total": 17},
}


@dataclass
class Owner:
    actions: EventActions
    broker: Broker
    store: MemoryStore
    replica: Replica
    dead: DeadLetters

    async def letters_of_rules(self) -> Queue:
        """Empty, and open to the rule."""
        return await a_queue(self.broker, STOCK, "stock-undelivered", Policy=policy_for_services(QUEUE, [RULE.arn]))

    async def letters(self, *letters: dict[str, str], sender: str = SERVICE) -> Queue:
        """A dead-letter queue with one letter for each set of attributes."""
        queue = await a_queue(self.broker, STOCK, "stock-undelivered")
        for number, attributes in enumerate(letters, start=1):
            body = json.dumps({**EVENT, "id": f"e-{number}"})
            given = {name: Attribute("String", value) for name, value in attributes.items()}
            await send(self.broker, queue, body, attributes=given, sender=sender)
        return queue


@pytest.fixture
async def owner() -> AsyncIterator[Owner]:
    state, store = MemoryState(), MemoryStore()
    async with Replica(state).running() as replica:
        broker = Broker(Registry(replica, state), MemoryShelves())
        authority = Authority(a_directory(), a_sealer())
        desk = a_desk(authority, store, buses=[ENTERPRISE], rules=[RULE], replica=replica)
        dead = DeadLetters(for_rules(Sender(broker, authority)), store)
        yield Owner(EventActions(desk, broker), broker, store, replica, dead)
        await broker.stop()


def a_letter(rule: str = RULE.arn, target: str = TO_STOCK.arn) -> dict[str, str]:
    return {"RULE_ARN": rule, "TARGET_ARN": target, "ERROR_CODE": "TIMEOUT"}


async def test_dead_letters_go_back_to_the_targets_that_did_not_take_them(owner: Owner) -> None:
    queue = await owner.letters(a_letter(), a_letter())
    told = await owner.actions.redrive({"queue": queue.name})
    assert told == {"queue": queue.arn, "sent": {"placed → domain": 2}, "left": {}}
    held = await owner.store.pull_deliveries(target_key(RULE.arn, "domain"), 10, 1)
    assert [json.loads(each.body)["id"] for each in held] == ["e-1", "e-2"]
    assert await receive(owner.broker, queue, wait=0) == []


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        pytest.param({}, "not a dead letter of a rule", id="a message of somebody else"),
        pytest.param(a_letter(rule=f"{RULE.arn}-gone"), "its rule is gone", id="no such rule"),
        pytest.param(a_letter(rule="arn:aws:sns:eu-west-1:1:topic"), "its rule is gone", id="no rule at all"),
        pytest.param(a_letter(target=f"{TO_STOCK.arn}-gone"), "its target is gone", id="no such target"),
    ],
)
async def test_what_cannot_go_back_stays_and_says_why(owner: Owner, attributes: dict[str, str], reason: str) -> None:
    queue = await owner.letters(attributes, a_letter())
    told = await owner.actions.redrive({"queue": queue.name})
    ((why, count),) = told["left"].items()
    assert (reason in why, count, told["sent"]) == (True, 1, {"placed → domain": 1})
    assert len(await receive(owner.broker, queue, wait=0)) == 1


@pytest.mark.parametrize("target", RULE.targets[1:], ids=list(SHAPED))
@pytest.mark.parametrize("fails", [False, True], ids=["and the target refused it", "which could not be made"])
async def test_what_a_target_shapes_goes_back_to_it_as_the_event_that_it_was(
    owner: Owner, target: Target, fails: bool
) -> None:
    route = next(each for each in routes_of(RULE) if each.target == target)
    delivery = Delivery("e-1", route.key, json.dumps(EVENT).encode(), NOON, "Root=1-2", "copy-1", "arn:of:a:bus")
    sent = shaped(route, delivery)
    assert isinstance(sent, Delivery)
    queue = await owner.letters_of_rules()
    for _ in range(2):  # whoever wrote the letter may have died before that was settled
        await owner.dead.bury(route, delivery if fails else sent, Failure("TIMEOUT", "late"), GiveUp("", 3))
    (letter,) = await receive(owner.broker, queue, wait=0, visibility=0)
    assert letter.message.body == (delivery.body if fails else sent.body).decode()

    told = await owner.actions.redrive({"queue": queue.name})
    assert told == {"queue": queue.arn, "sent": {f"placed → {target.id}": 1}, "left": {}}
    (held,) = await owner.store.pull_deliveries(route.key, 10, 1)
    back = delivery_of(held, route.key)
    assert (back.event_id, back.body, back.trace, back.via_bus) == ("e-1", delivery.body, "Root=1-2", "arn:of:a:bus")
    again = shaped(route, back)
    assert isinstance(again, Delivery)
    assert again.body == sent.body
    others = [each for each in routes_of(RULE) if each.key != route.key]
    assert [each for other in others for each in await owner.store.pull_deliveries(other.key, 10, 0)] == []


async def test_a_letter_of_a_target_whose_input_is_no_longer_shaped_is_the_event_all_the_same(owner: Owner) -> None:
    queue = await owner.letters_of_rules()
    shaping = Target("domain", TO_STOCK.arn, dead_letter=QUEUE, settings={"InputPath": "$.detail"})
    (route,) = routes_of(replace(RULE, targets=(shaping,)))
    sent = shaped(route, Delivery("e-1", route.key, json.dumps(EVENT).encode(), NOON))
    assert isinstance(sent, Delivery)
    await owner.dead.bury(route, sent, Failure("TIMEOUT", "late"), GiveUp("", 0))
    await owner.actions.redrive({"queue": queue.name})
    (held,) = await owner.store.pull_deliveries(route.key, 10, 1)
    assert json.loads(held.body) == EVENT


@pytest.mark.parametrize("body", ['{"total":17}', "17", '"text"', "no JSON", '{"id":"e-1"}'])
async def test_a_letter_that_is_not_the_event_and_has_none_beside_it_stays(owner: Owner, body: str) -> None:
    queue = await owner.letters()
    attributes = {name: Attribute("String", value) for name, value in a_letter().items()}
    await send(owner.broker, queue, body, attributes=attributes, sender=SERVICE)
    told = await owner.actions.redrive({"queue": queue.name})
    assert told["sent"] == {}
    assert told["left"] == {
        "the letter is not the event, and the event is not kept with it: replay it from an archive": 1
    }
    assert len(await receive(owner.broker, queue, wait=0)) == 1


async def test_a_letter_of_a_target_that_is_gone_goes_to_no_other_of_the_same_arn(owner: Owner) -> None:
    queue = await owner.letters_of_rules()
    gone = Target("gone", BILLING, dead_letter=QUEUE)
    (route,) = routes_of(replace(RULE, targets=(gone,)))
    delivery = Delivery("e-1", route.key, json.dumps(EVENT).encode(), NOON)
    await owner.dead.bury(route, delivery, Failure("TIMEOUT", "late"), GiveUp("", 0))
    told = await owner.actions.redrive({"queue": queue.name})
    assert (told["sent"], told["left"]) == ({}, {"its target is gone": 1})


async def test_what_somebody_else_sent_to_the_queue_becomes_no_event(owner: Owner) -> None:
    queue = await owner.letters(a_letter(), sender="AROAEXAMPLE:intruder")
    told = await owner.actions.redrive({"queue": queue.name})
    assert (told["sent"], list(told["left"].values())) == ({}, [1])
    assert await owner.store.pull_deliveries(target_key(RULE.arn, "domain"), 10, 0) == []


async def test_a_limit_is_kept(owner: Owner) -> None:
    queue = await owner.letters(*[a_letter()] * 5)
    told = await owner.actions.redrive({"queue": queue.arn, "limit": "3"})
    assert told["sent"] == {"placed → domain": 3}
    assert len(await receive(owner.broker, queue, wait=0)) == 2


async def test_a_letter_that_is_sent_back_twice_is_delivered_twice(owner: Owner) -> None:
    queue = await owner.letters(a_letter())
    await owner.actions.redrive({"queue": queue.name})
    body = json.dumps(EVENT)
    attributes = {name: Attribute("String", value) for name, value in a_letter().items()}
    await send(owner.broker, queue, body, attributes=attributes, sender=SERVICE)
    await owner.actions.redrive({"queue": queue.name})
    assert len(await owner.store.pull_deliveries(target_key(RULE.arn, "domain"), 10, 1)) == 2


async def test_a_queue_of_two_accounts_must_be_named_by_its_arn(owner: Owner) -> None:
    for account in (STOCK, ORDERS):
        await a_queue(owner.broker, account, "undelivered")
    with pytest.raises(ValueError, match="ambiguous"):
        await owner.actions.redrive({"queue": "undelivered"})


async def test_an_unknown_queue_is_not_found(owner: Owner) -> None:
    with pytest.raises(NotKept):
        await owner.actions.redrive({"queue": "nowhere"})


async def an_archive(owner: Owner, name: str = "all", account: str = ORDERS) -> None:
    document = {"EventSourceArn": ENTERPRISE.arn, "State": "ENABLED", "CreationTime": 0}
    await owner.replica.put(documents.archive_key(account, name), documents.write(document))


def replay_of(owner: Owner, name: str) -> dict[str, Any]:
    entry = owner.replica.get(documents.replay_key(ORDERS, name))
    assert entry is not None
    return documents.read(entry)


async def test_an_archive_is_replayed_from_its_beginning_until_now(owner: Owner) -> None:
    await an_archive(owner)
    told = await owner.actions.start_replay({"archive": "all"})
    document = replay_of(owner, told["replay"])
    assert (told["state"], document["EventStartTime"], document["Destination"]) == (
        "STARTING",
        0,
        {"Arn": ENTERPRISE.arn},
    )


async def test_a_replay_may_be_for_a_time_and_for_some_rules(owner: Owner) -> None:
    await an_archive(owner)
    query = {"archive": "all", "from": "2026-01-15T12:00:00Z", "to": "2026-01-15T13:00:00", "rules": "placed"}
    told = await owner.actions.start_replay({**query, "name": "again"})
    document = replay_of(owner, "again")
    assert document["EventEndTime"] - document["EventStartTime"] == 3600
    assert document["Destination"]["FilterArns"] == [RULE.arn]
    assert (await owner.actions.replay({"name": "again", "account": told["account"]}))["State"] == "STARTING"


@pytest.mark.parametrize(
    ("query", "words"),
    [
        pytest.param({"rules": "nothing"}, "unknown rule nothing", id="an unknown rule"),
        pytest.param({"from": "noon"}, "noon", id="a time that is none"),
        pytest.param({"from": "2026-01-02", "to": "2026-01-01"}, "must be before", id="an end before its beginning"),
    ],
)
async def test_a_replay_that_makes_no_sense_is_told_why(owner: Owner, query: dict[str, str], words: str) -> None:
    await an_archive(owner)
    with pytest.raises(ValueError, match=words):
        await owner.actions.start_replay({"archive": "all", **query})


async def test_a_name_that_is_taken_stays_taken(owner: Owner) -> None:
    await an_archive(owner)
    name = uuid.uuid4().hex
    await owner.actions.start_replay({"archive": "all", "name": name})
    with pytest.raises(ValueError, match="already exists"):
        await owner.actions.start_replay({"archive": "all", "name": name})


async def test_an_unknown_archive_is_not_found(owner: Owner) -> None:
    with pytest.raises(NotKept):
        await owner.actions.start_replay({"archive": "nowhere"})
