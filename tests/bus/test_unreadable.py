"""Documents that cannot be read: each is left out and told in the log, and all else goes on as if it were not there."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.bus.catalogue import Catalogue
from harness.bus.documents import archive_arn, archive_key, bus_key, rule_key
from harness.bus.memory import MemoryStore
from harness.bus.places import Places
from harness.bus.routes import Routes
from harness.bus.store import Archive, Kind, target_key
from harness.policy import AccessRequest, PolicySet, evaluate
from harness.policy.model import Principal, PrincipalType
from harness.storage.memory_state import MemoryState
from harness.storage.replica import Replica
from harness.storage.state import Key
from harness.wire import bus_arn, rule_arn
from tests.bus.test_router_changes import ORDERS, Landscape, landscape, routing

__all__ = ["landscape"]

pytestmark = pytest.mark.anyio

PLATFORM = "333333333333"
CASES: list[dict[str, Any]] = yaml.load((Path(__file__).parent / "cases/unreadable.yaml").read_text(), yaml.CSafeLoader)
KEYS: dict[str, Key] = {
    "rule": rule_key(PLATFORM, "enterprise", "broken"),
    "archive": archive_key(PLATFORM, "broken"),
    "bus": bus_key(PLATFORM, "broken"),
}
GOOD_RULE = {"EventPattern": '{"source": ["orders"]}', "Targets": [{"Id": "t", "Arn": "arn:aws:sqs:eu-west-1:1:q"}]}
ENTERPRISE = bus_arn("eu-west-1", PLATFORM, "enterprise")
every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])


async def a_replica(replica: Replica, case: dict[str, Any]) -> None:
    """With a bus, a rule and an archive that are good."""
    await replica.put(bus_key(PLATFORM, "enterprise"), b"{}")
    await replica.put(rule_key(PLATFORM, "enterprise", "good"), json.dumps(GOOD_RULE).encode())
    good = {"EventSourceArn": ENTERPRISE, "CreationTime": 1, "RetentionDays": 7}
    await replica.put(archive_key(PLATFORM, "good"), json.dumps(good).encode())
    await replica.put(KEYS[case["kind"]], case["text"].encode())


@pytest.mark.parametrize("when", ["before", "while it runs"])
@every_case
async def test_it_is_left_out_and_the_others_are_there(
    case: dict[str, Any], when: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with Replica(MemoryState()).running() as replica:
        if when == "before":
            await a_replica(replica, case)
        catalogue = Catalogue(replica, region="eu-west-1", accounts=[])
        routes = Routes(catalogue)
        await a_replica(replica, case)
        names = {bus.name: [rule.name for rule in catalogue.rules(bus.arn)] for bus in catalogue.buses()}
        good = ["Events-Archive-good", *(["broken"] if case.get("partly") else []), "good"]
        assert names == {"enterprise": good} | ({"broken": []} if case["kind"] == "bus" else {})
        matched = catalogue.rule_set(ENTERPRISE).matching({"source": "orders"})
        assert {rule.name for rule in matched} == set(good)
        assert routes.get(target_key(rule_arn("eu-west-1", PLATFORM, "enterprise", "good"), "t")) is not None
        assert "/".join(KEYS[case["kind"]]) in caplog.text


@pytest.mark.parametrize("case", [case for case in CASES if case["kind"] != "bus"], ids=lambda case: case["name"])
async def test_what_is_mended_is_read_and_what_is_deleted_is_forgotten(case: dict[str, Any]) -> None:
    async with Replica(MemoryState()).running() as replica:
        catalogue = Catalogue(replica, region="eu-west-1", accounts=[])
        Routes(catalogue)
        key = KEYS[case["kind"]]
        good = {"rule": GOOD_RULE, "archive": {"EventSourceArn": ENTERPRISE}}[case["kind"]]
        for after in (json.dumps(good).encode(), None):
            await a_replica(replica, case)
            assert catalogue.unread == {key}
            await (replica.delete(key) if after is None else replica.put(key, after))
            assert catalogue.unread == set()
            names = [rule.name for rule in catalogue.rules(ENTERPRISE)]
            assert any("broken" in name for name in names) is (after is not None)


@pytest.mark.parametrize("account", [PLATFORM, "111111111111"], ids=["its owner", "another account"])
@pytest.mark.parametrize("case", [case for case in CASES if case["kind"] == "bus"], ids=lambda case: case["name"])
async def test_a_bus_whose_policy_cannot_be_read_is_closed(case: dict[str, Any], account: str) -> None:
    async with Replica(MemoryState()).running() as replica:
        await a_replica(replica, case)
        bus = Catalogue(replica, region="eu-west-1", accounts=[]).bus(bus_arn("eu-west-1", PLATFORM, "broken"))
        assert bus is not None
        sender = Principal(PrincipalType.ACCOUNT, f"arn:aws:iam::{account}:root", account)
        request = AccessRequest(sender, "events:PutEvents", bus.arn, PLATFORM, {})
        assert not evaluate(request, PolicySet(resource=bus.policy)).allowed


@pytest.mark.parametrize("case", [case for case in CASES if case["kind"] == "rule"], ids=lambda case: case["name"])
async def test_what_waits_for_its_targets_is_kept(case: dict[str, Any]) -> None:
    key = target_key(rule_arn("eu-west-1", PLATFORM, "enterprise", "broken"), "a")
    other = target_key(rule_arn("eu-west-1", "111111111111", "enterprise", "gone"), "a")
    async with Replica(MemoryState()).running() as replica:
        await a_replica(replica, case)
        catalogue = Catalogue(replica, region="eu-west-1", accounts=[])
        store = MemoryStore()
        await store.prepare([], [key, other])
        places = Places(store, catalogue, Routes(catalogue), grace=0)
        await places.look()
        assert [each.name for each in await store.usage() if each.kind is Kind.TARGET] == [key]
        await replica.delete(KEYS["rule"])
        await places.look()
        assert [each.name for each in await store.usage() if each.kind is Kind.TARGET] == []


@pytest.mark.parametrize("case", [case for case in CASES if case["kind"] == "archive"], ids=lambda case: case["name"])
async def test_what_an_archive_keeps_is_kept(case: dict[str, Any]) -> None:
    archive = Archive(archive_arn("eu-west-1", PLATFORM, "broken"), made="1")
    async with Replica(MemoryState()).running() as replica:
        await a_replica(replica, case)
        catalogue = Catalogue(replica, region="eu-west-1", accounts=[])
        store = MemoryStore()
        await store.prepare_archive(archive)
        places = Places(store, catalogue, Routes(catalogue), grace=0)
        await places.look()
        assert archive.name in {each.name for each in await store.usage()}
        await replica.delete(KEYS["archive"])
        await places.look()
        assert archive.name not in {each.name for each in await store.usage()}


@every_case
async def test_a_router_goes_on(landscape: Landscape, case: dict[str, Any]) -> None:
    await landscape.put_rule("one", ORDERS)
    key = (*KEYS[case["kind"]][:3], landscape.bus_name, "broken") if case["kind"] == "rule" else KEYS[case["kind"]]
    async with routing(landscape):
        await landscape.replica.put(key, case["text"].encode())
        await landscape.publish("1")
        await landscape.until_taken(("one", "1"))
    async with routing(landscape):
        await landscape.publish("2")
        await landscape.until_taken(("one", "2"))
