"""Which events a pattern matches, and which patterns are refused."""

from typing import Any

import pytest

from harness.bus.patterns.pattern import PatternError, compile_pattern
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


@pytest.mark.parametrize("case", load("pattern_texts"))
def test_text(case: dict[str, Any]) -> None:
    if "refused" in case:
        with pytest.raises(PatternError) as refused:
            compile_pattern(case["text"])
        assert refused.value.text == case["refused"]
    else:
        assert compile_pattern(case["text"]).matches(case["event"]) is case["matches"]


def pattern_of(characters: int) -> dict[str, Any]:
    """As compact JSON it has that many."""
    return {"source": ["x" * (characters - len('{"source":[""]}'))]}


@pytest.mark.parametrize(("quota", "most"), [(2048, 2048), (3000, 3000), (4096, 4096), (10_000, 4096)])
def test_a_pattern_may_be_as_long_as_the_quota_and_never_longer_than_the_model(quota: int, most: int) -> None:
    assert compile_pattern(pattern_of(most), characters=quota).matches({"source": pattern_of(most)["source"][0]})
    for longer in (pattern_of(most + 1), '{"source": ["x"]}' + " " * (most - 16)):
        with pytest.raises(PatternError, match=f"has {most + 1} characters: at most {most}"):
            compile_pattern(longer, characters=quota)


def test_the_quota_is_2048_unless_it_is_raised() -> None:
    compile_pattern(pattern_of(2048))
    with pytest.raises(PatternError, match="at most 2048"):
        compile_pattern(pattern_of(2049))


@pytest.mark.parametrize("count", [pytest.param(1000, id="a thousand"), pytest.param(1001, id="one more")])
def test_combinations_of_or(count: int) -> None:
    tens = [{"a": [number]} for number in range(10)]
    pattern = {"x": {"$or": tens}, "y": {"$or": tens}, "z": {"$or": tens}}
    if count > 1000:
        pattern = {"x": {"$or": tens[:7]}, "y": {"$or": [*tens, {"b": [1]}]}, "z": {"$or": [*tens, *[{"c": [1]}] * 3]}}
        with pytest.raises(PatternError, match="at most 1000"):
            compile_pattern(pattern)
    else:
        assert len(compile_pattern(pattern).clauses) == 1000


HOSTILE = [
    pytest.param('{"a":' * 700 + '["x"]' + "}" * 700, id="objects in objects"),
    pytest.param('{"a":' + "[" * 2000 + "]" * 2000 + "}", id="lists in lists"),
    pytest.param("[" * 4096, id="brackets alone"),
    pytest.param('{"' * 2048, id="braces and quotes"),
    pytest.param('{"$or":[{"a":[1]},' * 200 + "{}" + "]}" * 200, id="ors in ors"),
    pytest.param('{"a":["\\ud800"],"b":[{"wildcard":"\\ud800**"}]}', id="half a surrogate pair"),
    pytest.param('{"a":[' + "9" * 4000 + "]}", id="a number of 4,000 digits"),
    pytest.param('{"a":[{"numeric":["=",' + "9" * 4000 + "]}]}", id="a bound of 4,000 digits"),
    pytest.param('{"a":[' + '{"wildcard":"*a*"},' * 200 + '"x"]}', id="two hundred wildcards"),
    pytest.param('{"a":[{"wildcard":"' + "a" * 4000 + '*"}]}', id="a long wildcard"),
    pytest.param('{"a":[{"wildcard":"*' + "ab" * 2000 + '"}]}', id="a long repetition"),
    pytest.param("{" + ",".join(f'"a{n}":[1]' for n in range(400)) + "}", id="four hundred fields"),
    pytest.param(
        "{" + ",".join(f'"{n}":{{"$or":[{{"a":[1]}},{{"b":[1]}}]}}' for n in range(100)) + "}", id="a hundred ors"
    ),
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_compiled_or_refused(text: str) -> None:
    for given in (text, text[: len(text) // 2], text.replace("]", "}")):
        try:
            pattern = compile_pattern(given, characters=4096)
        except PatternError:
            continue
        assert pattern.matches({}) is False


def test_unrelated_arrays_do_not_multiply_the_work() -> None:
    names = "abcdefgh"
    pattern = compile_pattern({name: {"x": [1], "y": [1]} for name in names} | {"z": {"x": [1], "y": [2]}})
    long = [{"x": 1, "y": 1}] * 50
    event = {name: long for name in names} | {"z": [{"x": 1}, {"y": 2}]}
    assert not pattern.matches(event)  # would not end if the choices multiplied: 50 to the power of 8


def test_long_arrays_do_not_square_the_work() -> None:
    pattern = compile_pattern({"l": {"a": [1], "b": [2], "c": [{"exists": False}], "m": {"x": [1], "y": [2]}}})
    odd = [{"a": 1, "m": [{"x": 1}]}, {"b": 2, "m": [{"y": 2}]}, {"a": 1, "b": 2, "m": [{"x": 1}, {"y": 2}]}]
    assert not pattern.matches({"l": odd * 3000})  # would not end if each element were held against each
    assert pattern.matches({"l": [*odd * 3000, {"a": 1, "b": 2, "m": [{"x": 1, "y": 2}]}]})


def test_an_event_as_deep_as_put_events_takes_is_matched() -> None:
    deep: Any = {"a": "x"}
    lists: Any = ["x"]
    for _ in range(990):
        deep, lists = {"a": deep}, [lists]
    pattern = compile_pattern({"a": {"a": {"a": ["x"]}}, "l": ["y"]})
    assert not pattern.matches({"a": deep, "l": lists})
    assert compile_pattern({"l": ["x"]}).matches({"l": [[[["x"]]]]})


def test_two_arrays_at_one_path_do_not_multiply_without_end() -> None:
    pattern = compile_pattern({"a": {"b": {"x": [1], "y": [2], "z": [3]}}})
    event = {"a": {"b": [{"x": 1}] * 3000}, "a.b": [{"y": 2}] * 3000}
    assert not pattern.matches(event)


@pytest.mark.parametrize("bound", [float("inf"), float("-inf"), float("nan")])
def test_a_bound_that_no_json_can_say_is_refused(bound: float) -> None:
    with pytest.raises(PatternError, match="Cannot compare number : "):
        compile_pattern({"a": [{"numeric": ["<", bound]}]})
