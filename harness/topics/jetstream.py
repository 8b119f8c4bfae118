"""The outbox on NATS JetStream: one work queue, `TOPICS`, with a subject and a durable consumer for each lane."""

from collections.abc import Sequence

from nats.js.api import AckPolicy, ConsumerConfig, DiscardPolicy, RetentionPolicy, StorageType, StreamConfig

from harness.storage.connection import Connection
from harness.storage.held import Held
from harness.storage.publisher import MESSAGE_ID
from harness.topics.model import DEDUPLICATION_SECONDS
from harness.topics.outbox import Lane

STREAM = "TOPICS"
MOST_BYTES = 512 * 1024 * 1024
# Longer than one attempt at an endpoint may take.
ACK_WAIT_SECONDS = 30.0


class JetStreamOutbox:
    def __init__(self, connection: Connection, *, ack_wait: float = ACK_WAIT_SECONDS) -> None:
        self._connection = connection
        self._ack_wait = ack_wait
        self._stream = StreamConfig(
            name=STREAM,
            subjects=["topics.*"],
            retention=RetentionPolicy.WORK_QUEUE,
            storage=StorageType.FILE,
            discard=DiscardPolicy.NEW,
            max_bytes=MOST_BYTES,
            duplicate_window=DEDUPLICATION_SECONDS,
        )

    async def prepare(self) -> None:
        for lane in Lane:
            await self._connection.keep_worker(self._stream, self._consumer(lane))

    async def add(self, lane: Lane, body: bytes, *, once: str) -> tuple[int, bool]:
        appended = await self._connection.append(f"topics.{lane}", body, {MESSAGE_ID: once})
        return appended.sequence, appended.duplicate

    async def pull(self, lane: Lane, limit: int, wait: float) -> Sequence[Held]:
        return await self._connection.pull(self._stream, self._consumer(lane), limit, wait)

    def _consumer(self, lane: Lane) -> ConsumerConfig:
        return ConsumerConfig(
            durable_name=lane.value,
            filter_subject=f"topics.{lane}",
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=self._ack_wait,
            max_deliver=-1,
            # Those that wait for another attempt count too. What is ordered waits behind the one that is on its way.
            max_ack_pending=1 if lane is Lane.ORDERED else 100_000,
        )
