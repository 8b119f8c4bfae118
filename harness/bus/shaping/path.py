"""The part of JSONPath that EventBridge takes: `$.detail.lines[0].sku`.

Names after a dot or in brackets, indexes, and `*` for every member. Source: EventBridge user guide, "Input
transformation": dot notation, dashes, underscores, alphanumeric characters, array indices, wildcards.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final


class Nothing(Enum):
    """What a path finds where there is nothing; null is something."""

    NOTHING = "nothing"


NOTHING: Final = Nothing.NOTHING


class _Every(Enum):
    EVERY = "*"


_STEP = re.compile(
    r"""\. (?: (?P<every>\*) | (?P<name>[^.\[\]*'"\s]+) )
      | \[ (?: (?P<each>\*) | (?P<index>[0-9]{1,9}) | '(?P<single>[^']+)' | "(?P<double>[^"]+)" ) \]""",
    re.VERBOSE,
)
# Each one may multiply what is found.
_MOST_WILDCARDS = 2

Step = str | int | _Every


@dataclass(frozen=True, slots=True)
class InputPath:
    """`steps`: names of fields, indexes of arrays, `EVERY`. No step: the whole event."""

    steps: tuple[Step, ...]

    def find(self, event: Mapping[str, Any]) -> Any | Nothing:
        """The value; a list of all values where the path has a `*`; NOTHING where there is none."""
        found: list[Any] = [event]
        for step in self.steps:
            found = [child for value in found for child in _children(value, step)]
        if _Every.EVERY in self.steps:
            return found
        return found[0] if found else NOTHING


def parse_path(text: str) -> InputPath | None:
    """None when it is no path that EventBridge takes."""
    if not text.startswith("$"):
        return None
    steps: list[Step] = []
    at = 1
    while at < len(text):
        step = _STEP.match(text, at)
        if step is None:
            return None
        steps.append(_read(step))
        at = step.end()
    if steps.count(_Every.EVERY) > _MOST_WILDCARDS:
        return None
    return InputPath(tuple(steps))


def _read(step: re.Match[str]) -> Step:
    if step["every"] or step["each"]:
        return _Every.EVERY
    if step["index"]:
        return int(step["index"])
    name: str = step["name"] or step["single"] or step["double"]
    return name


def _children(value: Any, step: Step) -> Iterable[Any]:
    match value, step:
        case dict(), str():
            return (value[step],) if step in value else ()
        case list(), int():
            return (value[step],) if step < len(value) else ()
        case dict(), _Every():
            return value.values()
        case list(), _Every():
            return value
    return ()
