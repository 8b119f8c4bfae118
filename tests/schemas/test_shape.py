"""What is learnt from examples."""

import json
import random
from functools import reduce
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.schemas.shape import (
    MOST_LEVELS,
    MOST_PROPERTIES,
    Shape,
    as_schema,
    from_json,
    levels,
    merge,
    shape_of,
    to_json,
)
from tests.schemas.cases import load

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-2, 2) | st.sampled_from(["x", "2026-01-15T12:00:00Z"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=10,
)


def kept(shape: Shape) -> str:
    return json.dumps(to_json(shape))


def learnt(values: list[Any]) -> Shape:
    return reduce(merge, map(shape_of, values))


@pytest.mark.parametrize("case", load("shapes"))
def test_shape(case: dict[str, Any]) -> None:
    shape = learnt(case["values"])
    assert as_schema(shape, openapi=False) == case["draft 4"]
    assert as_schema(shape, openapi=True) == case.get("openapi", case["draft 4"])


@given(st.lists(VALUES, min_size=1, max_size=5), st.randoms())
def test_the_schema_takes_every_example_in_whatever_order_it_was_learnt(
    values: list[Any], chance: random.Random
) -> None:
    shape = learnt(values)
    validator = jsonschema_rs.validator_for({**as_schema(shape, openapi=False), "$schema": DRAFT_4})
    assert all(validator.is_valid(value) for value in values)
    again = [*values, *values]
    chance.shuffle(again)
    assert kept(learnt(again)) == kept(shape)
    assert kept(from_json(json.loads(kept(shape)))) == kept(shape)


DRAFT_4 = "http://json-schema.org/draft-04/schema#"


def nested(depth: int, *, lists: bool) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value] if lists else {"a": value}
    return value


@pytest.mark.parametrize("lists", [True, False])
def test_the_deepest_value_is_learnt(lists: bool) -> None:
    value = nested(MOST_LEVELS, lists=lists)
    shape = merge(shape_of(value), shape_of(value))
    assert levels(value) == MOST_LEVELS
    assert kept(from_json(json.loads(kept(shape)))) == kept(shape)
    assert json.dumps(as_schema(shape, openapi=True)).count("integer") == 1


def test_levels_are_counted_no_further_than_the_bound() -> None:
    assert levels(nested(1000, lists=False)) == MOST_LEVELS + 1
    assert levels([[[]], {}]) == 3
    assert levels("x") == 0


def test_an_object_with_any_names_becomes_a_map() -> None:
    one = {str(number): number for number in range(MOST_PROPERTIES)}
    assert len(shape_of(one).properties) == MOST_PROPERTIES
    assert as_schema(shape_of({**one, "x": "y"}), openapi=False) == {
        "type": "object",
        "additionalProperties": {"oneOf": [{"type": "integer"}, {"type": "string"}]},
    }
    maps = [{"a": {"n": True}}, {"a": one}, {"a": {"x": 1.5}}]
    values = {"oneOf": [{"type": "boolean"}, {"type": "number"}]}
    assert as_schema(learnt(maps), openapi=False) == {
        "type": "object",
        "required": ["a"],
        "properties": {"a": {"type": "object", "additionalProperties": values}},
    }
