"""Replays: events of an archive go to its bus again, minute by minute of their time, marked with the replay's name.

One router at a time works on a replay: it holds a lease in the state, with the last minute that is done. When it dies
the lease ends, and another one goes on from there. An event is stored under an id of the replay's own, so that what
is sent again within the store's memory is stored once. Source: EventBridge user guide, "Archiving and replaying".
"""

import asyncio
import logging
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from harness.bus import documents
from harness.bus.archives import MINUTE, archive_of, time_of
from harness.bus.catalogue import Catalogue
from harness.bus.documents import REPLAYS, Document
from harness.bus.envelope import from_bytes, to_bytes
from harness.bus.faults import Patience
from harness.bus.model import Envelope
from harness.bus.store import ONLY_RULES, ORIGIN, REVISION, Archive, Record, Store
from harness.clock import Clock, utc_now
from harness.errors import FAULTS
from harness.storage.held import StoreFull, StoreUnavailable
from harness.storage.replica import Replica
from harness.storage.state import Conflict, Entry, Key

log = logging.getLogger(__name__)

LEASES: Key = ("events", "replay-lease")
LEASE_SECONDS = 30.0
LOOK_SECONDS = 5.0
PAUSE_SECONDS = 0.5
BATCH = 100
BEFORE_ALL = -(10**9)
ACTIVE = ("STARTING", "RUNNING", "CANCELLING")


class _Lost(Exception):
    """Another router has the replay now, or it is not to go on."""


@dataclass(frozen=True, slots=True)
class _Replay:
    key: Key
    name: str
    arn: str
    archive: Archive
    bus: str
    start: float
    end: float
    headers: Mapping[str, str]


