"""One connection to NATS JetStream, which comes back by itself: streams kept, messages published until confirmed,
pulled and settled, read and followed. Any number of processes share what is behind it.
"""

import asyncio
import json
import logging
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

import nats.errors
import nats.js.errors
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, ConsumerInfo, DeliverPolicy, StreamConfig, StreamInfo

from harness.errors import StartError
from harness.storage.client import ShortClient
from harness.storage.held import Held, Settlement, StoreFull, StoreUnavailable
from harness.storage.outlet import Outlet, framed_plain
from harness.storage.position import position
from harness.storage.publisher import NO_RESOURCES, STORE_FAILED, Outgoing, Publisher
from harness.storage.puller import PULL_ERRORS, Puller, Reader
from harness.storage.state import Conflict

log = logging.getLogger(__name__)

CONNECT_SECONDS = 10.0
RECONNECT_FIRST_SECONDS = 0.05
RECONNECT_MOST_SECONDS = 2.0
READ_SECONDS = 2.0
FLUSH_SECONDS = 2
READ_MESSAGES = 256
FORGOTTEN_SECONDS = 60.0  # the server drops a reader's consumer after that long without a pull
_NAME_IN_USE = 10058
_WRONG_LAST_SEQUENCE = (10071, 10164)
_NO_SUCH_MESSAGE = (10037, 10057)
_STREAMS_A_PAGE = 256


@dataclass(frozen=True, slots=True)
class Appended:
    """Where a message is. `duplicate`: it was there already, by its id, and was not added again."""

    sequence: int
    duplicate: bool


