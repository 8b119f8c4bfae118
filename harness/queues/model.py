"""A queue as everyone who shares the state knows it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import orjson

from harness.policy import Document, PolicyKind, compile_document
from harness.queues import attributes
from harness.queues.attributes import DEFAULTS, FIFO, FIFO_DEFAULTS, POLICY, REDRIVE, REDRIVE_ALLOW, receives
from harness.queues.shelf import Place
from harness.storage.state import Key
from harness.wire import queue_arn

DEDUPLICATION_SECONDS = 300
REPEAT_SECONDS = 120  # so long an attempt to send, whose answer was lost, is known again


@dataclass(frozen=True)
class Queue:
    """`id` is new with each queue that is made. `given`: the attributes that somebody set, as text.

    `fixed`: those of a manifest, which `declared_in` names; the API cannot change them. Times in seconds.
    """

    region: str
    account: str
    name: str
    id: str
    given: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    created: int = 0
    modified: int = 0
    fixed: tuple[str, ...] = ()
    declared_in: str = ""

    @property
    def arn(self) -> str:
        return queue_arn(self.region, self.account, self.name)

    @property
    def key(self) -> Key:
        return queue_key(self.account, self.name)

    @property
    def fifo(self) -> bool:
        return self.given.get(FIFO) == "true"

    @property
    def place(self) -> Place:
        once = DEDUPLICATION_SECONDS if self.fifo else REPEAT_SECONDS
        return Place(self.id, self.fifo, self.number("MessageRetentionPeriod"), once)

    def value(self, name: str) -> str | None:
        """As GetQueueAttributes tells it; None when it has none."""
        return self.given.get(name) or DEFAULTS.get(name) or (FIFO_DEFAULTS.get(name) if self.fifo else None)

    def number(self, name: str) -> int:
        return int(self.value(name) or 0)

    @cached_property
    def policy(self) -> Document | None:
        """Compiled; it has been accepted before."""
        text = self.given.get(POLICY)
        if not text:
            return None
        return compile_document(text, kind=PolicyKind.RESOURCE, name=f"policy of the queue {self.name}")

    @cached_property
    def redrive(self) -> tuple[str, int] | None:
        """The dead-letter queue's ARN, and how often a message is received before it goes there."""
        text = self.given.get(REDRIVE)
        if not text:
            return None
        content = json.loads(text)
        return content["deadLetterTargetArn"], receives(content) or attributes.MAX_RECEIVES

    def allows_redrive_from(self, arn: str) -> bool:
        text = self.given.get(REDRIVE_ALLOW)
        content: Mapping[str, Any] = json.loads(text) if text else {"redrivePermission": "allowAll"}
        permission = content["redrivePermission"]
        return permission == "allowAll" or (permission == "byQueue" and arn in content["sourceQueueArns"])

    def to_bytes(self) -> bytes:
        return orjson.dumps(
            {
                "region": self.region,
                "account": self.account,
                "name": self.name,
                "id": self.id,
                "given": dict(self.given),
                "tags": dict(self.tags),
                "created": self.created,
                "modified": self.modified,
                "fixed": self.fixed,
                "declared_in": self.declared_in,
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> "Queue":
        content = orjson.loads(data)
        return cls(**{**content, "fixed": tuple(content["fixed"])})


def queue_key(account: str, name: str) -> Key:
    return ("sqs", "queue", account, name)


def arn_parts(arn: str) -> tuple[str, str] | None:
    """Account and name of a queue's ARN, of whatever region."""
    parts = arn.split(":")
    return (parts[4], parts[5]) if len(parts) == 6 and parts[2] == "sqs" else None
