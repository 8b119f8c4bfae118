"""The queues at work: messages sent, received, deleted, and put aside when they were received too often.

No question of who may is asked here.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from harness.clock import Clock, utc_now
from harness.queues.dispenser import Asked, Bury, Dispenser, Handle, Received, Trouble
from harness.queues.index import Counts
from harness.queues.message import Message, fifo_message_id
from harness.queues.model import Queue
from harness.queues.registry import Registry
from harness.queues.shelf import Shelves
from harness.storage.held import StoreFull, StoreUnavailable
from harness.storage.state import Key

log = logging.getLogger(__name__)

MOST_IN_FLIGHT = 120_000
IDLE_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Sent:
    """`duplicate`: the message was kept before, and this attempt added nothing."""

    id: str
    sequence: int
    duplicate: bool = False


@dataclass(slots=True)
class _Line:
    """The dispenser of a queue, while this process gives its messages out."""

    queue: Queue
    dispenser: Dispenser
    started: asyncio.Lock = field(default_factory=asyncio.Lock)
    ready: bool = False
    users: int = 0
    used: float = 0


class Broker:
    """Every method may raise StoreUnavailable; those that write may raise StoreFull."""

    def __init__(
        self,
        registry: Registry,
        shelves: Shelves,
        *,
        clock: Clock = utc_now,
        most_in_flight: int = MOST_IN_FLIGHT,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self.registry = registry
        self._shelves = shelves
        self._clock = clock
        self._most_in_flight = most_in_flight
        self._idle_seconds = idle_seconds
        self._lines: dict[str, _Line] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._stopped = False
        registry.listen(self._changed)

    async def keep(self, queue: Queue) -> None:
        """The queue has its place, as its attributes say."""
        await self._shelves.keep(queue.place)

    async def drop(self, queue: Queue) -> None:
        await self._close(queue.id)
        await self._shelves.drop(queue.id)

    async def send(self, queue: Queue, message: Message, *, once: str) -> Sent:
        """`once`: the name by which a repeated attempt is known."""
        sequence, duplicate = await self._shelves.shelf(queue.place).append(message, once=once)
        line = self._lines.get(queue.id)
        if line is not None and line.ready and not duplicate:
            line.dispenser.appended(sequence, message)
        return Sent(message.id or fifo_message_id(queue.id, sequence), sequence, duplicate)

    async def send_all(self, queue: Queue, messages: Sequence[tuple[Message, str]]) -> None:
        """Many, each with the name by which a repeated attempt is known. When it raises, some may be kept."""
        await self._shelves.shelf(queue.place).append_all(messages)

    async def receive(
        self, queue: Queue, *, limit: int, visibility: int, wait: float, attempt: str = "", bury_worn: bool = True
    ) -> list[Received] | Trouble:
        """`visibility` and `wait` in seconds. `bury_worn` False: however often a message was received."""
        asked = Asked(
            limit=limit,
            visibility=visibility * 1000,
            wait=0 if self._stopped else wait,
            retention=queue.number("MessageRetentionPeriod") * 1000,
            most_in_flight=self._most_in_flight,
            most_receives=queue.redrive[1] if queue.redrive and bury_worn else 0,
            attempt=attempt,
        )
        async with self._line(queue) as dispenser:
            found = await dispenser.receive(asked, self._bury(queue))
        if isinstance(found, Trouble):
            return found
        return [replace(each, message=_with_id(queue, each)) for each in found]

    async def delete(self, queue: Queue, handle: Handle) -> Trouble | None:
        async with self._line(queue) as dispenser:
            return await dispenser.delete(handle)

    async def hide(self, queue: Queue, handle: Handle, seconds: int) -> Trouble | None:
        async with self._line(queue) as dispenser:
            return await dispenser.hide(handle, seconds * 1000)

    async def holds(self, queue: Queue, handle: Handle) -> bool:
        """Whether the message is there at all."""
        return await self._shelves.shelf(queue.place).fetch(handle.sequence) is not None

    async def purge(self, queue: Queue) -> None:
        async with self._line(queue) as dispenser:
            await dispenser.purge()

    async def counts(self, queue: Queue) -> Counts:
        async with self._line(queue) as dispenser:
            return await dispenser.counts(queue.number("MessageRetentionPeriod") * 1000)

    async def stop(self) -> None:
        """Whoever waits for a message is told that there is none; nothing waits from now on."""
        self._stopped = True
        for queue_id in list(self._lines):
            await self._close(queue_id)
        await asyncio.gather(*self._closing, return_exceptions=True)

    def _bury(self, queue: Queue) -> Bury:
        async def bury(message: Message, sequence: int) -> bool:
            target = await self.registry.by_arn(queue.redrive[0]) if queue.redrive else None
            if target is None or target.fifo != queue.fifo or not target.allows_redrive_from(queue.arn):
                log.warning("the dead-letter queue of %s is gone or takes nothing from it", queue.arn)
                return False
            # The age of a message goes with it, except into a FIFO queue (Developer Guide, "Using dead-letter queues").
            moved = replace(
                message,
                id=message.id or fifo_message_id(queue.id, sequence),
                source=queue.arn,
                due=0,
                sent=self._now() if queue.fifo else message.sent,
            )
            try:
                await self.send(target, moved, once=f"{queue.id}:{sequence}")
            except (StoreFull, StoreUnavailable) as error:
                log.warning("the dead-letter queue %s: %s", target.arn, error)
                return False
            return True

        return bury

    @asynccontextmanager
    async def _line(self, queue: Queue) -> AsyncIterator[Dispenser]:
        line = self._lines.get(queue.id)
        if line is None:
            shelf = self._shelves.shelf(queue.place)
            line = self._lines[queue.id] = _Line(queue, Dispenser(shelf, ordered=queue.fifo, clock=self._clock))
        line.users += 1
        try:
            async with line.started:
                if not line.ready:
                    await line.dispenser.start()
                    line.ready = True
            yield line.dispenser
        finally:
            line.users -= 1
            line.used = asyncio.get_running_loop().time()
            if not line.ready:
                self._lines.pop(queue.id, None)
            self._rest()

    def _rest(self) -> None:
        """A queue of which nothing has been received for long is not followed any more."""
        before = asyncio.get_running_loop().time() - self._idle_seconds
        for queue_id, line in list(self._lines.items()):
            if not line.users and line.used < before:
                self._spawn_close(queue_id)

    def _changed(self, key: Key) -> None:
        """A queue that another process has deleted is closed here too."""
        for queue_id, line in list(self._lines.items()):
            if line.queue.key == key and not self.registry.current(line.queue):
                self._spawn_close(queue_id)

    def _spawn_close(self, queue_id: str) -> None:
        # Off the list at once: whoever asks for the queue from now on opens it anew.
        line = self._lines.pop(queue_id)
        task = asyncio.ensure_future(line.dispenser.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _close(self, queue_id: str) -> None:
        line = self._lines.pop(queue_id, None)
        if line is not None:
            await line.dispenser.close()

    def _now(self) -> int:
        return int(self._clock().timestamp() * 1000)


def _with_id(queue: Queue, received: Received) -> Message:
    message = received.message
    return message if message.id else replace(message, id=fifo_message_id(queue.id, received.handle.sequence))
