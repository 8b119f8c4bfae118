"""Values that a schema takes, for what a contract gives no example of. The same seed gives the same values."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final
from uuid import UUID

import jsonschema_rs

from harness.contracts.schemas.regular import text_for
from harness.contracts.schemas.regular_syntax import UnknownSyntax
from harness.contracts.stub.document import Direction, Document, Schema

# How deep a value has members that it need not have, and how often chance is asked again.
_DEPTH: Final = 4
_TRIES: Final = 30
_BEGIN: Final = datetime(2026, 1, 15, 12, 0, 0, tzinfo=UTC)
NOTHING: Final = object()


class Unmakeable(ValueError):
    """No value was found that the schema takes; the text says what stands in the way."""


class Shape:
    """A schema of `Document.schema`, and whether a value is one of it."""

    def __init__(self, document: Document, schema: Schema, direction: Direction) -> None:
        self.schema = document.schema(schema, direction)
        self._validator = document.validator(self.schema)

    def fits(self, value: Any) -> bool:
        return self._validator.is_valid(value)

    def errors(self, value: Any) -> Iterator[jsonschema_rs.ValidationError]:
        return self._validator.iter_errors(value)


class Generator:
    """Draws from `random`."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def value(self, shape: "Shape", *, varied: bool = False) -> Any:
        """A value that the shape takes. `varied`: another one each time, and no example. Raises `Unmakeable`."""
        schema = shape.schema
        trouble = "its keywords leave nothing that could be made"
        for attempt in range(_TRIES):
            try:
                made = self._make(schema, schema, 0 if attempt % 3 < 2 else _DEPTH, varied, "value")
            except Unmakeable as error:
                trouble = str(error)
                continue
            if shape.fits(made):
                return made
        raise Unmakeable(trouble)

    def part(self, schema: Schema, root: Mapping[str, Any]) -> Any:
        """A value for a schema within `root`, not judged. Raises `Unmakeable`."""
        return self._make(schema, root, _DEPTH, False, "value")

    def varied_part(self, schema: Schema, root: Mapping[str, Any]) -> Any:
        """Another one each time."""
        return self._make(schema, root, _DEPTH, True, "value")

    def _make(self, schema: Schema, root: Mapping[str, Any], depth: int, varied: bool, name: str) -> Any:
        if not isinstance(schema, Mapping):
            if schema is False:
                raise Unmakeable("a schema takes nothing")
            return name
        flat = self.flat(schema, root)
        if "const" in flat:
            return flat["const"]
        if not varied:
            for given in examples(flat):
                return given
        if flat.get("enum"):
            return self._random.choice(flat["enum"]) if varied else flat["enum"][0]
        if depth > 5 * _DEPTH:
            raise Unmakeable("a schema needs itself without end")
        make: Callable[..., Any] = _OF_KIND.get(_kind(flat), _OF_KIND["string"])
        return make(self, flat, root, depth, varied, name)

    def flat(self, schema: Schema, root: Mapping[str, Any]) -> dict[str, Any]:
        """One mapping of keywords: references and `allOf` put together, the first possible branch of a choice taken."""
        made: dict[str, Any] = {}
        for each in self._parts(schema, root, 0):
            for key, value in each.items():
                if key in ("properties", "patternProperties") and isinstance(made.get(key), dict):
                    made[key] = {**made[key], **value}
                elif key == "required" and isinstance(made.get(key), list):
                    made[key] = [*made[key], *value]
                elif key == "type" and key in made:
                    made[key] = _common(made[key], value)
                else:
                    made[key] = value
        return made

    def _parts(self, schema: Schema, root: Mapping[str, Any], depth: int) -> Iterator[dict[str, Any]]:
        if not isinstance(schema, Mapping) or depth > 20:
            return
        if "$ref" in schema:
            yield from self._parts(resolved(root, schema["$ref"]), root, depth + 1)
        yield {key: value for key, value in schema.items() if key not in ("$ref", "allOf", "anyOf", "oneOf")}
        for each in schema.get("allOf", ()):
            yield from self._parts(each, root, depth + 1)
        for choice in ("oneOf", "anyOf"):
            branches = schema.get(choice)
            if branches:
                yield from self._parts(self._random.choice(branches) if depth else branches[0], root, depth + 1)

    def _object(
        self, flat: Mapping[str, Any], root: Mapping[str, Any], depth: int, varied: bool, name: str
    ) -> dict[str, Any]:
        required = list(flat.get("required", ()))
        properties = flat.get("properties", {})
        made: dict[str, Any] = {}
        for member, schema in properties.items():
            if member not in required and depth >= _DEPTH:
                continue
            try:
                made[member] = self._make(schema, root, depth + 1, varied, member)
            except Unmakeable:
                if member in required:
                    raise
        more = [member for member in required if member not in made]
        more += [f"{name}{number + 1}" for number in range(len(made) + len(more), flat.get("minProperties", 0))]
        for member in more:
            made[member] = self._make(flat.get("additionalProperties", True), root, depth + 1, varied, member)
        return made

    def _array(
        self, flat: Mapping[str, Any], root: Mapping[str, Any], depth: int, varied: bool, name: str
    ) -> list[Any]:
        least = flat.get("minItems", 0)
        wanted = max(least, 1) if depth < _DEPTH else least
        wanted = min(wanted, flat.get("maxItems", wanted))
        first = flat.get("prefixItems", [])
        made: list[Any] = []
        for number in range(max(wanted, len(first))):
            schema = first[number] if number < len(first) else flat.get("items", True)
            unlike = varied or (number > 0 and bool(flat.get("uniqueItems")))
            try:
                made.append(self._make(schema, root, depth + 1, unlike, name))
            except Unmakeable:
                if number < max(least, len(first)):
                    raise
                break
        return made

    def _number(
        self, flat: Mapping[str, Any], root: Mapping[str, Any], depth: int, varied: bool, name: str
    ) -> int | float:
        whole = _kind(flat) == "integer"
        step = flat.get("multipleOf", 1 if whole else 0.01)
        low = flat.get("minimum", NOTHING)
        if "exclusiveMinimum" in flat:
            low = max(flat["exclusiveMinimum"] + step, flat.get("minimum", flat["exclusiveMinimum"] + step))
        high = flat.get("maximum", NOTHING)
        if "exclusiveMaximum" in flat:
            high = min(flat["exclusiveMaximum"] - step, flat.get("maximum", flat["exclusiveMaximum"] - step))
        if low is NOTHING:
            low = 0 if high is NOTHING or high >= 0 else high - 1000 * step
        if high is NOTHING:
            high = max(low, 0) + 1_000_000_000 * step
        first, last = -int(-low // step), int(high // step)
        if last < first:
            raise Unmakeable("no number lies between a schema's bounds")
        # Numbers that nobody would write are for those who ask for them: a bound of 32 bits is no wish.
        chosen = self._random.randint(max(first, min(last, 0)), last) if varied else min(max(first, 1), last)
        number = chosen * step
        return int(number) if whole else round(number, 10)

    def _text(self, flat: Mapping[str, Any], root: Mapping[str, Any], depth: int, varied: bool, name: str) -> str:
        least, most = flat.get("minLength", 0), flat.get("maxLength")
        pattern = flat.get("pattern")
        if pattern is not None:
            try:
                draw = text_for(pattern)
            except UnknownSyntax as error:
                raise Unmakeable(str(error)) from error
            for _ in range(_TRIES):
                made = draw(self._random)
                if least <= len(made) and (most is None or len(made) <= most):
                    return made
            raise Unmakeable(f"no text of the right length was found for the pattern {pattern}")
        made = self._formatted(flat.get("format", ""), varied)
        if made:
            return made
        made = f"{name}-{self._random.randrange(10**6):06}" if varied else name
        made = made.ljust(least, "x")
        return made if most is None else made[-most:] if varied and most else made[:most]

    def _formatted(self, name: str, varied: bool) -> str:
        moment = _BEGIN + timedelta(seconds=self._random.randrange(10**7) if varied else 0)
        number = self._random.randrange(10**6) if varied else 1
        match name:
            case "uuid":
                return str(UUID(int=self._random.getrandbits(128), version=4))
            case "date-time":
                return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
            case "date":
                return moment.strftime("%Y-%m-%d")
            case "time":
                return moment.strftime("%H:%M:%SZ")
            case "uri" | "url" | "iri":
                return f"https://example.com/{number}"
            case "uri-reference" | "iri-reference":
                return f"/{number}"
            case "ipv4":
                return f"192.0.2.{number % 254 + 1}"  # RFC 5737
            case "ipv6":
                return f"2001:db8::{number % 0xFFFF:x}"  # RFC 3849
        shape = _FORMATS.get(name, "")
        return shape.format(number) if shape else ""


def _true(*_: object) -> bool:
    return True


def _null(*_: object) -> None:
    return None


_OF_KIND: Final[Mapping[str, Callable[..., Any]]] = {
    "object": Generator._object,
    "array": Generator._array,
    "integer": Generator._number,
    "number": Generator._number,
    "string": Generator._text,
    "boolean": _true,
    "null": _null,
}
_FORMATS: Final = {
    "email": "someone{}@example.com",
    "idn-email": "someone{}@example.com",
    "hostname": "host{}.example.com",
    "idn-hostname": "host{}.example.com",
    "duration": "P{}D",
    "json-pointer": "/{}",
    "regex": "^{}$",
    "byte": "c3R1Yg==",
}


def examples(schema: Mapping[str, Any]) -> Iterator[Any]:
    """Those that stand in the schema itself, OpenAPI's and JSON Schema's, then its default."""
    if "example" in schema:
        yield schema["example"]
    listed = schema.get("examples")
    if isinstance(listed, list):
        yield from listed
    if "default" in schema:
        yield schema["default"]


def resolved(root: Mapping[str, Any], reference: Any) -> Schema:
    """What a reference within a standing-alone schema leads to; anything where it leads nowhere."""
    found: Any = root
    for part in str(reference).removeprefix("#").split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        found = found.get(key, True) if isinstance(found, Mapping) else True
    return found if isinstance(found, Mapping | bool) else True


def _kind(flat: Mapping[str, Any]) -> str:
    kind = flat.get("type")
    if isinstance(kind, list):
        kind = next((each for each in kind if each != "null"), "null")
    if isinstance(kind, str):
        return kind
    if "properties" in flat or "required" in flat or "additionalProperties" in flat:
        return "object"
    if "items" in flat or "prefixItems" in flat:
        return "array"
    numeric = ("minimum", "maximum", "multipleOf", "exclusiveMinimum", "exclusiveMaximum")
    return "number" if any(key in flat for key in numeric) else "string"


def _common(one: Any, other: Any) -> Any:
    """The types that both allow."""
    left = [one] if isinstance(one, str) else list(one)
    right = [other] if isinstance(other, str) else list(other)
    both = [each for each in left if each in right]
    return both[0] if len(both) == 1 else both or left
