"""Gives the messages of one queue out: what may be received now, to whom it went, and when it comes forth again.

It follows the store, so that any number of processes give out the messages of a queue; each hand-out is a claim that
only one of them can write.
"""

import asyncio
import logging
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from enum import Enum

from harness.clock import Clock, utc_now
from harness.queues.index import Arrived, Claim, Counts, Index, Lane, Pick
from harness.queues.lane_codec import own_lane
from harness.queues.message import Message
from harness.queues.shelf import Purged, Shelf, Told
from harness.storage.ending import ended
from harness.storage.held import StoreFull, StoreUnavailable
from harness.storage.state import Conflict

log = logging.getLogger(__name__)

REACH_SECONDS = 1.0
AGAIN_SECONDS = 0.5
BURIAL_MILLISECONDS = 30_000
LONGEST_VISIBILITY = 43_200_000  # twelve hours from the hand-out

Bury = Callable[[Message, int], Awaitable[bool]]
"""Puts a message (and its sequence) into the dead-letter queue; False when it could not, and it stays."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One ReceiveMessage. Times in milliseconds, `wait` in seconds. `retention`: the age at which messages are gone.

    `most_receives` 0: no dead-letter queue. `most_in_flight`: so many messages are hidden at once.
    """

    limit: int
    visibility: int
    wait: float
    retention: int
    most_in_flight: int
    most_receives: int = 0
    attempt: str = ""


@dataclass(frozen=True, slots=True)
class Handle:
    """Which hand-out of which message."""

    sequence: int
    lane: str
    receipt: str


@dataclass(frozen=True, slots=True)
class Received:
    message: Message
    claim: Claim
    handle: Handle


class Trouble(Enum):
    """Why nothing was done with a message."""

    TOO_MANY_IN_FLIGHT = "too many messages are in flight"
    EXPIRED = "the receipt handle has expired"
    NOT_IN_FLIGHT = "the message is not in flight"
    TOO_LONG = "hidden for longer than twelve hours in all"


