"""Watching a bus: its events as they are stored, narrowed by a pattern."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from harness.bus.envelope import from_bytes
from harness.bus.model import Envelope
from harness.bus.patterns.pattern import Pattern
from harness.bus.store import Store


async def tail(
    store: Store, bus: str, *, pattern: Pattern | None = None, from_start: bool = False
) -> AsyncGenerator[Envelope, None]:
    """Events of the bus (ARN) in the order stored, from the oldest kept or from now, until the caller stops asking."""
    async with aclosing(store.tail(bus, from_start=from_start)) as bodies:
        async for body in bodies:
            if event := _wanted(body, pattern):
                yield event


async def kept(store: Store, bus: str, *, pattern: Pattern | None = None) -> AsyncGenerator[Envelope, None]:
    """What the bus (ARN) keeps now, in the order stored. Ends."""
    async with aclosing(store.kept(bus)) as bodies:
        async for body in bodies:
            if event := _wanted(body, pattern):
                yield event


def _wanted(body: bytes, pattern: Pattern | None) -> Envelope | None:
    event = from_bytes(body)
    return event if pattern is None or pattern.matches(event) else None
