"""What a pact's matchers accept, as JSON Schema (draft 2020-12): a table, one line a matcher.

A matcher is read beside its example: `type` means the example's type. Two schemas come of it: `full` accepts what
the matcher accepts, `shape` only asks for the type. A body compared by example (`equality`) says one value that is
right in one state of the provider, so its shape is what it can promise about all states.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import jsonschema_rs

from harness.contracts.consumers.matching_rules import Matcher, Rule

Schema = dict[str, Any]

# Of https://semver.org: three numbers, then what may follow.
_SEMVER = r"^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$"


@dataclass(frozen=True, slots=True)
class Accepted:
    """`exact`: only the example itself would do, so that its value says little about other states."""

    full: Schema
    shape: Schema
    exact: bool = False


def accepted(rule: Rule | None, example: Any) -> Accepted:
    """Of one scalar, or of a value that is compared as a whole."""
    if rule is None or not rule.matchers:
        return _equality(Matcher("equality"), example)
    each = [TABLE[matcher.name](matcher, example) for matcher in rule.matchers]
    if len(each) == 1:
        return each[0]
    joined = "anyOf" if rule.any_of else "allOf"
    return Accepted(
        {joined: [one.full for one in each]},
        {joined: [one.shape for one in each]},
        exact=(all if rule.any_of else any)(one.exact for one in each),
    )


def type_of(example: Any) -> Schema:
    """The type that a matcher `type` asks for; whole numbers and others are one type. Nothing is known from null."""
    if example is None:
        return {}
    if isinstance(example, bool):
        return {"type": "boolean"}
    for kind, name in ((str, "string"), (int | float, "number"), (Mapping, "object"), (Sequence, "array")):
        if isinstance(example, kind):
            return {"type": name}
    return {}


def _equality(_: Matcher, example: Any) -> Accepted:
    return Accepted({"const": example}, type_of(example), exact=True)


def _type(_: Matcher, example: Any) -> Accepted:
    said = {"type": "null"} if example is None else type_of(example)
    return Accepted(said, said)


def _regex(matcher: Matcher, example: Any) -> Accepted:
    """On what is no text it is tried on the value's spelling, which a schema cannot say: the type is left.

    So it is of an expression that is none of ECMA-262, in which JSON Schema writes them.
    """
    shape = type_of(example)
    if isinstance(example, str) or example is None:
        if not _is_expression(matcher.attributes["regex"]):
            return Accepted({"type": "string"}, {"type": "string"})
        return Accepted({"type": "string", "pattern": matcher.attributes["regex"]}, {"type": "string"})
    return Accepted(shape, shape)


@cache
def _is_expression(text: str) -> bool:
    try:
        jsonschema_rs.Draft202012Validator({"pattern": text})
    except ValueError:  # ValidationError is one
        return False
    return True


def _always(schema: Schema, shape: Schema | None = None) -> Callable[[Matcher, Any], Accepted]:
    return lambda matcher, example: Accepted(schema, schema if shape is None else shape)


def _include(matcher: Matcher, _: Any) -> Accepted:
    text = "".join(f"\\{char}" if char in r"\^$.|?*+()[]{}/-" else char for char in str(matcher.attributes["value"]))
    return Accepted({"type": "string", "pattern": text}, {"type": "string"})


def _not_empty(_: Matcher, example: Any) -> Accepted:
    shape = type_of(example)
    least = {"string": "minLength", "array": "minItems", "object": "minProperties"}.get(shape.get("type", ""))
    return Accepted({**shape, least: 1} if least else shape, shape)


def _text(_: Matcher, example: Any) -> Accepted:
    """Dates and times in a format of Java's: it has no counterpart in JSON Schema, so text is what can be said."""
    return Accepted({"type": "string"}, {"type": "string"})


TABLE: Mapping[str, Callable[[Matcher, Any], Accepted]] = {
    "equality": _equality,
    "type": _type,
    "regex": _regex,
    "number": _always({"type": "number"}),
    "integer": _always({"type": "integer"}),
    # 1.0 is both to JSON Schema, which has no type of numbers with a point.
    "decimal": _always({"type": "number"}),
    "boolean": _always({"type": "boolean"}),
    "null": _always({"type": "null"}),
    "include": _include,
    "date": _text,
    "time": _text,
    "datetime": _text,
    "semver": _always({"type": "string", "pattern": _SEMVER}, {"type": "string"}),
    "notEmpty": _not_empty,
    "contentType": _always({}),
    "statusCode": _always({}),
    # About members and elements as a whole: `expectation` takes them apart before it asks this table.
    "values": _type,
    "eachKey": _type,
    "eachValue": _type,
    "arrayContains": _type,
}
