"""An OpenAPI document's references followed, and its schemas as JSON Schema 2020-12 for one direction of traffic."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, NoReturn
from urllib.parse import unquote

import jsonschema_rs

from harness.contracts.schemas.dialects import (
    LIST_KEYWORDS,
    MAP_KEYWORDS,
    SCHEMA_KEYWORDS,
    Dialect,
    dialect_of,
    in_2020_12,
    nulled,
)
from harness.contracts.schemas.shapes import misshapen
from harness.errors import InputError, Problem

Schema = Mapping[str, Any] | bool

_NAMED: Final = (*MAP_KEYWORDS, "$defs")
MASK: Final = "the value"
"""What stands for a value in the text of a validator: what a caller sent may be secret."""


class Direction(StrEnum):
    """A member that is only read is not asked for in a request; one that is only written, not in an answer."""

    REQUEST = "readOnly"
    RESPONSE = "writeOnly"


class Document:
    """`file` is for messages."""

    def __init__(self, content: Mapping[str, Any], *, file: str) -> None:
        self.content = content
        self.file = file
        self._dialect = dialect_of(content)
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
            known = {name: self._modern(each, direction) for name, each in written.items()}
            self._components[direction] = known
        made = self._modern(schema, direction)
        alone: dict[str, Any] = made if isinstance(made, dict) else {} if made else {"not": {}}
        return {**alone, "components": {"schemas": known}}

    def validator(self, schema: dict[str, Any]) -> jsonschema_rs.Validator:
        """For what `schema` answered."""
        try:
            return jsonschema_rs.validator_for(schema, validate_formats=True, mask=MASK, offline=True)
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
            raise InputError([Problem(self.file, 0, f"a schema cannot be used: {error}")]) from error

    def _modern(self, schema: Any, hidden: Direction) -> Any:
        """The schema in draft 2020-12 with all that it holds, members that are marked `hidden` not required."""
        if not isinstance(schema, Mapping):
            return schema
        for key, value in schema.items():
            if (wanted := misshapen(key, value)) is not None:
                self._mistake(f"a schema cannot be used: {key}: must be {wanted}")
        made: dict[str, Any] = {}
        for key, value in in_2020_12(dict(schema), self._dialect).items():
            if key in SCHEMA_KEYWORDS:
                made[key] = self._modern(value, hidden)
            elif key in LIST_KEYWORDS:
                made[key] = [self._modern(each, hidden) for each in value]
            elif key in _NAMED and isinstance(value, Mapping):
                made[key] = {name: self._modern(each, hidden) for name, each in value.items()}
            else:
                made[key] = value
        properties = made.get("properties", {})
        if "required" in made:
            made["required"] = [name for name in made["required"] if not _is_hidden(properties.get(name), hidden)]
        if self._dialect is not Dialect.OPENAPI_3_0 or "$ref" in made:
            return made
        return nulled(made) if made.pop("nullable", False) is True else made

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


def _is_hidden(schema: Any, mark: str) -> bool:
    return isinstance(schema, Mapping) and schema.get(mark) is True
