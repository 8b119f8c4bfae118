"""One schema object of any dialect as one of draft 2020-12: OpenAPI 3.0 and 3.1, JSON Schema drafts 4 to 2020-12.

Annotations that say nothing about a valid value are left out, so that what is equal afterwards means the same. Kept are
those that are themselves part of the contract (`ANNOTATIONS`).
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final

Schema = dict[str, Any] | bool

DEFS: Final = "#/$defs/"
"""Where every reference leads once a schema is normalised."""

SCHEMA_KEYWORDS: Final = (
    "not",
    "if",
    "then",
    "else",
    "items",
    "additionalProperties",
    "contains",
    "propertyNames",
    "unevaluatedItems",
    "unevaluatedProperties",
)
LIST_KEYWORDS: Final = ("allOf", "anyOf", "oneOf", "prefixItems")
MAP_KEYWORDS: Final = ("properties", "patternProperties", "dependentSchemas")
VALUE_KEYWORDS: Final = (
    "type",
    "enum",
    "const",
    "required",
    "dependentRequired",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "format",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minContains",
    "maxContains",
    "minProperties",
    "maxProperties",
)
ANNOTATIONS: Final = ("default", "readOnly", "writeOnly", "deprecated", "discriminator", "x-extensible-enum")

# OpenAPI format registry: formats of numbers that JSON Schema can say with bounds.
_INTEGER_BITS: Final = {"int8": (8, True), "int16": (16, True), "int32": (32, True)} | {
    "uint8": (8, False),
    "uint16": (16, False),
    "uint32": (32, False),
}


class Dialect(StrEnum):
    OPENAPI_3_0 = "OpenAPI 3.0"
    DRAFT_4 = "JSON Schema draft 4"
    DRAFT_6_TO_2019 = "JSON Schema draft 6 to 2019-09"
    DRAFT_2020_12 = "JSON Schema draft 2020-12"


def dialect_of(document: Any, otherwise: Dialect = Dialect.DRAFT_2020_12) -> Dialect:
    """What a file says it is written in, by `openapi` or `$schema`; `otherwise` when it says nothing."""
    if not isinstance(document, dict):
        return otherwise
    version = document.get("openapi")
    if isinstance(version, str):
        return Dialect.OPENAPI_3_0 if version.startswith("3.0") else Dialect.DRAFT_2020_12
    named = document.get("$schema")
    if not isinstance(named, str):
        return otherwise
    if "draft-04" in named:
        return Dialect.DRAFT_4
    if "draft-06" in named or "draft-07" in named or "2019-09" in named:
        return Dialect.DRAFT_6_TO_2019
    return Dialect.DRAFT_2020_12


def in_2020_12(raw: dict[str, Any], dialect: Dialect) -> dict[str, Any]:
    """The keywords of one schema object, its subschemas as they were written; `nullable` is left to `nulled`."""
    if "$ref" in raw and dialect in _REF_STANDS_ALONE:
        return {"$ref": raw["$ref"]}
    said = dict(raw)
    for step in _STEPS[dialect]:
        step(said)
    _integer_format(said)
    return said


def nulled(said: dict[str, Any]) -> Schema:
    """What `nullable: true` of OpenAPI 3.0 means in practice: null is a value too.

    By the letter (3.0.3) it takes effect beside a `type` alone, and an enumeration must name null itself. Generators
    and validators read it as "or null" everywhere, and so did whoever wrote it.
    """
    if "type" in said:
        types = said["type"] if isinstance(said["type"], list) else [said["type"]]
        widened = {**said, "type": [*types, *([] if "null" in types else ["null"])]}
        if isinstance(said.get("enum"), list) and None not in said["enum"]:
            widened["enum"] = [*said["enum"], None]
        if not any(keyword in said for keyword in ("allOf", "anyOf", "oneOf", "not", "const")):
            return widened
    if not said:
        return True
    kept = {key: value for key, value in said.items() if key in ANNOTATIONS}
    return {"anyOf": [{key: value for key, value in said.items() if key not in kept}, {"type": "null"}], **kept}


def _boolean_bounds(said: dict[str, Any]) -> None:
    for exclusive, inclusive in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        flag = said.get(exclusive)
        if isinstance(flag, bool):
            del said[exclusive]
            if flag and inclusive in said:
                said[exclusive] = said.pop(inclusive)


def _array_items(said: dict[str, Any]) -> None:
    """Until 2019-09 `items` may be a list, and `additionalItems` speaks of the rest."""
    rest = said.pop("additionalItems", None)
    if isinstance(said.get("items"), list):
        said["prefixItems"] = said.pop("items")
        if rest is not None:
            said["items"] = rest


def _dependencies(said: dict[str, Any]) -> None:
    for name, wanted in said.pop("dependencies", {}).items():
        keyword = "dependentRequired" if isinstance(wanted, list) else "dependentSchemas"
        said[keyword] = {**said.get(keyword, {}), name: wanted}


def _dynamic_references(said: dict[str, Any]) -> None:
    """Without an extending schema, which a contract has not, a dynamic reference is a plain one."""
    for keyword in ("$recursiveRef", "$dynamicRef"):
        if keyword in said:
            said["$ref"] = said.pop(keyword)


def _integer_format(said: dict[str, Any]) -> None:
    bits = _INTEGER_BITS.get(said.get("format", "")) if isinstance(said.get("format"), str) else None
    if bits is None:
        return
    size, signed = bits
    least, most = (-(2 ** (size - 1)), 2 ** (size - 1) - 1) if signed else (0, 2**size - 1)
    said["minimum"] = max(least, said.get("minimum", least))
    said["maximum"] = min(most, said.get("maximum", most))


# Until draft 7, and in OpenAPI 3.0, what stands beside a $ref is ignored; 2019-09 is rare and read alike.
_REF_STANDS_ALONE: Final = (Dialect.OPENAPI_3_0, Dialect.DRAFT_4)

_STEPS: Final[dict[Dialect, tuple[Callable[[dict[str, Any]], None], ...]]] = {
    Dialect.OPENAPI_3_0: (_boolean_bounds,),
    Dialect.DRAFT_4: (_boolean_bounds, _array_items, _dependencies),
    Dialect.DRAFT_6_TO_2019: (_array_items, _dependencies, _dynamic_references),
    Dialect.DRAFT_2020_12: (_dynamic_references, _dependencies),
}
