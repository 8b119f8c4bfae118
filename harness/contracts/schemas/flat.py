"""One schema as one object: references followed and `allOf` merged, as far as that keeps the meaning exactly.

What cannot be merged (a second `anyOf`, `not`, …) stays in `allOf`, so that a flat schema means what the schema meant.
"""

from collections.abc import Callable, Mapping
from fractions import Fraction
from math import lcm
from typing import Any, Final

import jsonschema_rs

from harness.contracts.schemas.dialects import ANNOTATIONS, DEFS, Schema

Flat = dict[str, Any]

TYPES: Final = ("null", "boolean", "object", "array", "number", "string", "integer")
NEVER: Final[Flat] = {"not": {}}


def flat(schema: Schema, definitions: Mapping[str, Schema]) -> Flat:
    """Never contains `$ref` at its top. `NEVER` when no value can be valid for a reason seen here."""
    return _Flattener(definitions).flat(schema, frozenset())


def types_of(schema: Flat) -> frozenset[str]:
    """The types a value may have; "number" includes "integer"."""
    said = schema.get("type", TYPES[:-1])
    types = frozenset([said] if isinstance(said, str) else said)
    return types | {"integer"} if "number" in types else types


class _Flattener:
    def __init__(self, definitions: Mapping[str, Schema]) -> None:
        self.definitions = definitions

    def flat(self, schema: Schema, following: frozenset[str]) -> Flat:
        if isinstance(schema, bool):
            return {} if schema else dict(NEVER)
        own = {key: value for key, value in schema.items() if key not in ("$ref", "allOf", "$defs")}
        if "const" in own:
            own = merge({"enum": [own.pop("const")]}, own)
        merged: Flat = {}
        reference = schema.get("$ref")
        if isinstance(reference, str):
            if reference in following:
                return dict(NEVER)  # a reference that leads to itself has no meaning; nothing is promised
            merged = _whole(
                self.flat(self.definitions.get(reference.removeprefix(DEFS), True), following | {reference})
            )
        for part in schema.get("allOf", ()):
            merged = merge(merged, _whole(self.flat(part, following)))
        merged = merge(merged, own)
        return _with_null_in_type(_evaluated(merged), self.definitions)


def _whole(part: Flat) -> Flat:
    """A part that says something of what its own keywords have not evaluated cannot be mixed with other parts."""
    return {"allOf": [part]} if any(keyword in part for keyword in _UNEVALUATED) else part


def merge(a: Flat, b: Flat) -> Flat:
    """A flat schema that accepts what both accept. `a` and `b` are not changed."""
    merged: Flat = dict(a)
    left_over: list[Schema] = [*merged.pop("allOf", ()), *b.get("allOf", ())]
    done = {"allOf"}
    for group, join in _GROUPS.items():
        theirs = {key: b[key] for key in group if key in b}
        if not theirs or not any(key in a for key in group):
            continue
        done.update(group)
        joined = join({key: a[key] for key in group if key in a}, theirs)
        if joined is None:
            left_over.append(theirs)
        else:
            merged |= joined
    for keyword, value in b.items():
        if keyword in done:
            continue
        if keyword not in a or keyword in ANNOTATIONS or same_value(a[keyword], value):
            merged[keyword] = value
        elif keyword in _MERGES:
            merged[keyword] = _MERGES[keyword](a[keyword], value)
        else:
            left_over.append({keyword: value})
    if left_over:
        merged["allOf"] = left_over
    if merged.get("type") == [] or merged.get("enum") == []:
        return dict(NEVER)
    return merged


def _joined_objects(a: Flat, b: Flat) -> Flat | None:
    """`additionalProperties` speaks of what its own schema does not name, so both lists of names take part."""
    if _names_by_pattern(a, b) or _names_by_pattern(b, a):
        return None
    merged: Flat = {}
    names = dict.fromkeys((*a.get("properties", {}), *b.get("properties", {})))
    if names:
        merged["properties"] = {name: both(_for_name(a, name), _for_name(b, name)) for name in names}
    left, right = a.get("patternProperties", {}), b.get("patternProperties", {})
    if left or right:
        patterns = dict.fromkeys((*left, *right))
        merged["patternProperties"] = {key: both(left.get(key, True), right.get(key, True)) for key in patterns}
    if "additionalProperties" in a or "additionalProperties" in b:
        merged["additionalProperties"] = both(a.get("additionalProperties", True), b.get("additionalProperties", True))
    return merged


def _names_by_pattern(a: Flat, b: Flat) -> bool:
    """Whether `a` has patterns of names that `b` would count as additional."""
    patterns = a.get("patternProperties", {}).keys() - b.get("patternProperties", {}).keys()
    return bool(patterns) and b.get("additionalProperties", True) is not True


