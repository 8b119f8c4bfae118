"""The JSON of a pattern, read so that nothing of it is lost: keys given twice, and numbers as written."""

import json
import re
from collections.abc import Mapping
from typing import Any

from harness.bus.patterns.numbers import WrittenFloat

# Deeper than any event that PutEvents takes could need at the most characters a pattern may have.
MAXIMUM_DEPTH = 400


class JsonError(ValueError):
    """It is no JSON; the text says where."""


class Pairs(dict[str, Any]):
    """An object in which, as in any, the last of equal keys counts; `pairs` are all of them in their order."""

    pairs: list[tuple[str, Any]]

    @classmethod
    def read(cls, pairs: list[tuple[str, Any]]) -> "Pairs":
        read = cls(pairs)
        read.pairs = pairs
        return read


def pairs_of(value: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return value.pairs if isinstance(value, Pairs) else list(value.items())


def parse(text: str) -> Any:
    """Raises JsonError; never nested too deep for a recursive reader."""
    if _depth(text) > MAXIMUM_DEPTH:
        raise JsonError(f"nested more than {MAXIMUM_DEPTH} deep")
    try:
        return json.loads(
            text, object_pairs_hook=Pairs.read, parse_float=WrittenFloat.read, parse_constant=_no_constant
        )
    except json.JSONDecodeError as error:
        raise JsonError(str(error)) from error


def too_deep(value: object) -> bool:
    """The same bound for what was parsed elsewhere."""
    level: list[Any] = [value]
    for _ in range(MAXIMUM_DEPTH + 1):
        level = [child for item in level for child in _children(item)]
        if not level:
            return False
    return True


def _children(value: object) -> list[Any]:
    if isinstance(value, Mapping):
        return list(value.values())
    return value if isinstance(value, list) else []


def _depth(text: str) -> int:
    """At least how deep brackets nest; in a text that is no JSON it may be anything."""
    depth = deepest = 0
    for bracket in re.findall(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', text, re.DOTALL):
        if bracket in ("[", "{"):
            depth += 1
            deepest = max(deepest, depth)
        elif bracket in ("]", "}"):
            depth -= 1
    return deepest


def _no_constant(name: str) -> Any:
    raise JsonError(f"{name} is not JSON")
