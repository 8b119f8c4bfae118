"""Schemas of later drafts in the words of draft 4."""

from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.schemas.draft_4 import as_draft_4
from tests.schemas.cases import load
from tests.schemas.test_shape import DRAFT_4

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([0.5, "x", "a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("case", load("draft_4"))
def test_conversion(case: dict[str, Any]) -> None:
    assert as_draft_4(case["schema"]) == case["becomes"]


def keyword(name: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({name: values})


PLAIN = st.one_of(
    st.booleans(),
    keyword("type", st.sampled_from(["string", "integer", "number", "array", "object", "null"])),
    keyword("const", st.sampled_from([1, "x", None])),
    keyword("minimum", st.integers(-1, 1)),
    keyword("exclusiveMinimum", st.integers(-1, 1)),
    keyword("exclusiveMaximum", st.integers(-1, 1)),
    keyword("required", st.lists(st.sampled_from("ab"), max_size=2, unique=True)),
    keyword("dependentRequired", st.just({"a": ["b"]})),
    keyword("minContains", st.just(1)),
)


def larger(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    some = st.lists(inner, min_size=1, max_size=2)
    single = (
        "not",
        "contains",
        "items",
        "additionalProperties",
        "propertyNames",
        "if",
        "then",
        "unevaluatedProperties",
    )
    return st.one_of(
        *(keyword(name, inner) for name in single),
        *(keyword(name, some) for name in ("allOf", "anyOf", "oneOf", "prefixItems")),
        keyword("properties", st.dictionaries(st.sampled_from("ab"), inner, max_size=2)),
        st.builds(
            lambda one, other: {**one, **other} if isinstance(one, dict) and isinstance(other, dict) else one,
            inner,
            inner,
        ),
    )


SCHEMAS = st.recursive(PLAIN, larger, max_leaves=8)


@settings(max_examples=300, deadline=None)
@given(SCHEMAS, st.lists(VALUES, min_size=1, max_size=6))
def test_what_the_schema_accepts_its_conversion_accepts(schema: Any, values: list[Any]) -> None:
    given_schema = jsonschema_rs.Draft202012Validator(schema)
    converted = jsonschema_rs.Draft4Validator({**as_draft_4(schema), "$schema": DRAFT_4})
    for value in values:
        if given_schema.is_valid(value):
            assert converted.is_valid(value)
