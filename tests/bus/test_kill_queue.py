"""Nothing that was confirmed is lost on its way into a queue when nats-server or the router is killed."""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from harness.bus.jetstream import JetStreamStore
from harness.queues.broker import Broker
from harness.queues.dispenser import Trouble
from harness.queues.model import Queue
from harness.storage.connection import Connection
from harness.storage.held import StoreUnavailable
from tests.bus.queue_router_process import ACCOUNT, a_broker
from tests.bus.test_kill import EVENTS, ROOT, publish
from tests.storage.nats_server import NatsServer
from tests.storage.processes import end

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

QUEUE = "inbox"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[NatsServer]:
    server = NatsServer(tmp_path).start()
    yield server
    server.kill()


@asynccontextmanager
async def router(server: NatsServer, bus: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bus.queue_router_process", server.url, bus, QUEUE, cwd=ROOT
    )
    try:
        yield process
    finally:
        await end(process)


class Reader:
    """Takes messages out of the queue, as a consumer of SQS does."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self.taken: Counter[str] = Counter()

    async def until(self, count: int) -> None:
        known = await self._broker.registry.find(ACCOUNT, QUEUE)
        assert known is not None
        async with asyncio.timeout(180):
            while len(self.taken) < count:
                try:
                    await self._take(known.queue)
                except StoreUnavailable:
                    continue  # the server is coming back

    async def _take(self, queue: Queue) -> None:
        found = await self._broker.receive(queue, limit=10, visibility=5, wait=1)
        assert not isinstance(found, Trouble), found
        for each in found:
            self.taken[json.loads(each.message.body)["id"]] += 1
            await self._broker.delete(queue, each.handle)


async def test_killing_the_router_loses_no_message(server: NatsServer, bus: str) -> None:
    connection = await Connection.connect(server.url)
    store = JetStreamStore(connection)
    await store.prepare([bus])
    async with a_broker(connection, bus, QUEUE) as broker:
        reader = Reader(broker)
        publishing = asyncio.create_task(publish(store, bus))
        for taken in (50, 200):
            async with router(server, bus) as process:
                await reader.until(taken)
                await end(process)
        async with router(server, bus):
            await reader.until(EVENTS)
    await store.close()
    assert set(reader.taken) == await publishing


async def test_killing_nats_server_loses_no_message(server: NatsServer, bus: str) -> None:
    connection = await Connection.connect(server.url)
    store = JetStreamStore(connection)
    await store.prepare([bus])
    async with a_broker(connection, bus, QUEUE) as broker, router(server, bus):
        reader = Reader(broker)
        publishing = asyncio.create_task(publish(store, bus))
        await reader.until(50)
        server.kill()
        await asyncio.to_thread(server.start)
        await publishing
        await reader.until(EVENTS)
    await store.close()
    assert set(reader.taken) == publishing.result()
