"""Whether an event fulfils a clause: all its conditions at once, fields of one array inside the same element."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.bus.patterns.fields import Fields, Key, Membership
from harness.bus.patterns.matchers import Matcher


@dataclass(frozen=True, slots=True)
class Condition:
    """What a path must show: one of `keys`, or a value that a matcher takes, or (`absent`) nothing at all.

    `wanted` is the list as the pattern has it.
    """

    path: str
    keys: frozenset[Key]
    matchers: tuple[Matcher, ...]
    absent: bool
    wanted: Sequence[Any] = field(default=(), compare=False, repr=False)

    def places(self, fields: Fields) -> set[Membership]:
        """Where the event has a value that the condition takes."""
        return {
            membership
            for value, key, membership in fields.get(self.path, ())
            if key in self.keys or any(matcher.holds(value) for matcher in self.matchers)
        }


Clause = tuple[Condition, ...]
"""In the order of the paths level by level, so that what lies below one array stands together."""

# Only an event that has two arrays at one path, by dots in its names, can come near: their choices multiply.
MAXIMUM_CHOICES = 100_000

_Tied = list[tuple[Condition, set[Membership]]]


def in_order(conditions: Iterable[Condition]) -> Clause:
    return tuple(sorted(conditions, key=lambda condition: condition.path.split(".")))


def clause_matches(clause: Clause, fields: Fields) -> bool:
    tied: _Tied = []
    for condition in clause:
        found = fields.get(condition.path)
        if found is None:
            if not condition.absent:
                return False
            continue
        places = condition.places(fields)
        if () in places:
            continue
        if not places and not (condition.absent and any(membership for _, _, membership in found)):
            return False
        tied.append((condition, places))
    return not tied or same_elements(tied, fields)


def same_elements(tied: _Tied, fields: Fields) -> bool:
    """Whether one choice of array elements satisfies every condition.

    Choices are carried along the conditions. An array that no later condition speaks of is forgotten, so that the
    choices do not multiply across unrelated arrays.
    """
    if len(tied) == 1 and not tied[0][0].absent:
        return True
    later: set[int] = set()
    remembered: list[frozenset[int]] = []
    for condition, _ in reversed(tied):
        remembered.append(frozenset(later))
        later.update(kind for _, _, membership in fields[condition.path] for kind, _ in membership)
    remembered.reverse()
    choices: set[Membership] = {()}
    for (condition, places), kept in zip(tied, remembered, strict=True):
        reached = _joined(choices, places, kept)
        if condition.absent:
            present = {membership for _, _, membership in fields[condition.path]}
            reached |= _unmet(choices, present, kept)
        if not reached:
            return False
        choices = reached
    return True


_Shape = tuple[int, ...]


def _by_shape(memberships: Iterable[Membership]) -> dict[_Shape, list[Membership]]:
    shapes: dict[_Shape, list[Membership]] = {}
    for membership in memberships:
        shapes.setdefault(tuple(kind for kind, _ in membership), []).append(membership)
    return shapes


def _joined(choices: set[Membership], places: set[Membership], kept: frozenset[int]) -> set[Membership]:
    """Every choice together with every place that agrees with it, down to the arrays in `kept`."""
    joined: set[Membership] = set()
    place_shapes = _by_shape(places)
    for choice_shape, some in _by_shape(choices).items():
        for place_shape, others in place_shapes.items():
            shared = frozenset(choice_shape) & frozenset(place_shape)
            agreeing: dict[Membership, set[Membership]] = {}
            for place in others:
                agreeing.setdefault(_kept(place, shared), set()).add(_kept(place, kept))
            for choice in some:
                for place in agreeing.get(_kept(choice, shared), ()):
                    joined.add(_merged(_kept(choice, kept), place))
                if len(joined) > MAXIMUM_CHOICES:
                    return joined
    return joined


def _unmet(choices: set[Membership], present: set[Membership], kept: frozenset[int]) -> set[Membership]:
    """The choices in whose elements there is no value of the path."""
    unmet: set[Membership] = set()
    shapes = _by_shape(present)
    for choice_shape, some in _by_shape(choices).items():
        seen = [
            (shared, {_kept(membership, shared) for membership in memberships})
            for shape, memberships in shapes.items()
            for shared in [frozenset(choice_shape) & frozenset(shape)]
        ]
        unmet |= {
            _kept(choice, kept)
            for choice in some
            if not any(_kept(choice, shared) in projected for shared, projected in seen)
        }
    return unmet


def _kept(membership: Membership, kinds: frozenset[int]) -> Membership:
    return tuple(pair for pair in membership if pair[0] in kinds)


def _merged(one: Membership, other: Membership) -> Membership:
    return tuple(sorted({**dict(one), **dict(other)}.items()))
