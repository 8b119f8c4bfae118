"""Three servers of a cluster: the loss of one loses nothing that was confirmed."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from nats.js.api import AckPolicy, ConsumerConfig, RetentionPolicy, StorageType, StreamConfig

from harness.storage.connection import Connection
from harness.storage.jetstream_state import JetStreamState
from harness.storage.publisher import MESSAGE_ID, Outgoing
from harness.storage.replica import Replica
from tests.storage.nats_server import NatsCluster

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

MESSAGES, TOGETHER = 600, 20
STREAM = StreamConfig(name="WORK", subjects=["work"], retention=RetentionPolicy.WORK_QUEUE, storage=StorageType.FILE)
WORKER = ConsumerConfig(durable_name="worker", ack_policy=AckPolicy.EXPLICIT, ack_wait=5, max_deliver=-1)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[NatsCluster]:
    cluster = NatsCluster(tmp_path).start()
    yield cluster
    cluster.kill()


async def leader(connection: Connection, cluster: NatsCluster) -> int:
    async with asyncio.timeout(60):
        while True:
            info = await connection.managed(lambda: connection.jetstream.stream_info("WORK"))
            if info.cluster.leader:  # none while they elect one
                return int(info.cluster.leader.rpartition("-")[2])
            await asyncio.sleep(0.05)


async def test_the_loss_of_the_stream_leader_loses_no_message(cluster: NatsCluster) -> None:
    producer, consumer = [await Connection.connect(cluster.url, timeout=60, replicas=3) for _ in range(2)]
    await producer.keep_worker(STREAM, WORKER)
    taken: set[bytes] = set()
    halfway = asyncio.Event()

    async def consume() -> None:
        while len(taken) < MESSAGES:
            for held in await consumer.pull(STREAM, WORKER, 50, 1):
                taken.add(held.body)
                await held.ack()
            if len(taken) > MESSAGES // 3:
                halfway.set()

    async def produce() -> None:
        for start in range(0, MESSAGES, TOGETHER):
            numbers = [str(number) for number in range(start, start + TOGETHER)]
            await producer.publish([Outgoing("work", n.encode(), {MESSAGE_ID: f"m-{n}"}) for n in numbers])
            if start > MESSAGES // 2:
                await halfway.wait()

    async with asyncio.timeout(180), asyncio.TaskGroup() as group:
        group.create_task(consume())
        group.create_task(produce())
        await halfway.wait()
        cluster.nodes[await leader(producer, cluster)].kill()
    for connection in (producer, consumer):
        await connection.close()
    assert taken == {str(number).encode() for number in range(MESSAGES)}


async def test_state_is_read_and_written_after_a_node_is_lost(cluster: NatsCluster) -> None:
    connection = await Connection.connect(cluster.url, timeout=60, replicas=3)
    state = JetStreamState(connection)
    async with Replica(state).running() as copy:
        await copy.put(("before",), b"1")
        cluster.nodes[0].kill()
        revision = await state.put(("after",), b"2")
        await copy.reach(revision, seconds=60)
        assert [entry.key for entry in copy.below(())] == [("after",), ("before",)]
    await connection.close()
