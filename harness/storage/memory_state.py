"""The state's twin in memory, for unit tests: same behaviour, nothing kept."""

import asyncio
from collections.abc import AsyncGenerator

from harness.storage.state import CaughtUp, Change, Conflict, Entry, Key


class MemoryState:
    def __init__(self) -> None:
        self._entries: dict[Key, Entry] = {}
        self._log: list[Change] = []
        self._changed = asyncio.Condition()

    async def prepare(self) -> None:
        """Nothing to make."""

    async def get(self, key: Key) -> Entry | None:
        return self._entries.get(key)

    async def put(self, key: Key, value: bytes, *, expected: int | None = None) -> int:
        self._check(key, expected)
        return await self._apply(key, value)

    async def delete(self, key: Key, *, expected: int | None = None) -> int:
        self._check(key, expected)
        return await self._apply(key, None)

    async def changes(self) -> AsyncGenerator[Change | CaughtUp, None]:
        at = len(self._log)
        for entry in list(self._entries.values()):
            yield Change(entry.key, entry.value, entry.revision)
        yield CaughtUp(at)
        while True:
            while at < len(self._log):
                at += 1
                yield self._log[at - 1]
            async with self._changed:
                if at == len(self._log):
                    await self._changed.wait()

    async def _apply(self, key: Key, value: bytes | None) -> int:
        revision = len(self._log) + 1
        self._log.append(Change(key, value, revision))
        if value is None:
            self._entries.pop(key, None)
        else:
            self._entries[key] = Entry(key, value, revision)
        async with self._changed:
            self._changed.notify_all()
        return revision

    def _check(self, key: Key, expected: int | None) -> None:
        if expected is None:
            return
        entry = self._entries.get(key)
        if (entry.revision if entry else 0) != expected:
            raise Conflict(f"{'/'.join(key)} has been changed meanwhile")
