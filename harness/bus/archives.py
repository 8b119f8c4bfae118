"""Where the events of an archive are kept, and under which minute."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from harness.bus.documents import Document
from harness.bus.store import Archive

MINUTE = 60


def archive_of(arn: str, document: Document) -> Archive:
    """`document` as CreateArchive and UpdateArchive leave it; else raises ValueError."""
    days = document.get("RetentionDays", 0)
    if not isinstance(days, int):
        raise ValueError(f"RetentionDays of {arn} is no number: {days!r}")
    return Archive(arn, made=repr(document.get("CreationTime", 0)), days=days)


def time_of(event: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(event["time"])


def minute_of(event: Mapping[str, Any]) -> int:
    """Of its own time, whenever it came."""
    return int(time_of(event).timestamp()) // MINUTE
