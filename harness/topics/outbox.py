"""Where published messages wait until they are with every subscriber: the protocol, and the twin in memory.

What is held and never settled is handed out again: at least once, nothing lost.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from harness.clock import Clock, utc_now
from harness.storage.held import Held, Settlement


class Lane(StrEnum):
    """`PUBLISHED`: to be shared out. `ORDERED`: the same of FIFO topics, one at a time. The rest: deliveries."""

    PUBLISHED = "published"
    ORDERED = "ordered"
    QUEUES = "queues"
    HTTP = "http"


class Outbox(Protocol):
    """Every method may raise StoreUnavailable; those that add may raise StoreFull."""

    async def prepare(self) -> None: ...

    async def add(self, lane: Lane, body: bytes, *, once: str) -> tuple[int, bool]:
        """Returns when it is stored: its sequence, and whether it was there already by the name `once`."""

    async def pull(self, lane: Lane, limit: int, wait: float) -> Sequence[Held]:
        """Up to `limit`, at once if there are any, else the first within `wait` seconds, else none."""


@dataclass(slots=True)
class _Message:
    body: bytes
    attempt: int = 0


@dataclass(slots=True)
class _Queue:
    ready: list[_Message] = field(default_factory=list)
    out: int = 0
    arrival: asyncio.Event = field(default_factory=asyncio.Event)


class MemoryOutbox:
    """Keeps nothing, for unit tests."""

    def __init__(self, *, clock: Clock = utc_now) -> None:
        self._clock = clock
        self._queues: Mapping[Lane, _Queue] = {lane: _Queue() for lane in Lane}
        self._names: dict[str, int] = {}
        self._last = 0

    async def prepare(self) -> None:
        """Nothing to make."""

    async def add(self, lane: Lane, body: bytes, *, once: str) -> tuple[int, bool]:
        if once in self._names:
            return self._names[once], True
        self._last += 1
        self._names[once] = self._last
        self._back(self._queues[lane], _Message(body))
        return self._last, False

    async def pull(self, lane: Lane, limit: int, wait: float) -> Sequence[Held]:
        queue = self._queues[lane]
        alone = lane is Lane.ORDERED
        if not queue.ready or (alone and queue.out):
            queue.arrival.clear()
            try:
                # Not wait_for(), which ignores being cancelled at the moment of an arrival: nobody would have taken it.
                async with asyncio.timeout(wait):
                    await queue.arrival.wait()
            except TimeoutError:
                return []
        if alone:
            limit = 0 if queue.out else 1
        taken, queue.ready = queue.ready[:limit], queue.ready[limit:]
        return [self._hold(queue, message) for message in taken]

    def _hold(self, queue: _Queue, message: _Message) -> Held:
        message.attempt += 1
        queue.out += 1

        async def settle(settlement: Settlement, delay: float) -> None:
            if settlement is Settlement.PROGRESS:
                return
            if settlement is Settlement.NAK:
                asyncio.get_running_loop().call_later(delay, self._return, queue, message)
            else:
                queue.out -= 1
                queue.arrival.set()

        return Held(message.body, {}, message.attempt, self._clock(), settle)

    def _return(self, queue: _Queue, message: _Message) -> None:
        queue.out -= 1
        queue.ready.insert(0, message)
        queue.arrival.set()

    def _back(self, queue: _Queue, message: _Message) -> None:
        queue.ready.append(message)
        queue.arrival.set()
