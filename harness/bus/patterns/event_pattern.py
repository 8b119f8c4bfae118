"""TestEventPattern: a pattern tried on one event. Source: EventBridge API reference."""

from typing import Any

import orjson

from harness.bus.patterns.pattern import QUOTA_CHARACTERS, compile_pattern
from harness.errors import HarnessError

INVALID_EVENT = "Parameter Event is not valid."
_REQUIRED = ("id", "account", "source", "time", "region", "detail-type")


class EventError(HarnessError):
    """The event is refused (ValidationException), in AWS's words."""


def test_event_pattern(pattern_text: str, event_text: str, *, characters: int = QUOTA_CHARACTERS) -> bool:  # noqa: PT028
    """Raises EventError, or PatternError as `compile_pattern` does; the event is looked at first."""
    event = _read_event(event_text)
    return compile_pattern(pattern_text, characters=characters).matches(event)


def _read_event(text: str) -> dict[str, Any]:
    try:
        event = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise EventError(INVALID_EVENT) from error
    if not isinstance(event, dict) or not all(name in event for name in _REQUIRED):
        raise EventError(INVALID_EVENT)
    return event
