"""What is made up: text for a pattern, a value for a schema."""

import re
from random import Random
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.contracts.schemas.regular import text_for
from harness.contracts.schemas.regular_syntax import UnknownSyntax
from harness.contracts.stub.document import Direction, Document
from harness.contracts.stub.generate import Generator, Shape, Unmakeable
from harness.errors import InputError

PATTERNS = [
    "^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$",
    r'^(?:"[A-Za-z0-9._:-]{1,128}"|[A-Za-z0-9._:-]{1,128})$',
    r"^[^\x00-\x1f\x7f]*$",
    '^"v[0-9]+"$',
    " GMT$",
    'rel="successor-version"',
    r"^\d{4}-\d\d-\d\dT\d\d:\d\d(\.\d+)?Z$",
    r"^(?<year>\d{4})/\w+\s\S\W\D$",
    r"a|b|(c|d)+?",
    r"^[\w.-]{2,}\@[^@\s]+$",
    r"\u0041\x42\t[\]\-a]",
    r"^\bword\b$",
    "",
    "^$",
    r"[^a]{3}",
    r"x{0}y{2}z{1,}",
    r"[a\]]",
    r"^\/\.\$\{\}$",
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_text_for_a_pattern_matches_it(pattern: str) -> None:
    draw = text_for(pattern)

    for number in range(50):
        made = draw(Random(number))
        assert re.search(pattern.replace("(?<year>", "(?P<year>"), made), made


@pytest.mark.parametrize(
    "pattern", [r"(a)\1", "(", "a)", "[", "[z-a]", "*", "a{2", "a{3,2}", r"\p{Greek}", "(?i)a", "\\"]
)
def test_what_no_text_is_made_for_is_said(pattern: str) -> None:
    with pytest.raises(UnknownSyntax, match="no text can be made"):
        text_for(pattern)


def made(schema: Any, **options: Any) -> Any:
    document = Document({"openapi": "3.1.0", **options}, file="x.yaml")
    return Generator(Random(1)).value(Shape(document, schema, Direction.RESPONSE))


FORMATS = ["uuid", "date-time", "date", "time", "email", "uri", "uri-reference", "ipv4", "ipv6", "hostname", "duration"]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("varied", [False, True])
def test_a_format_is_kept(name: str, varied: bool) -> None:
    shape = Shape(Document({}, file="x"), {"type": "string", "format": name}, Direction.RESPONSE)
    generator = Generator(Random(1))

    values = {generator.value(shape, varied=varied) for _ in range(5)}

    assert all(jsonschema.Draft202012Validator.FORMAT_CHECKER.conforms(value, name) for value in values)
    assert not varied or len(values) > 1


def schemas() -> st.SearchStrategy[dict[str, Any]]:
    bound = st.integers(-20, 20)
    leaves = st.one_of(
        st.fixed_dictionaries(
            {"type": st.sampled_from(["integer", "number"])},
            optional={"minimum": bound, "maximum": bound, "exclusiveMinimum": bound, "multipleOf": st.integers(1, 5)},
        ),
        st.fixed_dictionaries(
            {"type": st.just("string")},
            optional={
                "minLength": st.integers(0, 5),
                "maxLength": st.integers(0, 9),
                "pattern": st.sampled_from(["^[a-z]{2,6}$", "^x", "[0-9]$"]),
            },
        ),
        st.builds(
            lambda values: {"enum": values}, st.lists(st.integers() | st.text(max_size=3) | st.none(), min_size=1)
        ),
        st.sampled_from([{"type": "boolean"}, {"type": ["null", "string"]}, {"const": {"a": 1}}, {}]),
    )
    names = st.sampled_from(["a", "b", "c"])

    def inner(children: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
        return st.one_of(
            st.fixed_dictionaries(
                {"type": st.just("object"), "properties": st.dictionaries(names, children, max_size=3)},
                optional={
                    "required": st.lists(names, unique=True),
                    "additionalProperties": st.booleans() | children,
                    "minProperties": st.integers(0, 3),
                },
            ),
            st.fixed_dictionaries(
                {"type": st.just("array"), "items": children},
                optional={"minItems": st.integers(0, 3), "maxItems": st.integers(0, 3), "uniqueItems": st.booleans()},
            ),
            st.builds(lambda each: {"oneOf": each}, st.lists(children, min_size=1, max_size=2)),
            st.builds(lambda each: {"anyOf": each}, st.lists(children, min_size=1, max_size=2)),
            st.builds(lambda one, two: {"allOf": [one, two]}, children, children),
        )

    return st.recursive(leaves, inner, max_leaves=5)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(schemas())
def test_a_value_fits_its_schema_or_it_is_said_that_there_is_none(schema: dict[str, Any]) -> None:
    try:
        value = made(schema)
    except Unmakeable as error:
        assert str(error)  # noqa: PT017 - that there is none is an answer too
    else:
        assert jsonschema.Draft202012Validator(schema).is_valid(value), value


MAKEABLE: dict[str, Any] = {
    "a number between close bounds": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.1},
    "a multiple": {"type": "integer", "multipleOf": 7, "minimum": 15, "maximum": 22},
    "below zero": {"type": "integer", "maximum": -3},
    "a list without repetition": {"type": "array", "items": {"enum": [1, 2, 3]}, "minItems": 3, "uniqueItems": True},
    "a tuple": {"prefixItems": [{"type": "string"}, {"type": "integer"}], "items": False},
    "members by name": {"type": "object", "minProperties": 2, "additionalProperties": {"type": "integer"}},
    "no type but keywords": {"required": ["a"], "properties": {"a": {"minimum": 3}}},
    "the second branch": {"oneOf": [False, {"type": "string"}], "type": "string"},
    "types put together": {"allOf": [{"type": ["string", "null"]}, {"type": ["null", "integer"]}]},
}


@pytest.mark.parametrize("schema", MAKEABLE.values(), ids=MAKEABLE.keys())
def test_a_value_is_made(schema: Any) -> None:
    assert jsonschema.Draft202012Validator(schema).is_valid(made(schema))


def test_an_example_stands_before_what_is_made_up() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string", "example": "seen"}, "b": {"default": 3}}}

    assert made(schema) == {"a": "seen", "b": 3}


def test_a_schema_within_itself_ends() -> None:
    node = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "child": {"$ref": "#/components/schemas/Node"}},
    }

    value = made({"$ref": "#/components/schemas/Node"}, components={"schemas": {"Node": node}})

    assert value["child"]["name"] == "name"


