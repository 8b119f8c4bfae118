"""Schemas of one contract, ready to be compared: draft 2020-12, one set of definitions, lines kept."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import chain, count
from typing import Any

import jsonschema_rs

from harness.contracts.finding import Source
from harness.contracts.schemas.closed import closed, validator_of
from harness.contracts.schemas.dialects import (
    ANNOTATIONS,
    DEFS,
    LIST_KEYWORDS,
    MAP_KEYWORDS,
    SCHEMA_KEYWORDS,
    VALUE_KEYWORDS,
    Dialect,
    Schema,
    dialect_of,
    in_2020_12,
    nulled,
)
from harness.contracts.schemas.documents import Library, Location
from harness.contracts.schemas.flat import Flat, flat
from harness.contracts.schemas.samples import Sampler
from harness.contracts.schemas.shapes import misshapen
from harness.errors import InputError


class Role(StrEnum):
    """Who writes the value: a property that is readOnly need not be in a request, a writeOnly one not in a response."""

    REQUEST = "request"
    RESPONSE = "response"
    EVENT = "event"


_HIDING = {Role.REQUEST: "readOnly", Role.RESPONSE: "writeOnly", Role.EVENT: ""}


class Schemas:
    """The schemas of one contract in one role. Definitions are made when they are first referred to."""

    def __init__(self, library: Library, role: Role) -> None:
        self.library = library
        self.role = role
        self.definitions: dict[str, Schema] = {}
        self.sampler = Sampler(self.definitions)
        self._dialect = dialect_of(library.root.value)
        self._names: dict[Location, str] = {}
        self._places: dict[int, Location] = {}
        self._made: dict[Location, Schema] = {}
        self._compiled: dict[int, Compiled] = {}
        self._flat: dict[int, tuple[Schema, Flat]] = {}

    def schema(self, location: Location) -> Schema:
        """The normalised schema that is written there. Raises `InputError` for a reference that leads nowhere."""
        if location not in self._made:
            raw = self.library.at(location)
            self._made[location] = self._normal(raw, location, frozenset())
        return self._made[location]

    def at(self, schema: Schema) -> Location | None:
        """Where a schema (of this contract, by identity) is written; None for one that was put together."""
        return self._places.get(id(schema))

    def source(self, schema: Schema) -> Source | None:
        location = self.at(schema)
        return self.library.source(location) if location else None

    def name(self, reference: str) -> str:
        """`Order` for `#/$defs/Order`."""
        return reference.removeprefix(DEFS)

    def target(self, reference: str) -> Schema:
        return self.definitions[self.name(reference)]

    def compiled(self, schema: Schema) -> "Compiled":
        """Kept by identity: `schema` must live as long as this."""
        found = self._compiled.get(id(schema))
        if found is None:
            found = self._compiled[id(schema)] = Compiled(schema, self.definitions, self.mistake)
        return found

    def mistake(self, schema: Schema, text: str) -> InputError:
        location = self.at(schema) or Location(self.library.root.file, ())
        return self.library.mistake(location, f"not a JSON Schema: {text}")

    def flat(self, schema: Schema) -> Flat:
        """Kept by identity, so that a recursive schema comes back to itself."""
        found = self._flat.get(id(schema))
        if found is None:
            target = schema
            if isinstance(schema, dict) and schema.keys() == {"$ref"}:
                target = self.target(schema["$ref"])
            made = self.flat(target) if target is not schema else flat(schema, self.definitions)
            found = self._flat[id(schema)] = (schema, made)
        return found[1]

    def _normal(self, raw: Any, location: Location, hidden: frozenset[str]) -> Schema:
        if isinstance(raw, bool):
            return raw
        if not isinstance(raw, dict):
            raise self.library.mistake(location, f"a schema must be an object, not {type(raw).__name__}")
        dialect = dialect_of(self.library.document(location.file).value, self._dialect)
        for keyword, value in raw.items():
            if (wanted := misshapen(keyword, value)) is not None:
                raise self.library.mistake(_below(location, keyword), f"{keyword}: must be {wanted}")
        said = in_2020_12(raw, dialect)
        hidden |= self._hidden(raw, location)
        made: dict[str, Any] = {}
        for keyword, value in said.items():
            place = Location(location.file, (*location.path, _written(keyword, raw)))
            made |= self._keyword(keyword, value, place, hidden)
        if not made.get("required", True):
            del made["required"]
        self._places[id(made)] = location
        if raw.get("nullable") is True and dialect is Dialect.OPENAPI_3_0 and "$ref" not in raw:
            widened = nulled(made)
            if isinstance(widened, dict):
                self._places[id(widened)] = location
                for variant in widened.get("anyOf", []):
                    self._places.setdefault(id(variant), location)
            return widened
        return made

    def _keyword(self, keyword: str, value: Any, place: Location, hidden: frozenset[str]) -> dict[str, Any]:
        if keyword == "$ref":
            owner = Location(place.file, place.path[:-1])
            return {"$ref": DEFS + self._define(self.library.resolve(value, owner))}
        if keyword in SCHEMA_KEYWORDS:
            return {keyword: self._normal(value, place, frozenset())}
        if keyword in LIST_KEYWORDS:
            passed = hidden if keyword == "allOf" else frozenset()
            return {keyword: [self._normal(item, _below(place, index), passed) for index, item in enumerate(value)]}
        if keyword in MAP_KEYWORDS:
            return {keyword: {name: self._member(keyword, item, _below(place, name)) for name, item in value.items()}}
        if keyword == "required":
            return {keyword: sorted({name for name in value if name not in hidden})}
        if keyword in VALUE_KEYWORDS or keyword in ANNOTATIONS:
            return {keyword: value}
        return {}

    def _member(self, keyword: str, raw: Any, place: Location) -> Schema:
        """A property that the writer in this role leaves out may hold anything: nobody relies on what it may be."""
        if keyword == "properties" and self._is_hidden(raw, place):
            made: Schema = {_HIDING[self.role]: True}
            self._places[id(made)] = place
            return made
        return self._normal(raw, place, frozenset())

    def _hidden(self, raw: dict[str, Any], location: Location) -> frozenset[str]:
        """Names of properties, also those that `allOf` brings in, that the writer in this role need not send."""
        return frozenset(self._hidden_names(raw, location, set())) if _HIDING[self.role] else frozenset()

    def _hidden_names(self, raw: Any, location: Location, seen: set[Location]) -> set[str]:
        if not isinstance(raw, dict) or location in seen:
            return set()
        seen.add(location)
        if isinstance(raw.get("$ref"), str):
            target = self.library.resolve(raw["$ref"], location)
            return self._hidden_names(self.library.at(target), target, seen)
        found: set[str] = set()
        properties = raw.get("properties")
        if isinstance(properties, dict):
            below = _below(location, "properties")
            found |= {name for name, item in properties.items() if self._is_hidden(item, _below(below, name))}
        parts = raw.get("allOf")
        if isinstance(parts, list):
            below = _below(location, "allOf")
            for index, part in enumerate(parts):
                found |= self._hidden_names(part, _below(below, index), seen)
        return found

    def _is_hidden(self, raw: Any, place: Location) -> bool:
        flag = _HIDING[self.role]
        if not flag or not isinstance(raw, dict):
            return False
        if raw.get(flag) is True:
            return True
        if not isinstance(raw.get("$ref"), str):
            return False
        _, target = self.library.followed(place)
        return isinstance(target, dict) and target.get(flag) is True

    def _define(self, target: Location) -> str:
        if target not in self._names:
            tail = str(target.path[-1]) if target.path else target.file.rpartition("/")[2]
            tail = re.sub(r"[^A-Za-z0-9._-]", "-", tail)
            numbered = (f"{tail}-{number}" for number in count(2))
            name = next(name for name in chain([tail], numbered) if name not in self.definitions)
            self._names[target] = name
            self.definitions[name] = True  # while it is being made it may be referred to
            self.definitions[name] = self.schema(target)
        return self._names[target]


def _written(keyword: str, raw: dict[str, Any]) -> str:
    """The keyword as the file has it, where the dialect calls it otherwise."""
    if keyword in raw:
        return keyword
    others = {"prefixItems": "items", "items": "additionalItems", "$ref": "$dynamicRef"}
    other = others.get(keyword, "dependencies")
    return other if other in raw else keyword


def _below(location: Location, step: str | int) -> Location:
    return Location(location.file, (*location.path, step))


@dataclass
class Compiled:
    """What jsonschema-rs makes of one schema, each when it is first asked for. Raises `InputError` for a bad schema."""

    schema: Schema
    definitions: dict[str, Schema]
    mistake: Callable[[Schema, str], InputError]

    @cached_property
    def closed(self) -> Schema:
        return closed(self.schema, self.definitions)

    @cached_property
    def validator(self) -> jsonschema_rs.Validator:
        try:
            return validator_of(self.closed)
        except ValueError as error:  # ValidationError is one
            raise self.mistake(self.schema, _said(error)) from error

    @cached_property
    def canonical(self) -> jsonschema_rs.CanonicalSchema:
        try:
            return jsonschema_rs.canonicalize(self.closed, draft=jsonschema_rs.Draft202012, validate_formats=True)
        except ValueError as error:
            raise self.mistake(self.schema, _said(error)) from error

    def accepts(self, value: Any) -> bool:
        return self.validator.is_valid(value)


def _said(error: ValueError) -> str:
    if isinstance(error, jsonschema_rs.ValidationError):
        return f"{'.'.join(map(str, error.instance_path)) or 'the whole'}: {error.message}"
    return str(error)
