"""Deprecation and sunset: what is going to end, when, and whether that was kept."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from harness.contracts.contract import Operation
from harness.contracts.diff.pairing import Pairing
from harness.contracts.finding import Finding

SUNSET = "x-sunset"


def removal(pairing: Pairing, was: Operation) -> Finding:
    """An operation that the new contract does not have."""
    ends = sunset(was.part.get(SUNSET))
    if was.part.get("deprecated") is True and ends is not None:
        rule = "operation-removed-before-sunset" if pairing.today <= ends else "operation-removed-after-sunset"
        return pairing.finding(rule, was.part.at, None, name=ends.isoformat())
    return pairing.finding("operation-removed", was.part.at, None)


def lifecycle_findings(pairing: Pairing, was: Operation, now: Operation) -> Iterator[Finding]:
    before, after = was.part.get("deprecated") is True, now.part.get("deprecated") is True
    places = was.part.at, now.part.at
    if before is not after:
        yield pairing.finding("operation-deprecated" if after else "operation-undeprecated", *places)
    said = now.part.get(SUNSET)
    old, new = sunset(was.part.get(SUNSET)), sunset(said)
    if said is not None and new is None:
        yield pairing.finding("sunset-unreadable", *places, name=said)
    elif after and not before and new is None:
        yield pairing.finding("sunset-missing", *places)
    if old == new or (said is not None and new is None):
        return
    if new is None:
        if after:
            yield pairing.finding("sunset-removed", *places, was=old)
    elif old is not None:
        yield pairing.finding("sunset-earlier" if new < old else "sunset-later", *places, was=old, now=new)
    elif (new - pairing.today).days < pairing.notice_days:
        words: dict[str, Any] = {"name": new, "was": max(0, (new - pairing.today).days), "now": pairing.notice_days}
        yield pairing.finding("sunset-too-soon", *places, **words)


def sunset(value: Any) -> date | None:
    """`2027-06-30`, or a time on that day."""
    if not isinstance(value, str):
        return None
    try:
        return datetime.fromisoformat(value).date()
    except ValueError:
        return None
