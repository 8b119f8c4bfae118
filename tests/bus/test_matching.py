"""Which rules of a bus match an event: the index must answer as the patterns one by one would."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.bus.matching import RuleSet
from harness.bus.model import Rule
from harness.bus.pattern import compile_pattern
from harness.wire import bus_arn
from tests.bus.cases import load

BUS = bus_arn("eu-west-1", "111111111111", "shop")


def a_rule(name: str, pattern: object) -> Rule:
    return Rule(name, BUS, "111111111111", compile_pattern(pattern), ())


def names(rules: list[Rule]) -> list[str]:
    return [rule.name for rule in rules]


def test_every_matching_rule_is_found_in_order() -> None:
    rules = RuleSet(
        [
            a_rule("by source", {"source": ["orders"]}),
            a_rule("other", {"source": ["stock"]}),
            a_rule("by prefix", {"source": [{"prefix": "ord"}]}),
        ]
    )
    assert names(rules.matching({"source": "orders"})) == ["by source", "by prefix"]


def test_a_rule_that_matches_by_several_arms_is_found_once() -> None:
    rules = RuleSet([a_rule("either", {"$or": [{"a": [1]}, {"b": [2]}]})])
    assert names(rules.matching({"a": 1, "b": 2})) == ["either"]


def test_a_rule_on_absence_is_found_without_the_field() -> None:
    rules = RuleSet([a_rule("absent", {"a": [{"exists": False}]})])
    assert names(rules.matching({"b": 1})) == ["absent"]


def test_a_bus_without_rules_matches_nothing() -> None:
    assert RuleSet([]).matching({"source": "orders"}) == []


ALL = [case.values[0] for case in load("pattern_matches")]
TOGETHER = RuleSet([a_rule(case["name"], case["pattern"]) for case in ALL])


@pytest.mark.parametrize("case", load("pattern_matches"))
def test_together_the_rules_match_as_each_alone(case: dict[str, object]) -> None:
    event = json.loads(json.dumps(case["event"]))
    assert names(TOGETHER.matching(event)) == names(
        [rule for rule in TOGETHER.rules if rule.pattern and rule.pattern.matches(event)]
    )


SCALARS = st.sampled_from(["x", "y", "orders", 1, 2, 300, True, None])
EVENTS = st.dictionaries(
    st.sampled_from(["a", "b", "source", "l"]),
    st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2),
        max_leaves=6,
    ),
    max_size=4,
)


@given(EVENTS)
def test_any_event_is_matched_as_by_each_rule_alone(event: dict[str, object]) -> None:
    assert names(TOGETHER.matching(event)) == names(
        [rule for rule in TOGETHER.rules if rule.pattern and rule.pattern.matches(event)]
    )
