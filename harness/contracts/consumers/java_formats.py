"""Dates and times as pact files write them: Java's DateTimeFormatter, rendered for moments that show its edges.

Only real moments are rendered: a pattern of the same digits would have a thirty-first of February.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from itertools import groupby

DEFAULTS: Mapping[str, str] = {
    "date": "yyyy-MM-dd",
    "time": "HH:mm:ss",
    "datetime": "yyyy-MM-dd'T'HH:mm:ss",
}
"""What a matcher means that names no format (pact-reference)."""

_MOMENTS = (
    datetime(2024, 2, 29, 13, 5, 9, 123_000, tzinfo=UTC),
    datetime(2025, 12, 31, 23, 59, 59, 999_000, tzinfo=timezone(timedelta(hours=5, minutes=30))),
    datetime(2026, 1, 1, 0, 0, 0, 0, tzinfo=timezone(timedelta(hours=-8))),
)


def rendered(form: str) -> tuple[str, ...]:
    """The moments in a format; none where it has a letter that is not known here."""
    parts = list(_parts(form))
    if not all(literal or letters[0] in _FIELDS for literal, letters in parts):
        return ()
    texts = (
        "".join(letters if literal else _field(letters, moment) for literal, letters in parts) for moment in _MOMENTS
    )
    return tuple(dict.fromkeys(texts))


def _parts(form: str) -> list[tuple[bool, str]]:
    """(whether it stands as it is, text): runs of one letter are fields, quotes enclose what is none."""
    found: list[tuple[bool, str]] = []
    for index, quoted in enumerate(form.split("'")):
        if index % 2:
            found.append((True, quoted or "'"))  # two quotes are one
            continue
        for letter, run in groupby(quoted):
            text = "".join(run)
            if letter not in "[]":  # what is optional is written
                found.append((not letter.isalpha(), text))
    return found


def _field(letters: str, moment: datetime) -> str:
    return _FIELDS[letters[0]](moment, len(letters))


def _name(code: str) -> Callable[[datetime, int], str]:
    return lambda moment, width: moment.strftime(f"%{code}" if width >= 4 else f"%{code.lower()}")


def _padded(value: Callable[[datetime], int]) -> Callable[[datetime, int], str]:
    return lambda moment, width: f"{value(moment):0{width}d}"


def _year(moment: datetime, width: int) -> str:
    return f"{moment.year % 100:02d}" if width == 2 else f"{moment.year:04d}"


def _month(moment: datetime, width: int) -> str:
    return _name("B")(moment, width) if width >= 3 else f"{moment.month:0{width}d}"


def _fraction(moment: datetime, width: int) -> str:
    return f"{moment.microsecond:06d}".ljust(width, "0")[:width]


def _offset(moment: datetime, width: int) -> str:
    text = moment.strftime("%z")  # +0530
    return text[:3] if width == 1 else text if width % 2 == 0 else f"{text[:3]}:{text[3:5]}"


def _offset_or_z(moment: datetime, width: int) -> str:
    return _offset(moment, width) if moment.utcoffset() else "Z"


def _offset_of_z(moment: datetime, width: int) -> str:
    return _offset_or_z(moment, 3) if width == 5 else _offset(moment, 2)


_FIELDS: Mapping[str, Callable[[datetime, int], str]] = {
    "y": _year,
    "u": _year,
    "M": _month,
    "L": _month,
    "d": _padded(lambda moment: moment.day),
    "D": _padded(lambda moment: moment.timetuple().tm_yday),
    "E": _name("A"),
    "H": _padded(lambda moment: moment.hour),
    "h": _padded(lambda moment: moment.hour % 12 or 12),
    "a": lambda moment, _: "AM" if moment.hour < 12 else "PM",
    "m": _padded(lambda moment: moment.minute),
    "s": _padded(lambda moment: moment.second),
    "S": _fraction,
    "X": _offset_or_z,
    "x": _offset,
    "Z": _offset_of_z,
}
