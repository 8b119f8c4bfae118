"""An event laid out flat: for each dotted path the scalars found there, and the array elements they lie in.

Rules match on this form (as aws/event-ruler does): it is made once an event, whatever the number of rules.
Objects, arrays of objects and empty arrays leave no value of their own, so for `exists` they count as absent.
"""

from collections.abc import Mapping, Set
from typing import Any

Scalar = str | int | float | bool | None
Key = str | int | float | tuple[bool | None]
"""A scalar as a key of a set: JSON's true, false and null are wrapped, since Python takes True for 1."""

Membership = tuple[tuple[int, int], ...]
"""(array, index) pairs: the elements of arrays that a value lies inside. Empty outside arrays of objects."""

Fields = dict[str, list[tuple[Scalar, Key, Membership]]]


def key_of(value: Scalar) -> Key:
    return (value,) if value is None or value is True or value is False else value


def flatten(event: Mapping[str, Any], steps: Set[str] | None = None) -> Fields:
    """`steps`: the names that any rule uses; what lies under others is skipped. Dots part a name."""
    flattening = _Flattening(steps)
    flattening.object("", event, ())
    return flattening.fields


class _Flattening:
    def __init__(self, steps: Set[str] | None) -> None:
        self.fields: Fields = {}
        self._steps = steps
        self._arrays = 0

    def object(self, prefix: str, value: Mapping[str, Any], membership: Membership) -> None:
        for name, child in value.items():
            if self._used(name):
                self._value(prefix + name, child, membership)

    def _used(self, name: str) -> bool:
        if self._steps is None or name in self._steps:
            return True
        return "." in name and all(step in self._steps for step in name.split("."))

    def _value(self, path: str, value: Any, membership: Membership) -> None:
        if isinstance(value, dict):
            self.object(path + ".", value, membership)
        elif isinstance(value, list):
            self._array(path, value, membership)
        else:
            self.fields.setdefault(path, []).append((value, key_of(value), membership))

    def _array(self, path: str, elements: list[Any], membership: Membership) -> None:
        array = self._arrays
        self._arrays += 1
        for index, element in enumerate(elements):
            # Scalars of one array do not tie other fields to an element; objects and inner arrays do.
            inside = isinstance(element, dict | list)
            self._value(path, element, (*membership, (array, index)) if inside else membership)
