"""What the value of a keyword must look like for a schema to be read at all; the meta-schemas say the rest."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import jsonschema_rs

Shape = tuple[Callable[[Any], bool], str]


def misshapen(keyword: str, value: Any) -> str | None:
    """What the value must be, when it is not. Unknown keywords may hold anything."""
    shape = _SHAPES.get(keyword)
    return None if shape is None or shape[0](value) else shape[1]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return _is_number(value) and value >= 0 and float(value).is_integer()


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _is_type(value: Any) -> bool:
    named = [value] if isinstance(value, str) else value
    return _is_names(named) and bool(named) and all(name in _TYPES for name in named)


def _is_schema(value: Any) -> bool:
    return isinstance(value, dict | bool)


def _is_schemas(value: Any) -> bool:
    return isinstance(value, list) and bool(value)


@lru_cache(maxsize=4096)
def _is_pattern(value: str) -> bool:
    try:
        jsonschema_rs.Draft202012Validator({"pattern": value})
    except ValueError:  # its own way to say no
        return False
    return True


_TYPES: Final = ("null", "boolean", "object", "array", "number", "string", "integer")
_TEXT: Final[Shape] = (lambda value: isinstance(value, str), "text")
_NUMBER: Final[Shape] = (_is_number, "a number")
_BOUND: Final[Shape] = (lambda value: isinstance(value, bool) or _is_number(value), "a number")
_COUNT: Final[Shape] = (_is_count, "a whole number from 0")
_FLAG: Final[Shape] = (lambda value: isinstance(value, bool), "true or false")
_SCHEMA: Final[Shape] = (_is_schema, "a schema")
_LIST: Final[Shape] = (_is_schemas, "a list of schemas")
_MAP: Final[Shape] = (lambda value: isinstance(value, dict), "a mapping of names")

_SHAPES: Final[dict[str, Shape]] = {
    "$ref": _TEXT,
    "$dynamicRef": _TEXT,
    "$recursiveRef": _TEXT,
    "type": (_is_type, f"one of {', '.join(_TYPES)}, or a list of them"),
    "enum": (lambda value: isinstance(value, list), "a list of values"),
    "required": (_is_names, "a list of names"),
    "dependentRequired": _MAP,
    "dependencies": _MAP,
    "properties": _MAP,
    "patternProperties": (
        lambda value: isinstance(value, dict) and all(map(_is_pattern, value)),
        "a mapping of regular expressions of ECMA-262",
    ),
    "dependentSchemas": _MAP,
    "allOf": _LIST,
    "anyOf": _LIST,
    "oneOf": _LIST,
    "prefixItems": _LIST,
    "not": _SCHEMA,
    "items": (lambda value: isinstance(value, dict | bool | list), "a schema"),
    "additionalProperties": _SCHEMA,
    "minimum": _NUMBER,
    "maximum": _NUMBER,
    "exclusiveMinimum": _BOUND,
    "exclusiveMaximum": _BOUND,
    "multipleOf": (lambda value: _is_number(value) and value > 0, "a number above 0"),
    "minLength": _COUNT,
    "maxLength": _COUNT,
    "minItems": _COUNT,
    "maxItems": _COUNT,
    "minProperties": _COUNT,
    "maxProperties": _COUNT,
    "pattern": (lambda value: isinstance(value, str) and _is_pattern(value), "a regular expression of ECMA-262"),
    "format": _TEXT,
    "uniqueItems": _FLAG,
}
