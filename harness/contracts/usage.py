"""Recorded usage: what a consumer was seen to use of a provider's API, as names and counts; no value is ever in it.

`contracts/<provider>/consumers/<consumer>.recorded.jsonl` has one line for each operation;
docs/reference/recorded-usage.md is the description of a line. Pure: the recorder makes a `Usage` of each call with
`used_once`, `merge`s them and writes what `serialise` gives.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple, TypeVar

from harness.contracts.field_path import FieldPath, show_field_path
from harness.contracts.usage_line import LineError, read_line
from harness.errors import InputError, Problem

MOST_FIELDS = 1_000
"""Of one operation: a schema that leads back to itself has paths without end, and a caller may send ever new ones."""

LOCATIONS = ("path", "query", "header", "cookie")
"""Where parameters are (OpenAPI 3.1, 4.8.12): the keys of `Usage.parameters`."""


class Call(NamedTuple):
    """An operation of one version. `method` in upper case, `path` the contract's template below `/<version>`."""

    version: str
    method: str
    path: str

    def __str__(self) -> str:
        return f"{self.method} /{self.version}{self.path}"


@dataclass(frozen=True, slots=True)
class Seen:
    """How often, and on which days (UTC) first and last."""

    count: int
    first: date
    last: date

    def __add__(self, other: "Seen") -> "Seen":
        return Seen(self.count + other.count, min(self.first, other.first), max(self.last, other.last))


@dataclass(frozen=True, slots=True)
class Usage:
    """What one consumer used of one operation. `parameters` by location and name, header names in lower case.

    `response_fields` are those that calls asked for where the operation has a parameter that chooses fields; `()`
    counts the calls that did not choose. Empty: no call ever chose, so any field may have been read.
    """

    call: Call
    seen: Seen
    parameters: Mapping[str, Mapping[str, Seen]] = field(default_factory=dict)
    request_fields: Mapping[FieldPath, Seen] = field(default_factory=dict)
    response_fields: Mapping[FieldPath, Seen] = field(default_factory=dict)
    statuses: Mapping[int, Seen] = field(default_factory=dict)


def used_once(
    call: Call,
    day: date,
    *,
    status: int,
    parameters: Mapping[str, Iterable[str]] | None = None,
    request_fields: Iterable[FieldPath] = (),
    response_fields: Iterable[FieldPath] = (),
) -> Usage:
    """One call. `parameters` are names by location. `response_fields` stays empty where the call did not choose."""
    once = Seen(1, day, day)
    return Usage(
        call,
        once,
        parameters={
            location: {_name(location, name): once for name in names}
            for location, names in (parameters or {}).items()
            if names
        },
        request_fields=_bounded(dict.fromkeys(request_fields, once)),
        response_fields=_bounded(dict.fromkeys(response_fields or [()], once)),
        statuses={status: once},
    )


def _name(location: str, name: str) -> str:
    """RFC 9110 section 5.1: names of headers are case-insensitive."""
    return name.lower() if location == "header" else name


def merge(usages: Iterable[Usage]) -> tuple[Usage, ...]:
    """One entry for each operation, sorted; counts added up, days widened."""
    merged: dict[Call, Usage] = {}
    for usage in usages:
        known = merged.get(usage.call)
        merged[usage.call] = usage if known is None else _both(known, usage)
    return tuple(merged[call] for call in sorted(merged))


def _both(one: Usage, other: Usage) -> Usage:
    return Usage(
        one.call,
        one.seen + other.seen,
        parameters={
            location: _added(one.parameters.get(location, {}), other.parameters.get(location, {}))
            for location in LOCATIONS
            if location in one.parameters or location in other.parameters
        },
        request_fields=_bounded(_added(one.request_fields, other.request_fields)),
        response_fields=_bounded(_added(_chosen(one, other), _chosen(other, one))),
        statuses=_added(one.statuses, other.statuses),
    )


def _chosen(usage: Usage, other: Usage) -> Mapping[FieldPath, Seen]:
    """Where one side says which fields and the other says nothing, the other's calls did not choose."""
    if other.response_fields and not usage.response_fields:
        return {(): usage.seen}
    return usage.response_fields


_Key = TypeVar("_Key")


def _added(one: Mapping[_Key, Seen], other: Mapping[_Key, Seen]) -> dict[_Key, Seen]:
    added = dict(one)
    for key, seen in other.items():
        added[key] = added[key] + seen if key in added else seen
    return added


def _bounded(fields: dict[FieldPath, Seen]) -> dict[FieldPath, Seen]:
    """The shortest paths, of one length in the order of their text, so that the order of calls does not matter."""
    if len(fields) <= MOST_FIELDS:
        return fields
    kept = sorted(fields, key=lambda path: (len(path), show_field_path(path)))[:MOST_FIELDS]
    return {path: fields[path] for path in kept}


def serialise(usages: Iterable[Usage]) -> str:
    """The text of a file: a line for each operation, sorted, so that the same usage gives the same bytes."""
    return "".join(
        json.dumps(_line(usage), ensure_ascii=False, separators=(", ", ": ")) + "\n" for usage in merge(usages)
    )


def _line(usage: Usage) -> dict[str, Any]:
    line: dict[str, Any] = {
        "version": usage.call.version,
        "method": usage.call.method,
        "path": usage.call.path,
        "seen": _seen(usage.seen),
    }
    line["parameters"] = {
        location: {name: _seen(seen) for name, seen in sorted(usage.parameters[location].items())}
        for location in LOCATIONS
        if usage.parameters.get(location)
    }
    line["requestFields"] = _fields(usage.request_fields)
    line["responseFields"] = _fields(usage.response_fields)
    line["statuses"] = {str(status): _seen(seen) for status, seen in sorted(usage.statuses.items())}
    return line


def _fields(fields: Mapping[FieldPath, Seen]) -> dict[str, Any]:
    return dict(sorted((show_field_path(path), _seen(seen)) for path, seen in fields.items()))


def _seen(seen: Seen) -> dict[str, Any]:
    return {"count": seen.count, "first": seen.first.isoformat(), "last": seen.last.isoformat()}


def parse_usage(text: str, *, file: str) -> tuple[Usage, ...]:
    """The usage in a file's text, merged. Raises `InputError` with every line that is wrong."""
    usages = []
    problems = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            usages.append(_usage(read_line(line)))
        except LineError as error:
            problems.append(Problem(file, number, str(error)))
    if problems:
        raise InputError(problems)
    return merge(usages)


def _usage(line: Mapping[str, Any]) -> Usage:
    return Usage(
        Call(line["version"], line["method"], line["path"]),
        Seen(*line["seen"]),
        parameters={
            location: {_name(location, name): Seen(*seen) for name, seen in names.items()}
            for location, names in line["parameters"].items()
        },
        request_fields={path: Seen(*seen) for path, seen in line["requestFields"].items()},
        response_fields={path: Seen(*seen) for path, seen in line["responseFields"].items()},
        statuses={status: Seen(*seen) for status, seen in line["statuses"].items()},
    )
