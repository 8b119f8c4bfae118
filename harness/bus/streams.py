"""The JetStream streams behind buses and targets: names, bounds, and what happens at a bound.

    BUS_{bus}        the events of a bus in order, matched ones too until room is needed. Full: PutEvents fails.
    TARGET_{target}  a work queue, one message a delivery. Full: the event waits on its bus.
    ARCHIVE_{name}   the events of an archive, a subject for each minute of their time. Full: the oldest go first.
    LOG_{group}      what a log group got. Full: the oldest go first.
    UNDELIVERED      dead letters that their queue did not take; the oldest go first.

A stream's metadata say what it keeps, for whoever looks at all of them.

File storage: what is confirmed survives the death of any process. Power loss too, if nats-server runs with
`sync_interval: always`.
"""

from dataclasses import dataclass

from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
    StreamInfo,
)

from harness.bus.store import Archive, Kept, Kind
from harness.storage.held import name_token

MEBIBYTE = 1024 * 1024
DAY = 86_400
MATCHING = "matching"
DELIVERY = "delivery"
UNDELIVERED = "UNDELIVERED"
UNDELIVERED_SUBJECT = "undelivered"
_KIND, _NAME = "kind", "name"


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is kept, in bytes and seconds; `ack_wait` seconds without a word from its holder free a message.

    nats-server counts the bytes of all streams as reserved against its `max_file_store`, used or not.
    """

    bus_bytes: int = 512 * MEBIBYTE
    bus_seconds: float = 7 * DAY
    target_bytes: int = 128 * MEBIBYTE
    archive_bytes: int = 512 * MEBIBYTE
    log_bytes: int = 64 * MEBIBYTE
    log_seconds: float = 14 * DAY
    undelivered_bytes: int = 128 * MEBIBYTE
    undelivered_seconds: float = 14 * DAY  # the longest an SQS queue keeps a message
    duplicate_seconds: float = 120
    ack_wait: float = 10


def bus_stream(bus: str) -> str:
    """`bus` is an ARN, as in all that follows."""
    return f"BUS_{_bus_token(bus)}"


def bus_subject(bus: str) -> str:
    return f"bus.{_bus_token(bus)}"


def target_stream(target: str) -> str:
    """`target` is a `target_key`."""
    return f"TARGET_{target}"


def target_subject(target: str) -> str:
    return f"deliver.{target}"


def archive_stream(name: str) -> str:
    """`name` is an `Archive.name`."""
    return f"ARCHIVE_{_archive_token(name)}"


def archive_subject(name: str, minute: int | str) -> str:
    return f"archive.{_archive_token(name)}.{minute}"


def log_stream(group: str) -> str:
    return f"LOG_{name_token(group)}"


def log_subject(group: str) -> str:
    return f"log.{name_token(group)}"


def bus_config(bus: str, bounds: Bounds) -> StreamConfig:
    return StreamConfig(
        name=bus_stream(bus),
        subjects=[bus_subject(bus)],
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        # NEW, not OLD: the oldest event may not be matched yet. `trim` makes room.
        discard=DiscardPolicy.NEW,
        max_bytes=bounds.bus_bytes,
        max_age=bounds.bus_seconds,
        duplicate_window=bounds.duplicate_seconds,
        metadata=_metadata(Kind.BUS, bus),
    )


def target_config(target: str, bounds: Bounds) -> StreamConfig:
    return StreamConfig(
        name=target_stream(target),
        subjects=[target_subject(target)],
        retention=RetentionPolicy.WORK_QUEUE,
        storage=StorageType.FILE,
        discard=DiscardPolicy.NEW,
        max_bytes=bounds.target_bytes,
        duplicate_window=bounds.duplicate_seconds,
        metadata=_metadata(Kind.TARGET, target),
    )


def archive_config(archive: Archive, bounds: Bounds) -> StreamConfig:
    subject = archive_subject(archive.name, "*")
    return _history(
        archive_stream(archive.name),
        subject,
        bounds,
        bounds.archive_bytes,
        archive.days * DAY,
        Kind.ARCHIVE,
        archive.name,
    )


def log_config(group: str, bounds: Bounds) -> StreamConfig:
    name, subject = log_stream(group), log_subject(group)
    return _history(name, subject, bounds, bounds.log_bytes, bounds.log_seconds, Kind.LOG, group)


def undelivered_config(bounds: Bounds) -> StreamConfig:
    most, seconds = bounds.undelivered_bytes, bounds.undelivered_seconds
    return _history(UNDELIVERED, UNDELIVERED_SUBJECT, bounds, most, seconds, Kind.UNDELIVERED, "")


def _history(
    stream: str, subject: str, bounds: Bounds, most_bytes: int, seconds: float, kind: Kind, name: str
) -> StreamConfig:
    """A stream that forgets the oldest at its bound."""
    return StreamConfig(
        name=stream,
        subjects=[subject],
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        discard=DiscardPolicy.OLD,
        max_bytes=most_bytes,
        max_age=seconds,
        # The server takes no window that is longer than what it keeps.
        duplicate_window=min(bounds.duplicate_seconds, seconds or bounds.duplicate_seconds),
        metadata=_metadata(kind, name),
    )


def worker_config(name: str, bounds: Bounds) -> ConsumerConfig:
    """A durable consumer that any number of processes pull from."""
    return ConsumerConfig(
        durable_name=name,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=bounds.ack_wait,
        # Attempts are bounded by each target's RetryPolicy, which ends in a dead letter, never in silence.
        max_deliver=-1,
        # Messages that wait for their next attempt count too, so this must not be near what is worked on at once.
        max_ack_pending=100_000,
    )


def kept(info: StreamInfo) -> Kept:
    """What a stream says of itself; one that is not the bus's is named as the server names it."""
    metadata = info.config.metadata or {}
    ours = metadata.get(_KIND) in set(Kind)
    kind = Kind(metadata[_KIND]) if ours else Kind.OTHER
    name = metadata.get(_NAME, "") if ours else info.config.name or ""
    bound = max(0, info.config.max_bytes or 0)
    return Kept(kind, name, info.state.messages, info.state.bytes, bound)


def _metadata(kind: Kind, name: str) -> dict[str, str]:
    return {_KIND: kind.value, _NAME: name}


def _bus_token(bus: str) -> str:
    _, _, _, region, account, rest = bus.split(":", 5)
    return name_token(region, account, rest.removeprefix("event-bus/"))


def _archive_token(name: str) -> str:
    arn, _, made = name.partition("#")
    _, _, _, region, account, rest = arn.split(":", 5)
    return name_token(region, account, rest.removeprefix("archive/"), made)
