"""Takes events off the buses, matches them, and brings each to the targets of the rules that match.

Between any two steps the process may die: an event is settled only after its deliveries are stored, a delivery only
after the target took it or its dead letter is stored. Any number of routers share the work, and each follows the
catalogue while it changes.
"""

import asyncio
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from harness.bus.archives import minute_of
from harness.bus.catalogue import Catalogue
from harness.bus.direct import Direct, Sent
from harness.bus.documents import ARCHIVES, BUSES, RULES
from harness.bus.envelope import from_bytes
from harness.bus.lane import PAUSE_SECONDS, PULL_SECONDS, Work, pause, unless
from harness.bus.lanes import Lanes
from harness.bus.model import Envelope, Rule
from harness.bus.places import GRACE_SECONDS, Places
from harness.bus.routes import Routes
from harness.bus.rule_layers import RuleLayers
from harness.bus.store import (
    FOR_RULE,
    ONLY_RULES,
    ORIGIN,
    REVISION,
    TRACE,
    VIA_BUS,
    Archived,
    Delivery,
)
from harness.storage.held import Held, StoreFull, StoreUnavailable
from harness.storage.state import Key

log = logging.getLogger(__name__)

MATCH_BATCH = 256
TRIM_SECONDS = 15.0
LOOK_SECONDS = 5.0
FULL_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class _Matched:
    held: Held
    event: Envelope
    rules: Sequence[Rule]
    deliveries: Sequence[Delivery]
    archived: Sequence[Archived]