@pytest.mark.parametrize(
    "schema",
    [
        False,
        {"type": "integer", "minimum": 3, "maximum": 2},
        {"type": "string", "pattern": "(a)\\1"},
        {"$ref": "#/components/schemas/Endless"},
        {"type": "array", "items": False, "minItems": 1},
    ],
)
def test_what_cannot_be_made_is_said(schema: Any) -> None:
    endless = {"type": "object", "required": ["next"], "properties": {"next": {"$ref": "#/components/schemas/Endless"}}}

    with pytest.raises(Unmakeable):
        made(schema, components={"schemas": {"Endless": endless}})


@pytest.mark.parametrize(
    "schema", [{"type": "sting"}, {"format": "int32", "minimum": "1"}, {"dependencies": []}, {"$defs": []}]
)
def test_a_schema_that_is_none_names_its_file(schema: Any) -> None:
    with pytest.raises(InputError, match=r"x\.yaml: a schema cannot be used: .*"):
        made(schema)


@pytest.mark.parametrize(
    ("schema", "takes", "refuses"),
    [
        pytest.param({"type": "string", "enum": ["a"], "nullable": True}, None, "b", id="a nullable enumeration"),
        pytest.param(
            {"allOf": [{"type": "string"}], "type": "string", "nullable": True}, None, 1, id="nullable beside allOf"
        ),
        pytest.param({"type": "integer", "format": "int32"}, 2**31 - 1, 2**31, id="a number of 32 bits"),
        pytest.param({"minimum": 1, "exclusiveMinimum": True}, 1.5, 1, id="an exclusive bound"),
        pytest.param({"type": "string", "nullable": False}, "a", None, id="not nullable"),
    ],
)
def test_a_schema_of_openapi_3_0_means_here_what_it_means_to_the_diff(schema: Any, takes: Any, refuses: Any) -> None:
    shape = Shape(Document({"openapi": "3.0.3"}, file="x"), schema, Direction.RESPONSE)

    assert shape.fits(takes)
    assert not shape.fits(refuses)


def test_of_32_bits_no_number_below_zero_is_made_up() -> None:
    shape = Shape(Document({}, file="x"), {"type": "integer", "format": "int32"}, Direction.RESPONSE)
    generator = Generator(Random(1))

    assert all(generator.value(shape, varied=True) >= 0 for _ in range(20))
