"""Several edges learn from the same traffic, and none needs to know of the others."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import pytest

from harness.schemas import discovery
from harness.schemas.discoverers import Discoverers
from harness.schemas.discovery import Discovery
from harness.schemas.model import Discoverer
from harness.schemas.registries import VERSIONS, DiscoveredRegistry
from harness.storage.memory_state import MemoryState
from harness.storage.replica import Replica

BUS = "arn:aws:events:eu-west-1:111111111111:event-bus/shop"
ACCOUNT = "111111111111"
NOW = datetime(2026, 1, 15, tzinfo=UTC)


class Edges:
    """Each with a replica of its own of one state, and all with the same events."""

    def __init__(self, count: int, between: float, cross_account: bool) -> None:
        state = MemoryState()
        self.replicas = [Replica(state) for _ in range(count)]
        self.queues: list[asyncio.Queue[bytes]] = [asyncio.Queue() for _ in range(count)]
        self.read = [0] * count
        self._between = between
        self._discoverer = Discoverer("d", ACCOUNT, BUS, cross_account=cross_account)

    async def start(self, stack: AsyncExitStack) -> None:
        for number, replica in enumerate(self.replicas):
            await stack.enter_async_context(replica.running())
            found = Discovery(replica, self._tail(number), clock=lambda: NOW, between=self._between)
            await stack.enter_async_context(found.running())
        await Discoverers(self.replicas[0]).create(self._discoverer)

    def _tail(self, number: int) -> Callable[[str], AsyncGenerator[bytes, None]]:
        async def tail(bus: str) -> AsyncGenerator[bytes, None]:
            while True:
                body = await self.queues[number].get()
                yield body
                self.read[number] += 1

        return tail

    def put(self, detail: Any, *, detail_type: str = "Seen", account: str = ACCOUNT) -> None:
        event = {"source": "s", "detail-type": detail_type, "account": account, "detail": detail}
        for queue in self.queues:
            queue.put_nowait(json.dumps(event).encode())

    async def until(self, read: int) -> None:
        """Every edge has done with that many events, and knows what the others have learnt."""
        async with asyncio.timeout(60):
            while min(self.read) < read:  # noqa: ASYNC110 - what happens is elsewhere
                await asyncio.sleep(0.002)
        newest = max(replica.newest for replica in self.replicas)
        for replica in self.replicas:
            await replica.reach(newest, seconds=60)


def run(
    scenario: Callable[[Edges], Any], *, edges: int = 1, between: float = 0.001, cross_account: bool = True
) -> None:
    async def all_of_it() -> None:
        async with AsyncExitStack() as stack:
            started = Edges(edges, between, cross_account)
            await started.start(stack)
            await scenario(started)

    asyncio.run(all_of_it())


def test_events_of_other_accounts_teach_nothing_where_they_are_not_to() -> None:
    async def scenario(edges: Edges) -> None:
        edges.put({}, detail_type="Theirs", account="222222222222")
        edges.put({}, detail_type="Own")
        await edges.until(2)
        assert [schema.name for schema in DiscoveredRegistry(edges.replicas[0]).schemas(ACCOUNT)] == ["s@Own"]

    run(scenario, cross_account=False)


def test_three_edges_write_each_version_once() -> None:
    async def scenario(edges: Edges) -> None:
        details = [{"a": 1}, {"a": None}, {"a": 1}, {"a": 1, "b": "x"}, {"b": 1.5}]
        for detail in details:
            edges.put(detail)
        await edges.until(len(details))
        for replica in edges.replicas:
            schema = DiscoveredRegistry(replica).schema(ACCOUNT, "s@Seen")
            assert schema is not None
            assert [version.number for version in schema.versions] == [1, 2, 3, 4]
            newest = DiscoveredRegistry(replica).content(ACCOUNT, "s@Seen", 4, "OpenApi3")
            assert json.loads(newest)["components"]["schemas"]["Seen"] == {
                "type": "object",
                "properties": {
                    "a": {"type": "integer", "nullable": True},
                    "b": {"oneOf": [{"type": "number"}, {"type": "string"}]},
                },
            }

    run(scenario, edges=3)


def test_what_two_edges_learn_at_once_is_kept_of_both() -> None:
    async def scenario(edges: Edges) -> None:
        for number, queue in enumerate(edges.queues):
            body = {"source": "s", "detail-type": "Seen", "detail": {f"from{number}": 1}}
            queue.put_nowait(json.dumps(body).encode())
        await edges.until(1)
        schema = DiscoveredRegistry(edges.replicas[0]).schema(ACCOUNT, "s@Seen")
        assert schema is not None
        content = DiscoveredRegistry(edges.replicas[0]).content(ACCOUNT, "s@Seen", schema.newest.number, "OpenApi3")
        seen = json.loads(content)["components"]["schemas"]["Seen"]
        assert sorted(seen["properties"]) == ["from0", "from1", "from2"]

    run(scenario, edges=3)


def test_the_bounds_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "MOST_SCHEMAS", 3)
    monkeypatch.setattr(discovery, "MOST_VERSIONS", 2)
    monkeypatch.setattr(discovery, "MOST_CHARACTERS", 2000)
    monkeypatch.setattr(discovery, "EVENTS_A_ROUND", 1000)
    deep: Any = 1
    for _ in range(300):
        deep = {"a": deep}

    async def scenario(edges: Edges) -> None:
        for number in range(6):
            edges.put({"a": number}, detail_type=f"Type{number}")
        for number in range(6):
            edges.put({str(number): 1}, detail_type="Type0")
        edges.put(deep, detail_type="Type1")
        edges.put({"x" * 1999: 1}, detail_type="Type2")
        await edges.until(14)
        kept = [(entry.key[3], entry.key[4]) for entry in edges.replicas[0].below((*VERSIONS, ACCOUNT))]
        assert kept == [("s@Type0", "0001"), ("s@Type0", "0002"), ("s@Type1", "0001"), ("s@Type2", "0001")]

    run(scenario)


def test_an_account_keeps_no_more_than_its_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "MOST_BYTES", 1)

    async def scenario(edges: Edges) -> None:
        edges.put({"a": 1})
        edges.put({"a": "x"})
        await edges.until(2)
        assert len(edges.replicas[0].below((*VERSIONS, ACCOUNT))) == 1

    run(scenario)


def test_no_more_events_are_looked_at_than_a_round_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "EVENTS_A_ROUND", 2)

    async def scenario(edges: Edges) -> None:
        for number in range(5):
            edges.put({}, detail_type=f"Type{number}")
        await edges.until(5)
        assert len(edges.replicas[0].below((*VERSIONS, ACCOUNT))) == 2

    run(scenario, between=3600)
