"""The bus's store on NATS JetStream. Any number of edge and router processes share it."""

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing

from nats.aio.msg import Msg

from harness.bus import streams
from harness.bus.store import Archive, Archived, DeadLetter, Delivery, Kept, Kind, Record
from harness.bus.streams import Bounds
from harness.storage.connection import CONNECT_SECONDS, Connection
from harness.storage.held import Held
from harness.storage.publisher import MESSAGE_ID, Outgoing

TRIM_ABOVE, TRIM_TO = 0.8, 0.5
_LETTER = "Letter"


class JetStreamStore:
    """On a connection that other parts may share; `close` closes it."""

    def __init__(self, connection: Connection, bounds: Bounds | None = None) -> None:
        self.connection = connection
        self._bounds = bounds or Bounds()
        self._prepared = False
        self._logs: set[str] = set()

    @classmethod
    async def connect(
        cls,
        url: str,
        *,
        bounds: Bounds | None = None,
        name: str = "harness",
        timeout: float = CONNECT_SECONDS,
        replicas: int = 1,
    ) -> "JetStreamStore":
        """On a connection of its own. Raises StartError as `Connection.connect` does."""
        return cls(await Connection.connect(url, name=name, timeout=timeout, replicas=replicas), bounds)

    def connected(self) -> bool:
        return self.connection.connected()

    async def prepare(self, buses: Sequence[str], targets: Sequence[str] = ()) -> None:
        for bus in buses:
            config = streams.bus_config(bus, self._bounds)
            await self.connection.keep_worker(config, streams.worker_config(streams.MATCHING, self._bounds))
        for target in targets:
            config = streams.target_config(target, self._bounds)
            await self.connection.keep_worker(config, streams.worker_config(streams.DELIVERY, self._bounds))
        if not self._prepared:
            await self.connection.keep_stream(streams.undelivered_config(self._bounds))
            self._prepared = True

    async def drop(self, buses: Sequence[str], targets: Sequence[str] = ()) -> None:
        for bus in buses:
            await self.connection.drop_stream(streams.bus_stream(bus))
        for target in targets:
            await self.connection.drop_stream(streams.target_stream(target))

    async def clear(self, bus: str) -> None:
        name = streams.bus_stream(bus)
        await self.connection.managed(lambda: self.connection.jetstream.purge_stream(name))

    async def publish(self, bus: str, records: Sequence[Record]) -> None:
        subject = streams.bus_subject(bus)
        await self.connection.publish(
            [Outgoing(subject, record.body, {MESSAGE_ID: record.id, **record.headers}) for record in records]
        )

    async def pull_events(self, bus: str, limit: int, wait: float) -> Sequence[Held]:
        consumer = streams.worker_config(streams.MATCHING, self._bounds)
        return await self.connection.pull(streams.bus_config(bus, self._bounds), consumer, limit, wait)

    async def enqueue(self, deliveries: Sequence[Delivery], archived: Sequence[Archived] = ()) -> None:
        messages = [
            Outgoing(streams.target_subject(item.target), item.body, {MESSAGE_ID: item.id, **item.headers})
            for item in deliveries
        ]
        messages += [
            Outgoing(streams.archive_subject(item.archive.name, item.minute), item.body, {MESSAGE_ID: item.id})
            for item in archived
        ]
        await self.connection.publish(messages)

    async def pull_deliveries(self, target: str, limit: int, wait: float) -> Sequence[Held]:
        consumer = streams.worker_config(streams.DELIVERY, self._bounds)
        return await self.connection.pull(streams.target_config(target, self._bounds), consumer, limit, wait)

    async def release_target(self, target: str) -> None:
        await self.connection.release(streams.target_stream(target), streams.DELIVERY)

    async def release_bus(self, bus: str) -> None:
        await self.connection.release(streams.bus_stream(bus), streams.MATCHING)

    async def prepare_archive(self, archive: Archive) -> None:
        await self.connection.keep_stream(streams.archive_config(archive, self._bounds))

    async def drop_archive(self, name: str) -> None:
        await self.connection.drop_stream(streams.archive_stream(name))

    async def archived_minutes(self, archive: Archive) -> Mapping[int, int]:
        subjects = await self.connection.subjects(streams.archive_stream(archive.name))
        return {int(subject.rpartition(".")[2]): count for subject, count in subjects.items()}

    async def archive_kept(self, archive: Archive) -> Kept:
        info = await self.connection.stream(streams.archive_stream(archive.name))
        return Kept(Kind.ARCHIVE, archive.name, 0, 0) if info is None else streams.kept(info)

    async def archived(self, archive: Archive, minute: int) -> AsyncGenerator[bytes, None]:
        stream, subject = streams.archive_stream(archive.name), streams.archive_subject(archive.name, minute)
        async with aclosing(self.connection.read(stream, subject)) as messages:
            async for message in messages:
                yield message.data

    async def log(self, group: str, records: Sequence[Record]) -> None:
        if group not in self._logs:
            await self.connection.keep_stream(streams.log_config(group, self._bounds))
            self._logs.add(group)
        subject = streams.log_subject(group)
        await self.connection.publish([Outgoing(subject, record.body, {MESSAGE_ID: record.id}) for record in records])

    async def logged(self, group: str) -> AsyncGenerator[bytes, None]:
        if await self.connection.stream(streams.log_stream(group)) is None:
            return
        async with aclosing(self.connection.read(streams.log_stream(group), streams.log_subject(group))) as messages:
            async for message in messages:
                yield message.data

    async def set_aside(self, letter: DeadLetter) -> None:
        told = json.dumps([letter.queue, letter.reason, dict(letter.attributes)])
        headers = {MESSAGE_ID: letter.id, _LETTER: told}
        await self.connection.publish([Outgoing(streams.UNDELIVERED_SUBJECT, letter.body, headers)])

    async def undelivered(self) -> AsyncGenerator[DeadLetter, None]:
        async with aclosing(self.connection.read(streams.UNDELIVERED, streams.UNDELIVERED_SUBJECT)) as messages:
            async for message in messages:
                yield _letter(message)

    async def usage(self) -> Sequence[Kept]:
        return [streams.kept(info) for info in await self.connection.streams()]

    async def kept(self, bus: str) -> AsyncGenerator[bytes, None]:
        async with aclosing(self.connection.read(streams.bus_stream(bus), streams.bus_subject(bus))) as messages:
            async for message in messages:
                yield message.data

    async def tail(self, bus: str, *, from_start: bool) -> AsyncGenerator[bytes, None]:
        after = 0 if from_start else None
        following = self.connection.follow(streams.bus_stream(bus), streams.bus_subject(bus), after=after)
        async with aclosing(following) as messages:
            async for message in messages:
                yield message.data

    async def trim(self, bus: str) -> None:
        """At four fifths of its bytes a bus's stream forgets matched events down to a half."""
        name = streams.bus_stream(bus)
        jetstream, managed = self.connection.jetstream, self.connection.managed
        state = (await managed(lambda: jetstream.stream_info(name))).state
        if state.bytes <= TRIM_ABOVE * self._bounds.bus_bytes:
            return
        surplus = 1 - TRIM_TO * self._bounds.bus_bytes / state.bytes
        info = await managed(lambda: jetstream.consumer_info(name, streams.MATCHING))
        matched = info.ack_floor.stream_seq if info.ack_floor else 0
        keep_from = min(state.first_seq + int(state.messages * surplus), matched + 1)
        if keep_from > state.first_seq:
            await managed(lambda: jetstream.purge_stream(name, seq=keep_from))

    async def close(self) -> None:
        await self.connection.close()


def _letter(message: Msg) -> DeadLetter:
    headers = message.headers or {}
    queue, reason, attributes = json.loads(headers[_LETTER])
    return DeadLetter(headers[MESSAGE_ID], queue, message.data, attributes, reason)
