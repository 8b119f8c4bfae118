"""The state on JetStream: a stream that keeps the last message of each subject.

A deleted entry leaves a tombstone for a day, so that whoever follows hears of it.
"""

import json
import uuid
from collections.abc import AsyncGenerator
from contextlib import aclosing

import nats.js.errors
from nats.aio.msg import Msg
from nats.js.api import DiscardPolicy, RawStreamMsg, StorageType, StreamConfig

from harness.storage.connection import Connection
from harness.storage.held import StoreFull, name_token
from harness.storage.position import position
from harness.storage.publisher import MESSAGE_ID, STORE_FAILED
from harness.storage.state import CaughtUp, Change, Conflict, Entry, Key

STREAM = "STATE"
SUBJECTS = "state.>"
MOST_BYTES = 256 * 1024 * 1024
TOMBSTONE_SECONDS = 86_400
_KEY = "Key"
_GONE = "Gone"
_EXPECTED = "Nats-Expected-Last-Subject-Sequence"
_TTL = "Nats-TTL"
_WRONG_LAST_SEQUENCE = (10071, 10164)


class JetStreamState:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._config = StreamConfig(
            name=STREAM,
            subjects=[SUBJECTS],
            max_msgs_per_subject=1,
            storage=StorageType.FILE,
            discard=DiscardPolicy.NEW,
            max_bytes=MOST_BYTES,
            allow_msg_ttl=True,
        )

    async def prepare(self) -> None:
        await self._connection.keep_stream(self._config)

    async def get(self, key: Key) -> Entry | None:
        message = await self._last(key)
        if message is None or _GONE in (message.headers or {}):
            return None
        return Entry(key, message.data or b"", message.seq or 0)

    async def put(self, key: Key, value: bytes, *, expected: int | None = None) -> int:
        return await self._write(key, value, {}, expected)

    async def delete(self, key: Key, *, expected: int | None = None) -> int:
        return await self._write(key, b"", {_GONE: "1", _TTL: f"{TOMBSTONE_SECONDS}s"}, expected)

    async def changes(self) -> AsyncGenerator[Change | CaughtUp, None]:
        info = await self._connection.managed(lambda: self._connection.jetstream.stream_info(STREAM))
        revision: int = info.state.last_seq
        async with aclosing(self._connection.read(STREAM, SUBJECTS)) as messages:
            async for message in messages:
                change = _change(message)
                revision = max(revision, change.revision)
                yield change
        yield CaughtUp(revision)
        async with aclosing(self._connection.follow(STREAM, SUBJECTS, after=revision)) as messages:
            async for message in messages:
                yield _change(message)

    async def _write(self, key: Key, value: bytes, headers: dict[str, str], expected: int | None) -> int:
        # The id keeps a repeated attempt, whose first answer was lost, from conflicting with itself.
        headers = {**headers, _KEY: json.dumps(key), MESSAGE_ID: uuid.uuid4().hex}
        if expected is not None:
            headers[_EXPECTED] = str(expected or await self._tombstone(key))
        revision: int = await self._connection.managed(lambda: self._publish(key, value, headers))
        return revision

    async def _publish(self, key: Key, value: bytes, headers: dict[str, str]) -> int:
        try:
            stored = await self._connection.jetstream.publish(_subject(key), value, headers=headers)
        except nats.js.errors.APIError as error:
            if error.err_code in _WRONG_LAST_SEQUENCE:
                raise Conflict(f"{'/'.join(key)} has been changed meanwhile") from error
            if error.err_code == STORE_FAILED:
                raise StoreFull(f"the state is full: {error.description}") from error
            raise
        revision: int = stored.seq
        return revision

    async def _tombstone(self, key: Key) -> int:
        """The sequence of what a deleted entry left, 0 when there is nothing or the entry is not deleted."""
        message = await self._last(key)
        return (message.seq or 0) if message is not None and _GONE in (message.headers or {}) else 0

    async def _last(self, key: Key) -> RawStreamMsg | None:
        message: RawStreamMsg | None = await self._connection.managed(lambda: self._read_last(key))
        return message

    async def _read_last(self, key: Key) -> RawStreamMsg | None:
        try:
            return await self._connection.jetstream.get_last_msg(STREAM, _subject(key))
        except nats.js.errors.NotFoundError:
            return None


def _subject(key: Key) -> str:
    return ".".join(("state", *map(name_token, key)))


def _change(message: Msg) -> Change:
    headers = message.headers or {}
    key = tuple(json.loads(headers[_KEY]))
    return Change(key, None if _GONE in headers else message.data, position(message).stream)
