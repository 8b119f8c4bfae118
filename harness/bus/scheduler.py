"""Puts a `Scheduled Event` on the bus at each instant at which the schedule of a rule is due.

Any number of routers do so: an event is stored under an id made of rule and instant, and so only once. What was due
while none ran is not made up for; what the store did not take waits until it does, and no bus waits for another one.
Source: EventBridge user guide, "Scheduled rules".
"""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from harness.bus.catalogue import Catalogue
from harness.bus.documents import RULES
from harness.bus.envelope import make_envelope, to_bytes
from harness.bus.faults import Patience
from harness.bus.model import Rule
from harness.bus.schedule import Schedule, parse_schedule
from harness.bus.store import FOR_RULE, REVISION, Record, Store
from harness.clock import Clock, extended_iso, utc_now
from harness.errors import FAULTS
from harness.storage.held import StoreFull, StoreUnavailable
from harness.storage.state import Key
from harness.wire import new_uuid

log = logging.getLogger(__name__)

SOURCE, DETAIL_TYPE = "aws.events", "Scheduled Event"
# Shorter than the time for which the store knows an id again: a router that was asleep sends nothing twice.
LATEST = timedelta(seconds=60)
NAP_SECONDS = 30.0
PAUSE_SECONDS = 0.5
# For each bus. One that takes nothing for long has other sorrows.
MOST_WAITING = 1000


@dataclass(frozen=True, slots=True)
class _Due:
    rule: Rule
    at: datetime

    @property
    def id(self) -> str:
        return f"{self.rule.arn}@{extended_iso(self.at)}"


class Scheduler:
    def __init__(self, catalogue: Catalogue, store: Store, *, clock: Clock = utc_now) -> None:
        self._catalogue = catalogue
        self._store = store
        self._clock = clock
        self._scheduled: dict[Key, tuple[Rule, Schedule, datetime]] = {}
        self._waiting: dict[str, dict[str, _Due]] = {}
        self._patience: Patience[str] = Patience(first=PAUSE_SECONDS, most=NAP_SECONDS)
        self._changed = asyncio.Event()
        for key in catalogue.rule_keys():
            self._heard(key)
        catalogue.listen(self._heard)

    async def run(self, stop: asyncio.Event) -> None:
        looked = self._clock()
        putting: dict[str, asyncio.Task[None]] = {}
        while not stop.is_set():
            now = self._clock()
            self._changed.clear()
            self._wait_for(self._due(looked, now))
            looked = max(looked, now)
            putting = {bus: task for bus, task in putting.items() if not task.done()}
            for bus, due in self._waiting.items():
                if due and bus not in putting and self._patience.ready(bus):
                    putting[bus] = asyncio.create_task(self._put(bus, due))
            if putting:
                await asyncio.wait(putting.values(), timeout=PAUSE_SECONDS)
            await self._nap(stop, self._seconds_left(looked))
        await asyncio.gather(*putting.values())

    def _heard(self, key: Key) -> None:
        if key[:2] != RULES:
            return
        self._scheduled.pop(key, None)
        try:
            scheduled = self._read(key)
        except FAULTS as error:
            log.error("the schedule of %s cannot be read and is never due: %r", "/".join(key), error)
        else:
            if scheduled is not None:
                self._scheduled[key] = scheduled
        self._changed.set()

    def _read(self, key: Key) -> tuple[Rule, Schedule, datetime] | None:
        rule = self._catalogue.rule_of(key)
        if rule is None or not rule.schedule or not rule.enabled:
            return None
        document = self._catalogue.document(key) or {}
        since, schedule = datetime.fromtimestamp(document.get("Since", 0), UTC), parse_schedule(rule.schedule)
        schedule.next_after(since, since=since)
        return rule, schedule, since

    def _due(self, looked: datetime, now: datetime) -> list[_Due]:
        """What became due after the last look, but for what is too late by now."""
        since_when = max(looked, now - LATEST)
        return [
            _Due(rule, at)
            for rule, schedule, since in self._scheduled.values()
            for at in _instants(schedule, since, since_when, now)
        ]

    def _wait_for(self, due: Sequence[_Due]) -> None:
        for each in due:
            waiting = self._waiting.setdefault(each.rule.bus_arn, {})
            waiting[each.id] = each
            if len(waiting) > MOST_WAITING:
                oldest = next(iter(waiting))
                del waiting[oldest]
                log.error("the scheduled event %s is lost: too many wait for its bus", oldest)

    def _seconds_left(self, now: datetime) -> float:
        following = [schedule.next_after(now, since=since) for _, schedule, since in self._scheduled.values()]
        left = [(at - now).total_seconds() for at in following if at is not None]
        # The clock of the wall may be set, and the loop's is not it.
        again = self._patience.seconds_left()
        return min([NAP_SECONDS, *left, *([] if again is None else [again])])

    async def _put(self, bus: str, due: dict[str, _Due]) -> None:
        """Takes out what is stored. One that is stored already is not stored again."""
        for each in list(due.values()):
            try:
                await self._store.publish(bus, [self._record(each)])
                del due[each.id]
            except (StoreFull, StoreUnavailable) as error:
                log.warning("%d scheduled events of %s wait: %s", len(due), bus, error)
                break
            except FAULTS:
                log.exception("the scheduled event %s waits", each.id)
        if due:
            self._patience.failed(bus)
        else:
            self._patience.forget(bus)

    def _record(self, due: _Due) -> Record:
        rule = due.rule
        event = make_envelope(
            event_id=new_uuid(),
            detail_type=DETAIL_TYPE,
            source=SOURCE,
            account=rule.account,
            time=due.at,
            region=self._catalogue.region,
            resources=[rule.arn],
            detail={},
        )
        headers = {FOR_RULE: rule.arn, REVISION: str(self._catalogue.newest)}
        return Record(due.id, to_bytes(event), headers)

    async def _nap(self, stop: asyncio.Event, seconds: float) -> None:
        changed = asyncio.create_task(self._changed.wait())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait((changed, stopping), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        changed.cancel()
        stopping.cancel()


def _instants(schedule: Schedule, since: datetime, after: datetime, until: datetime) -> Iterator[datetime]:
    """When it is due after one instant and until another, and after it began to count."""
    at = schedule.next_after(max(after, since), since=since)
    while at is not None and at <= until:
        yield at
        at = schedule.next_after(at, since=since)
