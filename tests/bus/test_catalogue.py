"""Buses and rules of manifests and of the API, side by side."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import orjson
import pytest

from harness.bus.catalogue import Catalogue
from harness.bus.documents import archive_arn, archive_key, bus_key, rule_key
from harness.bus.model import Bus, RetryPolicy, Rule
from harness.bus.patterns.pattern import compile_pattern
from harness.storage.memory_state import MemoryState
from harness.storage.replica import Replica
from harness.wire import bus_arn

pytestmark = pytest.mark.anyio

ORDERS, PLATFORM = "111111111111", "333333333333"
ENTERPRISE = Bus("eu-west-1", PLATFORM, "enterprise")
DEFAULT = bus_arn("eu-west-1", ORDERS, "default")
QUEUE = "arn:aws:sqs:eu-west-1:111111111111:undelivered"
PLACED = {"source": "acme.orders", "detail-type": "OrderPlaced.v1", "detail": {}}
OPEN = """{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Principal": "*", "Action": "events:PutEvents", "Resource": "*"}
]}"""


@pytest.fixture
async def replica() -> AsyncIterator[Replica]:
    async with Replica(MemoryState()).running() as running:
        yield running


def a_catalogue(replica: Replica) -> Catalogue:
    managed = Rule("of-a-manifest", ENTERPRISE.arn, PLATFORM, compile_pattern({"source": ["acme.orders"]}))
    return Catalogue(replica, region="eu-west-1", accounts=[ORDERS, PLATFORM], buses=[ENTERPRISE], rules=[managed])


async def put_rule(replica: Replica, name: str, document: Mapping[str, Any], *, bus: str = "enterprise") -> None:
    await replica.put(rule_key(PLATFORM, bus, name), orjson.dumps(document))


async def test_every_account_has_a_default_bus(replica: Replica) -> None:
    names = {(bus.account, bus.name) for bus in a_catalogue(replica).buses()}
    assert names == {(ORDERS, "default"), (PLATFORM, "default"), (PLATFORM, "enterprise")}


async def test_a_bus_that_the_api_makes_is_there_at_once(replica: Replica) -> None:
    catalogue = a_catalogue(replica)
    await replica.put(bus_key(ORDERS, "own/bus"), b"{}")
    bus = catalogue.bus(bus_arn("eu-west-1", ORDERS, "own/bus"))
    assert bus is not None
    assert (bus.name, bus.managed, bus in catalogue.buses()) == ("own/bus", False, True)


async def test_the_default_bus_may_be_given_a_policy(replica: Replica) -> None:
    catalogue = a_catalogue(replica)
    await replica.put(bus_key(ORDERS, "default"), orjson.dumps({"Policy": OPEN}))
    bus = catalogue.bus(DEFAULT)
    assert bus is not None
    assert bus.policy is not None


async def test_a_bus_of_another_region_is_not_this_one(replica: Replica) -> None:
    await replica.put(bus_key(ORDERS, "own"), b"{}")
    assert a_catalogue(replica).bus(bus_arn("us-east-1", ORDERS, "own")) is None


async def test_rules_of_both_kinds_match_side_by_side(replica: Replica) -> None:
    catalogue = a_catalogue(replica)
    assert [rule.name for rule in catalogue.rule_set(ENTERPRISE.arn).matching(PLACED)] == ["of-a-manifest"]
    await put_rule(replica, "made", {"EventPattern": '{"detail-type": ["OrderPlaced.v1"]}'})
    assert [rule.name for rule in catalogue.rule_set(ENTERPRISE.arn).matching(PLACED)] == ["made", "of-a-manifest"]


async def test_a_disabled_rule_is_listed_and_does_not_match(replica: Replica) -> None:
    catalogue = a_catalogue(replica)
    await put_rule(replica, "made", {"EventPattern": '{"source": ["acme.orders"]}', "State": "DISABLED"})
    assert [rule.name for rule in catalogue.rules(ENTERPRISE.arn)] == ["made", "of-a-manifest"]
    assert [rule.name for rule in catalogue.rule_set(ENTERPRISE.arn).matching(PLACED)] == ["of-a-manifest"]


async def test_a_rule_that_is_replaced_matches_as_it_is_now(replica: Replica) -> None:
    catalogue = a_catalogue(replica)
    await put_rule(replica, "made", {"EventPattern": '{"source": ["acme.orders"]}'})
    catalogue.rule_set(ENTERPRISE.arn)
    await put_rule(replica, "made", {"EventPattern": '{"source": ["acme.stock"]}'})
    assert [rule.name for rule in catalogue.rule_set(ENTERPRISE.arn).matching(PLACED)] == ["of-a-manifest"]


async def test_a_rule_of_another_bus_is_not_matched(replica: Replica) -> None:
    catalogue = a_catalogue(replica)
    await put_rule(replica, "made", {"EventPattern": '{"source": ["acme.orders"]}'}, bus="default")
    assert catalogue.rule(ENTERPRISE.arn, "made") is None


async def test_a_target_has_the_defaults_of_eventbridge(replica: Replica) -> None:
    catalogue = a_catalogue(replica)
    await put_rule(replica, "made", {"EventPattern": '{"source": ["a"]}', "Targets": [{"Id": "q", "Arn": QUEUE}]})
    rule = catalogue.rule(ENTERPRISE.arn, "made")
    assert rule is not None
    (target,) = rule.targets
    assert (target.arn, target.retry, target.dead_letter, target.settings) == (QUEUE, RetryPolicy(185, 86_400), "", {})


async def test_a_target_keeps_what_put_targets_got(replica: Replica) -> None:
    given = {
        "Id": "q",
        "Arn": QUEUE,
        "RoleArn": "arn:aws:iam::333333333333:role/sender",
        "RetryPolicy": {"MaximumRetryAttempts": 3},
        "DeadLetterConfig": {"Arn": QUEUE + "-dead"},
        "InputPath": "$.detail",
    }
    await put_rule(replica, "made", {"ScheduleExpression": "rate(1 minute)", "Targets": [given]}, bus="default")
    rule = a_catalogue(replica).rule(bus_arn("eu-west-1", PLATFORM, "default"), "made")
    assert rule is not None
    (target,) = rule.targets
    assert (rule.schedule, target.retry.maximum_retry_attempts, target.dead_letter) == (
        "rate(1 minute)",
        3,
        QUEUE + "-dead",
    )
    assert target.settings == {"InputPath": "$.detail"}


async def test_a_manifests_default_bus_keeps_its_policy(replica: Replica) -> None:
    managed = Bus("eu-west-1", ORDERS, "default")
    catalogue = Catalogue(replica, region="eu-west-1", accounts=[ORDERS], buses=[managed])
    await replica.put(bus_key(ORDERS, "default"), orjson.dumps({"Policy": OPEN}))
    assert catalogue.bus(DEFAULT) is managed


async def test_a_bus_that_was_deleted_is_gone_though_it_was_asked_for(replica: Replica) -> None:
    catalogue = a_catalogue(replica)
    arn = bus_arn("eu-west-1", ORDERS, "own")
    await replica.put(bus_key(ORDERS, "own"), b"{}")
    assert catalogue.bus(arn) is not None
    await replica.delete(bus_key(ORDERS, "own"))
    assert catalogue.bus(arn) is None


@pytest.mark.parametrize(
    "arn",
    [
        pytest.param("enterprise", id="a name"),
        pytest.param("arn:aws:events:eu-west-1:111111111111:rule/default", id="a rule's ARN"),
        pytest.param("arn:aws:events:eu-west-1:111111111111", id="the beginning of an ARN"),
    ],
)
async def test_what_is_no_bus_is_not_there(replica: Replica, arn: str) -> None:
    assert a_catalogue(replica).bus(arn) is None


async def test_an_archive_has_a_rule_on_its_bus(replica: Replica) -> None:
    catalogue = a_catalogue(replica)
    document = {"EventSourceArn": ENTERPRISE.arn, "EventPattern": '{"source": ["acme.orders"]}'}
    await replica.put(archive_key(PLATFORM, "orders"), orjson.dumps(document))
    rule = catalogue.rule(ENTERPRISE.arn, "Events-Archive-orders")
    assert rule is not None
    assert (rule.managed, [target.arn for target in rule.targets]) == (
        True,
        [archive_arn("eu-west-1", PLATFORM, "orders")],
    )
    assert rule in catalogue.rule_set(ENTERPRISE.arn).matching(PLACED)
    assert rule not in catalogue.rule_set(ENTERPRISE.arn).matching({**PLACED, "replay-name": "again"})


async def test_an_archive_that_was_deleted_takes_its_rule_along(replica: Replica) -> None:
    catalogue = a_catalogue(replica)
    await replica.put(archive_key(PLATFORM, "all"), orjson.dumps({"EventSourceArn": ENTERPRISE.arn}))
    assert len(catalogue.rule_set(ENTERPRISE.arn).matching(PLACED)) == 2
    await replica.delete(archive_key(PLATFORM, "all"))
    assert len(catalogue.rule_set(ENTERPRISE.arn).matching(PLACED)) == 1
