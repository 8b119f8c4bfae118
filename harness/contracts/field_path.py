"""Paths into a JSON value, as pacts, recorded usage and findings write them: `$.lines[*].sku`.

The subset of JSONPath that names fields: members by name (`.sku`, `['odd name']`), any element (`[*]`), one element
(`[0]`, which stands for any element as well: contracts speak of all of them) and any member (`.*`).
"""

import re
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any


class Step(Enum):
    """What is no name of a member."""

    ELEMENT = "[*]"
    MEMBER = ".*"


FieldPath = tuple[str | Step, ...]
"""`()` is the whole value."""

ELEMENT = Step.ELEMENT
MEMBER = Step.MEMBER

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_STEP = re.compile(
    r"\.(?P<plain>[^.\[\]'\"*\s]+)"
    r"|\.(?P<member>\*)"
    r"|\[(?P<element>\*|[0-9]+)\]"
    r"|\['(?P<quoted>(?:[^'\\]|\\.)*)'\]"
    r'|\["(?P<double>(?:[^"\\]|\\.)*)"\]',
    re.DOTALL,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class NoFieldPath(ValueError):
    """`str()` says what is wrong with the text."""


def parse_field_path(text: str) -> FieldPath:
    """Raises `NoFieldPath`."""
    return tuple(ELEMENT if isinstance(step, int) else step for step in parse_steps(text))


def parse_steps(text: str) -> tuple[str | int | Step, ...]:
    """As `parse_field_path`, with the indexes that are written. Raises `NoFieldPath`."""
    if not text.startswith("$"):
        raise NoFieldPath(f'"{text}" is no path of a field: it begins with $, such as $.lines[*].sku')
    steps: list[str | int | Step] = []
    at = 1
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None:
            raise NoFieldPath(f'"{text}" is no path of a field from "{text[at:]}" on, such as $.lines[*].sku')
        steps.append(_step(found))
        at = found.end()
    return tuple(steps)


def _step(found: re.Match[str]) -> str | int | Step:
    if found["plain"] is not None:
        return found["plain"]
    if found["member"] is not None:
        return Step.MEMBER
    if found["element"] is not None:
        return Step.ELEMENT if found["element"] == "*" else int(found["element"])
    quoted = found["quoted"] if found["quoted"] is not None else found["double"]
    return _ESCAPED.sub(r"\1", quoted)


def show_field_path(path: FieldPath) -> str:
    """The one spelling that this project writes."""
    return "$" + "".join(_shown(step) for step in path)


def _shown(step: str | Step) -> str:
    if isinstance(step, Step):
        return step.value
    if _PLAIN.fullmatch(step):
        return f".{step}"
    escaped = step.replace("\\", "\\\\").replace("'", "\\'")
    return f"['{escaped}']"


def fields_of(value: Any) -> Iterator[FieldPath]:
    """Every member of a JSON value at any depth, elements of an array together; a path may come more than once."""
    pending: list[tuple[FieldPath, Any]] = [((), value)]
    while pending:
        path, value = pending.pop()
        if isinstance(value, Mapping):
            for name, member in value.items():
                yield (*path, name)
                pending.append(((*path, name), member))
        elif isinstance(value, list):
            pending += [((*path, ELEMENT), element) for element in value]


def lies_within(inner: FieldPath, outer: FieldPath) -> bool:
    """Whether `inner` is `outer` or a field below it; `.*` stands for every name, on either side."""
    return len(inner) >= len(outer) and all(_same(one, other) for one, other in zip(inner, outer, strict=False))


def _same(one: str | Step, other: str | Step) -> bool:
    if one is MEMBER or other is MEMBER:
        return ELEMENT not in (one, other)
    return one == other
