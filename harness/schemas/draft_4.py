"""A JSON Schema of a later draft in the words of draft 4, the only ones that AWS exports.

What draft 4 cannot say is left out, in such a way that the result accepts whatever the schema accepts, and maybe more;
but for a whole number written with a fraction (1.0), which is no `integer` to draft 4.
"""

from collections.abc import Callable, Mapping
from typing import Any


def as_draft_4(schema: Any) -> dict[str, Any]:
    return _Conversion().schema(schema)


class _Conversion:
    """`lossy`: something has been left out."""

    def __init__(self) -> None:
        self.lossy = False

    def schema(self, schema: Any) -> dict[str, Any]:
        if schema is True:
            return {}
        if schema is False:
            return {"not": {}}
        converted: dict[str, Any] = {}
        for keyword, value in _renamed(schema).items():
            convert = _KEYWORDS.get(keyword)
            if convert is not None:
                converted.update(convert(self, value))
            elif keyword not in _ANNOTATIONS:
                self.lossy = True
        if "$ref" in converted and len(converted) > 1:
            # Draft 4 overlooks all that stands beside a reference.
            return {"allOf": [{"$ref": converted.pop("$ref")}, *converted.pop("allOf", ())], **converted}
        return converted

    def apart(self, schema: Any) -> tuple[dict[str, Any], bool]:
        """By itself, and whether something of it has been left out."""
        conversion = _Conversion()
        converted = conversion.schema(schema)
        self.lossy |= conversion.lossy
        return converted, conversion.lossy


def _renamed(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """`prefixItems` and the `items` after it are draft 4's `items` and `additionalItems`; no bound stands beside its
    exclusive one there.
    """
    renamed = dict(schema)
    if "prefixItems" in renamed:
        rest = renamed.pop("items", True)
        renamed |= {"items": renamed.pop("prefixItems"), "additionalItems": rest}
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if bound in renamed and not isinstance(renamed.get(exclusive, False), bool):
            renamed[f"{exclusive} beside {bound}"] = renamed.pop(exclusive)
    return renamed


_Convert = Callable[[_Conversion, Any], dict[str, Any]]


def _same(keyword: str) -> _Convert:
    return lambda _, value: {keyword: value}


def _not(conversion: _Conversion, value: Any) -> dict[str, Any]:
    inner, lossy = conversion.apart(value)
    return {} if lossy else {"not": inner}


def _one_of(conversion: _Conversion, value: Any) -> dict[str, Any]:
    alternatives = [conversion.apart(each) for each in value]
    # Alternatives that accept more may both accept what only one did.
    keyword = "anyOf" if any(lossy for _, lossy in alternatives) else "oneOf"
    return {keyword: [inner for inner, _ in alternatives]}


def _list(keyword: str) -> _Convert:
    return lambda conversion, value: {keyword: [conversion.schema(each) for each in value]}


def _map(keyword: str) -> _Convert:
    return lambda conversion, value: {keyword: {name: conversion.schema(child) for name, child in value.items()}}


def _rest(keyword: str) -> _Convert:
    return lambda conversion, value: {keyword: value if isinstance(value, bool) else conversion.schema(value)}


def _items(conversion: _Conversion, value: Any) -> dict[str, Any]:
    return _list("items")(conversion, value) if isinstance(value, list) else {"items": conversion.schema(value)}


def _exclusive(bound: str, keyword: str) -> _Convert:
    return lambda _, value: {keyword: value} if isinstance(value, bool) else {bound: value, keyword: True}


def _required(_: _Conversion, value: Any) -> dict[str, Any]:
    return {"required": value} if value else {}


def _reference(conversion: _Conversion, value: Any) -> dict[str, Any]:
    if isinstance(value, str) and (value == "#" or value.startswith("#/")):
        return {"$ref": value.replace("/$defs/", "/definitions/")}
    conversion.lossy = True
    return {}


_KEYWORDS: Mapping[str, _Convert] = {
    **{
        keyword: _same(keyword)
        for keyword in (
            *("type", "enum", "title", "description", "default", "format", "pattern", "uniqueItems"),
            *("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"),
            *("minimum", "maximum", "multipleOf"),
        )
    },
    **{keyword: _list(keyword) for keyword in ("allOf", "anyOf")},
    **{keyword: _map(keyword) for keyword in ("properties", "patternProperties", "definitions")},
    **{keyword: _rest(keyword) for keyword in ("additionalProperties", "additionalItems")},
    "$defs": _map("definitions"),
    "$ref": _reference,
    "const": lambda _, value: {"enum": [value]},
    "dependentRequired": lambda _, value: {"dependencies": {name: names for name, names in value.items() if names}},
    "exclusiveMaximum": _exclusive("maximum", "exclusiveMaximum"),
    "exclusiveMinimum": _exclusive("minimum", "exclusiveMinimum"),
    "items": _items,
    "not": _not,
    "oneOf": _one_of,
    "required": _required,
}
_ANNOTATIONS = frozenset({"$schema", "$id", "$comment", "examples", "deprecated", "readOnly", "writeOnly", "x-event"})
