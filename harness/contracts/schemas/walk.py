"""Where the values of one schema are not values of another: both are walked side by side.

What the walk finds nothing against is contained: each step asks for no less than the wide schema does. What it finds
is a place to look at, and is proven only by a witness. A pair of schemas that is met again below itself is taken to be
contained (values are finite, so that induction over their depth holds).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from harness.contracts.schemas.algebra import covers
from harness.contracts.schemas.closed import identical
from harness.contracts.schemas.dialects import DEFS, Schema
from harness.contracts.schemas.difference import Difference, Kind
from harness.contracts.schemas.documents import Location
from harness.contracts.schemas.flat import NEVER, Flat
from harness.contracts.schemas.load import Subject
from harness.contracts.schemas.schema import Schemas
from harness.contracts.schemas.witness import Frame, Witnesses

MAX_DIFFERENCES = 200
"""Of one pair; a hundred more would say nothing new."""
MAX_PAIRS = 5_000
MAX_DEPTH = 48


@dataclass(frozen=True, slots=True)
class Node:
    """One pair on the way down. The flat schemas are in the frame; `narrow` and `wide` say where they are written."""

    narrow: Schema
    wide: Schema
    frame: Frame
    excluded: tuple[Schema, ...] = ()
    """Variants that values of `narrow` do not match, because a `oneOf` says so."""

    @property
    def ours(self) -> Flat:
        return self.frame.narrow

    @property
    def theirs(self) -> Flat:
        return self.frame.wide

    def through(self, *, narrow: Flat | None = None, wide: Flat | None = None) -> "Node":
        """The same place seen through other flat schemas."""
        ours = self.ours if narrow is None else narrow
        return replace(self, frame=self.frame.beside(ours, self.theirs if wide is None else wide))


class Walk:
    """One walk over one pair. `steps` compare a node's keywords; each answers whether to go on."""

    def __init__(
        self, narrow: Subject, wide: Subject, steps: "Sequence[Callable[[Walk, Node], bool]]", *, shown: bool = True
    ) -> None:
        self.narrow = narrow.schemas
        self.wide = wide.schemas
        self.root = narrow.schema, wide.schema
        self.differences: list[Difference] = []
        self.witnesses = Witnesses(narrow.compiled, wide.compiled, narrow.schemas.sampler)
        self._steps = steps
        self._open: set[tuple[int, int]] = set()
        self._pairs = 0
        self._trial = not shown

    def run(self) -> list[Difference]:
        narrow, wide = self.root
        self.pair(narrow, wide, None, "")
        return self.differences

    def pair(self, narrow: Schema, wide: Schema, parent: Frame | None, step: str | int) -> None:
        """A schema of each side, at a step below `parent`."""
        frame = Frame(parent, step, self.narrow.flat(narrow), self.wide.flat(wide))
        self.node(Node(narrow, wide, frame))

    def node(self, node: Node) -> None:
        if node.theirs == {} or node.ours == NEVER or len(self.differences) >= MAX_DIFFERENCES:
            return
        key = id(node.ours), id(node.theirs)
        if key in self._open or self.equal(node.ours, node.theirs):
            return
        mixed = any(keyword in flat for flat in (node.ours, node.theirs) for keyword in _MIXED)
        if mixed and self.covered(node.ours, node.theirs):
            return
        self._pairs += 1
        if self._pairs > MAX_PAIRS or node.frame.depth > MAX_DEPTH:
            self.found(Kind.COMPOSITION, node, (), reason="the schemas are nested too deeply to be compared whole")
            return
        self._open.add(key)
        before = len(self.differences)
        for step in self._steps:
            if not step(self, node):
                break
        self._open.discard(key)
        # What no value shows may be no difference at all; asking for the proof first would cost more than the walk.
        doubts = not self._trial and any(found.witness is None for found in self.differences[before:])
        if doubts and not mixed and self.covered(node.ours, node.theirs):
            del self.differences[before:]

    def equal(self, narrow: Schema, wide: Schema) -> bool:
        return identical(self.narrow.compiled(narrow).closed, self.wide.compiled(wide).closed)

    def covered(self, narrow: Schema, wide: Schema) -> bool:
        """Whether equality or jsonschema-rs proves containment. False says nothing."""
        if self.equal(narrow, wide):
            return True
        ours, theirs = self.narrow.compiled(narrow), self.wide.compiled(wide)
        return covers(theirs.canonical, ours.canonical) is True

    def tried(self, node: Node) -> bool:
        """Whether the walk would find nothing at `node`; what it finds is forgotten."""
        kept, self.differences = self.differences, []
        outer, self._trial = self._trial, True
        self.node(node)
        found, self.differences, self._trial = self.differences, kept, outer
        return not found

    def found(self, kind: Kind, node: Node, proposals: Iterable[Any], **said: Any) -> None:
        """Puts down a difference, with the first proposal that proves it."""
        keyword: str = said.get("keyword", "")
        witness = None if self._trial else self.witnesses.witness(node.frame, proposals)
        difference = Difference(
            kind=kind,
            path=said.pop("path", node.frame.path),
            narrow=said.pop("narrow", None) or written(node.narrow, keyword, self.narrow),
            wide=said.pop("wide", None) or written(node.wide, keyword, self.wide),
            witness=witness,
            **said,
        )
        self.differences.append(difference)


def written(schema: Schema, keyword: str, schemas: Schemas) -> Location | None:
    """Where a keyword stands: in the schema itself, in what it refers to, or in a part of it; else the schema."""
    owners = [
        (location, schemas.library.at(location))
        for place in places(schema, schemas)
        if (location := schemas.at(place)) is not None
    ]
    for location, raw in owners:
        for word in (keyword, *_SPELLED.get(keyword, ())) if isinstance(raw, dict) else ():
            if word and word in raw:
                return Location(location.file, (*location.path, word))
    return owners[0][0] if owners else None


def places(schema: Schema, schemas: Schemas) -> Iterator[Schema]:
    """The schema, and those that it is made of by `$ref` and `allOf`."""
    return _places(schema, schemas, set())


def _places(schema: Schema, schemas: Schemas, seen: set[int]) -> Iterator[Schema]:
    if not isinstance(schema, dict) or id(schema) in seen:
        return
    seen.add(id(schema))
    yield schema
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference.startswith(DEFS):
        yield from _places(schemas.target(reference), schemas, seen)
    for part in schema.get("allOf", ()):
        yield from _places(part, schemas, seen)


_MIXED: Final = (
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "dependentSchemas",
    "unevaluatedProperties",
    "unevaluatedItems",
)
_SPELLED: Final = {
    "type": ("nullable", "anyOf", "oneOf"),
    "enum": ("const", "nullable"),
    "exclusiveMinimum": ("minimum",),
    "exclusiveMaximum": ("maximum",),
    "minimum": ("format",),
    "maximum": ("format",),
}
