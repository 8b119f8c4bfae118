"""Why a pattern does not match an event: the first path at which it fails, what is there, and what was wanted."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Any

from harness.bus.patterns.clauses import Clause, Condition, same_elements
from harness.bus.patterns.fields import Fields, Scalar, flatten
from harness.bus.patterns.pattern import Pattern

MOST_VALUES = 5
MOST_CHARACTERS = 80


class Reason(StrEnum):
    MISSING = "missing"  # nothing there that a pattern can look at
    PRESENT = "present"  # something there, and absence was wanted
    DIFFERENT = "different"  # values there, none that is wanted
    APART = "apart"  # each of the array's fields matches, in different elements


@dataclass(frozen=True, slots=True)
class Mismatch:
    """`path` is dotted; `seen` are some of the values there; `wanted` is the pattern's list.

    `arms`: how many combinations of `$or` were tried; this is the one that came furthest.
    """

    reason: Reason
    path: str
    seen: tuple[Scalar, ...]
    wanted: tuple[Any, ...]
    arms: int = 1

    def __str__(self) -> str:
        wanted = ", ".join(map(_shown, self.wanted))
        seen = ", ".join(map(_shown, self.seen))
        text = {
            Reason.MISSING: f"{self.path} is not in the event; wanted {wanted}",
            Reason.PRESENT: f"{self.path} is {seen}; wanted {wanted}",
            Reason.DIFFERENT: f"{self.path} is {seen}; wanted {wanted}",
            Reason.APART: f"{self.path} is {wanted} only in another element of its array than the fields before it",
        }[self.reason]
        return text if self.arms == 1 else f"{text} (the closest of {self.arms} combinations of $or)"


def explain(pattern: Pattern, event: Mapping[str, Any]) -> Mismatch | None:
    """None when it matches."""
    fields = flatten(event, pattern.paths())
    found: list[tuple[int, Mismatch]] = []
    for clause in pattern.clauses:
        failing = _first_failing(clause, fields, len(pattern.clauses))
        if failing is None:
            return None
        found.append(failing)
    return max(found, key=lambda each: each[0])[1]


def _first_failing(clause: Clause, fields: Fields, arms: int) -> tuple[int, Mismatch] | None:
    """With the number of conditions that hold: the more, the closer the clause came."""
    alone = [condition for condition in clause if not _holds(condition, fields)]
    if alone:
        return len(clause) - len(alone), _alone(alone[0], fields, arms)
    tied = [
        (condition, places)
        for condition in clause
        if condition.path in fields and () not in (places := condition.places(fields))
    ]
    for count in range(1, len(tied) + 1):
        if not same_elements(tied[:count], fields):
            condition = tied[count - 1][0]
            return len(clause), Mismatch(
                Reason.APART, condition.path, _seen(condition, fields), tuple(condition.wanted), arms
            )
    return None


def _holds(condition: Condition, fields: Fields) -> bool:
    """By itself, whatever the others want of the same array."""
    found = fields.get(condition.path)
    if found is None:
        return condition.absent
    return bool(condition.places(fields)) or (condition.absent and any(membership for _, _, membership in found))


def _alone(condition: Condition, fields: Fields, arms: int) -> Mismatch:
    seen = _seen(condition, fields)
    if not seen:
        reason = Reason.MISSING
    elif condition.absent and not condition.keys and not condition.matchers:
        reason = Reason.PRESENT
    else:
        reason = Reason.DIFFERENT
    return Mismatch(reason, condition.path, seen, tuple(condition.wanted), arms)


def _seen(condition: Condition, fields: Fields) -> tuple[Scalar, ...]:
    distinct = {key: value for value, key, _ in islice(fields.get(condition.path, ()), 1000)}
    return tuple(islice(distinct.values(), MOST_VALUES))


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 1]}…"
