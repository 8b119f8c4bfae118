"""What a bus keeps and hands out, whichever way it is kept: the protocol of the stores and the values they carry.

An event is stored when `publish` returns, matched when its `Held` is acknowledged, and delivered when the `Held` of
each of its deliveries is. What is held and never settled (its holder died) is handed out again: at least once,
nothing lost.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from harness.storage.held import Held, name_token

EVENT_ID = "Event-Id"
TRACE = "Trace-Header"
INGESTED = "Ingested-At"
REVISION = "State-Revision"
"""Of an event: what its edge knew of rules; a router matches it once it knows as much."""
ORIGIN = "Origin"
"""Of an event that is on a bus again under its own id (replayed, or brought by a bus target): the id of this copy."""
VIA_BUS = "Via-Bus"
"""Of an event that a bus target brought: the ARN of the bus it comes from. It goes to no further bus."""
ONLY_RULES = "Only-Rules"
"""Of an event that is not for every rule of its bus: the ARNs of those it is for, with spaces between."""
FOR_RULE = "For-Rule"
"""Of a scheduled event: the ARN of the rule whose schedule made it, which it matches whatever its pattern."""


@dataclass(frozen=True, slots=True)
class Record:
    """An event to publish: `id` also keeps a repeated publish from storing it twice. Header values are ASCII."""

    id: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one target of one rule. `target` is a `target_key`, `body` the event.

    `origin` as the header of that name says; `via_bus` as its own. `event`: of one that is sent in another shape, the
    event that it was.
    """

    event_id: str
    target: str
    body: bytes
    ingested: datetime
    trace: str = ""
    origin: str = ""
    via_bus: str = ""
    event: bytes = b""

    @property
    def whole(self) -> bytes:
        """The event, whatever is sent of it."""
        return self.event or self.body

    @property
    def id(self) -> str:
        return f"{self.origin or self.event_id}:{self.target}"

    @property
    def headers(self) -> dict[str, str]:
        headers = {EVENT_ID: self.event_id, INGESTED: self.ingested.isoformat()}
        if self.trace:
            headers[TRACE] = self.trace
        if self.origin:
            headers[ORIGIN] = self.origin
        if self.via_bus:
            headers[VIA_BUS] = self.via_bus
        return headers


@dataclass(frozen=True, slots=True)
class Archive:
    """Where an archive keeps its events. `made` tells it from an earlier one of the same name.

    `days`: how long an event is kept, 0 for ever. A change of it is taken over by `prepare_archive`.
    """

    arn: str
    made: str
    days: int = 0

    @property
    def name(self) -> str:
        return f"{self.arn}#{self.made}"


@dataclass(frozen=True, slots=True)
class Archived:
    """An event for an archive. `id` keeps a repeated one from being stored twice; `minute` of its time since 1970."""

    archive: Archive
    id: str
    minute: int
    body: bytes


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that a target did not take, for `queue`. `attributes` are EventBridge's, all strings.

    `reason`: of one that the queue did not take either, why.
    """

    id: str
    queue: str
    body: bytes
    attributes: Mapping[str, str]
    reason: str = ""


class Kind(StrEnum):
    """What is kept."""

    BUS = "bus"
    TARGET = "target"
    ARCHIVE = "archive"
    LOG = "log"
    UNDELIVERED = "undelivered"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Kept:
    """How much one place keeps. `name`: the ARN of a bus or log group, a `target_key`, `Archive.name`.

    `most_bytes`: its bound, 0 when it has none.
    """

    kind: Kind
    name: str
    messages: int
    bytes: int
    most_bytes: int = 0


def delivery_of(held: Held, target: str) -> Delivery:
    headers = held.headers
    return Delivery(
        event_id=headers[EVENT_ID],
        target=target,
        body=held.body,
        ingested=datetime.fromisoformat(headers[INGESTED]),
        trace=headers.get(TRACE, ""),
        origin=headers.get(ORIGIN, ""),
        via_bus=headers.get(VIA_BUS, ""),
    )


class Store(Protocol):
    """Every method may raise StoreUnavailable; those that add may raise StoreFull."""

    async def prepare(self, buses: Sequence[str], targets: Sequence[str] = ()) -> None:
        """Makes the places for these buses (ARNs) and targets (keys). Calling again is harmless."""

    async def drop(self, buses: Sequence[str], targets: Sequence[str] = ()) -> None:
        """Takes these places away, with all that is in them. One that is not there is dropped already."""

    async def clear(self, bus: str) -> None:
        """Forgets every event of a bus, matched or not."""

    async def publish(self, bus: str, records: Sequence[Record]) -> None:
        """Returns when every record is stored; a record whose id was stored a moment ago is stored once."""

    async def pull_events(self, bus: str, limit: int, wait: float) -> Sequence[Held]:
        """Up to `limit` events to match, at once if there are any, else the first within `wait` seconds, else none."""

    async def enqueue(self, deliveries: Sequence[Delivery], archived: Sequence[Archived] = ()) -> None:
        """Returns when every delivery, and every event for an archive, is stored."""

    async def pull_deliveries(self, target: str, limit: int, wait: float) -> Sequence[Held]: ...

    async def release_target(self, target: str) -> None:
        """Nothing more is pulled here for now: what came and was not pulled is given back."""

    async def release_bus(self, bus: str) -> None: ...

    async def prepare_archive(self, archive: Archive) -> None: ...

    async def drop_archive(self, name: str) -> None:
        """By `Archive.name`. One that is not there is dropped already."""

    async def archived_minutes(self, archive: Archive) -> Mapping[int, int]:
        """How many events of each minute are kept; nothing of an archive that is not there."""

    async def archive_kept(self, archive: Archive) -> Kept:
        """How much it keeps; nothing when it is not there."""

    def archived(self, archive: Archive, minute: int) -> AsyncGenerator[bytes, None]:
        """The events of one minute that are kept now, in the order stored. Ends."""

    async def log(self, group: str, records: Sequence[Record]) -> None:
        """Writes to a log group (ARN), which is made when it is not there. Returns when every record is stored."""

    def logged(self, group: str) -> AsyncGenerator[bytes, None]:
        """What a log group keeps now, in the order stored; nothing of one that is not there. Ends."""

    async def set_aside(self, letter: DeadLetter) -> None:
        """Keeps a dead letter that its queue did not take; returns when it is stored."""

    def undelivered(self) -> AsyncGenerator[DeadLetter, None]:
        """Those set aside, oldest first. Ends."""

    def tail(self, bus: str, *, from_start: bool) -> AsyncGenerator[bytes, None]:
        """The bodies of a bus's events in the order stored, from the oldest kept or from now, without end."""

    def kept(self, bus: str) -> AsyncGenerator[bytes, None]:
        """The bodies of the events that a bus keeps now, in the order stored. Ends."""

    async def trim(self, bus: str) -> None:
        """Makes room by forgetting the oldest events that are matched already."""

    async def usage(self) -> Sequence[Kept]:
        """Everything that is kept, in no order."""

    def connected(self) -> bool: ...

    async def close(self) -> None: ...


def target_key(rule_arn: str, target_id: str) -> str:
    """Names one target of one rule in all stores: its work queue outlives the processes that serve it."""
    _, _, _, region, account, rest = rule_arn.split(":", 5)
    return name_token(region, account, rest.removeprefix("rule/"), target_id)
