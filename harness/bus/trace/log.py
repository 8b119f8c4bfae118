"""Notes an event's way through a router: cheap where it is noted, written in batches behind it.

One line of JSON a note, all with `at` (ISO 8601, UTC), `event` (its id) and `step`:

    matched    `bus`, `rules` (their ARNs)
    attempt    `rule`, `target` (id), `arn`, `number`, `ms`; and of a failure `code`, `message`, `next` (when, if again)
    given-up   `rule`, `target`, `arn`, `code`, `queue` (the dead-letter queue's ARN, or empty), `reason`

A router that is killed takes the notes of its last moment with it; the events themselves are safe in the store.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

import orjson

from harness.bus.model import Rule, Target
from harness.bus.tracing import Attempt
from harness.clock import Clock, utc_now
from harness.storage.ending import ended

log = logging.getLogger(__name__)

TRACE_STREAM, TRACE_SUBJECT = "TRACE", "trace.events"
FLUSH_SECONDS = 0.2
MOST_WAITING = 65_536
LINES_AT_ONCE = 256
LAST_SECONDS = 2.0

Sink = Callable[[Sequence[bytes]], Awaitable[bool]]
"""Keeps lines; False when it cannot now."""


class TraceLog:
    """A `Tracer`. Where the sink fails, notes wait in a bounded queue, and what finds no room is counted."""

    def __init__(self, sink: Sink, *, clock: Clock = utc_now, size: int = MOST_WAITING) -> None:
        self._sink = sink
        self._clock = clock
        self._noted: deque[tuple[datetime, dict[str, Any]]] = deque(maxlen=size)
        self._size = size
        self._said = 0
        self.dropped = 0

    def matched(self, event_id: str, bus: str, rules: Sequence[Rule]) -> None:
        self._note({"event": event_id, "step": "matched", "bus": bus, "rules": rules})

    def attempted(self, attempt: Attempt) -> None:
        self._note({"event": attempt.event_id, "step": "attempt", "attempt": attempt})

    def delivered(self, event_id: str, rule: Rule, target: Target) -> None:
        """Said by its attempt."""

    def given_up(self, event_id: str, rule: Rule, target: Target, *, code: str, queue: str, reason: str) -> None:
        where = {"rule": rule.arn, "target": target.id, "arn": target.arn}
        self._note({"event": event_id, "step": "given-up", **where, "code": code, "queue": queue, "reason": reason})

    @asynccontextmanager
    async def running(self) -> AsyncIterator["TraceLog"]:
        """Writes meanwhile, and once more at the end."""
        writing = asyncio.create_task(self._write())
        try:
            yield self
        finally:
            await ended((writing,))
            with suppress(TimeoutError):
                await asyncio.wait_for(self.flush(), LAST_SECONDS)

    async def _write(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        while self._noted:
            batch = [self._noted.popleft() for _ in range(min(LINES_AT_ONCE, len(self._noted)))]
            if not await self._sink([_line(at, note) for at, note in batch]):
                # Back in front; where meanwhile as many have come as there is room for, the oldest go.
                room = self._size - len(self._noted)
                self.dropped += max(0, len(batch) - room)
                self._noted.extendleft(reversed(batch[max(0, len(batch) - room) :]))
                break
        if self.dropped > self._said:
            log.warning("%d steps of events were not recorded: too many waited", self.dropped - self._said)
            self._said = self.dropped

    def _note(self, note: dict[str, Any]) -> None:
        if len(self._noted) == self._size:
            self.dropped += 1
        self._noted.append((self._clock(), note))


def _line(at: datetime, note: dict[str, Any]) -> bytes:
    step = {**note, "at": at.isoformat()}
    if step["step"] == "matched":
        step["rules"] = [rule.arn for rule in note["rules"]]
    elif step["step"] == "attempt":
        step |= _attempt(at, step.pop("attempt"))
    return orjson.dumps(step)


def _attempt(at: datetime, attempt: Attempt) -> dict[str, Any]:
    step: dict[str, Any] = {
        "rule": attempt.rule.arn,
        "target": attempt.target.id,
        "arn": attempt.target.arn,
        "number": attempt.number,
        "ms": round(attempt.seconds * 1000, 1),
    }
    if attempt.code:
        step |= {"code": attempt.code, "message": attempt.message}
    if attempt.next_in is not None:
        step["next"] = (at + timedelta(seconds=attempt.next_in)).isoformat()
    return step
