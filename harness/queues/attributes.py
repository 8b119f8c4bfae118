"""A queue's attributes: which there are, what each may be, and what it is when nobody said.

Source: Amazon SQS API Reference, CreateQueue and SetQueueAttributes. Values are text, as on the wire.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

MAX_MESSAGE_BYTES = 1_048_576
"""262,144 in former years: a queue may still say so."""
MAX_RECEIVES = 1000
MAX_KEY_ID_CHARACTERS = 2048
MAX_SOURCES = 10

FIFO = "FifoQueue"
POLICY = "Policy"
REDRIVE = "RedrivePolicy"
REDRIVE_ALLOW = "RedriveAllowPolicy"

COMPUTED = (
    "QueueArn",
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
)


@dataclass(frozen=True, slots=True)
class Whole:
    least: int
    most: int

    def fault(self, value: str) -> str | None:
        if re.fullmatch(r"[0-9]{1,9}", value) and self.least <= int(value) <= self.most:
            return None
        return ""


@dataclass(frozen=True, slots=True)
class OneOf:
    values: tuple[str, ...]

    def fault(self, value: str) -> str | None:
        return None if value in self.values else ""


@dataclass(frozen=True, slots=True)
class Read:
    """`reader` says what is wrong, None when nothing is."""

    reader: Callable[[str], str | None]

    def fault(self, value: str) -> str | None:
        return self.reader(value)


def redrive_fault(text: str) -> str | None:
    content = _object(text)
    if content is None:
        return "Reason: Redrive policy is not a valid JSON map."
    if set(content) - {"deadLetterTargetArn", "maxReceiveCount"} or len(content) < 2:
        return "Reason: Redrive policy does not contain mandatory attribute: " + (
            "maxReceiveCount." if "deadLetterTargetArn" in content else "deadLetterTargetArn."
        )
    if not re.fullmatch(r"arn:aws[\w-]*:sqs:[\w-]+:\d{12}:[\w.-]{1,80}", str(content["deadLetterTargetArn"])):
        return "Reason: Invalid value for deadLetterTargetArn."
    if receives(content) is None:
        count, valid = content["maxReceiveCount"], f"valid values are from 1 to {MAX_RECEIVES} both inclusive."
        return f"Reason: Invalid value for maxReceiveCount: {count}, {valid}"
    return None


def receives(redrive: Mapping[str, Any]) -> int | None:
    """A number, or the text of one."""
    count = redrive.get("maxReceiveCount")
    if isinstance(count, bool) or not re.fullmatch(r"[0-9]{1,4}", str(count)):
        return None
    return int(str(count)) if 1 <= int(str(count)) <= MAX_RECEIVES else None


def redrive_allow_fault(text: str) -> str | None:
    content = _object(text)
    if content is None:
        return "Reason: Redrive allow policy is not a valid JSON map."
    permission, arns = content.get("redrivePermission"), content.get("sourceQueueArns")
    if set(content) - {"redrivePermission", "sourceQueueArns"}:
        return "Reason: Unknown key in redrive allow policy."
    if permission not in ("allowAll", "denyAll", "byQueue"):
        return "Reason: redrivePermission must be one of allowAll, denyAll, byQueue."
    if permission == "byQueue":
        if not (isinstance(arns, list) and 1 <= len(arns) <= MAX_SOURCES and all(isinstance(arn, str) for arn in arns)):
            return f"Reason: sourceQueueArns must list 1 to {MAX_SOURCES} queues when redrivePermission is byQueue."
    elif arns is not None:
        return "Reason: sourceQueueArns may be given only when redrivePermission is byQueue."
    return None


SETTABLE: Mapping[str, Whole | OneOf | Read] = {
    "DelaySeconds": Whole(0, 900),
    "MaximumMessageSize": Whole(1024, MAX_MESSAGE_BYTES),
    "MessageRetentionPeriod": Whole(60, 1_209_600),
    "ReceiveMessageWaitTimeSeconds": Whole(0, 20),
    "VisibilityTimeout": Whole(0, 43_200),
    "KmsMasterKeyId": Read(lambda value: None if len(value) <= MAX_KEY_ID_CHARACTERS else ""),
    "KmsDataKeyReusePeriodSeconds": Whole(60, 86_400),
    "SqsManagedSseEnabled": OneOf(("true", "false")),
    FIFO: OneOf(("true",)),
    "ContentBasedDeduplication": OneOf(("true", "false")),
    "DeduplicationScope": OneOf(("messageGroup", "queue")),
    "FifoThroughputLimit": OneOf(("perQueue", "perMessageGroupId")),
    POLICY: Read(lambda value: None),  # compiled where principals are known
    REDRIVE: Read(redrive_fault),
    REDRIVE_ALLOW: Read(redrive_allow_fault),
}
ONLY_FIFO = ("ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit")
ALL_NAMES = ("All", *SETTABLE, *COMPUTED)

DEFAULTS: Mapping[str, str] = {
    "DelaySeconds": "0",
    "MaximumMessageSize": str(MAX_MESSAGE_BYTES),
    "MessageRetentionPeriod": "345600",
    "ReceiveMessageWaitTimeSeconds": "0",
    "VisibilityTimeout": "30",
    "SqsManagedSseEnabled": "true",
}
FIFO_DEFAULTS: Mapping[str, str] = {
    "ContentBasedDeduplication": "false",
    "DeduplicationScope": "queue",
    "FifoThroughputLimit": "perQueue",
}
CLEARED_BY_EMPTY = (POLICY, REDRIVE, REDRIVE_ALLOW, "KmsMasterKeyId")
"""What an empty text takes away."""


def value_fault(name: str, value: str) -> str | None:
    """AWS's sentence about a value of a settable attribute, None when it is good."""
    if not value and name in CLEARED_BY_EMPTY:
        return None
    fault = SETTABLE[name].fault(value)
    if fault is None:
        return None
    if name in (REDRIVE, REDRIVE_ALLOW):
        return f"Value {value} for parameter {name} is invalid. {fault}"
    return f"Invalid value for the parameter {name}."


def _object(text: str) -> dict[str, Any] | None:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None
