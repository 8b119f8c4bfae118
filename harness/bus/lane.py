"""Serves the work queue of one target: bounded attempts at once, retries by giving back, dead letters at the end.

Each target has a lane of its own, so that one that is down or slow holds up no other.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from harness.bus.dead_letters import DeadLetters
from harness.bus.routes import Route
from harness.bus.store import Delivery, Store, delivery_of
from harness.bus.targets.delivery import Backoff, Deliver, DeliverAll, Failure, Retry, after_failure
from harness.bus.targets.shaped import shaped
from harness.bus.tracing import Attempt, Tracer, Untraced
from harness.clock import Clock, utc_now
from harness.storage.held import Held, StoreFull, StoreUnavailable

log = logging.getLogger(__name__)

PULL_SECONDS = 5.0
PAUSE_SECONDS = 0.5
PROGRESS_SECONDS = 3.0
FAULT_SECONDS = 30.0
HOLD_FACTOR = 4
CONCURRENCY = 16


@dataclass(frozen=True, slots=True)
class Work:
    """What every lane of a router shares. `concurrency`: attempts under way at once for each target.

    `deliver_all`: by a target's service, for those that take many events in one go.
    """

    store: Store
    deliver: Deliver
    dead_letters: DeadLetters
    clock: Clock = utc_now
    backoff: Backoff = field(default_factory=Backoff)
    tracer: Tracer = field(default_factory=Untraced)
    deliver_all: Mapping[str, DeliverAll] = field(default_factory=dict)
    concurrency: int = CONCURRENCY


_FAULT = Failure("INTERNAL_ERROR", "The event bus could not bring the event to its target.")


class Lane:
    """`concurrency` attempts at once; a few times as many deliveries are held ready, and kept from being given away.

    `route` answers what the target is now, None when it has been removed.
    """

    def __init__(self, work: Work, key: str, route: Callable[[], Route | None]) -> None:
        self._work = work
        self._key = key
        self._route = route
        self._free = asyncio.Semaphore(work.concurrency)
        self._most = work.concurrency * HOLD_FACTOR
        self._holding: dict[int, Held] = {}
        self._room = asyncio.Event()
        self._stop = asyncio.Event()
        self.used = asyncio.get_running_loop().time()

    @property
    def idle_since(self) -> float | None:
        """By the loop's clock; None while something is under way."""
        return None if self._holding else self.used

    def stop(self) -> None:
        """No attempt is begun any more; `run` ends once those under way have."""
        self._stop.set()

    async def run(self) -> None:
        progress = asyncio.create_task(self._keep_holding())
        try:
            async with asyncio.TaskGroup() as attempts:
                while not self._stop.is_set():
                    for held in await self._pull():
                        self._holding[id(held)] = held
                        attempts.create_task(self._settle(held))
        finally:
            progress.cancel()

    async def _pull(self) -> Sequence[Held]:
        if len(self._holding) >= self._most:
            self._room.clear()
            await self._room.wait()
        room = self._most - len(self._holding)
        try:
            return await unless(self._stop, self._work.store.pull_deliveries(self._key, room, PULL_SECONDS))
        except StoreUnavailable as error:
            log.warning("%s", error)
            await pause(self._stop, PAUSE_SECONDS)
            return ()

    async def _settle(self, held: Held) -> None:
        try:
            await self._deliver(held, delivery_of(held, self._key))
        except (StoreUnavailable, StoreFull) as error:
            # Not settled: the store hands it out again. The target may get it twice, never not at all.
            log.warning("a delivery to %s: %s", self._key, error)
        except Exception:  # past the attempts: of one delivery, or of its dead letter, which is written again
            log.exception("a delivery to %s is not settled, again in %g s", self._key, FAULT_SECONDS)
            await self._give_back(held)
        finally:
            del self._holding[id(held)]
            self.used = asyncio.get_running_loop().time()
            self._room.set()

    async def _give_back(self, held: Held) -> None:
        try:
            await held.nak(FAULT_SECONDS / self._work.backoff.speed)
        except StoreUnavailable as error:
            log.debug("%s", error)  # it comes back by itself

    async def _deliver(self, held: Held, delivery: Delivery) -> None:
        async with self._free:
            route = self._route()
            if self._stop.is_set() or route is None:
                await held.nak(0)  # not begun: another router gets it at once
                return
            begun = asyncio.get_running_loop().time()
            try:
                sent, failure = await self._attempt(route, delivery)
            except (StoreUnavailable, StoreFull):
                raise
            # Whatever a target, its input or code of ours comes to for one event is a failed attempt: it is
            # told, tried again and buried like any other, and must not end the delivery of all others.
            except Exception:
                log.exception("event %s cannot be brought to %s", delivery.event_id, route.target.arn)
                sent, failure = delivery, _FAULT
            seconds = asyncio.get_running_loop().time() - begun
        if failure is None:
            await held.ack()
            self._tell(route, held, delivery, seconds)
            self._work.tracer.delivered(delivery.event_id, route.rule, route.target)
        else:
            await self._failed(route, held, sent, failure, seconds)

    async def _attempt(self, route: Route, delivery: Delivery) -> tuple[Delivery, Failure | None]:
        """With the delivery as it was sent, which is the body of its dead letter."""
        sent = shaped(route, delivery)
        return (delivery, sent) if isinstance(sent, Failure) else (sent, await self._work.deliver(route, sent))

    async def _failed(self, route: Route, held: Held, sent: Delivery, failure: Failure, seconds: float) -> None:
        work = self._work
        verdict = after_failure(
            failure,
            attempt=held.attempt,
            ingested=sent.ingested,
            now=work.clock(),
            retry=route.target.retry,
            backoff=work.backoff,
        )
        if isinstance(verdict, Retry):
            log.info("event %s, attempt %d: %s", sent.event_id, held.attempt, failure.message)
            await held.nak(verdict.delay)
            self._tell(route, held, sent, seconds, failure, verdict.delay)
            return
        self._tell(route, held, sent, seconds, failure)
        await work.dead_letters.bury(route, sent, failure, verdict)
        log.warning("event %s given up for %s: %s", sent.event_id, route.target.arn, failure.message)
        await held.term()

    def _tell(
        self,
        route: Route,
        held: Held,
        delivery: Delivery,
        seconds: float,
        failure: Failure | None = None,
        next_in: float | None = None,
    ) -> None:
        code, message = (failure.code, failure.message) if failure else ("", "")
        attempt = Attempt(
            delivery.event_id, route.rule, route.target, held.attempt, seconds, code, message, next_in=next_in
        )
        self._work.tracer.attempted(attempt)

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
