"""Message move tasks: what a dead-letter queue holds goes back to where it came from, or elsewhere.

A task is a document in the state; the process that holds its lease works on it. When that process dies, another takes
the task over: a message that was moved already is known by its name and is not there twice.

Source: Amazon SQS API Reference, StartMessageMoveTask; Developer Guide, "Configuring a dead-letter queue redrive".
"""

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial

import orjson

from harness.clock import Clock, utc_now
from harness.queues.broker import Broker
from harness.queues.dispenser import Received, Trouble
from harness.queues.model import Queue, arn_parts
from harness.queues.registry import Registry
from harness.storage.ending import ended
from harness.storage.held import StoreFull, StoreUnavailable
from harness.storage.state import Conflict, Entry, Key

log = logging.getLogger(__name__)

RUNNING, CANCELLING = "RUNNING", "CANCELLING"
COMPLETED, CANCELLED, FAILED = "COMPLETED", "CANCELLED", "FAILED"
LEASE_MS = 10_000
LOOK_SECONDS = 0.5
VISIBILITY_SECONDS = 30
BATCH = 10
MOST_KEPT = 10
"""Of a source's tasks, the newest; ListMessageMoveTasks tells no more."""
_MOVES: Key = ("sqs", "move")


@dataclass(frozen=True, slots=True)
class Task:
    """`destination` empty: each message goes to its own source. `rate` 0: as fast as can be. Times in milliseconds."""

    id: str
    source: str
    destination: str = ""
    rate: int = 0
    started: int = 0
    to_move: int = 0
    moved: int = 0
    status: str = RUNNING
    reason: str = ""
    holder: str = ""
    lease: int = 0

    @property
    def key(self) -> Key:
        return move_key(self.source, self.id)

    @property
    def active(self) -> bool:
        return self.status in (RUNNING, CANCELLING)

    def to_bytes(self) -> bytes:
        return orjson.dumps(asdict(self))

    @classmethod
    def from_entry(cls, entry: Entry) -> "Task":
        return cls(**orjson.loads(entry.value))


def move_key(source: str, task_id: str = "") -> Key:
    account, name = arn_parts(source) or ("", "")
    return (*_MOVES, account, name, task_id) if task_id else (*_MOVES, account, name)


class Moves:
    """`running` works on tasks; any number of processes may."""

    def __init__(self, broker: Broker, *, clock: Clock = utc_now) -> None:
        self._broker = broker
        self._registry: Registry = broker.registry
        self._clock = clock
        self._holder = uuid.uuid4().hex
        self._look = asyncio.Event()
        self._at_work: dict[str, asyncio.Task[None]] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Moves"]:
        looking = asyncio.create_task(self._watch())
        try:
            yield self
        finally:
            await ended([looking, *self._at_work.values()])

    def tasks(self, source: str) -> list[Task]:
        """The latest first."""
        found = [Task.from_entry(entry) for entry in self._registry.copy.below(move_key(source))]
        return sorted(found, key=lambda task: task.started, reverse=True)

    async def start(self, task: Task) -> None:
        for old in self.tasks(task.source)[MOST_KEPT - 1 :]:
            if not old.active:
                await self._registry.copy.delete(old.key)
        await self._registry.copy.put(task.key, task.to_bytes(), expected=0)
        self._look.set()

    async def cancel(self, task: Task) -> Task | None:
        """As it is now; None when it is at its end."""
        while True:
            entry = self._registry.copy.get(task.key)
            now = Task.from_entry(entry) if entry is not None else None
            if entry is None or now is None or not now.active:
                return None
            try:
                cancelled = replace(now, status=CANCELLING)
                await self._registry.copy.put(task.key, cancelled.to_bytes(), expected=entry.revision)
                return cancelled
            except Conflict:
                await asyncio.sleep(0.01)  # its holder counts on

    async def _watch(self) -> None:
        while True:
            for entry in self._registry.copy.below(_MOVES):
                task = Task.from_entry(entry)
                if task.active and task.id not in self._at_work and task.lease < self._now():
                    work = asyncio.create_task(self._work(entry))
                    self._at_work[task.id] = work
                    work.add_done_callback(partial(self._done, task.id))
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._look.wait()
            except TimeoutError:
                continue
            self._look.clear()

    def _done(self, task_id: str, _: "asyncio.Task[None]") -> None:
        del self._at_work[task_id]

    async def _work(self, entry: Entry) -> None:
        try:
            while True:
                task = Task.from_entry(entry)
                if task.status == CANCELLING:
                    await self._write(entry, replace(task, status=CANCELLED, lease=0))
                    return
                if not task.active:
                    return
                entry = await self._write(entry, replace(task, holder=self._holder, lease=self._now() + LEASE_MS))
                began = self._now()
                task = await self._batch(Task.from_entry(entry))
                entry = await self._write(entry, task)
                if task.rate and task.status == RUNNING:
                    moved = min(BATCH, task.rate)
                    await asyncio.sleep(max(0.0, moved / task.rate - (self._now() - began) / 1000))
        except Conflict:
            current = self._registry.copy.get(entry.key)
            log.debug("the move task %s is changed by another: %s", entry.key[-1], current is not None)
        except (StoreFull, StoreUnavailable) as error:
            log.warning("the move task %s waits: %s", entry.key[-1], error)

    async def _write(self, entry: Entry, task: Task) -> Entry:
        return await self._registry.copy.put(task.key, task.to_bytes(), expected=entry.revision)

    async def _batch(self, task: Task) -> Task:
        source = await self._registry.by_arn(task.source)
        if source is None:
            return replace(task, status=FAILED, reason="AWS.SimpleQueueService.NonExistentQueue", lease=0)
        limit = min(BATCH, task.rate) if task.rate else BATCH
        found = await self._broker.receive(source, limit=limit, visibility=VISIBILITY_SECONDS, wait=0, bury_worn=False)
        if isinstance(found, Trouble) or not found:
            return replace(task, status=COMPLETED, lease=0)
        for received in found:
            reason = await self._move(task, source, received)
            if reason:
                await self._broker.hide(source, received.handle, 0)
                return replace(task, status=FAILED, reason=reason, lease=0)
            task = replace(task, moved=task.moved + 1)
        return task

    async def _move(self, task: Task, source: Queue, received: Received) -> str:
        """Why it could not be moved. A message that is moved is a new one."""
        message = received.message
        target_arn = task.destination or message.source
        if not target_arn:
            return "CouldNotDetermineMessageSource"
        target = await self._registry.by_arn(target_arn)
        if target is None:
            return "AWS.SimpleQueueService.NonExistentQueue"
        now = self._now()
        moved = replace(
            message, id="" if target.fifo else str(uuid.uuid4()), sent=now, due=now, source="", group=message.group
        )
        await self._broker.send(target, moved, once=f"move:{source.id}:{received.handle.sequence}")
        await self._broker.delete(source, received.handle)
        return ""

    def _now(self) -> int:
        return int(self._clock().timestamp() * 1000)
