"""Publishes to JetStream until every message is confirmed: what the server did not confirm is sent again.

A message carries its id (`Nats-Msg-Id`), so that one sent twice within the stream's duplicate window is stored once.
"""

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import nats.errors
from nats.aio.msg import Msg

from harness.storage.client import ShortClient
from harness.storage.held import StoreFull, StoreUnavailable
from harness.storage.outlet import Outlet, framed

log = logging.getLogger(__name__)

MESSAGE_ID = "Nats-Msg-Id"
PATIENCE_SECONDS = 20.0
RESEND_SECONDS = 2.0
WRITE_BYTES = 512 * 1024

# JetStream API error codes (nats-server `errors.json`).
STORE_FAILED = 10077  # "maximum bytes exceeded" and its like
NO_RESOURCES = (10023, 10028, 10047)


@dataclass(frozen=True, slots=True)
class Outgoing:
    subject: str
    body: bytes
    headers: Mapping[str, str]


class _Batch:
    """Messages that are sent together and waited for together."""

    def __init__(self, messages: Sequence[Outgoing]) -> None:
        self.waiting = set(range(len(messages)))
        self.retry: list[Outgoing] = []
        self.refusal: str = ""
        self.full = False
        self.done = asyncio.Event()

    def settle(self, index: int) -> None:
        self.waiting.discard(index)
        if not self.waiting:
            self.done.set()


class Publisher:
    """`patience`: seconds until `publish` gives up; `resend`: seconds until an unconfirmed message is sent again."""

    def __init__(
        self, client: ShortClient, *, patience: float = PATIENCE_SECONDS, resend: float = RESEND_SECONDS
    ) -> None:
        self._client = client
        self._outlet = Outlet(client)
        self._patience = patience
        self._resend = resend
        self._prefix = client.new_inbox() + "."
        self._next = 0
        self._open: dict[int, tuple[_Batch, int, Outgoing]] = {}
        self._connected = asyncio.Event()
        self._connected.set()

    async def start(self) -> None:
        subscription = await self._client.subscribe(self._prefix + "*", cb=self._unheard)
        self._client.take(subscription._id, self._confirmed)

    def reconnected(self) -> None:
        """What was under way when the connection broke is sent again at once."""
        self._connected.set()
        for batch in {id(batch): batch for batch, _, _ in self._open.values()}.values():
            batch.done.set()

    def disconnected(self) -> None:
        self._connected.clear()

    async def publish(self, messages: Sequence[Outgoing], *, patience: float | None = None) -> None:
        """Returns when all are stored. Raises StoreFull, or StoreUnavailable after `patience` seconds."""
        deadline = asyncio.get_running_loop().time() + (self._patience if patience is None else patience)
        left = list(messages)
        while left:
            remaining = deadline - asyncio.get_running_loop().time()
            if remaining <= 0:
                raise StoreUnavailable(f"the event store did not confirm {len(left)} messages in time")
            left = await self._attempt(left, remaining)

    async def _attempt(self, messages: list[Outgoing], remaining: float) -> list[Outgoing]:
        """The messages to send again."""
        if not self._connected.is_set():
            try:
                await asyncio.wait_for(self._connected.wait(), remaining)
            except TimeoutError:
                return messages
        batch = _Batch(messages)
        first = self._next
        self._next += len(messages)
        try:
            await self._send(batch, messages, first)
            async with asyncio.timeout(min(self._resend, remaining)):
                await batch.done.wait()
        except nats.errors.MaxPayloadError as error:
            raise StoreFull("an event is larger than the event store's max_payload setting") from error
        except TimeoutError:
            log.debug("%d messages unconfirmed after %.1f s", len(batch.waiting), self._resend)
        except nats.errors.Error as error:
            log.warning("the event store cannot be reached: %s", error)
            await asyncio.sleep(min(0.1, remaining))
        finally:
            for number in range(first, first + len(messages)):
                self._open.pop(number, None)
        return await self._verdict(batch, messages)

    async def _send(self, batch: _Batch, messages: Sequence[Outgoing], first: int) -> None:
        frames: list[bytes] = []
        size = 0
        most = self._outlet.most_bytes
        for index, message in enumerate(messages):
            self._open[first + index] = (batch, index, message)
            frame = framed(message.subject, f"{self._prefix}{first + index}", message.headers, message.body)
            if len(frame) > most:  # a little early: with the command line, which does not count
                raise nats.errors.MaxPayloadError
            frames.append(frame)
            size += len(frame)
            if size > WRITE_BYTES:
                await self._outlet.write(b"".join(frames))
                frames, size = [], 0
        if frames:
            await self._outlet.write(b"".join(frames))

    async def _verdict(self, batch: _Batch, messages: list[Outgoing]) -> list[Outgoing]:
        if batch.full:
            raise StoreFull(batch.refusal)
        if batch.refusal:
            raise StoreUnavailable(batch.refusal)
        if batch.retry:
            await asyncio.sleep(0.1)
        return batch.retry + [messages[index] for index in sorted(batch.waiting)]

    def _confirmed(self, subject: bytes, data: bytes) -> None:
        entry = self._open.get(int(subject[len(self._prefix) :]))
        if entry is None:
            return
        batch, index, message = entry
        if b'"error"' in data:
            _refused(batch, message, json.loads(data)["error"])
        batch.settle(index)

    async def _unheard(self, reply: Msg) -> None:
        """503: no stream listens (yet), as while the server recovers. Only such a reply has headers."""
        entry = self._open.get(int(reply.subject[len(self._prefix) :]))
        if entry is not None:
            batch, index, message = entry
            batch.retry.append(message)
            batch.settle(index)


def _refused(batch: _Batch, message: Outgoing, error: Mapping[str, object]) -> None:
    code, text = error.get("err_code"), str(error.get("description", ""))
    if code in NO_RESOURCES or (code == STORE_FAILED and "maximum" in text):
        batch.full, batch.refusal = True, f"the event store is full: {text}"
    elif error.get("code") in (500, 503):
        batch.retry.append(message)
    else:
        batch.refusal = f"the event store refused: {text} ({code})"
