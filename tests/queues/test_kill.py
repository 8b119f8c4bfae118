"""Nothing that was confirmed is lost when a process is killed: nats-server, or a process that receives."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from harness.queues.broker import Broker
from harness.queues.jetstream import JetStreamShelves
from harness.queues.model import Queue
from harness.queues.registry import Registry
from harness.storage.connection import Connection
from harness.storage.jetstream_state import JetStreamState
from harness.storage.replica import Replica
from tests.queues.queues import a_queue, bodies, receive, send
from tests.storage.nats_server import NatsServer
from tests.storage.processes import end

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

MESSAGES = 150
# A worker may delete so many, however late it is killed.
MOST = 45
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[NatsServer]:
    server = NatsServer(tmp_path).start()
    yield server
    server.kill()


@pytest.fixture
async def ours(server: NatsServer) -> AsyncIterator[Broker]:
    connection = await Connection.connect(server.url)
    state = JetStreamState(connection)
    shelves = JetStreamShelves(connection)
    await shelves.prepare()
    async with Replica(state).running() as copy:
        broker = Broker(Registry(copy, state), shelves)
        yield broker
        await broker.stop()
    await connection.close()


class Worker:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.worked: set[str] = set()

    async def until(self, count: int) -> None:
        """It has worked on so many messages."""
        async with asyncio.timeout(180):
            while len(self.worked) < count:
                assert await self._line(), "the process has ended"

    async def kill(self) -> None:
        await end(self.process)
        while await self._line():
            continue

    async def _line(self) -> str:
        assert self.process.stdout is not None
        line = (await self.process.stdout.readline()).decode().strip()
        if line:
            self.worked.add(line)
        return line


@asynccontextmanager
async def worker(server: NatsServer, queue: Queue) -> AsyncIterator[Worker]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.queues.edge_process", server.url, queue.account, queue.name,
        cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    worker = Worker(process)
    assert process.stdin is not None
    process.stdin.write(b"\n" * MOST)
    try:
        yield worker
    finally:
        await worker.kill()


@pytest.mark.parametrize("given", [{}, {"FifoQueue": "true"}], ids=["standard", "FIFO"])
async def test_killing_a_receiver_loses_no_message(
    server: NatsServer, ours: Broker, account: str, given: dict[str, str]
) -> None:
    queue = await a_queue(ours, account, **given)
    for number in range(MESSAGES):
        await send(ours, queue, str(number), group=str(number % 10) if given else "")
    worked: set[str] = set()
    for _ in range(2):
        async with worker(server, queue) as killed:
            await killed.until(30)
        worked |= killed.worked
    found: set[str] = set()
    everything = {str(number) for number in range(MESSAGES)}
    async with asyncio.timeout(180):
        while found | worked != everything:
            for each in await receive(ours, queue, wait=2):
                found.add(each.message.body)
                await ours.delete(queue, each.handle)
    assert len(worked) < MESSAGES


async def test_killing_nats_server_loses_no_message(server: NatsServer, ours: Broker, account: str) -> None:
    queue = await a_queue(ours, account)
    sent: set[str] = set()
    deleted: set[str] = set()
    for round_ in range(3):
        for number in range(20):
            body = f"{round_}-{number}"
            await send(ours, queue, body)
            sent.add(body)
        for each in await receive(ours, queue, visibility=1):
            await ours.delete(queue, each.handle)
            deleted.add(each.message.body)
        server.kill()
        await asyncio.to_thread(server.start)
    found: set[str] = set()
    async with asyncio.timeout(180):
        while found | deleted != sent:
            batch = await receive(ours, queue, wait=3)
            found.update(bodies(batch))
            for each in batch:
                await ours.delete(queue, each.handle)


async def test_what_is_hidden_stays_hidden_when_nats_server_is_killed(
    server: NatsServer, ours: Broker, account: str
) -> None:
    queue = await a_queue(ours, account)
    await send(ours, queue, "hidden")
    [received] = await receive(ours, queue, visibility=600)
    server.kill()
    await asyncio.to_thread(server.start)
    assert await receive(ours, queue, wait=1) == []
    assert await ours.hide(queue, received.handle, 0) is None
    assert bodies(await receive(ours, queue)) == ["hidden"]
