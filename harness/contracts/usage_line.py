"""A line of recorded usage, checked: every key known, every count and day what it should be."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from harness.contracts.field_path import NoFieldPath, parse_field_path
from harness.errors import did_you_mean

_VERSION = re.compile(r"v[0-9]+")
_METHOD = re.compile(r"[A-Z]+")
_STATUS = re.compile(r"[1-5][0-9]{2}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LOCATIONS = ("path", "query", "header", "cookie")


class LineError(ValueError):
    """`str()` names the key that is wrong and the mend."""


def read_line(text: str) -> Mapping[str, Any]:
    """The line with all its keys: paths of fields parsed, statuses as numbers, each `seen` as (count, first, last)."""
    try:
        line = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise LineError(f"not JSON: {error}: a line of recorded usage is one JSON object") from error
    if not isinstance(line, dict):
        raise LineError("must be one JSON object a line")
    for key in line:
        if key not in _READERS:
            raise LineError(f'unknown key "{key}"{did_you_mean(key, tuple(_READERS))}: known are {", ".join(_READERS)}')
    read = {}
    for key, (reader, optional) in _READERS.items():
        if key in line:
            read[key] = reader(key, line[key])
        elif optional:
            read[key] = {}
        else:
            raise LineError(f'the key "{key}" is missing')
    return read


def _text(form: re.Pattern[str], such_as: str) -> Callable[[str, Any], str]:
    def read(key: str, value: Any) -> str:
        if not isinstance(value, str) or not form.fullmatch(value):
            raise LineError(f"{key}: must be text such as {such_as}, not {json.dumps(value)}")
        return value

    return read


def _seen(key: str, value: Any) -> tuple[int, date, date]:
    if not isinstance(value, dict) or set(value) != {"count", "first", "last"}:
        raise LineError(f"{key}: must be an object with count, first and last")
    count = value["count"]
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise LineError(f"{key}.count: must be a whole number from 1 on, not {json.dumps(count)}")
    first, last = _day(f"{key}.first", value["first"]), _day(f"{key}.last", value["last"])
    if last < first:
        raise LineError(f"{key}: last ({last}) is before first ({first})")
    return count, first, last


def _day(key: str, value: Any) -> date:
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError as error:
            raise LineError(f"{key}: {value} is no day: {error}") from error
    raise LineError(f"{key}: must be a day such as 2026-01-15, not {json.dumps(value)}")


def _each_seen(key: str, value: Any) -> dict[str, tuple[int, date, date]]:
    if not isinstance(value, dict):
        raise LineError(f"{key}: must be an object")
    return {name: _seen(f"{key}.{name}", seen) for name, seen in value.items()}


def _parameters(key: str, value: Any) -> dict[str, dict[str, tuple[int, date, date]]]:
    if not isinstance(value, dict):
        raise LineError(f"{key}: must be an object")
    for location in value:
        if location not in _LOCATIONS:
            raise LineError(f'{key}: unknown place "{location}": known are {", ".join(_LOCATIONS)}')
    return {location: _each_seen(f"{key}.{location}", names) for location, names in value.items()}


def _fields(key: str, value: Any) -> dict[Any, tuple[int, date, date]]:
    try:
        return {parse_field_path(path): seen for path, seen in _each_seen(key, value).items()}
    except NoFieldPath as error:
        raise LineError(f"{key}: {error}") from error


def _statuses(key: str, value: Any) -> dict[int, tuple[int, date, date]]:
    for status in value if isinstance(value, dict) else ():
        if not _STATUS.fullmatch(status):
            raise LineError(f'{key}: "{status}" is no HTTP status')
    return {int(status): seen for status, seen in _each_seen(key, value).items()}


_READERS: Mapping[str, tuple[Callable[[str, Any], Any], bool]] = {
    "version": (_text(_VERSION, '"v2"'), False),
    "method": (_text(_METHOD, '"GET"'), False),
    "path": (_text(re.compile(r"/.*"), '"/orders/{orderId}"'), False),
    "seen": (_seen, False),
    "parameters": (_parameters, True),
    "requestFields": (_fields, True),
    "responseFields": (_fields, True),
    "statuses": (_statuses, True),
}
"""By key: its reader, and whether it may be left out."""
