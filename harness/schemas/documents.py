"""Schemas as documents: an event's envelope with its detail, as OpenAPI 3 and as JSON Schema draft 4.

Source: EventBridge user guide, "Amazon EventBridge schemas", and the schemas of AWS's own registry.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from harness.schemas.draft_4 import as_draft_4
from harness.schemas.shape import Shape, as_schema

OPENAPI, DRAFT_4 = "OpenApi3", "JSONSchemaDraft4"
TYPES = (OPENAPI, DRAFT_4)
_DRAFT_4_URI = "http://json-schema.org/draft-04/schema#"

_TEXT = {"type": "string"}
_ENVELOPE: Mapping[str, Mapping[str, Any]] = {
    "account": _TEXT,
    "detail-type": _TEXT,
    "id": _TEXT,
    "region": _TEXT,
    "resources": {"type": "array", "items": _TEXT},
    "source": _TEXT,
    "time": {"type": "string", "format": "date-time"},
    "version": _TEXT,
}


def component_name(detail_type: str) -> str:
    """As AWS names the detail's schema: the detail-type without what is no letter, digit, dot, dash or underscore."""
    return re.sub(r"[^A-Za-z0-9._-]", "", detail_type) or "Event"


def of_contract(source: str, detail_type: str, schema: Mapping[str, Any]) -> str:
    """OpenAPI 3.1, whose schemas are those of JSON Schema 2020-12: the contract stands in it as it is."""
    name = component_name(detail_type)
    place = f"#/components/schemas/{name}"
    detail = {key: value for key, value in _moved(schema, place).items() if key not in ("$schema", "$id")}
    return _openapi("3.1.0", source, detail_type, name, detail)


def of_shape(source: str, detail_type: str, detail: Shape, kind: str) -> str:
    """Of events of one type whose details have that shape. `kind` is one of TYPES."""
    name = component_name(detail_type)
    if kind == OPENAPI:
        return _openapi("3.0.0", source, detail_type, name, as_schema(detail, openapi=True))
    return _draft_4(source, detail_type, name, as_schema(detail, openapi=False))


def of_anything(shape: Shape, kind: str) -> str:
    """Of values that are no events."""
    if kind == DRAFT_4:
        return _text({"$schema": _DRAFT_4_URI, "title": "Event", **as_schema(shape, openapi=False)})
    return _text(
        {
            "openapi": "3.0.0",
            "info": {"version": "1.0.0", "title": "Event"},
            "paths": {},
            "components": {"schemas": {"Event": as_schema(shape, openapi=True)}},
        }
    )


def contract_as_draft_4(source: str, detail_type: str, schema: Mapping[str, Any]) -> str:
    name = component_name(detail_type)
    moved = _moved(schema, f"#/definitions/{name}")
    return _draft_4(source, detail_type, name, as_draft_4(moved))


def _openapi(version: str, source: str, detail_type: str, name: str, detail: Mapping[str, Any]) -> str:
    envelope = {
        "type": "object",
        "required": ["detail-type", "resources", "detail", "id", "source", "time", "region", "version", "account"],
        "x-amazon-events-detail-type": detail_type,
        "x-amazon-events-source": source,
        "properties": {"detail": {"$ref": f"#/components/schemas/{name}"}, **_ENVELOPE},
    }
    return _text(
        {
            "openapi": version,
            "info": {"version": "1.0.0", "title": name},
            "paths": {},
            "components": {"schemas": {"AWSEvent": envelope, name: detail}},
        }
    )


def _draft_4(source: str, detail_type: str, name: str, detail: Mapping[str, Any]) -> str:
    return _text(
        {
            "$schema": _DRAFT_4_URI,
            "title": name,
            "definitions": {name: detail},
            "type": "object",
            "required": ["detail-type", "resources", "detail", "id", "source", "time", "region", "version", "account"],
            "x-amazon-events-detail-type": detail_type,
            "x-amazon-events-source": source,
            "properties": {"detail": {"$ref": f"#/definitions/{name}"}, **_ENVELOPE},
        }
    )


def _text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False)


def _moved(schema: Mapping[str, Any], place: str) -> dict[str, Any]:
    """The schema with its references to itself as they must be where it stands at `place`."""

    def move(value: Any) -> Any:
        if isinstance(value, list):
            return [move(item) for item in value]
        if not isinstance(value, Mapping):
            return value
        return {
            key: place + child[1:] if key in ("$ref", "$dynamicRef") and _own(child) else move(child)
            for key, child in value.items()
        }

    moved: dict[str, Any] = move(schema)
    return moved


def _own(reference: object) -> bool:
    return isinstance(reference, str) and (reference == "#" or reference.startswith("#/"))
