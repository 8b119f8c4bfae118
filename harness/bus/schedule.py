"""Schedule expressions of rules, `rate(5 minutes)` or `cron(0 10 ? * MON-FRI *)`: read once, asked when they are due.

Source: EventBridge user guide, "Setting a schedule pattern for scheduled rules". What the guide leaves open is as in
Quartz, whose cron this is: names in any case, ranges that go round the end, `L` in day-of-week alone is Saturday. All
times are UTC; a schedule is due at whole minutes (cron) or at multiples of its period since it began to count (rate).
"""

import calendar
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from harness.errors import HarnessError

_RATE = re.compile(r"rate\(([1-9][0-9]{0,8}) (minute|minutes|hour|hours|day|days)\)")
_CRON = re.compile(r"cron\(([^()]*)\)")
_SECONDS: Final[Mapping[str, int]] = {"minute": 60, "hour": 3600, "day": 86_400}
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_LATEST = datetime.max.replace(tzinfo=UTC)


class ScheduleError(HarnessError):
    """The text is no schedule expression. Says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A period in seconds."""

    seconds: int

    def next_after(self, instant: datetime, *, since: datetime | None = None) -> datetime | None:
        """Strictly after `instant`. `since`: when the rule began to count; None: at `instant`."""
        begun = since or instant
        passed = int(max(instant - begun, timedelta(0)) // timedelta(seconds=self.seconds))
        wait = (passed + 1) * self.seconds
        return begun + timedelta(seconds=wait) if wait < (_LATEST - begun).total_seconds() else None


DaysOf = Callable[[int, int], frozenset[int]]
"""The days of a month: of year and month."""


@dataclass(frozen=True, slots=True)
class Cron:
    """Each field as the values that it takes; the two fields of days together as a function."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: tuple[int, ...]
    years: tuple[int, ...]
    days: DaysOf

    def next_after(self, instant: datetime, *, since: datetime | None = None) -> datetime | None:
        """The first whole minute strictly after `instant`; None when there is none any more. `since` plays no part."""
        at = instant.astimezone(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
        for year, month in self._months(at):
            for day in sorted(self.days(year, month)):
                if (year, month, day) < (at.year, at.month, at.day):
                    continue
                today = (year, month, day) == (at.year, at.month, at.day)
                for hour in self.hours:
                    for minute in self.minutes:
                        if not today or (hour, minute) >= (at.hour, at.minute):
                            return datetime(year, month, day, hour, minute, tzinfo=UTC)
        return None

    def _months(self, at: datetime) -> Iterator[tuple[int, int]]:
        for year in self.years:
            for month in self.months:
                if (year, month) >= (at.year, at.month):
                    yield year, month


Schedule = Rate | Cron


def parse_schedule(text: str) -> Schedule:
    """Raises ScheduleError."""
    rate = _RATE.fullmatch(text)
    if rate is not None:
        return _rate(int(rate[1]), rate[2])
    cron = _CRON.fullmatch(text)
    if cron is None:
        raise ScheduleError(f'"{text}" is no schedule: write rate(VALUE UNIT) or cron(FIELDS)')
    fields = cron[1].split()
    if len(fields) != 6:
        raise ScheduleError(f"cron has 6 fields (minutes hours day-of-month month day-of-week year), not {len(fields)}")
    minutes, hours, day_of_month, months, day_of_week, years = (field.upper() for field in fields)
    return Cron(
        minutes=_MINUTES.values(minutes),
        hours=_HOURS.values(hours),
        months=_MONTH.values(months),
        years=_YEARS.values(years),
        days=_days(day_of_month, day_of_week),
    )


def _rate(value: int, unit: str) -> Rate:
    if unit.endswith("s") is (value == 1):
        raise ScheduleError(f'the unit of rate({value} {unit}) is "{unit.removesuffix("s") + "s" * (value != 1)}"')
    return Rate(value * _SECONDS[unit.removesuffix("s")])


@dataclass(frozen=True, slots=True)
class _Field:
    """`names` stand for the numbers from `least` on."""

    title: str
    least: int
    most: int
    names: tuple[str, ...] = ()
    round: bool = True

    def values(self, text: str) -> tuple[int, ...]:
        """In order, without repetition."""
        return tuple(sorted({value for part in text.split(",") for value in self._part(part)}))

    def number(self, text: str) -> int:
        if text in self.names:
            return self.least + self.names.index(text)
        if re.fullmatch(r"[0-9]{1,4}", text) and self.least <= int(text) <= self.most:
            return int(text)
        raise ScheduleError(f'{self.title}: "{text}" is not a value from {self.least} to {self.most}')

    def _part(self, text: str) -> Iterator[int]:
        span, slash, step = text.partition("/")
        first, dash, last = span.partition("-")
        if span == "*":
            begin, end = self.least, self.most
        elif dash:
            begin, end = self.number(first), self.number(last)
        else:
            begin = self.number(first)
            end = self.most if slash else begin
        every = self._step(step) if slash else 1
        if end < begin:
            if not self.round:
                raise ScheduleError(f"{self.title}: {begin} is after {end}")
            end += self.most - self.least + 1
        for value in range(begin, end + 1, every):
            yield self.least + (value - self.least) % (self.most - self.least + 1)

    def _step(self, text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,4}", text) or not 1 <= int(text) <= self.most:
            raise ScheduleError(f'{self.title}: "{text}" is no step from 1 to {self.most}')
        return int(text)


_MINUTES = _Field("minutes", 0, 59)
_HOURS = _Field("hours", 0, 23)
_DAY_OF_MONTH = _Field("day-of-month", 1, 31)
_MONTH = _Field("month", 1, 12, _MONTHS)
_DAY_OF_WEEK = _Field("day-of-week", 1, 7, _DAYS)
_YEARS = _Field("year", 1970, 2199, round=False)


def _days(day_of_month: str, day_of_week: str) -> DaysOf:
    if (day_of_month == "?") is (day_of_week == "?"):
        raise ScheduleError("of day-of-month and day-of-week exactly one must be ?")
    return _in_month(day_of_month) if day_of_week == "?" else _in_week(day_of_week)


def _in_month(text: str) -> DaysOf:
    if text == "L":
        return lambda year, month: frozenset({_length(year, month)})
    if text == "LW":
        return lambda year, month: frozenset({_nearest_weekday(year, month, _length(year, month))})
    if text.endswith("W"):
        wanted = _DAY_OF_MONTH.number(text[:-1])
        return lambda year, month: frozenset(
            {_nearest_weekday(year, month, wanted)} if wanted <= _length(year, month) else ()
        )
    days = frozenset(_DAY_OF_MONTH.values(text))
    return lambda year, month: frozenset(day for day in days if day <= _length(year, month))


def _in_week(text: str) -> DaysOf:
    name, sharp, count = text.partition("#")
    if sharp:
        weekday = _DAY_OF_WEEK.number(name)
        if not re.fullmatch(r"[1-5]", count):
            raise ScheduleError(f'day-of-week: "{count}" after # is not a number from 1 to 5')
        return lambda year, month: frozenset(_weekdays(year, month, {weekday})[int(count) - 1 : int(count)])
    if text.endswith("L") and text != "L":
        last = _DAY_OF_WEEK.number(text[:-1])
        return lambda year, month: frozenset(_weekdays(year, month, {last})[-1:])
    wanted = {7} if text == "L" else set(_DAY_OF_WEEK.values(text))
    return lambda year, month: frozenset(_weekdays(year, month, wanted))


def _length(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]


def _weekday(year: int, month: int, day: int) -> int:
    """1 is Sunday."""
    return (calendar.weekday(year, month, day) + 1) % 7 + 1


def _weekdays(year: int, month: int, wanted: set[int]) -> list[int]:
    return [day for day in range(1, _length(year, month) + 1) if _weekday(year, month, day) in wanted]


def _nearest_weekday(year: int, month: int, day: int) -> int:
    """Monday to Friday, without leaving the month."""
    match _weekday(year, month, day):
        case 7:
            return day - 1 if day > 1 else day + 2
        case 1:
            return day + 1 if day < _length(year, month) else day - 2
        case _:
            return day
