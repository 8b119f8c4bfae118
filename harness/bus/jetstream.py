"""The store on NATS JetStream. Any number of edge and router processes share it."""

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Any

import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, StreamConfig

from harness.bus import streams
from harness.bus.publisher import MESSAGE_ID, Outgoing, Publisher
from harness.bus.puller import PULL_ERRORS, Puller
from harness.bus.store import DeadLetter, Delivery, Held, Record, Settlement, StoreUnavailable
from harness.bus.streams import Bounds
from harness.errors import StartError

log = logging.getLogger(__name__)

CONNECT_SECONDS = 10.0
RECONNECT_FIRST_SECONDS = 0.05
RECONNECT_MOST_SECONDS = 2.0
READ_SECONDS = 2.0
TRIM_ABOVE, TRIM_TO = 0.8, 0.5
_NAME_IN_USE = 10058
_QUEUE = "Queue"
_LETTER = "Letter-Id"


class JetStreamStore:
    """Made by `connect`. The connection comes back by itself, however long the server is away."""

    def __init__(self, client: Client, bounds: Bounds) -> None:
        self._client = client
        self._bounds = bounds
        self._jetstream: JetStreamContext = client.jetstream(timeout=5)
        self._publisher = Publisher(client)
        self._pullers: dict[str, Puller] = {}
        self._readers: set[Puller] = set()

    @classmethod
    async def connect(
        cls, url: str, *, bounds: Bounds | None = None, name: str = "harness", timeout: float = CONNECT_SECONDS
    ) -> "JetStreamStore":
        """`url` as `nats://127.0.0.1:4222`. Raises StartError when nothing answers within `timeout` seconds."""
        client = Client()
        store = cls(client, bounds or Bounds())

        async def reconnected() -> None:
            store._reconnected()

        async def disconnected() -> None:
            store._publisher.disconnected()

        async def failed(error: Exception) -> None:
            log.warning("event store: %s", error or type(error).__name__)

        connecting = client.connect(
            url,
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
            raise StartError(f"no event store answers at {url} (is nats-server running there?)") from error
        await store._publisher.start()
        return store

    def connected(self) -> bool:
        return bool(self._client.is_connected)

    async def prepare(self, buses: Sequence[str], targets: Sequence[str] = ()) -> None:
        for bus in buses:
            await self._worker(streams.bus_config(bus, self._bounds), streams.MATCHING)
        for target in targets:
            await self._worker(streams.target_config(target, self._bounds), streams.DELIVERY)
        await self._managed(lambda: self._stream(streams.dead_letter_config(self._bounds)))

    async def publish(self, bus: str, records: Sequence[Record]) -> None:
        subject = streams.bus_subject(bus)
        await self._publisher.publish(
            [Outgoing(subject, record.body, {MESSAGE_ID: record.id, **record.headers}) for record in records]
        )

    async def pull_events(self, bus: str, limit: int, wait: float) -> Sequence[Held]:
        config = streams.bus_config(bus, self._bounds)
        return await self._pull(config, streams.MATCHING, limit, wait)

    async def enqueue(self, deliveries: Sequence[Delivery]) -> None:
        await self._publisher.publish(
            [
                Outgoing(streams.target_subject(item.target), item.body, {MESSAGE_ID: item.id, **item.headers})
                for item in deliveries
            ]
        )

    async def pull_deliveries(self, target: str, limit: int, wait: float) -> Sequence[Held]:
        config = streams.target_config(target, self._bounds)
        return await self._pull(config, streams.DELIVERY, limit, wait)

    async def bury(self, letter: DeadLetter) -> None:
        headers = {MESSAGE_ID: letter.id, _LETTER: letter.id, _QUEUE: letter.queue, **letter.attributes}
        await self._publisher.publish([Outgoing(streams.dead_letter_subject(letter.queue), letter.body, headers)])

    async def dead_letters(self, queue: str) -> Sequence[DeadLetter]:
        subject = streams.dead_letter_subject(queue)
        return [_letter(message) async for message in self._read(streams.DEAD_LETTERS, subject)]

    async def kept(self, bus: str) -> AsyncGenerator[bytes, None]:
        async with aclosing(self._read(streams.bus_stream(bus), streams.bus_subject(bus))) as messages:
            async for message in messages:
                yield message.data

    async def tail(self, bus: str, *, from_start: bool) -> AsyncGenerator[bytes, None]:
        """A lost connection or consumer is replaced by one that begins after the last event handed out."""
        config = ConsumerConfig(ack_policy=AckPolicy.NONE, inactive_threshold=60)
        config.deliver_policy = DeliverPolicy.ALL if from_start else DeliverPolicy.NEW
        while True:
            info = await self._managed(lambda: self._jetstream.add_consumer(streams.bus_stream(bus), config))
            puller = self._reader(streams.bus_stream(bus), info.name)
            if config.deliver_policy is DeliverPolicy.NEW:
                # So that a tail from now misses nothing when its consumer must be made again.
                config.opt_start_seq = (info.delivered.stream_seq if info.delivered else 0) + 1
                config.deliver_policy = DeliverPolicy.BY_START_SEQUENCE
            try:
                while not puller.gone:
                    for message in await puller.pull(256, 5):
                        config.opt_start_seq = message.metadata.sequence.stream + 1
                        config.deliver_policy = DeliverPolicy.BY_START_SEQUENCE
                        yield message.data
            finally:
                await self._drop(puller)

    async def trim(self, bus: str) -> None:
        """At four fifths of its bytes a bus's stream forgets matched events down to a half."""
        name = streams.bus_stream(bus)
        state = (await self._managed(lambda: self._jetstream.stream_info(name))).state
        if state.bytes <= TRIM_ABOVE * self._bounds.bus_bytes:
            return
        surplus = 1 - TRIM_TO * self._bounds.bus_bytes / state.bytes
        info = await self._managed(lambda: self._jetstream.consumer_info(name, streams.MATCHING))
        matched = info.ack_floor.stream_seq if info.ack_floor else 0
        keep_from = min(state.first_seq + int(state.messages * surplus), matched + 1)
        if keep_from > state.first_seq:
            await self._managed(lambda: self._jetstream.purge_stream(name, seq=keep_from))

    async def keep_stream(self, config: StreamConfig) -> None:
        """A stream of another part, made or brought up to date."""
        await self._managed(lambda: self._stream(config))

    async def append(self, subject: str, message_id: str, body: bytes) -> None:
        await self._publisher.publish([Outgoing(subject, body, {MESSAGE_ID: message_id})])

    async def read_stream(
        self, stream: str, subject: str, since: datetime | None = None
    ) -> AsyncGenerator[bytes, None]:
        """The bodies that the stream holds now, from those stored since an instant. Ends."""
        async with aclosing(self._read(stream, subject, since)) as messages:
            async for message in messages:
                yield message.data

    async def close(self) -> None:
        """What came and was not handed out is given back, so that another process gets it at once."""
        if self._client.is_connected:
            for puller in (*self._pullers.values(), *self._readers):
                for message in await puller.close():
                    if message.reply.startswith("$JS.ACK."):
                        await message.nak()
            await self._client.flush(timeout=2)
        await self._client.close()

    def _reconnected(self) -> None:
        self._publisher.reconnected()
        for puller in (*self._pullers.values(), *self._readers):
            puller.reset()
        for puller in self._readers:
            puller.gone = True  # a reader's consumer is not durable

    async def _read(self, stream: str, subject: str, since: datetime | None = None) -> AsyncGenerator[Msg, None]:
        """What the stream holds under `subject` now. Ends."""
        config = ConsumerConfig(ack_policy=AckPolicy.NONE, filter_subject=subject, inactive_threshold=60)
        if since is not None:
            config.deliver_policy = DeliverPolicy.BY_START_TIME
            config.opt_start_time = since
        info = await self._managed(lambda: self._jetstream.add_consumer(stream, config))
        name, left = info.name, info.num_pending or 0
        puller = self._reader(stream, name)
        try:
            while left > 0:
                messages = await puller.pull(256, READ_SECONDS)
                for message in messages[:left]:
                    yield message
                left -= len(messages)
                if not messages:
                    # Either nothing comes through, or what was left has been trimmed meanwhile.
                    info = await self._managed(lambda: self._jetstream.consumer_info(stream, name))
                    left = min(left, info.num_pending or 0)
        finally:
            await self._drop(puller)

    def _reader(self, stream: str, consumer: str) -> Puller:
        puller = Puller(self._client, stream, consumer)
        self._readers.add(puller)
        return puller

    async def _drop(self, puller: Puller) -> None:
        self._readers.discard(puller)
        await puller.close()

    async def _pull(self, config: StreamConfig, consumer: str, limit: int, wait: float) -> Sequence[Held]:
        stream = config.name or ""
        if stream not in self._pullers:
            self._pullers[stream] = Puller(self._client, stream, consumer)
        puller = self._pullers[stream]
        if puller.gone and self._client.is_connected:
            await self._worker(config, consumer)
            puller.gone = False
        try:
            messages = await puller.pull(limit, wait)
        except PULL_ERRORS as error:
            raise StoreUnavailable(f"the event store cannot be reached: {error}") from error
        return [_held(message) for message in messages]

    async def _worker(self, config: StreamConfig, consumer: str) -> None:
        await self._managed(lambda: self._stream(config))
        durable = streams.worker_config(consumer, self._bounds)
        await self._managed(lambda: self._jetstream.add_consumer(config.name or "", durable))

    async def _stream(self, config: StreamConfig) -> None:
        try:
            await self._jetstream.add_stream(config)
        except nats.js.errors.BadRequestError as error:
            if error.err_code != _NAME_IN_USE:
                raise
            await self._jetstream.update_stream(config)

    async def _managed(self, call: Callable[[], Awaitable[Any]]) -> Any:
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
            ) as error:
                if loop.time() > deadline:
                    raise StoreUnavailable(f"the event store does not answer: {error}") from error
                await asyncio.sleep(0.1)
            except nats.errors.Error as error:
                raise StoreUnavailable(f"the event store refused: {error}") from error


