"""TestEventPattern's own part: which events it takes."""

import json
from typing import Any

import pytest

from harness.access import Authority
from harness.bus.memory import MemoryStore
from harness.bus.model import Bus
from harness.bus.patterns import event_pattern
from harness.bus.patterns.event_pattern import EventError
from harness.bus.patterns.pattern import PatternError
from tests.access.landscape import ORDERS, REGION, a_directory, a_sealer
from tests.bus.desks import a_desk

EVENT = {"id": "1", "account": "1", "source": "orders", "time": "t", "region": "r", "detail-type": "Placed"}
PATTERN = '{"source": ["orders"]}'


@pytest.mark.parametrize(("source", "matches"), [("orders", True), ("stock", False)])
def test_the_answer(source: str, matches: bool) -> None:
    event = json.dumps({**EVENT, "source": source})
    assert event_pattern.test_event_pattern(PATTERN, event) is matches


@pytest.mark.parametrize("missing", EVENT)
def test_a_field_is_missing(missing: str) -> None:
    event = {name: value for name, value in EVENT.items() if name != missing}
    refused(json.dumps(event))


@pytest.mark.parametrize("event", ["", "{", "[]", '"x"', "null", "1", json.dumps([EVENT]), "[" * 5000])
def test_what_is_no_event(event: str) -> None:
    refused(event)


def refused(event: str, pattern: Any = PATTERN) -> None:
    with pytest.raises(EventError, match=r"^Parameter Event is not valid\.$"):
        event_pattern.test_event_pattern(pattern, event)


def test_the_event_is_looked_at_before_the_pattern() -> None:
    refused("{}", pattern="{}")
    with pytest.raises(PatternError, match="Empty objects are not allowed"):
        event_pattern.test_event_pattern("{}", json.dumps(EVENT))


def test_the_quota_counts() -> None:
    long = PATTERN + " " * 3000
    assert event_pattern.test_event_pattern(long, json.dumps(EVENT), characters=4096)
    with pytest.raises(PatternError, match="at most 2048"):
        event_pattern.test_event_pattern(long, json.dumps(EVENT))


def test_a_bus_may_have_a_larger_quota_than_its_account() -> None:
    authority = Authority(a_directory(), a_sealer())
    larger = Bus(REGION, ORDERS, "larger", pattern_characters=4000)
    desk = a_desk(authority, MemoryStore(), buses=[larger, Bus(REGION, ORDERS, "usual")])
    assert desk.pattern_characters(larger.arn) == 4000
    assert desk.pattern_characters(Bus(REGION, ORDERS, "usual").arn) == 2048
    assert desk.pattern_characters(Bus(REGION, ORDERS, "unknown").arn) == 2048
    # TestEventPattern names no bus.
    assert desk.pattern_characters() == 4000
