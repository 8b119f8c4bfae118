"""Where the records of calls are kept: a JetStream stream that every edge writes to and can read.

Bounded by bytes and age, the oldest go first. A message holds the records of some calls, one a line.
"""

import hashlib
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import datetime

from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig

from harness.bus.jetstream import JetStreamStore
from harness.bus.store import StoreFull, StoreUnavailable
from harness.bus.streams import DAY, MEBIBYTE

log = logging.getLogger(__name__)

STREAM = "AUDIT"
SUBJECT = "audit.calls"
MOST_BYTES = 64 * MEBIBYTE
MOST_SECONDS = 7.0 * DAY
# nats-server takes messages of up to a mebibyte.
MESSAGE_BYTES = 512 * 1024


class AuditStore:
    """On the connection of `store`."""

    def __init__(self, store: JetStreamStore, *, most_bytes: int = MOST_BYTES, most_seconds: float = MOST_SECONDS):
        self._store = store
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
        await self._store.keep_stream(self._config)

    async def append(self, lines: Sequence[bytes]) -> bool:
        """Whether they are stored; False when the store cannot be reached, for another try later."""
        try:
            for message in _messages(lines):
                await self._store.append(SUBJECT, hashlib.sha256(message).hexdigest()[:32], message)
        except (StoreUnavailable, StoreFull) as error:
            log.warning("records of calls wait: %s", error)
            return False
        return True

    async def read(self, since: datetime | None = None) -> AsyncGenerator[bytes, None]:
        """Every record that is kept, oldest first; those of messages stored since an instant. Ends."""
        async with aclosing(self._store.read_stream(STREAM, SUBJECT, since)) as messages:
            async for message in messages:
                for line in message.split(b"\n"):
                    yield line

    async def find(self, needle: bytes, since: datetime | None = None) -> AsyncGenerator[bytes, None]:
        """The records in whose text `needle` is."""
        async with aclosing(self._store.read_stream(STREAM, SUBJECT, since)) as messages:
            async for message in messages:
                if needle in message:
                    for line in message.split(b"\n"):
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
