"""Time as an argument: whatever needs "now" is given a `Clock`, so that a test can hold it still."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Answers the present instant, always aware and in UTC."""


def utc_now() -> datetime:
    return datetime.now(UTC)


def basic_iso(instant: datetime) -> str:
    """`20260115T120000Z`, the form of `X-Amz-Date` (ISO 8601 basic)."""
    return instant.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def extended_iso(instant: datetime) -> str:
    """`2026-01-15T12:00:00Z`, the form of EventBridge's `time` and of credential expirations; whole seconds."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
