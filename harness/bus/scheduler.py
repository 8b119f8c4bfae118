"""Puts a `Scheduled Event` on the bus at each instant at which the schedule of a rule is due.

Any number of routers do so: an event is stored under an id made of rule and instant, and so only once. What was due
while none ran is not made up for. Source: EventBridge user guide, "Scheduled rules".
"""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from harness.bus.catalogue import Catalogue
from harness.bus.documents import RULES
from harness.bus.envelope import make_envelope, to_bytes
from harness.bus.model import Rule
from harness.bus.schedule import Schedule, parse_schedule
from harness.bus.store import FOR_RULE, REVISION, Record, Store
from harness.clock import Clock, extended_iso, utc_now
from harness.storage.held import StoreFull, StoreUnavailable
from harness.storage.state import Key
from harness.wire import new_uuid

log = logging.getLogger(__name__)

SOURCE, DETAIL_TYPE = "aws.events", "Scheduled Event"
# Shorter than the time for which the store knows an id again: a router that was asleep sends nothing twice.
LATEST = timedelta(seconds=60)
NAP_SECONDS = 30.0
PAUSE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class _Due:
    rule: Rule
    at: datetime


class Scheduler:
    def __init__(self, catalogue: Catalogue, store: Store, *, clock: Clock = utc_now) -> None:
        self._catalogue = catalogue
        self._store = store
        self._clock = clock
        self._scheduled: dict[Key, tuple[Rule, Schedule, datetime]] = {}
        self._changed = asyncio.Event()
        for key in catalogue.rule_keys():
            self._heard(key)
        catalogue.listen(self._heard)

    async def run(self, stop: asyncio.Event) -> None:
        looked = self._clock()
        while not stop.is_set():
            now = self._clock()
            self._changed.clear()
            if await self._put(self._due(looked, now)):
                looked = max(looked, now)
                await self._nap(stop, self._seconds_left(looked))
            else:
                await self._nap(stop, PAUSE_SECONDS)

    def _heard(self, key: Key) -> None:
        if key[:2] != RULES:
            return
        self._scheduled.pop(key, None)
        rule, document = self._catalogue.rule_of(key), self._catalogue.document(key)
        if rule is not None and document is not None and rule.schedule and rule.enabled:
            since = datetime.fromtimestamp(document.get("Since", 0), UTC)
            self._scheduled[key] = rule, parse_schedule(rule.schedule), since
        self._changed.set()

    def _due(self, looked: datetime, now: datetime) -> list[_Due]:
        """What became due after the last look, but for what is too late by now."""
        since_when = max(looked, now - LATEST)
        return [
            _Due(rule, at)
            for rule, schedule, since in self._scheduled.values()
            for at in _instants(schedule, since, since_when, now)
        ]

    def _seconds_left(self, now: datetime) -> float:
        following = [schedule.next_after(now, since=since) for _, schedule, since in self._scheduled.values()]
        left = [(at - now).total_seconds() for at in following if at is not None]
        # The clock of the wall may be set, and the loop's is not it.
        return min([NAP_SECONDS, *left])

    async def _put(self, due: Sequence[_Due]) -> bool:
        """Whether all are stored. One that is stored already is not stored again."""
        try:
            for each in due:
                await self._store.publish(each.rule.bus_arn, [self._record(each)])
        except (StoreFull, StoreUnavailable) as error:
            log.warning("a scheduled event is late: %s", error)
            return False
        return True

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
        return Record(f"{rule.arn}@{extended_iso(due.at)}", to_bytes(event), headers)

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
