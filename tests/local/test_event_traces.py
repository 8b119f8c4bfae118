"""`/_harness/trace`: the way of one event, found on the buses and in the routers' notes."""

import json
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import pytest

from harness.bus.catalogue import Catalogue
from harness.bus.memory import MemoryStore
from harness.bus.model import Bus, Rule, Target
from harness.bus.patterns.pattern import compile_pattern
from harness.bus.store import Record
from harness.local.event_traces import EventTraces
from harness.storage.memory_state import MemoryState
from harness.storage.replica import Replica
from harness.wire import function_arn
from tests.bus.trace.test_story import an_event

pytestmark = pytest.mark.anyio

PLATFORM = "333333333333"
ENTERPRISE = Bus("eu-west-1", PLATFORM, "enterprise")
STOCK = Target("domain", function_arn("eu-west-1", "222222222222", "stock"))
RULE = Rule("placed", ENTERPRISE.arn, PLATFORM, compile_pattern({"detail-type": ["OrderPlaced.v1"]}), (STOCK,))
MATCHED = {"event": "e-1", "step": "matched", "bus": ENTERPRISE.arn, "rules": [RULE.arn], "at": "2026-01-15T12:00:00"}


class Notes:
    def __init__(self, *steps: dict[str, Any]) -> None:
        self._lines = [json.dumps(step).encode() for step in steps]

    async def find(self, needle: bytes) -> AsyncGenerator[bytes, None]:
        for line in self._lines:
            if needle in line:
                yield line


@pytest.fixture
async def catalogue() -> AsyncIterator[Catalogue]:
    async with Replica(MemoryState()).running() as replica:
        yield Catalogue(replica, region="eu-west-1", accounts=[PLATFORM], buses=[ENTERPRISE], rules=[RULE])


async def traced(
    catalogue: Catalogue, event_id: str, *events: dict[str, Any], notes: Notes | None = None
) -> dict[str, Any] | None:
    store = MemoryStore()
    await store.prepare([bus.arn for bus in catalogue.buses()])
    await store.publish(
        ENTERPRISE.arn, [Record(event["id"], json.dumps(event, separators=(",", ":")).encode()) for event in events]
    )
    return await EventTraces(store, catalogue, notes or Notes()).trace(event_id)


async def test_an_event_is_found_by_the_id_that_put_events_answered(catalogue: Catalogue) -> None:
    told = await traced(catalogue, "e-1", an_event("e-0"), an_event("e-1"), notes=Notes(MATCHED))
    assert told is not None
    assert (told["id"], told["bus"], told["deliveries"][0]["outcome"]) == ("e-1", ENTERPRISE.arn, "waiting")


async def test_an_event_is_found_by_its_publishers_own_id(catalogue: Catalogue) -> None:
    told = await traced(catalogue, "own-7", an_event("e-1", eventId="own-7"), notes=Notes(MATCHED))
    assert told is not None
    assert (told["id"], told["matchedAt"]) == ("e-1", MATCHED["at"])


async def test_events_with_the_same_correlation_id_are_found(catalogue: Catalogue) -> None:
    others = [an_event("e-2", correlationId="c"), an_event("e-3", correlationId="other c")]
    told = await traced(catalogue, "e-1", an_event("e-1", correlationId="c"), *others)
    assert told is not None
    assert [each["id"] for each in told["related"]] == ["e-2"]


async def test_an_event_that_only_mentions_an_id_is_not_it(catalogue: Catalogue) -> None:
    assert await traced(catalogue, "e-1", an_event("e-2", causationId="e-1")) is None


async def test_an_event_that_its_bus_forgot_is_told_from_its_notes(catalogue: Catalogue) -> None:
    told = await traced(catalogue, "e-1", notes=Notes(MATCHED))
    assert told is not None
    assert (told["event"], [row["rule"] for row in told["rules"]]) == (None, ["placed"])


async def test_an_event_that_nobody_knows_is_not_found(catalogue: Catalogue) -> None:
    assert await traced(catalogue, 'e-1" or "1', an_event("e-2"), notes=Notes(MATCHED)) is None
