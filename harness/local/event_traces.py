"""The way of one event: found on the buses, in the routers' notes, and among the rules of now."""

from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import aclosing
from typing import Any, Protocol

import orjson

from harness.bus.catalogue import Catalogue
from harness.bus.envelope import from_bytes
from harness.bus.model import Envelope
from harness.bus.store import Store
from harness.bus.trace.story import links, story

MOST_RELATED = 100


class Notes(Protocol):
    def find(self, needle: bytes) -> AsyncGenerator[bytes, None]:
        """The lines in which `needle` is, oldest first."""


class EventTraces:
    def __init__(self, store: Store, catalogue: Catalogue, notes: Notes) -> None:
        self._store = store
        self._catalogue = catalogue
        self._notes = notes

    async def trace(self, event_id: str) -> dict[str, Any] | None:
        """`event_id`: what PutEvents answered, or the publisher's own (`detail.metadata.eventId`).

        None when neither an event nor a note of it is kept.
        """
        found = [each async for each in self._events(event_id, _ids, most=1)]
        bus, event = found[0] if found else ("", None)
        own = event["id"] if event else event_id
        steps = await self._steps(own)
        if event is None and not steps:
            return None
        bus = bus or next((step["bus"] for step in steps if step["step"] == "matched"), "")
        rules = self._catalogue.rules(bus) if bus and self._catalogue.bus(bus) else []
        related = await self._related(event) if event else []
        return story(own, event, bus=bus, steps=steps, rules=rules, related=related)

    async def _related(self, event: Envelope) -> list[tuple[str, Envelope]]:
        correlation = links(event).correlation
        if not correlation:
            return []
        events = self._events(correlation, lambda other: (links(other).correlation,), most=MOST_RELATED)
        return [each async for each in events if each[1]["id"] != event["id"]]

    async def _events(
        self, needle: str, names: Callable[[Envelope], Collection[str]], *, most: int
    ) -> AsyncGenerator[tuple[str, Envelope], None]:
        """Those of all buses that have `needle` among their `names`; with the ARN of the bus."""
        # JSON's own spelling of the text: what a body holds is escaped.
        spelled = orjson.dumps(needle)
        left = most
        for bus in self._catalogue.buses():
            async with aclosing(self._store.kept(bus.arn)) as bodies:
                async for body in bodies:
                    if spelled not in body:
                        continue
                    event = from_bytes(body)
                    if needle in names(event):
                        yield bus.arn, event
                        left -= 1
                        if not left:
                            return

    async def _steps(self, event_id: str) -> list[dict[str, Any]]:
        async with aclosing(self._notes.find(orjson.dumps(event_id))) as lines:
            steps = [orjson.loads(line) async for line in lines]
        return [step for step in steps if step["event"] == event_id]


def _ids(event: Envelope) -> Collection[str]:
    return event["id"], links(event).event