class Router:
    """`asleep` and `grace` as in `Places`. `look`: seconds between two looks at what the store keeps."""

    def __init__(
        self,
        catalogue: Catalogue,
        work: Work,
        *,
        asleep: Collection[str] = (),
        look: float = LOOK_SECONDS,
        grace: float = GRACE_SECONDS,
    ) -> None:
        self._catalogue = catalogue
        self._work = work
        self._store = work.store
        self._tracer = work.tracer
        self._routes = Routes(catalogue)
        self._places = Places(work.store, catalogue, self._routes, asleep=asleep, grace=grace)
        self._direct = Direct(work, self._routes)
        self._look = look
        self._matching: dict[str, asyncio.Event] = {}
        self._changed = asyncio.Event()
        catalogue.listen(self._heard)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set; then it takes nothing new and returns when what is under way has ended."""
        async with asyncio.TaskGroup() as group:
            lanes = Lanes(self._work, self._routes, group)
            group.create_task(self._trim(stop))
            group.create_task(self._follow(stop, lanes, group))
            await stop.wait()
            lanes.stop()
            for ended in self._matching.values():
                ended.set()

    def _heard(self, key: Key) -> None:
        if key[:2] in (BUSES, RULES, ARCHIVES):
            self._changed.set()

    async def _follow(self, stop: asyncio.Event, lanes: Lanes, group: asyncio.TaskGroup) -> None:
        """Buses are served as they come and go; queues are looked after from time to time."""
        now = asyncio.get_running_loop().time
        next_look = now()
        while not stop.is_set():
            self._changed.clear()
            try:
                await self._serve_buses(stop, lanes, group)
                lanes.stop_removed()
                if now() >= next_look:
                    lanes.look(await self._places.look())
                    next_look = now() + self._look
                await self._change_or_time(stop, next_look - now())
            except StoreUnavailable as error:
                log.warning("%s", error)
                await pause(stop, PAUSE_SECONDS)

    async def _change_or_time(self, stop: asyncio.Event, seconds: float) -> None:
        changed = asyncio.create_task(self._changed.wait())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait((changed, stopping), timeout=max(0.0, seconds), return_when=asyncio.FIRST_COMPLETED)
        changed.cancel()
        stopping.cancel()

    async def _serve_buses(self, stop: asyncio.Event, lanes: Lanes, group: asyncio.TaskGroup) -> None:
        buses = {bus.arn for bus in self._catalogue.buses()}
        for bus in self._matching.keys() - buses:
            self._matching.pop(bus).set()
        for bus in buses - self._matching.keys():
            await self._store.prepare([bus])
            if stop.is_set():
                return
            ended = self._matching[bus] = asyncio.Event()
            group.create_task(self._match(ended, bus, lanes))

    async def _match(self, stop: asyncio.Event, bus: str, lanes: Lanes) -> None:
        while not stop.is_set():
            try:
                held = await unless(stop, self._store.pull_events(bus, MATCH_BATCH, PULL_SECONDS))
                if held:
                    await self._distribute(bus, held, lanes)
            except StoreUnavailable as error:
                # Not settled, so handed out again; deliveries stored already are known by their ids.
                log.warning("%s", error)
                await pause(stop, PAUSE_SECONDS)
        await self._store.release_bus(bus)

    async def _distribute(self, bus: str, held: Sequence[Held], lanes: Lanes) -> None:
        await self._catalogue.reach(max(int(item.headers.get(REVISION, 0)) for item in held))
        rules = self._catalogue.rule_set(bus)
        matched = [self._matched(item, rules) for item in held]
        sent = await self._direct.send([delivery for each in matched for delivery in each.deliveries])
        matched = _without(matched, sent)
        targets = {delivery.target for each in matched for delivery in each.deliveries}
        await self._places.make(targets, {event.archive for each in matched for event in each.archived})
        for target in targets:
            lanes.wake(target)
        try:
            await self._enqueue(bus, matched)
        except StoreFull:
            for each in matched:
                await self._enqueue_one(bus, each)
        for one in sent:
            self._direct.tell(one)

    async def _enqueue(self, bus: str, matched: Sequence[_Matched]) -> None:
        deliveries = [delivery for each in matched for delivery in each.deliveries]
        archived = [event for each in matched for event in each.archived]
        if deliveries or archived:
            await self._store.enqueue(deliveries, archived)
        for each in matched:
            await each.held.ack()
            self._tracer.matched(each.event["id"], bus, each.rules)

    async def _enqueue_one(self, bus: str, matched: _Matched) -> None:
        """Only the events for a target whose queue is full wait on their bus."""
        try:
            await self._enqueue(bus, [matched])
        except StoreFull as error:
            log.warning("%s: event %s waits on its bus", error, matched.event["id"])
            await matched.held.nak(FULL_SECONDS)

    def _matched(self, held: Held, rules: RuleLayers) -> _Matched:
        event = from_bytes(held.body)
        headers = held.headers
        found = rules.matching(event)
        if only := headers.get(ONLY_RULES):
            named = only.split(" ")
            found = [rule for rule in found if rule.arn in named]
        if due := headers.get(FOR_RULE):
            scheduled = rules.named(due.rpartition("/")[2])
            found += [scheduled] if scheduled is not None and scheduled not in found else []
        routes = [route for rule in found for route in self._routes.of_rule(rule)]
        deliveries = [
            Delivery(
                event_id=event["id"],
                target=route.key,
                body=held.body,
                ingested=held.stored,
                trace=headers.get(TRACE, ""),
                origin=headers.get(ORIGIN, ""),
                via_bus=headers.get(VIA_BUS, ""),
            )
            for route in routes
            if route.archive is None
        ]
        archived = [
            Archived(route.archive, headers.get(ORIGIN, event["id"]), minute_of(event), held.body)
            for route in routes
            if route.archive is not None
        ]
        return _Matched(held, event, found, deliveries, archived)

    async def _trim(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await pause(stop, TRIM_SECONDS)
            for bus in list(self._matching):
                try:
                    await self._store.trim(bus)
                except StoreUnavailable as error:
                    log.warning("%s", error)


def _without(matched: list[_Matched], sent: Sequence[Sent]) -> list[_Matched]:
    """What is still to be delivered."""
    if not sent:
        return matched
    taken = {id(each.delivery) for each in sent}
    return [
        replace(each, deliveries=[delivery for delivery in each.deliveries if id(delivery) not in taken])
        for each in matched
    ]
