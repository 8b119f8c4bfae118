"""The JetStream streams behind buses, targets and dead letters: names, bounds, and what happens at a bound.

    BUS_{bus}        the events of a bus in order, matched ones too until room is needed. Full: PutEvents fails.
    TARGET_{target}  a work queue, one message a delivery. Full: the event waits on its bus.
    DEAD_LETTERS     a subject a queue; the oldest go first.

File storage: what is confirmed survives the death of any process. Power loss too, if nats-server runs with
`sync_interval: always`.
"""

from dataclasses import dataclass

from nats.js.api import AckPolicy, ConsumerConfig, DiscardPolicy, RetentionPolicy, StorageType, StreamConfig

from harness.storage.held import name_token

MEBIBYTE = 1024 * 1024
DAY = 86_400
MATCHING = "matching"
DELIVERY = "delivery"
DEAD_LETTERS = "DEAD_LETTERS"


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is kept, in bytes and seconds; `ack_wait` seconds without a word from its holder free a message.

    nats-server counts the bytes of all streams as reserved against its `max_file_store`, used or not.
    """

    bus_bytes: int = 512 * MEBIBYTE
    bus_seconds: float = 7 * DAY
    target_bytes: int = 128 * MEBIBYTE
    dead_letter_bytes: int = 128 * MEBIBYTE
    dead_letter_seconds: float = 14 * DAY  # the longest an SQS queue keeps a message
    duplicate_seconds: float = 120
    ack_wait: float = 10
    replicas: int = 1


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


def dead_letter_subject(queue: str) -> str:
    return f"dead.{name_token(queue)}"


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
        num_replicas=bounds.replicas,
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
        num_replicas=bounds.replicas,
    )


def dead_letter_config(bounds: Bounds) -> StreamConfig:
    return StreamConfig(
        name=DEAD_LETTERS,
        subjects=["dead.*"],
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        discard=DiscardPolicy.OLD,
        max_bytes=bounds.dead_letter_bytes,
        max_age=bounds.dead_letter_seconds,
        duplicate_window=bounds.duplicate_seconds,
        num_replicas=bounds.replicas,
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


def _bus_token(bus: str) -> str:
    _, _, _, region, account, rest = bus.split(":", 5)
    return name_token(region, account, rest.removeprefix("event-bus/"))
