"""An event laid out flat: for each dotted path that rules ask for the scalars there, and where in arrays they lie.

Rules match on this form (as aws/event-ruler does): it is made once an event, whatever the number of rules.
Objects, arrays of objects and empty arrays leave no value of their own, so for `exists` they count as absent.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.bus.patterns.numbers import EXACT, comparable

Scalar = str | int | float | bool | None
Key = str | int | float | tuple[bool | None]
"""A scalar as a key of a set: JSON's true, false and null are wrapped, since Python takes True for 1. A large whole
number is the double that says the same: 10²³ and 1e23 are one to the ruler, and not to Python.
"""

Membership = tuple[tuple[int, int], ...]
"""(kind, element) pairs, sorted: the elements of arrays that a value lies inside. Empty outside arrays.

Arrays at the same path are of one kind, so that an event has few kinds however many arrays; elements are numbered
through the whole event.
"""

FieldValues = list[tuple[Scalar, Key, Membership]]
Fields = dict[str, FieldValues]

# Nothing real nests arrays in arrays that deep; what lies deeper takes part in no match.
MAXIMUM_ARRAYS = 32


@dataclass(frozen=True, slots=True)
class Paths:
    """The paths that rules ask for, and every path above one of them. A dot parts two levels."""

    leaves: frozenset[str]
    inner: frozenset[str]

    @classmethod
    def of(cls, paths: Iterable[str]) -> "Paths":
        leaves = frozenset(paths)
        inner = {path[:at] for path in leaves for at, char in enumerate(path) if char == "."}
        return cls(leaves, frozenset(inner))


def key_of(value: Scalar) -> Key:
    if value is None or value is True or value is False:
        return (value,)
    if type(value) is int and not -EXACT <= value <= EXACT and comparable(value):
        return float(value)
    return value


def flatten(event: Mapping[str, Any], wanted: Paths) -> Fields:
    """Dots in the event's names are levels too. Without recursion: an event may be nested 1,000 deep."""
    flattening = _Flattening(wanted)
    flattening.object("", event, ())
    while flattening.waiting:
        path, value, membership = flattening.waiting.pop()
        if isinstance(value, dict):
            flattening.object(path + ".", value, membership)
        else:
            flattening.array(path, value, membership)
    return flattening.fields


class _Flattening:
    def __init__(self, wanted: Paths) -> None:
        self.fields: Fields = {}
        self.waiting: list[tuple[str, Any, Membership]] = []
        self._leaves = wanted.leaves
        self._inner = wanted.inner
        self._kinds: dict[tuple[str, int, int], int] = {}
        self._arrays_at: dict[tuple[Membership, str], int] = {}
        self._elements = 0

    def object(self, prefix: str, value: Mapping[str, Any], membership: Membership) -> None:
        leaves, inner, fields = self._leaves, self._inner, self.fields
        for name, child in value.items():
            path = prefix + name
            if isinstance(child, dict):
                if path in inner:
                    self.waiting.append((path, child, membership))
            elif isinstance(child, list):
                if path in inner or path in leaves:
                    self.waiting.append((path, child, membership))
            elif path in leaves:
                fields.setdefault(path, []).append((child, key_of(child), membership))

    def array(self, path: str, elements: list[Any], membership: Membership) -> None:
        if len(membership) >= MAXIMUM_ARRAYS:
            return
        kind, sort = -1, False
        for number, element in enumerate(elements, start=self._elements):
            # Scalars of one array do not tie other fields to an element; objects and inner arrays do.
            if isinstance(element, dict | list):
                if kind < 0:
                    kind = self._kind(path, membership)
                    sort = bool(membership) and membership[-1][0] > kind
                if element and (isinstance(element, list) or path in self._inner):
                    inside = (*membership, (kind, number))
                    self.waiting.append((path, element, tuple(sorted(inside)) if sort else inside))
            elif path in self._leaves:
                self.fields.setdefault(path, []).append((element, key_of(element), membership))
        self._elements += len(elements)

    def _kind(self, path: str, membership: Membership) -> int:
        # With dots in names one object can have two arrays at the same path; those are independent of each other.
        place = (membership, path)
        twin = self._arrays_at.get(place, 0)
        self._arrays_at[place] = twin + 1
        return self._kinds.setdefault((path, len(membership), twin), len(self._kinds))