class Connection:
    """Made by `connect`. Every method may raise StoreUnavailable."""

    def __init__(self, client: ShortClient, *, replicas: int = 1) -> None:
        self._client = client
        self._replicas = replicas
        self.jetstream: JetStreamContext = client.jetstream(timeout=5)
        self._outlet = Outlet(client)
        self._publisher = Publisher(client)
        self._pullers: dict[tuple[str, str], Puller] = {}
        self._readers: set[Reader] = set()

    @classmethod
    async def connect(
        cls, url: str, *, name: str = "harness", timeout: float = CONNECT_SECONDS, replicas: int = 1
    ) -> "Connection":
        """`url` as `nats://127.0.0.1:4222`, several (of one cluster) with commas between.

        `replicas`: how many servers of the cluster keep each stream; of three, one may be lost.
        Raises StartError when nothing answers within `timeout` seconds.
        """
        client = ShortClient()
        connection = cls(client, replicas=replicas)

        async def reconnected() -> None:
            connection._reconnected()

        async def disconnected() -> None:
            connection._publisher.disconnected()

        async def failed(error: Exception) -> None:
            log.warning("event store: %s", error or type(error).__name__)

        connecting = client.connect(
            [each.strip() for each in url.split(",")],
            name=name,
            reconnected_cb=reconnected,
            disconnected_cb=disconnected,
            error_cb=failed,
            max_reconnect_attempts=-1,
            reconnect_to_server_handler=_next_server,
            reconnect_time_wait=1,  # of the first connect; later ones wait as `_next_server` says
            ping_interval=10,
            skip_subject_validation=True,  # every subject is made of name_token() or came from the server
        )
        try:
            await asyncio.wait_for(connecting, timeout)
        except (TimeoutError, nats.errors.Error, OSError) as error:
            places = ", ".join(each.strip().rpartition("@")[2].removeprefix("nats://") for each in url.split(","))
            raise StartError(f"no event store answers at {places} (is nats-server running there?)") from error
        await connection._publisher.start()
        return connection

    def connected(self) -> bool:
        return bool(self._client.is_connected)

    async def publish(self, messages: Sequence[Outgoing], *, patience: float | None = None) -> None:
        """Returns when all are stored. May raise StoreFull. `patience`: seconds, where the usual ones are too many."""
        await self._publisher.publish(messages, patience=patience)

    async def keep_stream(self, config: StreamConfig) -> None:
        """Made, or brought up to date."""
        kept = replace(config, num_replicas=self._replicas)
        await self.managed(lambda: self._stream(kept))

    async def keep_worker(self, stream: StreamConfig, consumer: ConsumerConfig) -> None:
        """A stream with a durable consumer that any number of processes pull from."""
        await self.keep_stream(stream)
        await self.managed(lambda: self.jetstream.add_consumer(stream.name or "", consumer))

    async def append(self, subject: str, body: bytes, headers: Mapping[str, str]) -> Appended:
        """Stores one message and says where. May raise StoreFull, and Conflict where the headers expect something."""
        appended: Appended = await self.managed(lambda: self._append(subject, body, headers))
        return appended

    async def forget(self, stream: str, sequence: int) -> None:
        """Takes one message away, without overwriting its bytes on the disk. One that is not there is gone already."""
        await self.managed(lambda: self._forget(stream, sequence))

    async def drop_stream(self, name: str) -> None:
        """With all that is in it. One that is not there is dropped already."""
        for key in [key for key in self._pullers if key[0] == name]:
            await self._pullers.pop(key).close()
        await self.managed(lambda: self._delete(name))

    async def pull(self, stream: StreamConfig, consumer: ConsumerConfig, limit: int, wait: float) -> list[Held]:
        """Up to `limit` messages of a worker, at once if there are any, else the first within `wait` seconds.

        A worker that the server has lost is made again.
        """
        key = (stream.name or "", consumer.durable_name or "")
        puller = self._pullers.get(key)
        if puller is None:
            puller = self._pullers[key] = Puller(self._client, *key)
        if puller.gone and self.connected():
            await self.keep_worker(stream, consumer)
            puller.gone = False
        try:
            return [held_message(message, self._outlet) for message in await puller.pull(limit, wait)]
        except PULL_ERRORS as error:
            raise StoreUnavailable(f"the event store cannot be reached: {error}") from error

    async def release(self, stream: str, consumer: str) -> None:
        """Stops pulling here from a worker; what came and was not pulled is given back, for another process."""
        puller = self._pullers.pop((stream, consumer), None)
        if puller is None:
            return
        try:
            for message in await puller.close():
                await message.nak()
        except PULL_ERRORS as error:
            log.debug("release of %s: %s", stream, error)  # the server gives it away after the consumer's ack_wait

    async def streams(self) -> list[StreamInfo]:
        """All that the server has."""
        found: list[StreamInfo] = []
        full = True
        while full:
            page = await self.managed(partial(self.jetstream.streams_info, len(found)))
            found += page
            full = len(page) >= _STREAMS_A_PAGE
        return found

    async def stream(self, name: str) -> StreamInfo | None:
        info: StreamInfo | None = await self.managed(lambda: self._info(name))
        return info

    async def subjects(self, name: str) -> Mapping[str, int]:
        """The subjects of what a stream holds, and how many messages each has; none of one that is not there."""
        info: StreamInfo | None = await self.managed(lambda: self._info(name, subjects=">"))
        return (info.state.subjects or {}) if info is not None else {}

    async def read(
        self, stream: str, subject: str, since: datetime | None = None, *, headers_only: bool = False
    ) -> AsyncGenerator[Msg, None]:
        """What the stream holds under `subject` now, from what was stored since an instant. Ends.

        After a lost connection it goes on behind the last message handed out.
        """
        config = _reading(subject, headers_only=headers_only)
        if since is not None:
            config.deliver_policy = DeliverPolicy.BY_START_TIME
            config.opt_start_time = since
        left: int | None = None
        last: int | None = None
        while left is None or left > 0:
            info = await self._consumer(stream, config if last is None else _from(config, last))
            name, pending = info.name, info.num_pending or 0
            left = pending if left is None else min(left, pending)
            reader = self._reader(stream, name)
            try:
                while left > 0 and not reader.gone:
                    messages = await _read(reader, READ_SECONDS)
                    for message in messages[:left]:
                        last = position(message).stream
                        yield message
                    left -= len(messages)
                    if not messages and not reader.gone:
                        # Either nothing comes through, or what was left has been trimmed meanwhile.
                        info = await self.managed(partial(self.jetstream.consumer_info, stream, name))
                        left = left if reader.gone else min(left, info.num_pending or 0)
            finally:
                await self._drop(reader)

    async def follow(
        self, stream: str, subject: str, *, after: int | None, headers_only: bool = False
    ) -> AsyncGenerator[Msg, None]:
        """What is stored under `subject` behind the stream's sequence `after` (0: all; None: from now on). Without end.

        A lost connection or consumer is replaced by one that begins after the last message handed out.
        """
        config = _reading(subject, headers_only=headers_only)
        while True:
            info = await self._consumer(stream, _from(config, after))
            reader = self._reader(stream, info.name)
            if after is None:
                # So that following from now misses nothing when its consumer must be made again.
                after = info.delivered.stream_seq if info.delivered else 0
            try:
                while not reader.gone:
                    for message in await _read(reader, 5):
                        after = position(message).stream
                        yield message
            finally:
                await self._drop(reader)

    async def managed(self, call: Callable[[], Awaitable[Any]]) -> Any:
        """Repeats what the server does not answer (it may be starting again); other refusals are final."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + 20
        while True:
            try:
                return await call()
            except (
                nats.errors.TimeoutError,
                nats.errors.NoRespondersError,
                nats.js.errors.ServiceUnavailableError,
                nats.js.errors.NoStreamResponseError,  # while the server recovers
            ) as error:
                if loop.time() > deadline:
                    raise StoreUnavailable(f"the event store does not answer: {error}") from error
                await asyncio.sleep(0.1)
            except nats.errors.Error as error:
                raise StoreUnavailable(f"the event store refused: {error}") from error

    async def close(self) -> None:
        """What came and was not handed out is given back, so that another process gets it at once."""
        try:
            if self._client.is_connected:
                await self._give_back()
        except PULL_ERRORS as error:
            log.debug("not all is given back: %s", error)  # the server gives it away after the consumer's ack_wait
        finally:
            await self._client.close()

    async def _give_back(self) -> None:
        for puller in (*self._pullers.values(), *self._readers):
            for message in await puller.close():
                if message.reply.startswith("$JS.ACK."):
                    await message.nak()
        await self._client.flush(timeout=FLUSH_SECONDS)

    def _reconnected(self) -> None:
        self._publisher.reconnected()
        for puller in (*self._pullers.values(), *self._readers):
            puller.reset()
        for puller in self._readers:
            puller.gone = True  # a reader's consumer is not durable

    async def _consumer(self, stream: str, config: ConsumerConfig) -> ConsumerInfo:
        info: ConsumerInfo = await self.managed(lambda: self.jetstream.add_consumer(stream, config))
        return info

    def _reader(self, stream: str, consumer: str) -> Reader:
        reader = Reader(self._client, stream, consumer)
        self._readers.add(reader)
        return reader

    async def _drop(self, reader: Reader) -> None:
        self._readers.discard(reader)
        try:
            await reader.close()
        except PULL_ERRORS as error:
            log.debug("a reader is not closed: %s", error)  # the server drops its consumer after FORGOTTEN_SECONDS

    async def _stream(self, config: StreamConfig) -> None:
        try:
            await self.jetstream.add_stream(config)
        except nats.js.errors.BadRequestError as error:
            if error.err_code != _NAME_IN_USE:
                raise
            await self.jetstream.update_stream(config)

    async def _info(self, name: str, subjects: str | None = None) -> StreamInfo | None:
        try:
            return await self.jetstream.stream_info(name, subjects)
        except nats.js.errors.NotFoundError:
            return None

    async def _append(self, subject: str, body: bytes, headers: Mapping[str, str]) -> Appended:
        try:
            stored = await self.jetstream.publish(subject, body, headers=dict(headers))
        except nats.js.errors.APIError as error:
            if error.err_code in _WRONG_LAST_SEQUENCE:
                raise Conflict(f"{subject} has been changed meanwhile") from error
            if error.err_code in NO_RESOURCES or (error.err_code == STORE_FAILED and "maximum" in str(error)):
                raise StoreFull(f"no room for {subject}: {error.description}") from error
            raise
        return Appended(stored.seq, bool(stored.duplicate))

    async def _forget(self, stream: str, sequence: int) -> None:
        request = json.dumps({"seq": sequence, "no_erase": True}).encode()
        answer = await self._client.request(f"$JS.API.STREAM.MSG.DELETE.{stream}", request, timeout=5)
        error = json.loads(answer.data).get("error")
        if error is not None and error.get("err_code") not in _NO_SUCH_MESSAGE:
            nats.js.errors.APIError.from_error(error)

    async def _delete(self, name: str) -> None:
        try:
            # Emptied first: the server moves a deleted stream's folder aside and removes it later. When that folder is
            # still there at the next deletion under the same name, the move fails, the deletion succeeds all the same,
            # and a stream that is made under the name finds what the deleted one had.
            await self.jetstream.purge_stream(name)
            await self.jetstream.delete_stream(name)
        except nats.js.errors.NotFoundError:
            log.debug("the stream %s is gone already", name)


def held_message(message: Msg, outlet: Outlet) -> Held:
    async def settle(settlement: Settlement, delay: float) -> None:
        try:
            match settlement:
                case Settlement.ACK:
                    await outlet.write(framed_plain(message.reply, b"+ACK"))
                case Settlement.NAK:
                    await message.nak(delay)
                case Settlement.TERM:
                    await message.term()
                case Settlement.PROGRESS:
                    await message.in_progress()
        except nats.errors.Error as error:
            raise StoreUnavailable(f"the event store cannot be reached: {error}") from error

    at = position(message)
    return Held(message.data, message.headers or {}, at.attempt, at.stored, settle)


async def _read(reader: Reader, wait: float) -> list[Msg]:
    try:
        return await reader.pull(READ_MESSAGES, wait)
    except PULL_ERRORS as error:
        raise StoreUnavailable(f"the event store cannot be reached: {error}") from error


def _reading(subject: str, *, headers_only: bool) -> ConsumerConfig:
    return ConsumerConfig(
        ack_policy=AckPolicy.NONE,
        filter_subject=subject,
        inactive_threshold=FORGOTTEN_SECONDS,
        headers_only=headers_only or None,
    )


def _from(config: ConsumerConfig, after: int | None) -> ConsumerConfig:
    if after is None:
        return replace(config, deliver_policy=DeliverPolicy.NEW)
    return replace(config, deliver_policy=DeliverPolicy.BY_START_SEQUENCE, opt_start_seq=after + 1, opt_start_time=None)


def _next_server(servers: list[Any], _info: dict[str, Any]) -> tuple[Any, float]:
    """Backoff with jitter, from RECONNECT_FIRST_SECONDS to RECONNECT_MOST_SECONDS, without end."""
    server = min(servers, key=lambda each: each.reconnects)
    most = min(RECONNECT_MOST_SECONDS, RECONNECT_FIRST_SECONDS * 2 ** min(server.reconnects, 10))
    return server, random.uniform(most / 2, most)
