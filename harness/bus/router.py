"""Takes events off the buses, matches them, and brings each to the targets of the rules that match.

Between any two steps the process may die: an event is settled only after its deliveries are stored, a delivery only
after the target took it or its dead letter is stored. Any number of routers share the work.
"""

import asyncio
import logging
from collections.abc import Sequence

from harness.bus.delivery import Backoff, Deliver
from harness.bus.envelope import from_bytes
from harness.bus.lane import PAUSE_SECONDS, PULL_SECONDS, Lane, pause, routes_of, unless
from harness.bus.matching import RuleSet
from harness.bus.model import Rule
from harness.bus.store import TRACE, Delivery, Store
from harness.clock import Clock, utc_now
from harness.storage.held import Held, StoreFull, StoreUnavailable

log = logging.getLogger(__name__)

MATCH_BATCH = 256
TRIM_SECONDS = 15.0
CONCURRENCY = 16


class Router:
    """`buses`: ARNs of buses that may have no rule. `concurrency`: attempts under way at once for each target."""

    def __init__(
        self,
        store: Store,
        rules: Sequence[Rule],
        deliver: Deliver,
        *,
        buses: Sequence[str] = (),
        clock: Clock = utc_now,
        backoff: Backoff | None = None,
        concurrency: int = CONCURRENCY,
    ) -> None:
        self._store = store
        self._routes = {rule.arn: routes_of(rule) for rule in rules}
        self._lanes = [
            Lane(store, route, deliver, clock=clock, backoff=backoff or Backoff(), concurrency=concurrency)
            for routes in self._routes.values()
            for route in routes
        ]
        self._buses = {
            bus: RuleSet(rule for rule in rules if rule.bus_arn == bus)
            for bus in dict.fromkeys((*buses, *(rule.bus_arn for rule in rules)))
        }

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set; then it takes nothing new and returns when what is under way has ended."""
        keys = [route.key for routes in self._routes.values() for route in routes]
        await self._store.prepare(list(self._buses), keys)
        async with asyncio.TaskGroup() as group:
            for bus, rules in self._buses.items():
                group.create_task(self._match(stop, bus, rules))
                group.create_task(self._trim(stop, bus))
            for lane in self._lanes:
                group.create_task(lane.run(stop))

    async def _match(self, stop: asyncio.Event, bus: str, rules: RuleSet) -> None:
        while not stop.is_set():
            try:
                held = await unless(stop, self._store.pull_events(bus, MATCH_BATCH, PULL_SECONDS))
                if held:
                    await self._distribute(held, rules)
            except StoreUnavailable as error:
                # Not settled, so handed out again; deliveries stored already are known by their ids.
                log.warning("%s", error)
                await pause(stop, PAUSE_SECONDS)

    async def _distribute(self, held: Sequence[Held], rules: RuleSet) -> None:
        deliveries = [delivery for item in held for delivery in self._deliveries(item, rules)]
        try:
            if deliveries:
                await self._store.enqueue(deliveries)
        except StoreFull as error:
            log.warning("%s: %d events wait on their bus", error, len(held))
            for item in held:
                await item.nak(PAUSE_SECONDS)
            return
        for item in held:
            await item.ack()

    def _deliveries(self, held: Held, rules: RuleSet) -> list[Delivery]:
        event = from_bytes(held.body)
        return [
            Delivery(
                event_id=event["id"],
                target=route.key,
                body=held.body,
                ingested=held.stored,
                trace=held.headers.get(TRACE, ""),
            )
            for rule in rules.matching(event)
            for route in self._routes[rule.arn]
        ]

    async def _trim(self, stop: asyncio.Event, bus: str) -> None:
        while not stop.is_set():
            await pause(stop, TRIM_SECONDS)
            try:
                await self._store.trim(bus)
            except StoreUnavailable as error:
                log.warning("%s", error)