class Replayer:
    """`lease`: seconds after which another router takes over from one that has not been heard of. `patience`: with
    replays that are broken.
    """

    def __init__(
        self,
        replica: Replica,
        catalogue: Catalogue,
        store: Store,
        *,
        clock: Clock = utc_now,
        lease: float = LEASE_SECONDS,
        patience: Patience[Key] | None = None,
    ) -> None:
        self._replica = replica
        self._catalogue = catalogue
        self._store = store
        self._clock = clock
        self._lease = lease
        self._patience = patience or Patience()
        self._me = uuid.uuid4().hex
        self._changed = asyncio.Event()
        replica.listen(self._heard)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; then a replay under way is left to another router, from its last minute on."""
        working: dict[Key, asyncio.Task[None]] = {}
        stopping = asyncio.create_task(stop.wait())
        while not stop.is_set():
            self._changed.clear()
            working = {key: task for key, task in working.items() if not task.done()}
            for key in self._active():
                if key not in working:
                    working[key] = asyncio.create_task(self._work(key, stop))
            changed = asyncio.create_task(self._changed.wait())
            seconds = min(LOOK_SECONDS, self._lease)
            await asyncio.wait((changed, stopping), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            changed.cancel()
        await asyncio.gather(*working.values())

    def _heard(self, key: Key) -> None:
        if key[:2] == REPLAYS:
            self._changed.set()

    def _active(self) -> list[Key]:
        entries = self._replica.below(REPLAYS)
        return [entry.key for entry in entries if self._patience.ready(entry.key) and self._is_active(entry)]

    def _is_active(self, entry: Entry) -> bool:
        try:
            return documents.read(entry)["State"] in ACTIVE
        except FAULTS as error:
            self._met(entry.key, error)
            return False

    def _met(self, key: Key, error: Exception) -> None:
        seconds = self._patience.failed(key)
        log.error("replay %s of %s met a fault, again in %g s", key[3], key[2], seconds, exc_info=error)

    async def _work(self, key: Key, stop: asyncio.Event) -> None:
        try:
            await self._go_on(key, stop)
        except Conflict as error:
            log.debug("%s", error)
        except (StoreFull, StoreUnavailable) as error:
            log.warning("replay %s waits: %s", key[3], error)
        except FAULTS as error:
            self._met(key, error)
        else:
            self._patience.forget(key)

    async def _go_on(self, key: Key, stop: asyncio.Event) -> None:
        try:
            done = await self._take(key)
            if done is not None:
                await self._replay(key, done, stop)
        except _Lost as error:
            log.debug("%s: %s", "/".join(key), error)
            if stop.is_set():
                await self._give_back(key)
            self._changed.set()

    async def _replay(self, key: Key, done: int, stop: asyncio.Event) -> None:
        """`done`: the last minute that is."""
        if self._document(key)["State"] == "CANCELLING":
            await self._end(key, "CANCELLED")
            return
        await self._write(key, {"State": "RUNNING"})
        replay = self._read(key)
        if isinstance(replay, str):
            await self._end(key, "FAILED", reason=replay)
            return
        minutes = await self._store.archived_minutes(replay.archive)
        first, last = replay.start // MINUTE, replay.end // MINUTE
        for minute in sorted(each for each in minutes if first <= each <= last and each > done):
            await self._minute(replay, minute, stop)
            if self._document(key)["State"] == "CANCELLING":
                await self._end(key, "CANCELLED")
                return
        await self._end(key, "COMPLETED")

    def _read(self, key: Key) -> _Replay | str:
        """Text: why it fails."""
        document = self._document(key)
        source, destination = document["EventSourceArn"], document["Destination"]
        archive = self._catalogue.archive(source)
        if archive is None:
            return f"Archive {source.rpartition('/')[2]} does not exist."
        if self._catalogue.bus(destination["Arn"]) is None:
            return f"Event bus {destination['Arn'].partition('event-bus/')[2]} does not exist."
        headers = {REVISION: str(self._catalogue.newest)}
        if filters := destination.get("FilterArns"):
            headers[ONLY_RULES] = " ".join(filters)
        return _Replay(
            key,
            key[3],
            documents.replay_arn(self._catalogue.region, key[2], key[3]),
            archive_of(source, archive),
            destination["Arn"],
            document["EventStartTime"],
            document["EventEndTime"],
            headers,
        )

    async def _minute(self, replay: _Replay, minute: int, stop: asyncio.Event) -> None:
        seen: Counter[str] = Counter()
        batch: list[Record] = []
        async for body in self._store.archived(replay.archive, minute):
            try:
                event = from_bytes(body)
                if not replay.start <= time_of(event).timestamp() < replay.end:
                    continue
                seen[event["id"]] += 1
                batch.append(_record(replay, event, seen[event["id"]]))
            except FAULTS as error:
                log.error("replay %s: %s keeps what is no event: %r", replay.name, replay.archive.arn, error)
            if len(batch) == BATCH:
                await self._publish(replay, batch, minute, stop)
                batch = []
        await self._publish(replay, batch, minute, stop)
        await self._renew(replay.key, minute)
        await self._write(replay.key, {"EventLastReplayedTime": min(float((minute + 1) * MINUTE), replay.end)})

    async def _publish(self, replay: _Replay, batch: Sequence[Record], minute: int, stop: asyncio.Event) -> None:
        """A full bus is waited for, as long as nobody cancels."""
        while batch:
            if stop.is_set() or self._document(replay.key)["State"] != "RUNNING":
                raise _Lost("it is not to go on")
            await self._renew(replay.key, minute - 1)
            try:
                await self._store.publish(replay.bus, batch)
                return
            except StoreFull as error:
                log.info("replay %s: %s", replay.name, error)
                await asyncio.sleep(PAUSE_SECONDS)

    def _document(self, key: Key) -> Document:
        entry = self._replica.get(key)
        if entry is None:
            raise _Lost("it is gone")
        return documents.read(entry)

    async def _write(self, key: Key, changes: Mapping[str, Any]) -> None:
        """Of a replay that is being cancelled, nothing but its end is changed."""
        while True:
            entry = self._replica.get(key)
            if entry is None:
                raise _Lost("it is gone")
            document = documents.read(entry)
            if changes.get("State") == "RUNNING" and document["State"] == "CANCELLING":
                raise _Lost("it is being cancelled")
            try:
                await self._replica.put(key, documents.write({**document, **changes}), expected=entry.revision)
                return
            except Conflict:
                await self._replica.reach(entry.revision + 1)

    async def _end(self, key: Key, state: str, *, reason: str = "") -> None:
        ended: dict[str, Any] = {"State": state, "ReplayEndTime": self._clock().timestamp()}
        await self._write(key, {**ended, "StateReason": reason} if reason else ended)
        await self._replica.delete(_lease_key(key))

    async def _take(self, key: Key) -> int | None:
        """The last minute that is done, if the replay is ours now; None while another router has it."""
        entry = self._replica.get(_lease_key(key))
        lease = _lease(entry)
        if lease.get("Owner", self._me) != self._me and self._clock().timestamp() < lease["Until"]:
            return None
        await self._put_lease(key, lease["Done"], entry.revision if entry is not None else 0)
        done: int = lease["Done"]
        return done

    async def _renew(self, key: Key, done: int) -> None:
        entry = self._replica.get(_lease_key(key))
        lease = documents.read(entry) if entry is not None else {}
        if entry is None or lease["Owner"] != self._me:
            raise _Lost("another router has it")
        left = lease["Until"] - self._clock().timestamp()
        if done > lease["Done"] or left < self._lease * 2 / 3:
            await self._put_lease(key, max(done, lease["Done"]), entry.revision)

    async def _give_back(self, key: Key) -> None:
        """Another router goes on at once."""
        entry = self._replica.get(_lease_key(key))
        lease = documents.read(entry) if entry is not None else {}
        if entry is not None and lease["Owner"] == self._me:
            await self._put_lease(key, lease["Done"], entry.revision, seconds=0)

    async def _put_lease(self, key: Key, done: int, expected: int, *, seconds: float | None = None) -> None:
        until = self._clock().timestamp() + (self._lease if seconds is None else seconds)
        lease = {"Owner": self._me, "Until": until, "Done": done}
        await self._replica.put(_lease_key(key), orjson.dumps(lease), expected=expected)


def _lease(entry: Entry | None) -> Document:
    """One that cannot be read holds nobody off, and says of nothing that it is done."""
    free: Document = {"Done": BEFORE_ALL}
    if entry is None:
        return free
    try:
        lease = documents.read(entry)
        return {"Owner": str(lease["Owner"]), "Until": float(lease["Until"]), "Done": int(lease["Done"])}
    except FAULTS as error:
        log.error("%s cannot be read: the replay begins anew: %r", "/".join(entry.key), error)
        return free


def _lease_key(key: Key) -> Key:
    return (*LEASES, *key[2:])


def _record(replay: _Replay, event: Envelope, number: int) -> Record:
    """`number`: how many copies of this event there have been."""
    id_ = f"{event['id']}:{number}:{replay.arn}"
    return Record(id_, to_bytes(with_name(event, replay.name)), {**replay.headers, ORIGIN: id_})


def with_name(event: Envelope, name: str) -> Envelope:
    """AWS has `replay-name` between `region` and `resources`."""
    marked: Envelope = {}
    for key, value in event.items():
        marked[key] = value
        if key == "region":
            marked["replay-name"] = name
    return {**marked, "replay-name": name}
