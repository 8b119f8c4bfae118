"""What a domain.yaml may say of a topic. Names and defaults are SNS's."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.manifest.fields import (
    At,
    boolean,
    integer,
    json_object,
    located,
    one_of,
    optional,
    record,
    required,
    sequence,
    shape,
    text,
    with_node,
)
from harness.manifest.roles import PATH
from harness.yaml_source import Node


@shape
class TopicSubscriptionEntry:
    queue: At[str] = required(located(text), instead=At("", 0), about="queue that gets the topic's messages")
    domain: At[str] | None = optional(
        located(text), default=None, about="whose queue it is; by default this domain's. Another's needs a `policy`"
    )
    filter: tuple[Mapping[str, Any], Node] | None = optional(
        with_node(json_object), default=None, about="filter policy, as SNS has it; by default all messages"
    )
    filter_scope: str = optional(
        one_of("MessageAttributes", "MessageBody"),
        default="",
        about="what the filter looks at: `MessageAttributes`, the default, or `MessageBody`",
    )
    raw: bool = optional(
        boolean, default=False, about="`true`: messages come as they were published, not wrapped in JSON"
    )
    dead_letter: At[str] | None = optional(
        located(text), default=None, about="queue of this domain for what the other did not take; none: it is dropped"
    )


@shape
class TopicEntry:
    policy: At[Path] | None = optional(
        PATH, default=None, about="topic policy (file); by default the account's own roles decide by theirs"
    )
    signature_version: int | None = optional(
        integer(1, 2), default=None, about="signature of its messages: 1 (SHA1), the default, or 2 (SHA256)"
    )
    content_based_deduplication: At[bool] | None = optional(
        located(boolean), default=None, about="of a FIFO topic: messages with the same body are one, for five minutes"
    )
    subscriptions: tuple[TopicSubscriptionEntry, ...] = optional(
        sequence(record(TopicSubscriptionEntry)), default=(), about="queues that get its messages"
    )
