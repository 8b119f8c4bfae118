"""From a difference somewhere inside to a whole value that one root accepts and the other refuses."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from jsonschema_rs import canonical

from harness.contracts.schemas.dialects import Schema
from harness.contracts.schemas.difference import Witness
from harness.contracts.schemas.flat import Flat, merge
from harness.contracts.schemas.samples import Sampler, for_index
from harness.contracts.schemas.schema import Compiled

ITEM: Final = "*"


class AnyName(str):
    """A step to a property that stands for all of its kind."""

    __slots__ = ()


OTHER: Final = AnyName("\0other")
"""The step to a property that nothing names."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A pair of schemas on the way down: `step` led here from `parent`: a name, or the index of an item."""

    parent: "Frame | None"
    step: str | int
    narrow: Flat
    wide: Flat

    @property
    def path(self) -> tuple[str, ...]:
        steps: list[str] = []
        frame: Frame | None = self
        while frame is not None and frame.parent is not None:
            steps.append(ITEM if isinstance(frame.step, int | AnyName) else frame.step)
            frame = frame.parent
        return tuple(reversed(steps))

    @property
    def depth(self) -> int:
        return len(self.path)

    def beside(self, narrow: Flat, wide: Flat) -> "Frame":
        """The same place, seen through other schemas: a variant, or what is left of one."""
        return Frame(self.parent, self.step, narrow, wide)


class Witnesses:
    """Looks for values that `narrow` accepts and `wide` refuses, and asks both validators."""

    def __init__(self, narrow: Compiled, wide: Compiled, sampler: Sampler) -> None:
        self._narrow = narrow
        self._wide = wide
        self._sampler = sampler

    def witness(self, frame: Frame, proposals: Iterable[Any]) -> Witness | None:
        """The first proposal for the place of `frame` that, put into a whole value, shows the difference."""
        for proposal in islice(proposals, 24):
            for whole in self._embedded(frame, proposal):
                if self._narrow.accepts(whole) and not self._wide.accepts(whole):
                    return Witness(whole)
        return None

    def _embedded(self, frame: Frame, value: Any) -> Iterator[Any]:
        if frame.parent is None:
            yield value
            return
        for around in islice(self._around(frame.parent, frame.step, value), 3):
            yield from islice(self._embedded(frame.parent, around), 2)

    def _around(self, parent: Frame, step: str | int, value: Any) -> Iterator[Any]:
        """Values of the parent's schema that hold `value` at `step`; otherwise good on both sides first."""
        given: list[Any] = []
        for schema in self._backgrounds(parent, step):
            make = self._arrays(schema, step, value) if isinstance(step, int) else self._objects(schema, step, value)
            for around in make:
                if around not in given:
                    given.append(around)
                    yield around

    def _backgrounds(self, parent: Frame, step: str | int) -> Iterator[Flat]:
        if inlined := self._without_references(parent.wide, step):
            yield merge(parent.narrow, inlined)
        yield parent.narrow

    def _without_references(self, wide: Flat, step: str | int) -> Flat | None:
        """What the wide schema asks of the rest of the object, as far as it can be said without its definitions."""
        kept = {key: value for key, value in wide.items() if key in _OF_REST}
        if "properties" in kept and isinstance(step, str):
            kept["properties"] = {name: inner for name, inner in kept["properties"].items() if name != step}
        return None if not kept or _refers(kept) else kept

    def _objects(self, schema: Flat, name: str, value: Any) -> Iterator[Any]:
        if name == OTHER:
            name = next(other for other in ("other", "extra", "x-other") if other not in schema.get("properties", {}))
        name = str(name)  # the validators take no subclass of it
        plain = {key: inner for key, inner in schema.items() if key != "required"}
        plain["required"] = [other for other in schema.get("required", ()) if other != name]
        rest = {other: inner for other, inner in schema.get("properties", {}).items() if other != name}
        plain["properties"] = {**rest, name: True}
        for whole in self._sampler.samples({**plain, "type": "object"})[:3]:
            yield {**whole, name: value}

    def _arrays(self, schema: Flat, index: int, value: Any) -> Iterator[Any]:
        before = [self._sampler.first(for_index(schema, place)) for place in range(index)]
        if not all(before):
            return
        items = [drawn[0] for drawn in before] + [value]
        for place in range(len(items), schema.get("minItems", 0)):
            drawn = self._sampler.samples(for_index(schema, place))
            fresh = [item for item in drawn if item not in items] or drawn
            if not fresh:
                return
            items = [*items, fresh[0]]
        yield items

    def breaking(self, frame: Frame, keyword: str, value: Any) -> Iterator[Any]:
        """Values of the narrow schema that break one keyword of the wide one; good ones in all else come first."""
        broken = _broken(keyword, value)
        others = {key: inner for key, inner in frame.wide.items() if key in _LEAF and key != keyword}
        if others and not _refers(others):
            yield from self._sampler.samples(merge(merge(frame.narrow, others), broken))
        yield from self._sampler.samples(merge(frame.narrow, broken))
        if keyword == "uniqueItems":
            for item in self._sampler.samples(for_index(frame.narrow, 0)):
                yield [item] * max(2, frame.narrow.get("minItems", 0))

    def any_of(self, schema: Schema) -> Iterator[Any]:
        yield from self._sampler.samples(schema)

    def without(self, frame: Frame, name: str) -> Iterator[Any]:
        """Objects without a property."""
        wide = self._without_references(frame.wide, name) or {}
        required = [other for other in wide.pop("required", ()) if other != name]
        for more in ({**wide, "required": required}, {}):
            schema = merge(frame.narrow, {**more, "type": "object"})
            properties = {**schema.get("properties", {}), name: False}
            yield from self._sampler.samples({**schema, "properties": properties})

    def objects_with(self, frame: Frame, name: str, value: Any) -> Iterator[Any]:
        """Objects for the place of `frame` that hold `value` as a property."""
        return islice(self._around(frame, name, value), 3)

    def differing(self) -> Witness | None:
        """From the difference of the two roots as jsonschema-rs computes it."""
        drawn = (value for value in self._drawn() if self._narrow.accepts(value) and not self._wide.accepts(value))
        return next((Witness(value) for value in drawn), None)

    def _drawn(self) -> Iterator[Any]:
        try:
            said = self._narrow.canonical.subtract(self._wide.canonical).to_json_schema()
        except canonical.CanonicalizationError:  # it has no form for the difference
            return
        if isinstance(said, dict):
            definitions: Any = said.get("$defs", {})
            yield from Sampler(definitions).samples(said)


