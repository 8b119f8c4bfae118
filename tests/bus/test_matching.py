"""Which rules of a bus match an event: the index must answer as the patterns one by one would."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.bus import matching
from harness.bus.matching import RuleSet
from harness.bus.model import Rule
from harness.bus.patterns.clauses import Clause, clause_matches
from harness.bus.patterns.fields import Fields
from harness.bus.patterns.mismatch import explain
from harness.bus.patterns.operators import RESERVED
from harness.bus.patterns.pattern import Pattern, PatternError, compile_pattern
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


# Few names and values, so that rules and events meet.
NAMES = st.sampled_from(["a", "b", "source", "l", "a.b"])
TEXTS = st.sampled_from(["", "x", "xy", "Xyz", "yx", "orders", "ss", "ß", "10.0.0.1", "::1", "*", "zyxzyx"])
NUMBERS = st.sampled_from([-1, 0, 1, 2, 300, 2.5, 9007199254740993])
SCALARS = TEXTS | NUMBERS | st.sampled_from([True, False, None])
EVENTS = st.dictionaries(
    NAMES,
    st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2),
        max_leaves=8,
    ),
    max_size=4,
)


def one_key(name: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({name: values})


FOLDED = one_key("equals-ignore-case", TEXTS)
WILDCARDS = st.lists(st.sampled_from(["x", "y", "Xy", "zyx", "1"]), max_size=3).flatmap(
    lambda parts: st.sampled_from(["*".join(parts), "*" + "*".join(parts), "*".join(parts) + "*"])
)
WANTED = st.one_of(
    SCALARS,
    one_key("prefix", TEXTS | FOLDED),
    one_key("suffix", TEXTS | FOLDED),
    FOLDED,
    one_key("wildcard", WILDCARDS),
    one_key("exists", st.booleans()),
    one_key("anything-but", TEXTS | st.lists(TEXTS, min_size=1, max_size=2) | st.sampled_from([1, [0, 2.5]])),
    one_key("anything-but", one_key("prefix", st.sampled_from(["x", ["y", "o"]]))),
    one_key("anything-but", one_key("wildcard", WILDCARDS)),
    one_key("numeric", st.sampled_from([["=", 1], [">", 0], ["<=", 2], [">=", -1, "<", 2], [">", 1, "<=", 300]])),
    one_key("cidr", st.sampled_from(["10.0.0.0/24", "0.0.0.0/0", "::/8", "10.1.0.0/16"])),
)
LEAF = st.lists(WANTED, min_size=1, max_size=2)
FLAT = st.dictionaries(NAMES, LEAF, min_size=1, max_size=2)
BELOW = st.dictionaries(NAMES, LEAF | FLAT, min_size=1, max_size=2)
PATTERNS = BELOW | st.builds(lambda rest, arms: {**rest, "$or": arms}, BELOW, st.lists(BELOW, min_size=2, max_size=3))


def compiled(pattern: object) -> Pattern | None:
    try:
        return compile_pattern(pattern)
    except PatternError:
        return None


@pytest.mark.slow
@settings(max_examples=120, deadline=None)
@given(st.lists(PATTERNS, min_size=1, max_size=12), st.lists(EVENTS, min_size=1, max_size=4))
def test_any_rules_find_any_event_as_each_pattern_alone(patterns: list[Any], events: list[dict[str, Any]]) -> None:
    rules = RuleSet(
        Rule(str(number), BUS, "111111111111", pattern, ())
        for number, pattern in enumerate(map(compiled, patterns))
        if pattern is not None
    )
    for event in events:
        found = names(rules.matching(event))
        assert found == names([rule for rule in rules.rules if rule.pattern and rule.pattern.matches(event)])
        for rule in rules.rules:
            assert rule.pattern is not None
            assert (explain(rule.pattern, event) is None) is (rule.name in found)


@given(EVENTS)
def test_any_event_is_matched_as_by_each_rule_alone(event: dict[str, Any]) -> None:
    assert names(TOGETHER.matching(event)) == names(
        [rule for rule in TOGETHER.rules if rule.pattern and rule.pattern.matches(event)]
    )


JSON = st.recursive(
    SCALARS | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*sorted(RESERVED), "$or", "a", "a.b", ""]), inner, max_size=3)
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(JSON | PATTERNS, EVENTS)
def test_whatever_is_compiled_matches_or_is_refused(pattern: Any, event: dict[str, Any]) -> None:
    for given_as in (pattern, json.dumps(pattern), json.dumps(pattern)[:-1], str(pattern)):
        found = compiled(given_as)
        if found is not None:
            assert found.matches(event) in (True, False)
            assert json.loads(json.dumps(found.source)) == json.loads(json.dumps(pattern))


def test_rules_that_share_one_compiled_pattern_are_all_found() -> None:
    pattern = compile_pattern({"a": [{"prefix": "x"}]})
    rules = RuleSet(Rule(str(number), BUS, "111111111111", pattern, ()) for number in range(3))
    assert names(rules.matching({"a": "xy"})) == ["0", "1", "2"]


OPERATORS = [
    pytest.param("a", [{"prefix": "{}-"}], "{}-x", id="prefix"),
    pytest.param("a", [{"suffix": "-{}"}], "x-{}", id="suffix"),
    pytest.param("a", [{"prefix": {"equals-ignore-case": "A{}-"}}], "a{}-x", id="prefix without case"),
    pytest.param("a", [{"suffix": {"equals-ignore-case": "-{}A"}}], "x-{}a", id="suffix without case"),
    pytest.param("a", [{"equals-ignore-case": "A{}"}], "a{}", id="without case"),
    pytest.param("a", [{"wildcard": "{}-*-x"}], "{}-1-x", id="wildcard with a beginning"),
    pytest.param("a", [{"wildcard": "*-{}"}], "1-{}", id="wildcard with an end"),
    pytest.param("a", [{"wildcard": "*-00{}-*"}], "x-00{}-y", id="wildcard with a middle"),
]


@pytest.mark.parametrize(("path", "wanted", "value"), OPERATORS)
def test_of_many_rules_few_are_tried(monkeypatch: pytest.MonkeyPatch, path: str, wanted: list[Any], value: str) -> None:
    def filled(number: int) -> Any:
        return {"source": ["orders"], path: json.loads(json.dumps(wanted).replace("{}", f"{number:03d}"))}

    rules = RuleSet(a_rule(str(number), filled(number)) for number in range(300))
    tried: list[Clause] = []

    def counted(clause: Clause, fields: Fields) -> bool:
        tried.append(clause)
        return clause_matches(clause, fields)

    monkeypatch.setattr(matching, "clause_matches", counted)
    assert names(rules.matching({"source": "orders", path: value.replace("{}", "123")})) == ["123"]
    assert len(tried) <= 15


def test_of_many_ranges_few_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = RuleSet(
        a_rule(str(number), {"source": ["orders"], "n": [{"numeric": [">=", number, "<", number + 2]}]})
        for number in range(1000)
    )
    tried: list[Clause] = []

    def counted(clause: Clause, fields: Fields) -> bool:
        tried.append(clause)
        return clause_matches(clause, fields)

    monkeypatch.setattr(matching, "clause_matches", counted)
    assert names(rules.matching({"source": "orders", "n": 500.5})) == ["499", "500"]
    assert len(tried) == 2