class Dispenser:
    """Of one queue, as long as this process gives its messages out. `start` before use, `close` after."""

    def __init__(self, shelf: Shelf, *, ordered: bool, clock: Clock = utc_now) -> None:
        self._shelf = shelf
        self._ordered = ordered
        self._clock = clock
        self._index = Index(ordered=ordered)
        self._reached = 0
        self._news = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    async def start(self) -> None:
        """Returns when everything that there is is known. May raise StoreUnavailable, and be tried again."""
        self._closed = False
        told = [asyncio.Event(), asyncio.Event()]
        followers = [
            asyncio.create_task(self._follow(self._follow_lanes, told[0])),
            asyncio.create_task(self._follow(self._follow_messages, told[1])),
        ]
        self._tasks.update(followers)
        for follower, event in zip(followers, told, strict=True):
            waiting = asyncio.create_task(event.wait())
            await asyncio.wait((follower, waiting), return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            if follower.done():
                await self.close()
                await follower

    async def close(self) -> None:
        """Whoever waits for a message gets none."""
        self._closed = True
        self._tell()
        await ended(self._tasks)

    def appended(self, sequence: int, message: Message) -> None:
        """What this process has sent can be received here at once.

        In a FIFO queue it waits its turn: an earlier message, of another process, may not have been told here yet.
        """
        if not self._ordered:
            self._index.arrived(Arrived(sequence, own_lane(sequence), message.sent, message.due), self._now())
            self._tell()

    async def receive(self, asked: Asked, bury: Bury) -> list[Received] | Trouble:
        """The first messages that there are within `wait` seconds; none when there are none.

        Whoever is cancelled meanwhile leaves nothing hidden.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + asked.wait
        fresh = False
        while True:
            news = self._news
            self._index.drop_older(self._now() - asked.retention)
            if not self._ordered and asked.wait == 0 and self._full(asked):
                return Trouble.TOO_MANY_IN_FLIGHT
            taking = asyncio.ensure_future(self._take(asked, bury))
            try:
                taken = await asyncio.shield(taking)
            except asyncio.CancelledError:
                self._spawn(self._give_back(taking))
                raise
            if taken or self._closed:
                return taken
            if not fresh:  # an empty answer is given only when the store has nothing newer than what is known here
                await self._reach(await self._shelf.newest())
                fresh = True
                continue
            left = deadline - loop.time()
            if left <= 0:
                return []
            await self._wait(news, left)

    async def delete(self, handle: Handle) -> Trouble | None:
        """A message that was received again since, by someone else, stays theirs; a deleted one is deleted."""
        lane = await self._lane_of(handle)
        claim = lane.claims.get(handle.sequence)
        if self._ordered and (claim is None or claim.receipt != handle.receipt or claim.until <= self._now()):
            return Trouble.EXPIRED if await self._shelf.fetch(handle.sequence) is not None else None
        if claim is not None and claim.receipt != handle.receipt:
            return None
        await self._erase(handle.lane, [handle.sequence])
        return None

    async def hide(self, handle: Handle, visibility: int) -> Trouble | None:
        """Until `visibility` milliseconds from now; 0 makes the message visible at once."""
        for _ in range(8):
            lane = await self._lane_of(handle)
            claim = lane.claims.get(handle.sequence)
            now = self._now()
            if claim is None or claim.receipt != handle.receipt or claim.until <= now:
                return Trouble.NOT_IN_FLIGHT
            if now + visibility > claim.at + LONGEST_VISIBILITY:
                return Trouble.TOO_LONG
            try:
                await self._write(lane, {**lane.claims, handle.sequence: replace(claim, until=now + visibility)})
                return None
            except Conflict:
                await self._refresh(lane.key)
        raise StoreUnavailable("the message's claim changes all the time")

    async def purge(self) -> None:
        self._index.purged(await self._shelf.purge())

    async def counts(self, retention: int) -> Counts:
        await self._reach(await self._shelf.newest())
        now = self._now()
        self._index.drop_older(now - retention)
        return self._index.counts(now)

    # Hand-outs

    def _full(self, asked: Asked) -> bool:
        return self._index.in_flight(self._now()) >= asked.most_in_flight

    async def _take(self, asked: Asked, bury: Bury) -> list[Received]:
        now = self._now()
        if asked.attempt:
            again = self._index.attempted(asked.attempt, now)
            if again:
                return [
                    received
                    for pick in again
                    for received in await self._found(pick.lane, await self._fetch(pick.messages))
                ]
        room = asked.most_in_flight - self._index.in_flight(now)
        picks = self._index.pick(now, min(asked.limit, max(0, room)))
        taken = await asyncio.gather(*(self._claim(pick, asked, bury) for pick in picks))
        return [received for each in taken for received in each]

    async def _claim(self, pick: Pick, asked: Asked, bury: Bury) -> list[Received]:
        try:
            return await self._claimed(pick, asked, bury)
        except Conflict:
            await self._refresh(pick.lane.key)
            return []
        finally:
            self._index.settle(pick, self._now())
            self._tell()

    async def _claimed(self, pick: Pick, asked: Asked, bury: Bury) -> list[Received]:
        now = self._now()
        claims = dict(pick.lane.claims)
        worn: list[Arrived] = []
        for message in pick.messages:
            before = claims.get(message.sequence)
            count = before.count if before else 0
            over = 0 < asked.most_receives <= count
            if over:
                worn.append(message)
            claims[message.sequence] = Claim(
                receipt=secrets.token_hex(8),
                at=now,
                until=now + (BURIAL_MILLISECONDS if over else asked.visibility),
                first=before.first if before else now,
                count=count if over else count + 1,
                attempt=asked.attempt,
            )
        # Read while the claim is written: where another process is faster, what was read is thrown away.
        lane, messages = await asyncio.gather(self._write(pick.lane, claims), self._fetch(pick.messages))
        if worn:
            lane = await self._buried(lane, worn, bury, asked.visibility)
        kept = [(arrived, found) for arrived, found in messages if arrived.sequence in lane.claims]
        return await self._found(lane, kept)

    async def _buried(self, lane: Lane, worn: Sequence[Arrived], bury: Bury, visibility: int) -> Lane:
        """Received too often: into the dead-letter queue. Where that does not take it, it is received once more."""
        for arrived in worn:
            message = await self._shelf.fetch(arrived.sequence)
            if message is None or await bury(message, arrived.sequence):
                await self._erase(lane.key, [arrived.sequence])
            else:
                claim = lane.claims[arrived.sequence]
                claim = replace(claim, count=claim.count + 1, until=self._now() + visibility)
                await self._write(self._index.lane(lane.key), {**lane.claims, arrived.sequence: claim})
            lane = self._index.lane(lane.key)
        return lane

    async def _fetch(self, messages: Sequence[Arrived]) -> Sequence[tuple[Arrived, Message | None]]:
        bodies = await asyncio.gather(*(self._shelf.fetch(each.sequence) for each in messages))
        return list(zip(messages, bodies, strict=True))

    async def _found(self, lane: Lane, messages: Sequence[tuple[Arrived, Message | None]]) -> list[Received]:
        """What was read, with the claims on it."""
        found, lost = [], []
        for arrived, message in messages:
            if message is None:
                lost.append(arrived.sequence)
                continue
            claim = lane.claims[arrived.sequence]
            found.append(Received(message, claim, Handle(arrived.sequence, lane.key, claim.receipt)))
        if lost:  # erased by another process, or too old, and not yet heard of here
            await self._erase(lane.key, lost)
        return found

    async def _give_back(self, taking: "asyncio.Future[list[Received]]") -> None:
        """Who asked is gone: the messages come forth again as if they had not been received."""
        try:
            for received in await taking:
                lane = await self._lane_of(received.handle)
                claim = lane.claims.get(received.handle.sequence)
                if claim is not None and claim.receipt == received.handle.receipt:
                    claim = replace(claim, until=0, count=claim.count - 1)
                    await self._write(lane, {**lane.claims, received.handle.sequence: claim})
        except (Conflict, StoreUnavailable, StoreFull) as error:
            log.debug("what nobody waits for any more comes forth by itself: %s", error)

    async def _erase(self, key: str, sequences: Sequence[int]) -> None:
        """From the shelf first: if this process dies in between, what is left is a claim on nothing."""
        await asyncio.gather(*(self._shelf.erase(sequence) for sequence in sequences))
        lane = self._index.lane(key)
        for sequence in sequences:
            self._index.forget(sequence)
        for _ in range(8):
            claims = {sequence: claim for sequence, claim in lane.claims.items() if sequence not in sequences}
            try:
                await self._write(lane, claims, erased=tuple(sequences))
                return
            except Conflict:
                lane = await self._shelf.lane(key)
                self._index.reread(lane, self._now())
        log.debug("the claims of %s change all the time; others find out that messages are gone", key)

    async def _write(self, lane: Lane, claims: dict[int, Claim], *, erased: tuple[int, ...] = ()) -> Lane:
        """Raises Conflict."""
        written = replace(lane, claims=claims, erased=erased)
        written = replace(written, revision=await self._shelf.write_lane(written))
        self._index.changed(written, self._now())
        self._tell()
        return written

    async def _lane_of(self, handle: Handle) -> Lane:
        """As known here if that has the hand-out, else as the store has it."""
        lane = self._index.lane(handle.lane)
        claim = lane.claims.get(handle.sequence)
        if claim is None or claim.receipt != handle.receipt:
            lane = await self._shelf.lane(handle.lane)
            self._index.changed(lane, self._now())
        return lane

    async def _refresh(self, key: str) -> None:
        self._index.reread(await self._shelf.lane(key), self._now())

    # Following the store

    async def _follow(self, follow: Callable[[asyncio.Event], Awaitable[None]], told: asyncio.Event) -> None:
        while True:
            try:
                await follow(told)
            except StoreUnavailable as error:
                if not told.is_set():
                    raise
                log.debug("%s", error)
                await asyncio.sleep(AGAIN_SECONDS)

    async def _follow_messages(self, told: asyncio.Event) -> None:
        messages: AsyncGenerator[Arrived | Told, None] = self._shelf.messages()
        there: set[int] | None = set()
        async with aclosing(messages):
            async for item in messages:
                if isinstance(item, Told):
                    self._index.keep_only(there or set(), item.upto)
                    there = None
                    self._reached = max(self._reached, item.upto)
                    told.set()
                else:
                    self._index.arrived(item, self._now())
                    if there is not None:
                        there.add(item.sequence)
                    else:
                        self._reached = max(self._reached, item.sequence)
                self._index.told(self._reached)
                self._tell()

    async def _follow_lanes(self, told: asyncio.Event) -> None:
        lanes: AsyncGenerator[Lane | Purged | Told, None] = self._shelf.lanes()
        async with aclosing(lanes):
            async for item in lanes:
                if isinstance(item, Told):
                    told.set()
                elif isinstance(item, Purged):
                    self._index.purged(item.upto)
                else:
                    self._index.changed(item, self._now())
                self._tell()

    async def _reach(self, sequence: int) -> None:
        deadline = asyncio.get_running_loop().time() + REACH_SECONDS
        while self._reached < sequence and not self._closed:
            news = self._news
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:  # it was deleted before it was told here, or it will be late
                self._reached = sequence
            await self._wait(news, left)

    async def _wait(self, news: asyncio.Event, seconds: float) -> None:
        """Until there is something new since `news` was taken, or something hidden comes forth."""
        alarm = self._index.next_alarm()
        if alarm is not None:
            seconds = min(seconds, max(0.0, (alarm - self._now()) / 1000) + 0.001)
        try:
            async with asyncio.timeout(seconds):
                await news.wait()
        except TimeoutError:
            return

    def _spawn(self, work: Awaitable[None]) -> None:
        task: asyncio.Task[None] = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _tell(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    def _now(self) -> int:
        return int(self._clock().timestamp() * 1000)
