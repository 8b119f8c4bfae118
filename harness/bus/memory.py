"""The store's twin in memory, for unit tests: same behaviour, nothing kept."""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from harness.bus.store import Archive, Archived, DeadLetter, Delivery, Kept, Kind, Record
from harness.clock import Clock, utc_now
from harness.storage.held import Held, Settlement

ACK_WAIT_SECONDS = 30.0


@dataclass(slots=True)
class _Message:
    body: bytes
    headers: Mapping[str, str]
    stored: datetime
    attempt: int = 0


class _Queue:
    """A work queue: what is pulled and not settled within `ack_wait` seconds is handed out again."""

    def __init__(self, ack_wait: float) -> None:
        self._ack_wait = ack_wait
        self._ready: list[_Message] = []
        self._held: dict[int, _Message] = {}
        self._timers: dict[int, asyncio.TimerHandle] = {}
        self._arrival = asyncio.Event()

    def add(self, message: _Message) -> None:
        self._ready.append(message)
        self._arrival.set()

    async def pull(self, limit: int, wait: float) -> list[Held]:
        if not self._ready:
            self._arrival.clear()
            try:
                # Not wait_for(), which ignores being cancelled at the moment of an arrival: nobody would have taken it.
                async with asyncio.timeout(wait):
                    await self._arrival.wait()
            except TimeoutError:
                return []
        taken, self._ready = self._ready[:limit], self._ready[limit:]
        return [self._hold(message) for message in taken]

    def _hold(self, message: _Message) -> Held:
        message.attempt += 1
        attempt = message.attempt
        self._return_after(message, self._ack_wait)

        async def settle(settlement: Settlement, delay: float) -> None:
            if id(message) not in self._held or message.attempt != attempt:
                return  # too late: it has been handed out again
            self._timers.pop(id(message)).cancel()
            del self._held[id(message)]
            if settlement is Settlement.NAK:
                self._return_after(message, delay)
            elif settlement is Settlement.PROGRESS:
                self._return_after(message, self._ack_wait)

        return Held(message.body, message.headers, message.attempt, message.stored, settle)

    def _return_after(self, message: _Message, seconds: float) -> None:
        self._held[id(message)] = message
        self._timers[id(message)] = asyncio.get_running_loop().call_later(seconds, self._return, message)

    def _return(self, message: _Message) -> None:
        del self._held[id(message)], self._timers[id(message)]
        self.add(message)

    def kept(self, kind: Kind, name: str) -> Kept:
        messages = [*self._ready, *self._held.values()]
        return Kept(kind, name, len(messages), sum(len(message.body) for message in messages))

    def clear(self) -> None:
        self.close()
        self._timers.clear()
        self._held.clear()
        self._ready.clear()

    def close(self) -> None:
        for timer in self._timers.values():
            timer.cancel()


