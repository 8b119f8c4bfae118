"""A schema as a document of its own, with the definitions that it leads to, and its validator."""

from collections.abc import Mapping
from typing import Any

import jsonschema_rs

from harness.contracts.schemas.dialects import DEFS, Schema
from harness.contracts.schemas.flat import same_value


def closed(schema: Schema, definitions: Mapping[str, Schema]) -> Schema:
    """The schema with the definitions that it leads to: a document of its own."""
    needed: dict[str, Schema] = {}
    _gather(schema, definitions, needed)
    return {**schema, "$defs": needed} if isinstance(schema, dict) and needed else schema


def identical(a: Schema, b: Schema) -> bool:
    """Python's equality takes 1 for true; JSON's does not."""
    return a == b and (repr(a) == repr(b) or same_value(a, b))


def validator_of(schema: Schema) -> jsonschema_rs.Validator:
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)


def _gather(value: Any, definitions: Mapping[str, Schema], found: dict[str, Schema]) -> None:
    """Definitions that a schema leads to. What looks like a reference inside `enum` or `default` does no harm."""
    if isinstance(value, dict):
        reference = value.get("$ref")
        if isinstance(reference, str) and reference.startswith(DEFS):
            name = reference.removeprefix(DEFS)
            if name in definitions and name not in found:
                found[name] = definitions[name]
                _gather(found[name], definitions, found)
        for item in value.values():
            _gather(item, definitions, found)
    elif isinstance(value, list):
        for item in value:
            _gather(item, definitions, found)