def _next_server(servers: list[Any], _info: dict[str, Any]) -> tuple[Any, float]:
    """Backoff with jitter, from RECONNECT_FIRST_SECONDS to RECONNECT_MOST_SECONDS, without end."""
    server = min(servers, key=lambda each: each.reconnects)
    most = min(RECONNECT_MOST_SECONDS, RECONNECT_FIRST_SECONDS * 2 ** min(server.reconnects, 10))
    return server, random.uniform(most / 2, most)


def _held(message: Msg) -> Held:
    async def settle(settlement: Settlement, delay: float) -> None:
        try:
            match settlement:
                case Settlement.ACK:
                    await message.ack()
                case Settlement.NAK:
                    await message.nak(delay)
                case Settlement.TERM:
                    await message.term()
                case Settlement.PROGRESS:
                    await message.in_progress()
        except nats.errors.Error as error:
            raise StoreUnavailable(f"the event store cannot be reached: {error}") from error

    metadata = message.metadata
    return Held(message.data, message.headers or {}, metadata.num_delivered, metadata.timestamp, settle)


def _letter(message: Msg) -> DeadLetter:
    headers = dict(message.headers or {})
    del headers[MESSAGE_ID]
    return DeadLetter(id=headers.pop(_LETTER), queue=headers.pop(_QUEUE), body=message.data, attributes=headers)
