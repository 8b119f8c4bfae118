"""Shelves on NATS JetStream: a stream for each queue's messages, and one with the claims of all.

    QUEUE_{id}     the messages in order, until they are erased or too old. Full: SendMessage is refused.
    QUEUE_CLAIMS   a subject for each lane, of which the last word counts. Full: ReceiveMessage is refused.

File storage: what is confirmed survives the death of any process.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import nats.js.errors
from nats.aio.msg import Msg
from nats.js.api import DiscardPolicy, RawStreamMsg, StorageType, StreamConfig

from harness.queues.index import Arrived, Lane
from harness.queues.lane_codec import group_lane, lane_from_bytes, lane_to_bytes, own_lane
from harness.queues.message import Message
from harness.queues.shelf import Place, Purged, Told
from harness.storage.connection import Connection
from harness.storage.position import position
from harness.storage.publisher import MESSAGE_ID, Outgoing

MEBIBYTE = 1024 * 1024
DAY = 86_400
CLAIMS = "QUEUE_CLAIMS"
LONGEST_RETENTION = 14 * DAY
ERASED_SECONDS = 3600  # so long others may take to hear of it; later they find it out
ALL_SECONDS = 2.0
_LANE, _SENT, _DUE = "Lane", "Sent", "Due"
_EXPECTED = "Nats-Expected-Last-Subject-Sequence"
_TTL = "Nats-TTL"
_PURGED = "purged"


@dataclass(frozen=True, slots=True)
class Bounds:
    """nats-server counts the bytes of all streams as reserved against its `max_file_store`, used or not.

    A process that receives from a queue knows each of its messages, in some 300 bytes.
    """

    queue_bytes: int = 256 * MEBIBYTE
    queue_messages: int = 1_000_000
    claims_bytes: int = 512 * MEBIBYTE


class JetStreamShelves:
    def __init__(self, connection: Connection, bounds: Bounds | None = None) -> None:
        self._connection = connection
        self._bounds = bounds or Bounds()

    async def prepare(self) -> None:
        """What all queues share. Calling again is harmless."""
        await self._connection.keep_stream(
            StreamConfig(
                name=CLAIMS,
                subjects=["claims.>"],
                max_msgs_per_subject=1,
                max_age=LONGEST_RETENTION + DAY,
                max_bytes=self._bounds.claims_bytes,
                storage=StorageType.FILE,
                discard=DiscardPolicy.NEW,
                duplicate_window=60,
                allow_msg_ttl=True,
            )
        )

    async def keep(self, place: Place) -> None:
        await self._connection.keep_stream(
            StreamConfig(
                name=stream_of(place.id),
                subjects=[_subject(place.id)],
                # Never younger than the window; how old a message may be is seen to when it is received.
                max_age=max(place.seconds, place.once_seconds),
                max_bytes=self._bounds.queue_bytes,
                max_msgs=self._bounds.queue_messages,
                storage=StorageType.FILE,
                discard=DiscardPolicy.NEW,
                duplicate_window=place.once_seconds,
            )
        )

    async def drop(self, place_id: str) -> None:
        await self._connection.drop_stream(stream_of(place_id))
        await _purge(self._connection, CLAIMS, subject=f"claims.{place_id}.>")

    def shelf(self, place: Place) -> "JetStreamShelf":
        return JetStreamShelf(self._connection, place)


class JetStreamShelf:
    def __init__(self, connection: Connection, place: Place) -> None:
        self._connection = connection
        self._place = place
        self._stream = stream_of(place.id)
        self._subject = _subject(place.id)

    async def append(self, message: Message, *, once: str) -> tuple[int, bool]:
        appended = await self._connection.append(self._subject, message.to_bytes(), self._headers(message, once))
        return appended.sequence, appended.duplicate

    async def append_all(self, messages: Sequence[tuple[Message, str]]) -> None:
        outgoing = [
            Outgoing(self._subject, message.to_bytes(), self._headers(message, once)) for message, once in messages
        ]
        await self._connection.publish(outgoing, patience=ALL_SECONDS)

    async def fetch(self, sequence: int) -> Message | None:
        found = await self._read(self._stream, sequence=sequence)
        return None if found is None else Message.from_bytes(found.data or b"")

    async def erase(self, sequence: int) -> None:
        await self._connection.forget(self._stream, sequence)

    async def purge(self) -> int:
        upto = await self.newest()
        await _purge(self._connection, self._stream, upto=upto + 1)
        await _purge(self._connection, CLAIMS, subject=self._claims("*"))
        await self._connection.append(self._claims(_PURGED), str(upto).encode(), {MESSAGE_ID: uuid4().hex})
        return upto

    async def newest(self) -> int:
        info = await self._connection.managed(lambda: self._connection.jetstream.stream_info(self._stream))
        last: int = info.state.last_seq
        return last

    async def lane(self, key: str) -> Lane:
        found = await self._read(CLAIMS, subject=self._claims(key))
        return Lane(key) if found is None else lane_from_bytes(key, found.data or b"", found.seq or 0)

    async def write_lane(self, lane: Lane) -> int:
        # The id keeps a repeated attempt, whose first answer was lost, from conflicting with itself.
        headers = {_EXPECTED: str(lane.revision), MESSAGE_ID: uuid4().hex}
        if not lane.claims:
            headers[_TTL] = f"{ERASED_SECONDS}s"
        return (await self._connection.append(self._claims(lane.key), lane_to_bytes(lane), headers)).sequence

    async def messages(self) -> AsyncGenerator[Arrived | Told, None]:
        last = await self.newest()
        reading = self._connection.read(self._stream, self._subject, headers_only=True)
        async with aclosing(reading) as messages:
            async for message in messages:
                arrived = self._arrived(message)
                last = max(last, arrived.sequence)
                yield arrived
        yield Told(last)
        following = self._connection.follow(self._stream, self._subject, after=last, headers_only=True)
        async with aclosing(following) as messages:
            async for message in messages:
                yield self._arrived(message)

    async def lanes(self) -> AsyncGenerator[Lane | Purged | Told, None]:
        subject = self._claims("*")
        info = await self._connection.managed(lambda: self._connection.jetstream.stream_info(CLAIMS))
        last: int = info.state.last_seq
        async with aclosing(self._connection.read(CLAIMS, subject)) as messages:
            async for message in messages:
                last = max(last, position(message).stream)
                yield _change(message)
        yield Told()
        async with aclosing(self._connection.follow(CLAIMS, subject, after=last)) as messages:
            async for message in messages:
                yield _change(message)

    async def _read(self, stream: str, *, sequence: int | None = None, subject: str = "") -> Any:
        async def read() -> RawStreamMsg | None:
            jetstream = self._connection.jetstream
            try:
                if sequence is not None:
                    return await jetstream.get_msg(stream, sequence)
                return await jetstream.get_last_msg(stream, subject)
            except nats.js.errors.NotFoundError:
                return None

        return await self._connection.managed(read)

    def _headers(self, message: Message, once: str) -> dict[str, str]:
        headers = {MESSAGE_ID: once, _SENT: str(message.sent), _DUE: str(message.due)}
        if self._place.ordered:
            headers[_LANE] = group_lane(message.group)
        return headers

    def _claims(self, key: str) -> str:
        return f"claims.{self._place.id}.{key}"

    def _arrived(self, message: Msg) -> Arrived:
        headers = message.headers or {}
        sequence = position(message).stream
        lane = headers[_LANE] if self._place.ordered else own_lane(sequence)
        return Arrived(sequence, lane, int(headers[_SENT]), int(headers[_DUE]))


def stream_of(place_id: str) -> str:
    return f"QUEUE_{place_id}"


def _subject(place_id: str) -> str:
    return f"queue.{place_id}"


def _change(message: Msg) -> Lane | Purged:
    key = message.subject.rpartition(".")[2]
    if key == _PURGED:
        return Purged(int(message.data))
    return lane_from_bytes(key, message.data, position(message).stream)


async def _purge(connection: Connection, stream: str, *, upto: int | None = None, subject: str | None = None) -> None:
    async def purge() -> None:
        await connection.jetstream.purge_stream(stream, seq=upto, subject=subject)

    await connection.managed(purge)
