"""Properties of objects and items of arrays: what leads further down."""

from collections.abc import Iterable
from typing import Any, Final

from harness.contracts.schemas.dialects import Schema
from harness.contracts.schemas.difference import Kind
from harness.contracts.schemas.documents import Location
from harness.contracts.schemas.flat import Flat, types_of
from harness.contracts.schemas.name_patterns import name_patterns
from harness.contracts.schemas.samples import for_index, for_name
from harness.contracts.schemas.schema import Schemas
from harness.contracts.schemas.walk import Node, Walk, places, written
from harness.contracts.schemas.witness import OTHER

HIDDEN: Final = ({"readOnly": True}, {"writeOnly": True})
"""A property that the writer in this role leaves out (see `Schemas`)."""


def objects(walk: Walk, node: Node) -> bool:
    if "object" not in types_of(node.ours) & types_of(node.theirs):
        return True
    ours, theirs = node.ours, node.theirs
    for name in theirs.get("required", ()):
        if name not in ours.get("required", ()):
            kind = Kind.REQUIRED if name in ours.get("properties", {}) else Kind.REQUIRED_UNKNOWN
            _about(walk, node, name, kind, walk.witnesses.without(node.frame, name), keyword="required")
    for name in dict.fromkeys((*theirs.get("properties", {}), *ours.get("properties", {}))):
        _property(walk, node, name)
    _other_properties(walk, node)
    return True


def _property(walk: Walk, node: Node, name: str) -> None:
    inner, outer = for_name(node.ours, name), for_name(node.theirs, name)
    if inner is False or outer is True or outer == {}:
        return
    if inner in HIDDEN:
        if not walk.covered(True, outer):
            _about(walk, node, name, Kind.HIDDEN, (), keyword="properties")
        return
    named_here = name in node.ours.get("properties", {})
    if outer is False and named_here:
        _about(walk, node, name, Kind.FORBIDDEN, _holding(walk, node, name, inner), keyword="additionalProperties")
    elif not named_here and (inner is True or inner == {}) and name not in node.ours.get("required", ()):
        if name not in node.theirs.get("required", ()) and not walk.covered(inner, outer):
            proposals = _holding(walk, node, name, _not(outer))
            silent = "additionalProperties" not in node.ours
            _about(walk, node, name, Kind.UNDECLARED, proposals, keyword="properties", silent=silent)
    else:
        walk.pair(inner, outer, node.frame, name)


def _not(schema: Schema) -> Schema:
    """Values of other types first, which need no definitions: the schema may be of the other contract."""
    types = types_of(schema) if isinstance(schema, dict) and "type" in schema else types_of({})
    others = types_of({}) - types
    return {"type": sorted(others - ({"integer"} if "number" in others else set()))} if others else True


def _holding(walk: Walk, node: Node, name: str, inner: Schema) -> Iterable[Any]:
    """Objects of the narrow schema that have the property."""
    for value in walk.witnesses.any_of(inner):
        yield from walk.witnesses.objects_with(node.frame, name, value)


def _about(walk: Walk, node: Node, name: str, kind: Kind, proposals: Iterable[Any], **said: Any) -> None:
    """A difference of the object at `node`, put down at one of its properties."""
    walk.found(
        kind,
        node,
        proposals,
        path=(*node.frame.path, name),
        name=name,
        narrow=_property_at(node.narrow, name, walk.narrow) or written(node.narrow, said["keyword"], walk.narrow),
        wide=_property_at(node.wide, name, walk.wide) or written(node.wide, said["keyword"], walk.wide),
        **said,
    )


def _property_at(schema: Schema, name: str, schemas: Schemas) -> Location | None:
    for place in places(schema, schemas):
        if isinstance(place, dict) and name in place.get("properties", {}):
            return schemas.at(place["properties"][name])
    return None


def _other_properties(walk: Walk, node: Node) -> None:
    """What neither names: patterns of names, and all the rest."""
    ours, theirs = node.ours, node.theirs
    rest: Schema = ours.get("additionalProperties", True)
    limit: Schema = theirs.get("additionalProperties", True)
    name_patterns(walk, node)
    if limit is True or limit == {} or rest is False:
        return
    if rest is True or rest == {} or limit is False:
        if not walk.covered(rest, limit):
            proposals = _holding(walk, node, OTHER, _not(limit) if limit is not False else rest)
            silent = "additionalProperties" not in ours
            walk.found(Kind.CLOSED, node, proposals, keyword="additionalProperties", silent=silent)
    else:
        walk.pair(rest, limit, node.frame, OTHER)


def arrays(walk: Walk, node: Node) -> bool:
    if "array" not in types_of(node.ours) & types_of(node.theirs):
        return True
    first = max(len(schema.get("prefixItems", ())) for schema in (node.ours, node.theirs))
    most = _most_items(node.ours)
    for index in range(first + 1):  # the last stands for all the rest
        inner, outer = for_index(node.ours, index), for_index(node.theirs, index)
        if index < most and outer is not True and outer != {}:
            walk.pair(inner, outer, node.frame, index)
    return True


def _most_items(schema: Flat) -> float:
    limit: float = schema.get("maxItems", float("inf"))
    return min(limit, len(schema.get("prefixItems", ()))) if schema.get("items") is False else limit
