"""What values look like, learnt from examples: merged in any order and any number of times, the same comes out.

Nothing of a value is kept but names of fields and kinds of values. What recurs here takes one frame a level, without
comprehensions, so that the deepest shape fits the interpreter's stack.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MOST_LEVELS = 255
"""EventBridge's bound of what it infers."""
MOST_PROPERTIES = 100
"""An object with more names is taken for a map from any name to values of one shape."""

_DATE_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)  # RFC 3339, as far as its form goes


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """Compared by what `to_json` makes of them, as texts: deep ones would be too deep for `==`.

    `kinds` are names of JSON Schema types. `dated`: every string so far was a date with time.

    `values`: the object is a map, and has no properties of its own. `items` None: no element has been seen.
    """

    kinds: frozenset[str]
    dated: bool = False
    properties: Mapping[str, "Shape"] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    values: "Shape | None" = None
    items: "Shape | None" = None


def levels(value: Any) -> int:
    """How deep objects and lists nest; 0 of a scalar. Stops counting beyond the bound."""
    level, depth = [value], 0
    while depth <= MOST_LEVELS:
        level = [item for item in level if isinstance(item, dict | list)]
        if not level:
            return depth
        level = [child for item in level for child in (item.values() if isinstance(item, dict) else item)]
        depth += 1
    return depth


def shape_of(value: Any) -> Shape:
    """Of a value with no more than MOST_LEVELS."""
    match value:
        case None:
            return Shape(frozenset({"null"}))
        case bool():
            return Shape(frozenset({"boolean"}))
        case int():
            return Shape(frozenset({"integer"}))
        case float():
            return Shape(frozenset({"number"}))
        case str():
            return Shape(frozenset({"string"}), dated=_DATE_TIME.fullmatch(value) is not None)
        case list():
            items: Shape | None = None
            for element in value:
                items = _either(items, shape_of(element))
            return Shape(frozenset({"array"}), items=items)
    properties: dict[str, Shape] = {}
    for name, child in value.items():
        properties[name] = shape_of(child)
    return _bounded(Shape(frozenset({"object"}), properties=properties, required=frozenset(properties)))


def merge(one: Shape, other: Shape) -> Shape:
    kinds = one.kinds | other.kinds
    if "number" in kinds:
        kinds -= {"integer"}
    strings = [shape.dated for shape in (one, other) if "string" in shape.kinds]
    objects = [shape for shape in (one, other) if "object" in shape.kinds]
    merged = Shape(kinds, dated=bool(strings) and all(strings), items=_either(one.items, other.items))
    if not objects:
        return merged
    properties = dict(objects[0].properties)
    for shape in objects[1:]:
        for name, child in shape.properties.items():
            properties[name] = merge(properties[name], child) if name in properties else child
    required = frozenset.intersection(*(shape.required for shape in objects))
    values = None
    for shape in objects:
        values = _either(values, shape.values)
    return _bounded(Shape(kinds, merged.dated, properties, required, values, merged.items))


def _either(one: Shape | None, other: Shape | None) -> Shape | None:
    if one is None or other is None:
        return one or other
    return merge(one, other)


def _bounded(shape: Shape) -> Shape:
    if shape.values is None and len(shape.properties) <= MOST_PROPERTIES:
        return shape
    values = shape.values
    for child in shape.properties.values():
        values = _either(values, child)
    return Shape(shape.kinds, shape.dated, {}, frozenset(), values, shape.items)


def to_json(shape: Shape) -> dict[str, Any]:
    """For keeping; `from_json` reads it."""
    kept: dict[str, Any] = {"kinds": sorted(shape.kinds)}
    if shape.dated:
        kept["dated"] = True
    if shape.properties:
        kept["properties"], kept["required"] = {}, sorted(shape.required)
        for name in sorted(shape.properties):
            kept["properties"][name] = to_json(shape.properties[name])
    if shape.values is not None:
        kept["values"] = to_json(shape.values)
    if shape.items is not None:
        kept["items"] = to_json(shape.items)
    return kept


def from_json(kept: Mapping[str, Any]) -> Shape:
    properties: dict[str, Shape] = {}
    for name, child in kept.get("properties", {}).items():
        properties[name] = from_json(child)
    return Shape(
        frozenset(kept["kinds"]),
        kept.get("dated", False),
        properties,
        frozenset(kept.get("required", ())),
        from_json(kept["values"]) if "values" in kept else None,
        from_json(kept["items"]) if "items" in kept else None,
    )


def as_schema(shape: Shape | None, *, openapi: bool) -> dict[str, Any]:
    """JSON Schema draft 4, or what OpenAPI 3.0 makes of it: one type, and `nullable` for null. None: anything."""
    if shape is None:
        return {}
    alternatives: list[dict[str, Any]] = []
    for kind in sorted(shape.kinds - {"null"}):
        schema: dict[str, Any] = {"type": kind}
        alternatives.append(schema)
        if kind == "string" and shape.dated:
            schema["format"] = "date-time"
        elif kind == "array":
            schema["items"] = as_schema(shape.items, openapi=openapi)
        elif kind == "object":
            if shape.required:
                schema["required"] = sorted(shape.required)
            for name in sorted(shape.properties):
                schema.setdefault("properties", {})[name] = as_schema(shape.properties[name], openapi=openapi)
            if shape.values is not None:
                schema["additionalProperties"] = as_schema(shape.values, openapi=openapi)
    nullable = "null" in shape.kinds
    if nullable and not openapi:
        alternatives.append({"type": "null"})
    schema = {} if not alternatives else alternatives[0] if len(alternatives) == 1 else {"oneOf": alternatives}
    return {**schema, "nullable": True} if nullable and openapi else schema
