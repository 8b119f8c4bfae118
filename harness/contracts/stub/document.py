"""An OpenAPI document's references followed, and its schemas as JSON Schema 2020-12 for one direction of traffic."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, NoReturn
from urllib.parse import unquote

import jsonschema_rs

from harness.errors import InputError, Problem

Schema = Mapping[str, Any] | bool

# Keywords of JSON Schema 2020-12 that hold a schema, a list of them, or schemas by name.
_ONE: Final = frozenset(
    {"additionalProperties", "contains", "else", "if", "items", "not", "propertyNames", "then"}
    | {"unevaluatedItems", "unevaluatedProperties"}
)
_MANY: Final = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_NAMED: Final = frozenset({"$defs", "dependentSchemas", "patternProperties", "properties"})
MASK: Final = "the value"
"""What stands for a value in the text of a validator: what a caller sent may be secret."""


class Direction(StrEnum):
    """A member that is only read is not asked for in a request; one that is only written, not in an answer."""

    REQUEST = "readOnly"
    RESPONSE = "writeOnly"


class Document:
    """`file` is for messages. OpenAPI 3.0's `nullable` and its exclusive bounds are put as 3.1 has them."""

    def __init__(self, content: Mapping[str, Any], *, file: str) -> None:
        self.content = content
        self.file = file
        self._old = str(content.get("openapi", "")).startswith("3.0")
        self._components: dict[Direction, dict[str, Any]] = {}

    def inline(self, node: Any) -> Any:
        """The node, or what its reference leads to."""
        seen: list[str] = []
        while isinstance(node, Mapping) and isinstance(node.get("$ref"), str):
            reference = node["$ref"]
            if reference in seen:
                self._mistake(f"the reference {reference} leads to itself")
            seen.append(reference)
            node = self._target(reference)
        return node

    def schema(self, schema: Schema, direction: Direction) -> dict[str, Any]:
        """A schema that stands alone: what its references lead to comes with it."""
        known = self._components.get(direction)
        if known is None:
            written = self.content.get("components", {}).get("schemas", {})
            known = {name: modern(each, nullable=self._old, hidden=direction) for name, each in written.items()}
            self._components[direction] = known
        made = modern(schema, nullable=self._old, hidden=direction)
        alone: dict[str, Any] = made if isinstance(made, dict) else {} if made else {"not": {}}
        return {**alone, "components": {"schemas": known}}

    def validator(self, schema: dict[str, Any]) -> jsonschema_rs.Validator:
        """For what `schema` answered."""
        try:
            return jsonschema_rs.validator_for(schema, validate_formats=True, mask=MASK, offline=True)
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
            raise InputError([Problem(self.file, 0, f"a schema cannot be used: {error}")]) from error

    def _target(self, reference: str) -> Any:
        if not reference.startswith("#/"):
            self._mistake(f"the reference {reference} leads out of this file: write what it names into components")
        found: Any = self.content
        for part in reference[2:].split("/"):
            key = unquote(part).replace("~1", "/").replace("~0", "~")
            if not isinstance(found, Mapping) or key not in found:
                self._mistake(f"the reference {reference} leads nowhere")
            found = found[key]
        return found

    def _mistake(self, text: str) -> NoReturn:
        raise InputError([Problem(self.file, 0, text)])


def modern(schema: Any, *, nullable: bool, hidden: str) -> Any:
    """The schema with `nullable` (OpenAPI 3.0) spelled out, and members marked `hidden` not required."""
    if not isinstance(schema, Mapping):
        return schema

    def inner(value: Any) -> Any:
        return modern(value, nullable=nullable, hidden=hidden)

    made: dict[str, Any] = {}
    for key, value in schema.items():
        if key in _ONE:
            made[key] = inner(value)
        elif key in _MANY and isinstance(value, list):
            made[key] = [inner(each) for each in value]
        elif key in _NAMED and isinstance(value, Mapping):
            made[key] = {name: inner(each) for name, each in value.items()}
        else:
            made[key] = value
    if isinstance(made.get("required"), list):
        properties = made.get("properties", {})
        made["required"] = [name for name in made["required"] if not _is_hidden(properties.get(name), hidden)]
    return _spelled_out(made) if nullable else made


def _is_hidden(schema: Any, mark: str) -> bool:
    return isinstance(schema, Mapping) and schema.get(mark) is True


def _spelled_out(schema: dict[str, Any]) -> dict[str, Any]:
    """OpenAPI 3.0.3, 4.7.24: siblings of `$ref` are ignored, exclusive bounds are flags, `null` is no type."""
    if "$ref" in schema:
        return {"$ref": schema["$ref"]}
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        flag = schema.get(exclusive)
        if isinstance(flag, bool):
            del schema[exclusive]
            if flag and bound in schema:
                schema[exclusive] = schema.pop(bound)
    if schema.pop("nullable", False) is not True:
        return schema
    if isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
        return schema
    return {"anyOf": [schema, {"type": "null"}]}
