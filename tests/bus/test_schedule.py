"""Schedule expressions: when they are due, and what is none."""

from datetime import UTC, datetime
from typing import Any

import pytest

from harness.bus.schedule import ScheduleError, parse_schedule
from tests.bus.cases import load


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize("case", load("schedules"))
def test_a_schedule_is_due(case: dict[str, Any]) -> None:
    schedule = parse_schedule(case["schedule"])
    at: datetime | None = instant(case["after"])
    since = instant(case["since"]) if "since" in case else at
    for due in case["due"]:
        assert at is not None
        at = schedule.next_after(at, since=since)
        assert at == (instant(due) if due else None)


@pytest.mark.parametrize("case", load("schedules_refused"))
def test_what_is_no_schedule_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(ScheduleError):
        parse_schedule(case["schedule"])


def test_other_time_zones_are_converted() -> None:
    after = datetime.fromisoformat("2026-03-01T01:30:00+02:00")
    assert parse_schedule("cron(0 0 * * ? *)").next_after(after) == instant("2026-03-01T00:00:00")
