"""Where the records of calls are kept: a JetStream stream that every edge writes to and can read.

Bounded by bytes and age, the oldest go first. A message holds the records of some calls, one a line.
"""

import hashlib
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import datetime

from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig

from harness.storage.connection import Connection
from harness.storage.held import StoreFull, StoreUnavailable
from harness.storage.publisher import MESSAGE_ID, Outgoing

log = logging.getLogger(__name__)

STREAM = "AUDIT"
SUBJECT = "audit.calls"
MEBIBYTE = 1024 * 1024
DAY = 86_400
MOST_BYTES = 64 * MEBIBYTE
MOST_SECONDS = 7.0 * DAY
# nats-server takes messages of up to a mebibyte.
MESSAGE_BYTES = 512 * 1024


class AuditStore:
    def __init__(self, connection: Connection, *, most_bytes: int = MOST_BYTES, most_seconds: float = MOST_SECONDS):
        self._connection = connection
        self._config = StreamConfig(
            name=STREAM,
            subjects=[SUBJECT],
            retention=RetentionPolicy.LIMITS,
            storage=StorageType.FILE,
            discard=DiscardPolicy.OLD,
            max_bytes=most_bytes,
            max_age=most_seconds,
        )

    async def prepare(self) -> None:
        await self._connection.keep_stream(self._config)

    async def append(self, lines: Sequence[bytes]) -> bool:
        """Whether they are stored; False when the store cannot be reached, for another try later."""
        try:
            for message in _messages(lines):
                message_id = hashlib.sha256(message).hexdigest()[:32]
                await self._connection.publish([Outgoing(SUBJECT, message, {MESSAGE_ID: message_id})])
        except (StoreUnavailable, StoreFull) as error:
            log.warning("records of calls wait: %s", error)
            return False
        return True

    async def read(self, since: datetime | None = None) -> AsyncGenerator[bytes, None]:
        """Every record that is kept, oldest first; those of messages stored since an instant. Ends."""
        async with aclosing(self._connection.read(STREAM, SUBJECT, since)) as messages:
            async for message in messages:
                for line in message.data.split(b"\n"):
                    yield line

    async def find(self, needle: bytes, since: datetime | None = None) -> AsyncGenerator[bytes, None]:
        """The records in whose text `needle` is."""
        async with aclosing(self._connection.read(STREAM, SUBJECT, since)) as messages:
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
