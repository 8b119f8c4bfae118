"""The queues that there are: definitions in the state, which all processes share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from harness.policy import Document
from harness.queues.model import Queue, arn_parts, queue_key
from harness.storage.state import Conflict, Entry, Key, State

NOTED_SECONDS = 300
_QUEUES: Key = ("sqs", "queue")


class Copy(Protocol):
    """The part of `storage.replica.Replica` that this needs."""

    def get(self, key: Key) -> Entry | None: ...

    def below(self, prefix: Key) -> list[Entry]: ...

    def listen(self, listener: Callable[[Key], None]) -> None: ...

    async def put(self, key: Key, value: bytes, *, expected: int | None = None, small_note: bool = False) -> Entry: ...

    async def delete(self, key: Key, *, expected: int | None = None) -> None: ...


@dataclass(frozen=True, slots=True)
class Known:
    queue: Queue
    revision: int


class Registry:
    """`copy` follows `state`. Methods that write may raise Conflict, StoreFull, StoreUnavailable."""

    def __init__(self, copy: Copy, state: State) -> None:
        self.copy = copy
        self._state = state
        self._read: dict[Key, Known] = {}
        copy.listen(self._changed)
        self._listeners: list[Callable[[Key], None]] = []

    def listen(self, listener: Callable[[Key], None]) -> None:
        """Called with the key of a queue that was made, changed or deleted."""
        self._listeners.append(listener)

    async def find(self, account: str, name: str) -> Known | None:
        """As known here; what is not known here may have been made by another process a moment ago."""
        key = queue_key(account, name)
        return self._known(self.copy.get(key) or await self._state.get(key))

    async def by_arn(self, arn: str) -> Queue | None:
        parts = arn_parts(arn)
        known = await self.find(*parts) if parts else None
        return known.queue if known is not None and known.queue.arn == arn else None

    def policy(self, arn: str) -> Document | None:
        """As known here."""
        parts = arn_parts(arn)
        known = self._known(self.copy.get(queue_key(*parts))) if parts else None
        return known.queue.policy if known is not None else None

    def current(self, queue: Queue) -> bool:
        """Whether this very queue is still there, as far as is known here."""
        known = self._known(self.copy.get(queue.key))
        return known is not None and known.queue.id == queue.id

    def of_account(self, account: str) -> list[Queue]:
        """In the order of their names."""
        return [known.queue for entry in self.copy.below((*_QUEUES, account)) if (known := self._known(entry))]

    def all(self) -> list[Queue]:
        return [known.queue for entry in self.copy.below(_QUEUES) if (known := self._known(entry))]

    async def put(self, queue: Queue, *, expected: int | None) -> Known:
        return Known(queue, (await self.copy.put(queue.key, queue.to_bytes(), expected=expected)).revision)

    async def delete(self, known: Known) -> None:
        await self.copy.delete(known.queue.key, expected=known.revision)

    async def moment(self, what: str, account: str, name: str) -> float | None:
        """When (seconds) something was last done with the queue of that name: `deleted`, `purged`."""
        entry = await self._state.get(("sqs", what, account, name))
        return None if entry is None else float(entry.value)

    async def note(self, what: str, account: str, name: str, at: float) -> None:
        """What was noted long ago is forgotten: names of queues are without number."""
        for entry in self.copy.below(("sqs", what, account)):
            if float(entry.value) >= at - NOTED_SECONDS:
                continue
            try:
                await self.copy.delete(entry.key, expected=entry.revision)
            except Conflict:
                continue  # forgotten by another process, or noted anew
        await self.copy.put(("sqs", what, account, name), repr(at).encode(), small_note=True)

    def _known(self, entry: Entry | None) -> Known | None:
        if entry is None:
            return None
        known = self._read.get(entry.key)
        if known is None or known.revision != entry.revision:
            known = self._read[entry.key] = Known(Queue.from_bytes(entry.value), entry.revision)
        return known

    def _changed(self, key: Key) -> None:
        if key[:2] != _QUEUES:
            return
        if self.copy.get(key) is None:
            self._read.pop(key, None)
        for listener in self._listeners:
            listener(key)