@dataclass(slots=True)
class _Bus:
    queue: _Queue
    history: list[bytes] = field(default_factory=list)
    seen: OrderedDict[str, None] = field(default_factory=OrderedDict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class MemoryStore:
    """`ack_wait` seconds: how long a holder may keep silent before its message is handed out again."""

    def __init__(self, *, clock: Clock = utc_now, ack_wait: float = ACK_WAIT_SECONDS) -> None:
        self._clock = clock
        self._ack_wait = ack_wait
        self._buses: dict[str, _Bus] = {}
        self._targets: dict[str, _Queue] = {}
        self._enqueued: set[str] = set()
        self._archives: dict[str, dict[str, Archived]] = {}
        self._logs: dict[str, dict[str, bytes]] = {}
        self._letters: dict[str, DeadLetter] = {}

    async def prepare(self, buses: Sequence[str], targets: Sequence[str] = ()) -> None:
        for bus in buses:
            self._buses.setdefault(bus, _Bus(_Queue(self._ack_wait)))
        for target in targets:
            self._targets.setdefault(target, _Queue(self._ack_wait))

    async def drop(self, buses: Sequence[str], targets: Sequence[str] = ()) -> None:
        dropped = [self._buses.pop(bus).queue for bus in buses if bus in self._buses]
        for queue in (*dropped, *(self._targets.pop(target) for target in targets if target in self._targets)):
            queue.close()

    async def clear(self, bus: str) -> None:
        kept = self._buses[bus]
        kept.history.clear()
        kept.seen.clear()
        kept.queue.clear()

    async def publish(self, bus: str, records: Sequence[Record]) -> None:
        kept = self._buses[bus]
        for record in records:
            if record.id not in kept.seen:
                kept.seen[record.id] = None
                kept.history.append(record.body)
                kept.queue.add(_Message(record.body, record.headers, self._clock()))
        kept.changed.set()

    async def pull_events(self, bus: str, limit: int, wait: float) -> Sequence[Held]:
        return await self._buses[bus].queue.pull(limit, wait)

    async def enqueue(self, deliveries: Sequence[Delivery], archived: Sequence[Archived] = ()) -> None:
        for event in archived:
            self._archives.setdefault(event.archive.name, {}).setdefault(event.id, event)
        for delivery in deliveries:
            if delivery.id not in self._enqueued:
                self._enqueued.add(delivery.id)
                message = _Message(delivery.body, delivery.headers, self._clock())
                self._targets.setdefault(delivery.target, _Queue(self._ack_wait)).add(message)

    async def pull_deliveries(self, target: str, limit: int, wait: float) -> Sequence[Held]:
        return await self._targets.setdefault(target, _Queue(self._ack_wait)).pull(limit, wait)

    async def release_target(self, target: str) -> None:
        """Nothing waits here: what is added waits in the one queue of all."""

    async def release_bus(self, bus: str) -> None: ...

    async def prepare_archive(self, archive: Archive) -> None:
        self._archives.setdefault(archive.name, {})

    async def drop_archive(self, name: str) -> None:
        self._archives.pop(name, None)

    async def archived_minutes(self, archive: Archive) -> Mapping[int, int]:
        return Counter(event.minute for event in self._archives.get(archive.name, {}).values())

    async def archive_kept(self, archive: Archive) -> Kept:
        events = self._archives.get(archive.name, {}).values()
        return Kept(Kind.ARCHIVE, archive.name, len(events), sum(len(event.body) for event in events))

    async def archived(self, archive: Archive, minute: int) -> AsyncGenerator[bytes, None]:
        for event in tuple(self._archives.get(archive.name, {}).values()):
            if event.minute == minute:
                yield event.body

    async def log(self, group: str, records: Sequence[Record]) -> None:
        kept = self._logs.setdefault(group, {})
        for record in records:
            kept.setdefault(record.id, record.body)

    async def logged(self, group: str) -> AsyncGenerator[bytes, None]:
        for body in tuple(self._logs.get(group, {}).values()):
            yield body

    async def set_aside(self, letter: DeadLetter) -> None:
        self._letters.setdefault(letter.id, letter)

    async def undelivered(self) -> AsyncGenerator[DeadLetter, None]:
        for letter in tuple(self._letters.values()):
            yield letter

    async def usage(self) -> Sequence[Kept]:
        letters = self._letters.values()
        return [
            *(Kept(Kind.BUS, arn, len(bus.history), sum(map(len, bus.history))) for arn, bus in self._buses.items()),
            *(queue.kept(Kind.TARGET, target) for target, queue in self._targets.items()),
            *(
                Kept(Kind.ARCHIVE, name, len(events), sum(len(event.body) for event in events.values()))
                for name, events in self._archives.items()
            ),
            *(Kept(Kind.LOG, group, len(kept), sum(map(len, kept.values()))) for group, kept in self._logs.items()),
            Kept(Kind.UNDELIVERED, "", len(letters), sum(len(letter.body) for letter in letters)),
        ]

    async def tail(self, bus: str, *, from_start: bool) -> AsyncGenerator[bytes, None]:
        kept = self._buses[bus]
        at = 0 if from_start else len(kept.history)
        while True:
            while at < len(kept.history):
                yield kept.history[at]
                at += 1
            kept.changed.clear()
            await kept.changed.wait()

    async def kept(self, bus: str) -> AsyncGenerator[bytes, None]:
        for body in tuple(self._buses[bus].history):
            yield body

    async def trim(self, bus: str) -> None:
        """Nothing to bound: it lives as long as a test."""

    def connected(self) -> bool:
        return True

    async def close(self) -> None:
        for queue in (*self._targets.values(), *(bus.queue for bus in self._buses.values())):
            queue.close()
