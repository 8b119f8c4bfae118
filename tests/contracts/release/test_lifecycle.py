"""Deprecation and sunset of a version: what may be done to them, and on which day."""

from datetime import date

import pytest

from harness.contracts.release import VersionState
from harness.contracts.release.lifecycle import lifecycle_changes
from tests.contracts.consumers.samples import api
from tests.contracts.consumers.test_impact import SHOP

SUNSET = date(2026, 6, 30)
CONTRACT = api(SHOP)


def version(sunset: date | None) -> VersionState:
    return VersionState(CONTRACT, {"shop/v1/openapi.yaml": ""}, None, sunset)


@pytest.mark.parametrize(
    ("before", "after", "today", "rules"),
    [
        pytest.param(SUNSET, SUNSET, date(2026, 6, 29), [], id="as it was"),
        pytest.param(None, SUNSET, date(2026, 1, 1), [], id="a sunset is announced"),
        pytest.param(SUNSET, date(2026, 7, 1), date(2026, 1, 1), [], id="more time"),
        pytest.param(SUNSET, date(2026, 6, 29), date(2026, 1, 1), ["version-sunset-earlier"], id="less time"),
        pytest.param(SUNSET, None, date(2026, 1, 1), ["version-sunset-withdrawn"], id="it stays after all"),
        pytest.param(SUNSET, SUNSET, SUNSET, ["version-past-sunset"], id="the day has come"),
    ],
)
def test_a_version_that_stays(before: date | None, after: date | None, today: date, rules: list[str]) -> None:
    found = lifecycle_changes("v1", version(before), version(after), today=today)

    assert [finding.rule for finding in found] == rules


@pytest.mark.parametrize(
    ("sunset", "today", "rule"),
    [
        pytest.param(SUNSET, date(2026, 6, 29), "version-removed-before-sunset", id="a day too early"),
        pytest.param(SUNSET, SUNSET, "version-removed-after-sunset", id="on the day"),
        pytest.param(None, date(2026, 6, 30), "version-removed-without-sunset", id="without an announcement"),
    ],
)
def test_a_version_that_goes(sunset: date | None, today: date, rule: str) -> None:
    (finding,) = lifecycle_changes("v1", version(sunset), None, today=today)

    assert finding.rule == rule