def _joined_items(a: Flat, b: Flat) -> Flat | None:
    if a.keys() == b.keys() == {"items"}:
        return {"items": both(a["items"], b["items"])}
    return None


def _never_joined(a: Flat, b: Flat) -> Flat | None:
    return a if a == b else None


def _for_name(schema: Flat, name: str) -> Schema:
    """What a schema says of a property that the other names, patterns apart: they stay in the merged schema."""
    if name in schema.get("properties", {}):
        found: Schema = schema["properties"][name]
        return found
    if any(matches(pattern, name) for pattern in schema.get("patternProperties", ())):
        return True
    rest: Schema = schema.get("additionalProperties", True)
    return rest


def matches(pattern: str, name: str) -> bool:
    """ECMA-262, as the validators read it."""
    return jsonschema_rs.is_valid({"pattern": pattern}, name)


def both(a: Schema, b: Schema) -> Schema:
    if a is True or a == {} or a is b or a == b:
        return b
    if b is True or b == {}:
        return a
    if a is False or b is False:
        return False
    return {"allOf": [a, b]}


def _evaluated(schema: Flat) -> Flat:
    """`unevaluatedProperties` is `additionalProperties` once every part that could evaluate one is merged."""
    if "unevaluatedProperties" not in schema or any(keyword in schema for keyword in _EVALUATE):
        return schema
    plain = {key: value for key, value in schema.items() if key != "unevaluatedProperties"}
    if "additionalProperties" not in plain:
        plain["additionalProperties"] = schema["unevaluatedProperties"]
    return plain


def _with_null_in_type(schema: Flat, definitions: Mapping[str, Schema]) -> Flat:
    """`anyOf: [X, {type: null}]` is `type: [x, null]`, the two ways of draft 2020-12 to say nullable."""
    for keyword in ("anyOf", "oneOf"):
        variants = schema.get(keyword)
        if not isinstance(variants, list) or len(variants) != 2 or {"type": "null"} not in variants:
            continue
        other = variants[0] if variants[1] == {"type": "null"} else variants[1]
        if other == {"type": "null"}:
            continue
        inner = flat(other, definitions)
        if "type" not in inner or any(keyword in inner for keyword in _MIXED):
            continue
        types = sorted(types_of(inner) - ({"integer"} if "number" in types_of(inner) else set()))
        if "null" in types and keyword == "oneOf":
            continue
        widened = {**inner, "type": [*types, *([] if "null" in types else ["null"])]}
        if "enum" in inner:
            widened["enum"] = [*inner["enum"], None]
        return merge(_without(schema, keyword), widened)
    return schema


def _without(schema: Flat, keyword: str) -> Flat:
    return {key: value for key, value in schema.items() if key != keyword}


def _both_types(a: Any, b: Any) -> list[str]:
    left, right = types_of({"type": a}), types_of({"type": b})
    common = left & right
    return sorted(common - ({"integer"} if "number" in common else set()))


def same_value(a: Any, b: Any) -> bool:
    """JSON's equality: 1 is 1.0, and true is not 1."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same_value, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same_value(a[key], b[key]) for key in a)
    return bool(a == b)


def _both_enums(a: list[Any], b: list[Any]) -> list[Any]:
    return [value for value in a if any(same_value(value, other) for other in b)]


def _common_multiple(a: float, b: float) -> float:
    left, right = (Fraction(str(value)) for value in (a, b))
    common = Fraction(lcm(left.numerator * right.denominator, right.numerator * left.denominator))
    result = common / (left.denominator * right.denominator)
    return int(result) if result.denominator == 1 else float(result)


_UNEVALUATED: Final = ("unevaluatedProperties", "unevaluatedItems")
_EVALUATE: Final = ("allOf", "anyOf", "oneOf", "if", "then", "else", "dependentSchemas", "not")
_MIXED: Final = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else", "unevaluatedProperties", "unevaluatedItems")

_MERGES: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "type": _both_types,
    "enum": _both_enums,
    "required": lambda a, b: sorted({*a, *b}),
    "minimum": max,
    "exclusiveMinimum": max,
    "minLength": max,
    "minItems": max,
    "minProperties": max,
    "maximum": min,
    "exclusiveMaximum": min,
    "maxLength": min,
    "maxItems": min,
    "maxProperties": min,
    "multipleOf": _common_multiple,
    "uniqueItems": lambda a, b: a or b,
}

# Keywords that read each other, and how two sets of them become one; None: both stay, side by side in `allOf`.
_GROUPS: Final[dict[tuple[str, ...], Callable[[Flat, Flat], Flat | None]]] = {
    ("properties", "patternProperties", "additionalProperties"): _joined_objects,
    ("items", "prefixItems", "unevaluatedItems"): _joined_items,
    ("contains", "minContains", "maxContains"): _never_joined,
    ("if", "then", "else"): _never_joined,
}
