"""What a domain.yaml may say of a queue. Limits and defaults are SQS's."""

from pathlib import Path

from harness.manifest.fields import At, boolean, integer, located, optional, record, required, shape, text
from harness.manifest.roles import PATH
from harness.queues.attributes import MAX_MESSAGE_BYTES, MAX_RECEIVES


@shape
class RedriveEntry:
    queue: At[str] = required(
        located(text), instead=At("", 0), about="queue of this domain that takes what was received too often"
    )
    receives: int = required(
        integer(1, MAX_RECEIVES), instead=1, about="how often a message is received before it goes there: 1 to 1000"
    )


@shape
class QueueEntry:
    visibility_seconds: int | None = optional(
        integer(0, 43_200), default=None, about="how long a received message is hidden from others; 30 by default"
    )
    retention_seconds: int | None = optional(
        integer(60, 1_209_600), default=None, about="how long a message is kept; 345600, four days, by default"
    )
    delay_seconds: int | None = optional(
        integer(0, 900), default=None, about="how long a new message is hidden; 0 by default"
    )
    wait_seconds: int | None = optional(
        integer(0, 20),
        default=None,
        about="how long a receiver waits for a message that is not there yet; 0 by default",
    )
    maximum_bytes: int | None = optional(
        integer(1024, MAX_MESSAGE_BYTES), default=None, about="size of the largest message; 1048576 by default"
    )
    content_based_deduplication: At[bool] | None = optional(
        located(boolean), default=None, about="of a FIFO queue: messages with the same body are one, for five minutes"
    )
    redrive: RedriveEntry | None = optional(
        record(RedriveEntry), default=None, about="where messages go that were received too often; none: they stay"
    )
    policy: At[Path] | None = optional(
        PATH,
        default=None,
        about="queue policy (file); by default one that lets in the rules that have it as their dead-letter queue and "
        "this domain's topics that send to it",
    )