def _broken(keyword: str, value: Any) -> Flat:
    """A schema of values that break `keyword: value`."""
    match keyword:
        case "minLength" | "minItems" | "minProperties":
            return {_OPPOSITE[keyword]: value - 1} if value > 0 else {"not": {}}
        case "maxLength" | "maxItems" | "maxProperties":
            return {_OPPOSITE[keyword]: value + 1}
        case "minimum" | "exclusiveMaximum" | "exclusiveMinimum" | "maximum":
            return {_OPPOSITE[keyword]: value}
        case "uniqueItems":
            return {"not": {"uniqueItems": True}}
    return {"not": {keyword: value}}


_OPPOSITE: Final = {
    "minLength": "maxLength",
    "minItems": "maxItems",
    "minProperties": "maxProperties",
    "maxLength": "minLength",
    "maxItems": "minItems",
    "maxProperties": "minProperties",
    "minimum": "exclusiveMaximum",
    "maximum": "exclusiveMinimum",
    "exclusiveMinimum": "maximum",
    "exclusiveMaximum": "minimum",
}
_LEAF: Final = (
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
    "minProperties",
    "maxProperties",
    "required",
    "enum",
)
_OF_REST: Final = (*_LEAF, "properties", "additionalProperties", "items", "uniqueItems")


def _refers(value: Any) -> bool:
    if isinstance(value, dict):
        return "$ref" in value or any(map(_refers, value.values()))
    return isinstance(value, list) and any(map(_refers, value))
