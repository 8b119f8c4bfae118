"""A cluster of three nats-servers and two routers: the loss of a node in mid-load loses no event."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from harness.bus import streams
from harness.bus.jetstream import JetStreamStore
from tests.bus.test_kill import EVENTS, ROOT, Container, publish
from tests.storage.nats_server import NatsCluster
from tests.storage.processes import end

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[NatsCluster]:
    cluster = NatsCluster(tmp_path).start()
    yield cluster
    cluster.kill()


@asynccontextmanager
async def a_router(cluster: NatsCluster, bus: str, container: Container) -> AsyncIterator[None]:
    command = ("-m", "tests.bus.router_process", cluster.url, bus, f"http://127.0.0.1:{container.port}", "3")
    process = await asyncio.create_subprocess_exec(sys.executable, *command, cwd=ROOT)
    try:
        yield
    finally:
        await end(process)


async def leader_of(store: JetStreamStore, bus: str) -> int:
    """The number of the node that leads the bus's stream."""
    connection = store.connection
    async with asyncio.timeout(60):
        while True:
            info = await connection.managed(lambda: connection.jetstream.stream_info(streams.bus_stream(bus)))
            if info.cluster.leader:  # none while they elect one
                return int(info.cluster.leader.rpartition("-")[2])
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("lost", ["the leader", "a follower"])
async def test_the_loss_of_a_node_loses_no_event(lost: str, cluster: NatsCluster, bus: str) -> None:
    container = Container()
    await container.start()
    store = await JetStreamStore.connect(cluster.url, timeout=60, replicas=3)
    await store.prepare([bus])
    async with AsyncExitStack() as stack:
        for _ in range(2):
            await stack.enter_async_context(a_router(cluster, bus, container))
        publishing = asyncio.create_task(publish(store, bus, container))
        await container.until(100)
        assert not publishing.done()
        leader = await leader_of(store, bus)
        cluster.nodes[leader if lost == "the leader" else (leader + 1) % 3].kill()
        published = await publishing
        await container.until(EVENTS)
    await store.close()
    container.kill()
    assert set(container.taken) == published
