"""Whether a schema speaks of a field at all: in an open content model a field may be there of which it says nothing."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from harness.contracts.field_path import ELEMENT, MEMBER, FieldPath, Step

Json = Mapping[str, Any]
_PARTS = ("allOf", "anyOf", "oneOf")
_BRANCHES = ("if", "then", "else")
_DEFS = "#/$defs/"


def declares(document: Any, path: FieldPath) -> bool:
    """`document` is a schema with the `$defs` that it needs (draft 2020-12). `MEMBER` in `path` is any member."""
    return any(True for _ in schemas_at(document, path))


def is_free(document: Any, path: FieldPath) -> bool:
    """Whether an object may have members that are its own affair: it says so, or names none."""
    schemas = [schema for schema in schemas_at(document, path) if isinstance(schema, Mapping)]
    if any(schema.get("additionalProperties") is True for schema in schemas):
        return True
    return not any(schema.get("properties") or schema.get("additionalProperties") is False for schema in schemas)


def beginning_at(document: Any, path: FieldPath) -> str:
    """What every text at `path` begins with, by the field's own pattern; empty where it is not as plain as that."""
    schemas = list(schemas_at(document, path))
    if len(schemas) != 1 or not isinstance(schemas[0], Mapping) or schemas[0].get("type") != "string":
        return ""
    return _literal_beginning(str(schemas[0].get("pattern", "")))


_BEGINNING = re.compile(r"\^((?:[A-Za-z0-9 _:/@#-]|\\[^A-Za-z0-9])+)([*+?{]?)")


def _literal_beginning(pattern: str) -> str:
    found = _BEGINNING.match(pattern)
    if found is None or "|" in pattern:
        return ""
    literal = re.sub(r"\\(.)", r"\1", found[1])
    return literal[:-1] if found[2] else literal


def names_at(document: Any, path: FieldPath) -> list[str]:
    """The members that the schema names at `path`, for a hint."""
    names: dict[str, None] = {}
    for schema in schemas_at(document, path):
        if isinstance(schema, Mapping):
            names |= dict.fromkeys(schema.get("properties", {}))
    return list(names)


def schemas_at(document: Any, path: FieldPath) -> Iterator[Any]:
    """Every schema that the document has for the value at `path`."""
    defs = document.get("$defs", {}) if isinstance(document, Mapping) else {}
    found = [document]
    for step in path:
        found = [inner for schema in found for part in _parts(schema, defs, set()) for inner in _step(part, step)]
    for schema in found:
        yield from _parts(schema, defs, set())


def _parts(schema: Any, defs: Json, seen: set[int]) -> Iterator[Any]:
    """The schema and all that it is put together from for the same value."""
    if id(schema) in seen:
        return
    seen.add(id(schema))
    yield schema
    if not isinstance(schema, Mapping):
        return
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference.startswith(_DEFS):
        yield from _parts(defs.get(reference.removeprefix(_DEFS), True), defs, seen)
    for keyword in _PARTS:
        for part in schema.get(keyword, ()):
            yield from _parts(part, defs, seen)
    for keyword in _BRANCHES:
        if keyword in schema:
            yield from _parts(schema[keyword], defs, seen)
    for part in schema.get("dependentSchemas", {}).values():
        yield from _parts(part, defs, seen)


def _step(schema: Any, step: str | Step) -> Iterator[Any]:
    if not isinstance(schema, Mapping):
        return
    if step is ELEMENT:
        yield from _elements(schema)
    elif step is MEMBER:
        yield from schema.get("properties", {}).values()
        yield from schema.get("patternProperties", {}).values()
        yield from _additional(schema)
    else:
        yield from _member(schema, str(step))


def _member(schema: Json, name: str) -> Iterator[Any]:
    properties, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    if name in properties:
        yield properties[name]
        return
    fitting = [inner for pattern, inner in patterns.items() if _found(pattern, name)]
    yield from fitting
    if not fitting:
        yield from _additional(schema)


def _additional(schema: Json) -> Iterator[Any]:
    """Additional members that are described; `true` says only that there may be some."""
    for keyword in ("additionalProperties", "unevaluatedProperties"):
        additional = schema.get(keyword)
        if isinstance(additional, Mapping) and additional:
            yield additional


def _elements(schema: Json) -> Iterator[Any]:
    yield from schema.get("prefixItems", ())
    for keyword in ("items", "contains", "unevaluatedItems"):
        if keyword in schema and schema[keyword] is not False:
            yield schema[keyword]


def _found(pattern: str, name: str) -> bool:
    try:
        return re.search(pattern, name) is not None
    except re.error:
        # An ECMA expression that Python does not read: it may be about this name.
        return True
