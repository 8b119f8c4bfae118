"""Nothing that was confirmed is lost when a process is killed: nats-server, the router, the target."""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from harness.bus.jetstream import JetStreamStore
from harness.bus.store import Record
from tests.storage.nats_server import NatsServer
from tests.storage.processes import end

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

EVENTS = 600
TOGETHER = 10
AHEAD = 50
ROOT = Path(__file__).resolve().parents[2]


class Container:
    """A domain that takes events over HTTP, and can be killed and started again on its port."""

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()
        self._changed = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def kill(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(180):
            while len(self.taken) < count:
                self._changed.clear()
                await self._changed.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                event = json.loads(await reader.readexactly(length))
                self.taken[event["id"]] += 1
                self._changed.set()
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            self._writers.discard(writer)
            writer.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[NatsServer]:
    server = NatsServer(tmp_path).start()
    yield server
    server.kill()


@pytest.fixture
async def container() -> AsyncIterator[Container]:
    container = Container()
    await container.start()
    yield container
    container.kill()


@asynccontextmanager
async def router(
    server: NatsServer, bus: str, container: Container, *, ack_wait: float = 2
) -> AsyncIterator[asyncio.subprocess.Process]:
    url = f"http://127.0.0.1:{container.port}"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bus.router_process", server.url, bus, url, "1", str(ack_wait), cwd=ROOT
    )
    try:
        yield process
    finally:
        await end(process)


async def publish(store: JetStreamStore, bus: str, container: Container | None = None) -> set[str]:
    """Ids of the events whose storing was confirmed: all of them, or this raises.

    With a `container` it runs at most AHEAD events before it, so that there is still much to publish at each kill.
    """
    ids = [f"event-{number}" for number in range(EVENTS)]
    for start in range(0, EVENTS, TOGETHER):
        records = [Record(id_, json.dumps({"id": id_, "source": "orders"}).encode()) for id_ in ids[start:][:TOGETHER]]
        await store.publish(bus, records)
        if container is not None:
            await container.until(start - AHEAD)
    return set(ids)


async def test_killing_nats_server_loses_no_event(server: NatsServer, bus: str, container: Container) -> None:
    store = await JetStreamStore.connect(server.url)
    await store.prepare([bus])
    async with router(server, bus, container):
        publishing = asyncio.create_task(publish(store, bus, container))
        for taken in (50, 200):
            await container.until(taken)
            assert not publishing.done()
            server.kill()
            await asyncio.to_thread(server.start)
        published = await publishing
        await container.until(EVENTS)
    await store.close()
    assert set(container.taken) == published


async def test_killing_the_router_loses_no_event(server: NatsServer, bus: str, container: Container) -> None:
    store = await JetStreamStore.connect(server.url)
    await store.prepare([bus])
    publishing = asyncio.create_task(publish(store, bus, container))
    for taken in (50, 200):
        async with router(server, bus, container) as process:
            await container.until(taken)
            assert not publishing.done()
            await end(process)
    async with router(server, bus, container):
        await container.until(EVENTS)
    await store.close()
    assert set(container.taken) == await publishing


async def test_two_routers_share_the_work_and_survive_each_other(
    server: NatsServer, bus: str, container: Container
) -> None:
    store = await JetStreamStore.connect(server.url)
    await store.prepare([bus])
    publishing = asyncio.create_task(publish(store, bus, container))
    async with router(server, bus, container):
        async with router(server, bus, container) as process:
            await container.until(100)
            assert not publishing.done()
            await end(process)
        await container.until(EVENTS)
    await store.close()
    assert set(container.taken) == await publishing


async def test_killing_the_target_loses_no_event(server: NatsServer, bus: str, container: Container) -> None:
    store = await JetStreamStore.connect(server.url)
    await store.prepare([bus])
    publishing = asyncio.create_task(publish(store, bus, container))
    async with router(server, bus, container):
        for taken in (50, 200):
            await container.until(taken)
            assert not publishing.done()
            container.kill()
            await container.start()
        await container.until(EVENTS)
    await store.close()
    assert set(container.taken) == await publishing


async def test_a_router_asked_to_stop_ends_by_itself(server: NatsServer, bus: str, container: Container) -> None:
    store = await JetStreamStore.connect(server.url)
    await store.prepare([bus])
    await publish(store, bus)
    # However slow the machine is, nothing is handed out again because nobody was heard of in time.
    async with router(server, bus, container, ack_wait=20) as process:
        await container.until(50)
        process.terminate()
        async with asyncio.timeout(60):
            assert await process.wait() == 0
    taken = sum(container.taken.values())
    assert taken == len(container.taken), "an event was delivered twice although nothing was killed"
    async with router(server, bus, container, ack_wait=20):
        await container.until(EVENTS)
    await store.close()
