"""Serves the work queue of one target: bounded attempts at once, retries by giving back, dead letters at the end.

Each target has a lane of its own, so that one that is down or slow holds up no other.
"""

import asyncio
import logging
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass

from harness.bus.delivery import Backoff, Deliver, Failure, Retry, after_failure, dead_letter
from harness.bus.model import Rule, Target
from harness.bus.store import Delivery, Store, delivery_of, target_key
from harness.clock import Clock
from harness.storage.held import Held, StoreFull, StoreUnavailable

log = logging.getLogger(__name__)

PULL_SECONDS = 5.0
PAUSE_SECONDS = 0.5
PROGRESS_SECONDS = 3.0
HOLD_FACTOR = 4


@dataclass(frozen=True, slots=True)
class Route:
    """A target of a rule, with the key of its work queue."""

    key: str
    rule: Rule
    target: Target


def routes_of(rule: Rule) -> list[Route]:
    return [Route(target_key(rule.arn, target.id), rule, target) for target in rule.targets]


class Lane:
    """`concurrency` attempts at once; a few times as many deliveries are held ready, and kept from being given away."""

    def __init__(
        self, store: Store, route: Route, deliver: Deliver, *, clock: Clock, backoff: Backoff, concurrency: int
    ) -> None:
        self._store = store
        self._route = route
        self._deliver = deliver
        self._clock = clock
        self._backoff = backoff
        self._free = asyncio.Semaphore(concurrency)
        self._most = concurrency * HOLD_FACTOR
        self._holding: dict[int, Held] = {}
        self._room = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; then what is under way is brought to its end."""
        progress = asyncio.create_task(self._keep_holding())
        try:
            async with asyncio.TaskGroup() as attempts:
                while not stop.is_set():
                    for held in await self._pull(stop):
                        self._holding[id(held)] = held
                        attempts.create_task(self._settle(held, stop))
        finally:
            progress.cancel()

    async def _pull(self, stop: asyncio.Event) -> Sequence[Held]:
        if len(self._holding) >= self._most:
            self._room.clear()
            await self._room.wait()
        room = self._most - len(self._holding)
        try:
            return await unless(stop, self._store.pull_deliveries(self._route.key, room, PULL_SECONDS))
        except StoreUnavailable as error:
            log.warning("%s", error)
            await pause(stop, PAUSE_SECONDS)
            return ()

    async def _settle(self, held: Held, stop: asyncio.Event) -> None:
        delivery = delivery_of(held, self._route.key)
        try:
            async with self._free:
                if stop.is_set():
                    await held.nak(0)  # not begun: another router gets it at once
                    return
                failure = await self._deliver(self._route.target, delivery)
            if failure is None:
                await held.ack()
            else:
                await self._failed(held, delivery, failure)
        except (StoreUnavailable, StoreFull) as error:
            # Not settled: the store hands it out again. The target may get it twice, never not at all.
            log.warning("event %s: %s", delivery.event_id, error)
        finally:
            del self._holding[id(held)]
            self._room.set()

    async def _failed(self, held: Held, delivery: Delivery, failure: Failure) -> None:
        target = self._route.target
        verdict = after_failure(
            failure,
            attempt=held.attempt,
            ingested=delivery.ingested,
            now=self._clock(),
            retry=target.retry,
            backoff=self._backoff,
        )
        if isinstance(verdict, Retry):
            log.info("event %s, attempt %d: %s", delivery.event_id, held.attempt, failure.message)
            await held.nak(verdict.delay)
            return
        if target.dead_letter:
            arns = {"rule_arn": self._route.rule.arn, "target_arn": target.arn}
            await self._store.bury(dead_letter(target.dead_letter, delivery, failure, verdict, **arns))
        log.warning("event %s given up for %s: %s", delivery.event_id, target.arn, failure.message)
        await held.term()

    async def _keep_holding(self) -> None:
        while True:
            await asyncio.sleep(PROGRESS_SECONDS)
            for held in list(self._holding.values()):
                try:
                    await held.in_progress()
                except StoreUnavailable as error:
                    log.debug("%s", error)


async def unless(stop: asyncio.Event, pull: Awaitable[Sequence[Held]]) -> Sequence[Held]:
    """What `pull` gives, or nothing once `stop` is set. A pull that has ended is never thrown away."""
    pulling = asyncio.ensure_future(pull)
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((pulling, stopping), return_when=asyncio.FIRST_COMPLETED)
        return pulling.result() if pulling.done() else ()
    finally:
        stopping.cancel()
        pulling.cancel()


async def pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
