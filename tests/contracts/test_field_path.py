"""Paths of fields: read in the spellings of JSONPath, written in one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.contracts.field_path import (
    ELEMENT,
    MEMBER,
    FieldPath,
    NoFieldPath,
    fields_of,
    lies_within,
    parse_field_path,
    show_field_path,
)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        pytest.param("$", (), id="the whole value"),
        pytest.param("$.lines[*].sku", ("lines", ELEMENT, "sku"), id="any element"),
        pytest.param("$.lines[0].sku", ("lines", ELEMENT, "sku"), id="one element stands for all"),
        pytest.param("$['odd name'].x", ("odd name", "x"), id="a name in quotes"),
        pytest.param('$["odd name"]', ("odd name",), id="a name in double quotes"),
        pytest.param("$['it\\'s']", ("it's",), id="an escaped quote"),
        pytest.param("$.detail-type", ("detail-type",), id="a name with a hyphen"),
        pytest.param("$.tags.*", ("tags", MEMBER), id="any member"),
        pytest.param("$['*']", ("*",), id="a name that is a star"),
    ],
)
def test_a_path_is_read(text: str, path: FieldPath) -> None:
    assert parse_field_path(text) == path


@pytest.mark.parametrize("text", ["", "a", "$.", "$..a", "$[", "$[-1]", "$['a]", "$.a b", "$a", "$[?(@.a)]"])
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(NoFieldPath):
        parse_field_path(text)


@given(st.lists(st.text() | st.sampled_from([ELEMENT, MEMBER])).map(tuple))
def test_what_is_shown_is_read_back(path: FieldPath) -> None:
    assert parse_field_path(show_field_path(path)) == path


def test_fields_of_a_value() -> None:
    value = {"lines": [{"sku": "a"}, {"quantity": 1}], "grid": [[{"x": 1}]]}

    assert {show_field_path(path) for path in fields_of(value)} == {
        "$.lines",
        "$.lines[*].sku",
        "$.lines[*].quantity",
        "$.grid",
        "$.grid[*][*].x",
    }


@pytest.mark.parametrize(
    ("inner", "outer", "within"),
    [
        pytest.param("$.a.b", "$.a", True, id="a field below"),
        pytest.param("$.a", "$.a", True, id="the field itself"),
        pytest.param("$.a", "$.a.b", False, id="a field above"),
        pytest.param("$.ab", "$.a", False, id="a longer name"),
        pytest.param("$.tags.x", "$.tags.*", True, id="any member"),
        pytest.param("$.tags.*", "$.tags.x", True, id="any member, the other way round"),
        pytest.param("$.tags[*]", "$.tags.*", False, id="an element is no member"),
    ],
)
def test_lies_within(inner: str, outer: str, within: bool) -> None:
    assert lies_within(parse_field_path(inner), parse_field_path(outer)) is within
