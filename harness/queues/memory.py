"""The shelves' twin in memory, for unit tests: same behaviour, nothing kept."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace

from harness.clock import Clock, utc_now
from harness.queues.index import Arrived, Lane
from harness.queues.lane_codec import group_lane, own_lane
from harness.queues.message import Message
from harness.queues.shelf import Place, Purged, Told
from harness.storage.held import StoreFull
from harness.storage.state import Conflict


class MemoryShelf:
    def __init__(self, place: Place, *, most: int, clock: Clock) -> None:
        self.place = place
        self._most = most
        self._clock = clock
        self._messages: dict[int, Message] = {}
        self._last = 0
        self._names: dict[str, tuple[int, float]] = {}
        self._lanes: dict[str, Lane] = {}
        self._revision = 0
        self._told: list[Lane | Purged] = []
        self._news = asyncio.Condition()

    async def append(self, message: Message, *, once: str) -> tuple[int, bool]:
        now = self._clock().timestamp()
        known = self._names.get(once)
        if known is not None and now - known[1] < self.place.once_seconds:
            return known[0], True
        if len(self._messages) >= self._most:
            raise StoreFull("the queue is full")
        self._last += 1
        self._names[once] = (self._last, now)
        self._messages[self._last] = message
        await self._tell()
        return self._last, False

    async def append_all(self, messages: Sequence[tuple[Message, str]]) -> None:
        for message, once in messages:
            await self.append(message, once=once)

    async def fetch(self, sequence: int) -> Message | None:
        return self._messages.get(sequence)

    async def erase(self, sequence: int) -> None:
        self._messages.pop(sequence, None)

    async def purge(self) -> int:
        self._messages.clear()
        self._lanes.clear()
        self._told.append(Purged(self._last))
        await self._tell()
        return self._last

    async def newest(self) -> int:
        return self._last

    async def lane(self, key: str) -> Lane:
        return self._lanes.get(key, Lane(key))

    async def write_lane(self, lane: Lane) -> int:
        if (await self.lane(lane.key)).revision != lane.revision:
            raise Conflict(f"the lane {lane.key} has been changed meanwhile")
        self._revision += 1
        self._lanes[lane.key] = replace(lane, revision=self._revision)
        self._told.append(self._lanes[lane.key])
        await self._tell()
        return self._revision

    async def messages(self) -> AsyncGenerator[Arrived | Told, None]:
        last = self._last
        for sequence, message in list(self._messages.items()):
            yield self._arrived(sequence, message)
        yield Told(last)
        while True:
            while last < self._last:
                last += 1
                if last in self._messages:
                    yield self._arrived(last, self._messages[last])
            async with self._news:
                if last == self._last:
                    await self._news.wait()

    async def lanes(self) -> AsyncGenerator[Lane | Purged | Told, None]:
        at = len(self._told)
        for lane in list(self._lanes.values()):
            yield lane
        yield Told()
        while True:
            while at < len(self._told):
                at += 1
                yield self._told[at - 1]
            async with self._news:
                if at == len(self._told):
                    await self._news.wait()

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()

    def _arrived(self, sequence: int, message: Message) -> Arrived:
        lane = group_lane(message.group) if self.place.ordered else own_lane(sequence)
        return Arrived(sequence, lane, message.sent, message.due)


class MemoryShelves:
    """`most` messages on each."""

    def __init__(self, *, most: int = 100_000, clock: Clock = utc_now) -> None:
        self._most = most
        self._clock = clock
        self._shelves: dict[str, MemoryShelf] = {}

    async def keep(self, place: Place) -> None:
        self.shelf(place).place = place

    async def drop(self, place_id: str) -> None:
        self._shelves.pop(place_id, None)

    def shelf(self, place: Place) -> MemoryShelf:
        return self._shelves.setdefault(place.id, MemoryShelf(place, most=self._most, clock=self._clock))
