"""Which events a pattern matches, and which patterns are refused."""

from typing import Any

import pytest

from harness.bus.pattern import PatternError, compile_pattern
from tests.bus.cases import load


@pytest.mark.parametrize("case", load("pattern_matches"))
def test_match(case: dict[str, Any]) -> None:
    assert compile_pattern(case["pattern"]).matches(case["event"]) is case["matches"]


@pytest.mark.parametrize("case", load("pattern_refused"))
def test_refusal(case: dict[str, Any]) -> None:
    with pytest.raises(PatternError) as refused:
        compile_pattern(case["pattern"])
    assert (refused.value.text, list(refused.value.path)) == (case["text"], case["path"])


def test_a_pattern_may_be_given_as_text() -> None:
    assert compile_pattern('{"source": ["orders"]}').matches({"source": "orders"})


def test_text_that_is_not_json_is_refused() -> None:
    with pytest.raises(PatternError, match="not valid JSON"):
        compile_pattern('{"source": ')


def test_more_than_a_thousand_combinations_are_refused() -> None:
    arms = [{"a": [number]} for number in range(11)]
    pattern = {"x": {"$or": arms}, "y": {"$or": arms}, "z": {"$or": arms}}
    with pytest.raises(PatternError, match="at most 1000"):
        compile_pattern(pattern)


def pattern_of(characters: int) -> dict[str, Any]:
    """As compact JSON it has that many."""
    return {"source": ["x" * (characters - len('{"source":[""]}'))]}


def test_a_pattern_may_have_4096_characters() -> None:
    assert compile_pattern(pattern_of(4096)).matches({"source": pattern_of(4096)["source"][0]})


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param(pattern_of(4097), id="as an object, written compactly"),
        pytest.param('{"source": ["x"]}' + " " * 4080, id="as text, blanks included"),
    ],
)
def test_a_pattern_of_more_characters_is_refused(pattern: object) -> None:
    with pytest.raises(PatternError, match="has 4097 characters: at most 4096"):
        compile_pattern(pattern)


def test_unrelated_arrays_do_not_multiply_the_work() -> None:
    names = "abcdefgh"
    pattern = compile_pattern({name: {"x": [1], "y": [1]} for name in names} | {"z": {"x": [1], "y": [2]}})
    long = [{"x": 1, "y": 1}] * 50
    event = {name: long for name in names} | {"z": [{"x": 1}, {"y": 2}]}
    assert not pattern.matches(event)  # would not end if the choices multiplied: 50 to the power of 8
