"""A copy of the whole state in this process, for questions that cannot wait, kept up to date by following it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import aclosing, asynccontextmanager

from harness.storage.ending import ended
from harness.storage.held import StoreUnavailable
from harness.storage.shares import Shares
from harness.storage.state import CaughtUp, Change, Entry, Key, State

REACH_SECONDS = 10.0


class Replica:
    """What this process has written itself is seen here as soon as `put` or `delete` returns."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._entries: dict[Key, Entry] = {}
        # By each beginning of a key: what one account keeps costs nothing when another's is asked for.
        self._groups: dict[Key, dict[Key, Entry]] = {}
        self._removed: dict[Key, int] = {}
        self._revision = 0
        self._newest = 0
        self._news = asyncio.Event()
        self._listeners: list[Callable[[Key], None]] = []
        self.shares = Shares()

    @property
    def revision(self) -> int:
        """Every change up to this one is in the copy."""
        return self._revision

    @property
    def newest(self) -> int:
        """The newest change in the copy; another process that has reached it knows all that this one knows."""
        return self._newest

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Replica"]:
        """Entered once everything that there is has been read."""
        await self._state.prepare()
        ready = asyncio.Event()
        following = asyncio.create_task(self._follow(ready))
        waiting = asyncio.create_task(ready.wait())
        try:
            await asyncio.wait((following, waiting), return_when=asyncio.FIRST_COMPLETED)
            if following.done():
                await following
            yield self
        finally:
            await ended((following, waiting))

    def get(self, key: Key) -> Entry | None:
        return self._entries.get(key)

    async def read(self, key: Key) -> Entry | None:
        """The entry as it is in the state now, which may not have come to this copy yet."""
        entry = await self._state.get(key)
        if entry is not None:
            self._apply(Change(key, entry.value, entry.revision))
        return entry

    def below(self, prefix: Key) -> list[Entry]:
        """The entries whose keys begin with `prefix`, in the order of their keys."""
        found = list((self._groups.get(prefix, {}) if prefix else self._entries).values())
        alone = self._entries.get(prefix)
        if alone is not None:
            found.append(alone)
        return sorted(found, key=lambda each: each.key)

    def listen(self, listener: Callable[[Key], None]) -> None:
        """Called with the key of each entry that has changed, after the change."""
        self._listeners.append(listener)

    async def put(self, key: Key, value: bytes, *, expected: int | None = None, small_note: bool = False) -> Entry:
        """Raises Conflict, StoreFull (ShareUsed where `shares` is bounded), StoreUnavailable.

        `small_note`: what deleting something needs, which no share holds up.
        """
        if not small_note:
            self.shares.check(self._entries.get(key), key, value)
        revision = await self._state.put(key, value, expected=expected)
        self._apply(Change(key, value, revision))
        return Entry(key, value, revision)

    async def delete(self, key: Key, *, expected: int | None = None) -> None:
        revision = await self._state.delete(key, expected=expected)
        self._apply(Change(key, None, revision))

    async def reach(self, revision: int, *, seconds: float = REACH_SECONDS) -> None:
        """Waits until the copy holds every change up to `revision`; StoreUnavailable if it does not in time."""
        try:
            async with asyncio.timeout(seconds):
                while self._revision < revision:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError as error:
            raise StoreUnavailable(f"the state of revision {revision} has not come within {seconds:g} s") from error

    async def _follow(self, ready: asyncio.Event) -> None:
        while True:
            try:
                await self._read(ready)
            except StoreUnavailable:
                if not ready.is_set():
                    raise
                await asyncio.sleep(0.5)  # the server is away; what changed meanwhile is read again from the start

    async def _read(self, ready: asyncio.Event) -> None:
        async with aclosing(self._state.changes()) as changes:
            seen: set[Key] | None = set()
            async for change in changes:
                if isinstance(change, CaughtUp):
                    await self._forget(set(self._entries) - (seen or set()), change.revision)
                    seen = None
                    self._advance(change.revision)
                    ready.set()
                    continue
                self._apply(change)
                if seen is None:
                    self._advance(change.revision)
                elif change.value is not None:
                    seen.add(change.key)

    async def _forget(self, keys: Iterable[Key], revision: int) -> None:
        """Entries that went while nobody followed.

        One that was changed while all was read has not been told, and is there: hence the question.
        """
        for key in keys:
            known = self._entries.get(key)
            if known is not None and known.revision <= revision and await self.read(key) is None:
                self._apply(Change(key, None, revision))

    def _apply(self, change: Change) -> None:
        known = self._entries.get(change.key)
        newest = max(known.revision if known else 0, self._removed.get(change.key, 0))
        if change.revision <= newest:
            return  # our own write, or one that it has overtaken
        if change.value is None:
            self._drop(change.key)
            self._removed[change.key] = change.revision
        else:
            self._keep(Entry(change.key, change.value, change.revision))
            self._removed.pop(change.key, None)
        self._newest = max(self._newest, change.revision)
        for listener in self._listeners:
            listener(change.key)

    def _keep(self, entry: Entry) -> None:
        self.shares.changed(self._entries.get(entry.key), entry)
        self._entries[entry.key] = entry
        for size in range(1, len(entry.key)):
            self._groups.setdefault(entry.key[:size], {})[entry.key] = entry

    def _drop(self, key: Key) -> None:
        known = self._entries.pop(key, None)
        if known is None:
            return
        self.shares.changed(known, None)
        for size in range(1, len(key)):
            group = self._groups[key[:size]]
            del group[key]
            if not group:
                del self._groups[key[:size]]

    def _advance(self, revision: int) -> None:
        self._revision = max(self._revision, revision)
        self._newest = max(self._newest, revision)
        # Changes come in order: none that is older than these can follow.
        self._removed = {key: at for key, at in self._removed.items() if at > revision}
        self._news.set()
