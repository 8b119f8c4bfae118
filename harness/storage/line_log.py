"""Lines of JSON in a JetStream stream that every process writes to and can read: records of calls, of an event's way.

Bounded by bytes and age, the oldest go first. A message holds some lines.
"""

import hashlib
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime

from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig

from harness.storage.connection import Connection
from harness.storage.held import StoreFull, StoreUnavailable
from harness.storage.publisher import MESSAGE_ID, Outgoing

log = logging.getLogger(__name__)

MEBIBYTE = 1024 * 1024
DAY = 86_400
# nats-server takes messages of up to a mebibyte.
MESSAGE_BYTES = 512 * 1024


@dataclass(frozen=True, slots=True)
class LogBounds:
    """How much is kept, in bytes and seconds."""

    most_bytes: int = 64 * MEBIBYTE
    most_seconds: float = 7.0 * DAY


class LineLog:
    """`stream` and `subject` are its alone."""

    def __init__(self, connection: Connection, stream: str, subject: str, bounds: LogBounds = LogBounds()) -> None:
        self._connection = connection
        self._stream = stream
        self._subject = subject
        self._config = StreamConfig(
            name=stream,
            subjects=[subject],
            retention=RetentionPolicy.LIMITS,
            storage=StorageType.FILE,
            discard=DiscardPolicy.OLD,
            max_bytes=bounds.most_bytes,
            max_age=bounds.most_seconds,
        )

    async def prepare(self) -> None:
        await self._connection.keep_stream(self._config)

    async def append(self, lines: Sequence[bytes]) -> bool:
        """Whether they are stored; False when the store cannot be reached, for another try later."""
        try:
            for message in _messages(lines):
                message_id = hashlib.sha256(message).hexdigest()[:32]
                await self._connection.publish([Outgoing(self._subject, message, {MESSAGE_ID: message_id})])
        except (StoreUnavailable, StoreFull) as error:
            log.warning("lines for %s wait: %s", self._stream, error)
            return False
        return True

    async def read(self, since: datetime | None = None) -> AsyncGenerator[bytes, None]:
        """Every line that is kept, oldest first; those of messages stored since an instant. Ends."""
        async with aclosing(self._connection.read(self._stream, self._subject, since)) as messages:
            async for message in messages:
                for line in message.data.split(b"\n"):
                    yield line

    async def find(self, needle: bytes, since: datetime | None = None) -> AsyncGenerator[bytes, None]:
        """The lines in whose text `needle` is."""
        async with aclosing(self._connection.read(self._stream, self._subject, since)) as messages:
            async for message in messages:
                if needle in message.data:
                    for line in message.data.split(b"\n"):
                        if needle in line:
                            yield line


def _messages(lines: Sequence[bytes]) -> list[bytes]:
    messages: list[list[bytes]] = [[]]
    size = 0
    for line in lines:
        if messages[-1] and size + len(line) > MESSAGE_BYTES:
            messages.append([])
            size = 0
        messages[-1].append(line)
        size += len(line) + 1
    return [b"\n".join(message) for message in messages if message]
