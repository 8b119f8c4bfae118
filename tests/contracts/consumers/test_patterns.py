"""The schema of a pattern takes in every event that the pattern matches; the bus's own matcher is the judge."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.bus.patterns.pattern import PatternError, compile_pattern
from harness.contracts.consumers.patterns import clauses_of, event_schema_of, paths_read

CASES = json.loads((Path(__file__).parent / "cases" / "patterns.json").read_text())


def accepts(pattern: Any, event: Any) -> bool:
    return any(jsonschema_rs.is_valid(event_schema_of(clause), event) for clause in clauses_of(pattern))


@pytest.mark.parametrize("case", [pytest.param(each, id=each["name"]) for each in CASES])
def test_the_schema_agrees_with_the_bus(case: dict[str, Any]) -> None:
    compiled = compile_pattern(case["pattern"])
    for event in case["matches"]:
        assert compiled.matches(event), event
        assert accepts(case["pattern"], event), event
    for event in case["misses"]:
        assert not compiled.matches(event), event
        assert not accepts(case["pattern"], event), event


def test_the_paths_that_a_pattern_reads() -> None:
    pattern = {"detail.data": {"total": [1]}, "$or": [{"source": ["a"]}, {"source": ["b"], "id": [{"exists": False}]}]}

    assert paths_read(pattern) == {
        ("detail", "data", "total"): [1],
        ("source",): ["a", "b"],
        ("id",): [{"exists": False}],
    }


NAMES = st.sampled_from(["a", "b", "c"])
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2),
    st.sampled_from(["", "x", "X", "xy", "10.0.0.1", "::1", "k", "straße"]),
)
EVENTS = st.dictionaries(
    NAMES,
    st.recursive(
        VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=8
    ),
    max_size=3,
)
TEXTS = st.sampled_from(["x", "X", "y", "K", "*x", "x*y", "\\*", "ẞ"])
ALTERNATIVES = st.one_of(
    VALUES,
    st.builds(lambda said: {"exists": said}, st.booleans()),
    st.builds(lambda name, text: {name: text}, st.sampled_from(["prefix", "suffix", "wildcard", "exactly"]), TEXTS),
    st.builds(lambda text: {"equals-ignore-case": text}, TEXTS),
    st.builds(lambda name, text: {name: {"equals-ignore-case": text}}, st.sampled_from(["prefix", "suffix"]), TEXTS),
    st.builds(lambda said: {"anything-but": said}, st.lists(TEXTS, min_size=1, max_size=2) | st.integers(-1, 1)),
    st.builds(
        lambda name, text: {"anything-but": {name: text}},
        st.sampled_from(["prefix", "suffix", "wildcard", "equals-ignore-case"]),
        TEXTS,
    ),
    st.builds(lambda name, low: {"numeric": [name, low]}, st.sampled_from([">", ">=", "<", "="]), st.integers(-1, 1)),
    st.just({"numeric": [">=", -1, "<", 1]}),
    st.just({"cidr": "10.0.0.0/24"}),
)
PATTERNS = st.recursive(
    st.dictionaries(NAMES | st.just("a.b"), st.lists(ALTERNATIVES, min_size=1, max_size=2), min_size=1, max_size=2),
    lambda inner: (
        st.dictionaries(NAMES, inner, min_size=1, max_size=2)
        | st.builds(
            lambda arms, rest: {**rest, "$or": arms}, st.lists(inner, min_size=2, max_size=2), st.just({}) | inner
        )
    ),
    max_leaves=4,
)


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(PATTERNS, EVENTS)
def test_no_event_that_matches_is_left_out(pattern: Any, event: Any) -> None:
    try:
        compiled = compile_pattern(pattern)
    except PatternError:
        return
    if compiled.matches(event):
        assert accepts(pattern, event)
