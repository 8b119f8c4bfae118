"""Watching a bus: its events as they are stored, narrowed by a pattern."""

from collections.abc import AsyncGenerator

from harness.bus.envelope import from_bytes
from harness.bus.model import Envelope
from harness.bus.pattern import Pattern
from harness.bus.store import Store


async def tail(
    store: Store, bus: str, *, pattern: Pattern | None = None, from_start: bool = False
) -> AsyncGenerator[Envelope, None]:
    """Events of the bus (ARN) in the order stored, from the oldest kept or from now, until the caller stops asking."""
    async for body in store.tail(bus, from_start=from_start):
        event = from_bytes(body)
        if pattern is None or pattern.matches(event):
            yield event


async def kept(store: Store, bus: str, *, pattern: Pattern | None = None) -> AsyncGenerator[Envelope, None]:
    """What the bus (ARN) keeps now, in the order stored. Ends."""
    left = await store.count(bus)
    if not left:
        return
    async for body in store.tail(bus, from_start=True):
        event = from_bytes(body)
        if pattern is None or pattern.matches(event):
            yield event
        left -= 1
        if not left:
            return
