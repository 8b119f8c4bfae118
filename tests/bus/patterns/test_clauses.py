"""Consistency inside arrays, held against every combination tried by hand."""

from itertools import product
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.bus.patterns.clauses import Clause
from harness.bus.patterns.fields import Fields, flatten
from harness.bus.patterns.pattern import compile_pattern

NUMBERS = st.integers(0, 1)
SOME = st.dictionaries(st.sampled_from("xyz"), NUMBERS, min_size=1)


def lists(elements: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(elements, min_size=1, max_size=3)


BELOW = st.builds(lambda some, inner: {**some, "m": inner}, SOME, lists(SOME))
EVENTS = st.fixed_dictionaries({"l": lists(SOME | BELOW | lists(BELOW)), "n": lists(SOME), "l.m": lists(SOME)})
LEAVES = st.dictionaries(st.sampled_from("xyz"), NUMBERS.map(lambda number: [number]), min_size=2)
PATTERNS = st.fixed_dictionaries(
    {"l": st.builds(lambda some, inner: {**some, "m": inner}, LEAVES, LEAVES) | LEAVES}, optional={"n": LEAVES}
)


def by_hand(clause: Clause, fields: Fields) -> bool:
    """Whether a place can be chosen for each condition so that no array is in two elements at once."""
    places = [sorted(condition.places(fields)) for condition in clause]
    return any(_agree(chosen) for chosen in product(*places))


def _agree(chosen: tuple[Any, ...]) -> bool:
    at: dict[int, int] = {}
    return all(at.setdefault(kind, element) == element for membership in chosen for kind, element in membership)


@settings(max_examples=150, deadline=None)
@given(PATTERNS, EVENTS)
def test_an_event_matches_just_where_some_combination_agrees(pattern: Any, event: Any) -> None:
    compiled = compile_pattern(pattern)
    fields = flatten(event, compiled.paths())
    (clause,) = compiled.clauses
    assert compiled.matches(event) is by_hand(clause, fields)
