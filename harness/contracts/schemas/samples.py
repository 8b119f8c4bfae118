"""Values that a schema accepts, for examples: a few, simple ones first. Every one of them was asked of a validator.

No search: what a schema of a contract asks for can be put together from its keywords. Where that fails there is none.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import chain, islice, product
from math import ceil, floor
from typing import Any, Final

import jsonschema_rs

from harness.contracts.schemas.closed import closed, validator_of
from harness.contracts.schemas.dialects import Schema
from harness.contracts.schemas.flat import NEVER, Flat, flat, merge, types_of
from harness.contracts.schemas.regular import texts

MAX_DEPTH = 10
MAX_VALUES = 6
"""Of one schema, at one level: enough to get past a `not`, few enough for a hundred findings."""
MAX_PROPOSALS = 120
_ALTERNATIVES: Final = ("anyOf", "oneOf")
_OTHER_NAMES: Final = ("other", "extra", "another", "x-1", "a", "A1", "x_1")


class Sampler:
    """Draws from schemas that share one set of definitions."""

    def __init__(self, definitions: Mapping[str, Schema]) -> None:
        self._definitions = definitions
        self._drawn: dict[int, tuple[Schema, int, list[Any]]] = {}
        """By identity, with the depth: less deep down more could be drawn."""

    def samples(self, schema: Schema, depth: int = 0) -> list[Any]:
        """Distinct valid values, at most `MAX_VALUES`. They are shared: whoever changes one copies it first."""
        known = self._drawn.get(id(schema))
        if known is None or known[1] > depth:
            known = self._drawn[id(schema)] = (schema, depth, self._draw(schema, depth))
        return known[2]

    def _draw(self, schema: Schema, depth: int) -> list[Any]:
        found: list[Any] = []
        validator: jsonschema_rs.Validator | None = None  # most schemas are asked for no value at all
        for value in islice(self._proposed(flat(schema, self._definitions), depth), MAX_PROPOSALS):
            if validator is None:
                validator = validator_of(closed(schema, self._definitions))
            if validator.is_valid(value) and not any(value is other or _same(value, other) for other in found):
                found.append(value)
                if len(found) == MAX_VALUES:
                    break
        return found

    def first(self, schema: Schema, depth: int = 0) -> list[Any]:
        """One valid value or none, as a list."""
        return self.samples(schema, depth)[:1]

    def _proposed(self, schema: Flat, depth: int) -> Iterator[Any]:
        if depth > MAX_DEPTH or schema == NEVER:
            return
        if "enum" in schema:
            yield from schema["enum"]
            return
        for keyword in _ALTERNATIVES:
            if keyword in schema:
                rest = {key: value for key, value in schema.items() if key != keyword}
                yield from self._of_alternatives(rest, schema[keyword], depth)
                return
        if "allOf" in schema:
            yield from self._of_left_over(schema, depth)
            return
        if "if" in schema:
            rest = {key: value for key, value in schema.items() if key not in ("if", "then", "else")}
            for branch in (schema.get("then", True), schema.get("else", True), True):
                yield from self._proposed(merge(rest, flat(branch, self._definitions)), depth + 1)
            return
        yield from self._of_types(schema, depth)

    def _of_alternatives(self, rest: Flat, variants: list[Schema], depth: int) -> Iterator[Any]:
        drawn = [self._proposed(merge(rest, flat(variant, self._definitions)), depth + 1) for variant in variants]
        yield from chain.from_iterable(islice(values, 3) for values in drawn)

    def _of_left_over(self, schema: Flat, depth: int) -> Iterator[Any]:
        """What could not be merged: alternatives are taken one by one, the rest only checks."""
        rest = {key: value for key, value in schema.items() if key != "allOf"}
        alternatives: list[list[Flat]] = []
        for part in schema["allOf"]:
            inner = flat(part, self._definitions)
            keyword = next((keyword for keyword in _ALTERNATIVES if keyword in inner), None)
            if keyword:
                others = {key: value for key, value in inner.items() if key != keyword}
                alternatives.append([merge(others, flat(variant, self._definitions)) for variant in inner[keyword]])
            elif "pattern" not in inner and "allOf" not in inner:
                rest = merge(rest, inner)
        rest.pop("allOf", None)
        for chosen in islice(product(*alternatives), 12):
            whole = rest
            for part in chosen:
                whole = merge(whole, part)
            whole.pop("allOf", None)
            yield from islice(self._proposed(whole, depth + 1), 3)
        for part in schema["allOf"]:
            if isinstance(part, dict) and "pattern" in part:
                yield from texts(part["pattern"], schema.get("minLength", 0))

    def _of_types(self, schema: Flat, depth: int) -> Iterator[Any]:
        types = types_of(schema)
        makers: dict[str, Callable[[Flat, int], Iterator[Any]]] = {
            "object": self._objects,
            "array": self._arrays,
            "string": lambda schema, _: _strings(schema),
            "integer": lambda schema, _: _numbers(schema, whole=True),
            "number": lambda schema, _: _numbers(schema, whole=False),
            "boolean": lambda schema, _: iter((True, False)),
            "null": lambda schema, _: iter((None,)),
        }
        wanted = types - {"integer"} if "number" in types else types
        yield from _in_turn([makers[name](schema, depth) for name in _preferred(schema) if name in wanted])

    def _objects(self, schema: Flat, depth: int) -> Iterator[Any]:
        properties: Mapping[str, Schema] = schema.get("properties", {})
        required: list[str] = list(schema.get("required", ()))
        base: dict[str, Any] = {}
        choices: dict[str, list[Any]] = {}
        for name in _with_dependents(required, schema):
            drawn = self.samples(for_name(schema, name), depth + 1)
            if not drawn:
                return
            base[name], choices[name] = drawn[0], drawn
        for name in chain(properties, _OTHER_NAMES, _names_for(schema)):
            if len(base) >= schema.get("minProperties", 0):
                break
            if name not in base:
                drawn = self.first(for_name(schema, name), depth + 1)
                base |= {name: drawn[0]} if drawn else {}
        yield base
        for name, drawn in choices.items():
            yield from ({**base, name: value} for value in drawn[1:3])
        optional = {name: self.first(properties[name], depth + 1) for name in properties if name not in base}
        for name, drawn in optional.items():
            yield from ({**base, name: value} for value in drawn)
        yield {**base, **{name: drawn[0] for name, drawn in optional.items() if drawn}}
        for name in _OTHER_NAMES:
            if name not in base and name not in properties:
                yield from ({**base, name: value} for value in self.first(for_name(schema, name), depth + 1))

    def _arrays(self, schema: Flat, depth: int) -> Iterator[Any]:
        least = max(schema.get("minItems", 0), schema.get("minContains", 1) if "contains" in schema else 0)
        items: list[Any] = []
        if "contains" in schema:
            items += self.first(schema["contains"], depth + 1)
        if least == 0:
            yield []
        for index in range(len(items), min(least, 300)):
            drawn = self.samples(for_index(schema, index), depth + 1)
            fresh = [value for value in drawn if not any(_same(value, other) for other in items)]
            if not drawn:
                return
            items.append((fresh if schema.get("uniqueItems") and fresh else drawn)[0])
        if items:
            yield items
        for value in self.samples(for_index(schema, len(items)), depth + 1)[:3]:
            yield [*items, value]


def for_name(schema: Flat, name: str) -> Schema:
    """What an object schema says of a property: by name, by pattern, or of all others."""
    said = [schema["properties"][name]] if name in schema.get("properties", {}) else []
    said += [inner for pattern, inner in schema.get("patternProperties", {}).items() if _matches(pattern, name)]
    if not said:
        rest: Schema = schema.get("additionalProperties", True)
        return rest
    return said[0] if len(said) == 1 else {"allOf": said}


def for_index(schema: Flat, index: int) -> Schema:
    """What an array schema says of the item at `index`."""
    first: list[Schema] = schema.get("prefixItems", [])
    rest: Schema = schema.get("items", True)
    return first[index] if index < len(first) else rest


def _matches(pattern: str, name: str) -> bool:
    return jsonschema_rs.is_valid({"pattern": pattern}, name)


def _names_for(schema: Flat) -> Iterator[str]:
    """Names that patterns of names ask for, and as many others as may be needed."""
    names = schema.get("propertyNames")
    if isinstance(names, dict):
        yield from (name for name in names.get("enum", ()) if isinstance(name, str))
        yield from texts(names["pattern"], names.get("minLength", 0)) if "pattern" in names else ()
    for pattern in schema.get("patternProperties", ()):
        yield from texts(pattern)
    yield from (f"name{number}" for number in range(1, 301))


def _with_dependents(required: list[str], schema: Flat) -> list[str]:
    names = list(required)
    for name in names:  # grows while it is walked
        names += [more for more in schema.get("dependentRequired", {}).get(name, ()) if more not in names]
    return names


def _in_turn(sources: list[Iterator[Any]]) -> Iterator[Any]:
    while sources:
        for source in list(sources):
            value = next(source, _END)
            if value is _END:
                sources.remove(source)
            else:
                yield value


_END: Final = object()


def _preferred(schema: Flat) -> list[str]:
    """Types by what the schema speaks of: an object when it has properties, text when it has a length."""
    speaks = {
        "object": ("properties", "required", "additionalProperties", "minProperties", "maxProperties"),
        "array": ("items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains"),
        "string": ("minLength", "maxLength", "pattern", "format"),
        "integer": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    }
    order = ["string", "integer", "number", "boolean", "object", "array", "null"]
    speaks["number"] = speaks["integer"]
    return sorted(order, key=lambda name: not any(keyword in schema for keyword in speaks.get(name, ())))


_FORMATS: Final = {
    "date-time": ("2026-01-15T12:00:00Z",),
    "date": ("2026-01-15",),
    "time": ("12:00:00Z",),
    "duration": ("P1D",),
    "email": ("someone@example.com",),
    "idn-email": ("someone@example.com",),
    "hostname": ("example.com",),
    "idn-hostname": ("example.com",),
    "ipv4": ("192.0.2.1",),
    "ipv6": ("2001:db8::1",),
    "uri": ("https://example.com/17",),
    "uri-reference": ("/17",),
    "iri": ("https://example.com/17",),
    "iri-reference": ("/17",),
    "uuid": ("0195a5e4-8f7e-7c3a-9d52-6b1f0c2e4a10", "0195a5e4-8f7e-7c3a-9d52-6b1f0c2e4a11"),
    "uri-template": ("/orders/{id}",),
    "json-pointer": ("/a/0",),
    "relative-json-pointer": ("1/a",),
    "regex": ("^a$",),
}


def _strings(schema: Flat) -> Iterator[str]:
    least, most = schema.get("minLength", 0), schema.get("maxLength", 10**6)
    yield from _FORMATS.get(schema.get("format", ""), ())
    if "pattern" in schema:
        yield from texts(schema["pattern"], least)
        yield from texts(schema["pattern"], min(most, least + 1))
    for text in ("text", "other", "a", "A", "17", "", "#", "a b", "ä", "-1", "x" * 40):
        yield text if least <= len(text) <= most else text[:most].ljust(min(least, 100_000), "x")
    if schema.get("format") == "date-time":
        yield "2026-01-15T12:00:00.5+01:00"
    yield from chain.from_iterable(_FORMATS.values())


def _numbers(schema: Flat, *, whole: bool) -> Iterator[Any]:
    low, high = schema.get("minimum"), schema.get("maximum")
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    step = schema.get("multipleOf", 1)
    ends = [bound for bound in (low, above, high, below) if bound is not None]
    if whole:
        yield from (1, 0, 2, -1)
        for bound in ends:
            yield from (ceil(bound), floor(bound), floor(bound) + 1, ceil(bound) - 1)
        yield from (times * step for times in (1, -1, 3) if float(step).is_integer())
        starts = [bound for bound in (low, above) if bound is not None]
        yield from (ceil(start / step) * step for start in starts)
        yield from (ceil(start / step) * step + step for start in starts)
        return
    yield from (1.5, 0.5, 1, 0, -1.5, 0.25)
    for bound in ends:
        yield from (bound, bound + 0.5, bound - 0.5, bound + 1, bound - 1, bound + 0.01, bound - 0.01)
    if len(ends) == 2:
        yield sum(ends) / 2
    yield from (step, 3 * step, -step)


def _same(a: Any, b: Any) -> bool:
    return type(a) is type(b) and bool(a == b)
