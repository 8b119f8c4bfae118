"""SendMessage: what is wrong with a message, and the message that a good one becomes.

Source: Amazon SQS API Reference, SendMessage, and Developer Guide, "Amazon SQS message attributes"; texts as AWS
answers them. A message comes in the shape of the JSON protocol.
"""

import hashlib
import re
from base64 import b64decode
from binascii import Error as BinasciiError
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from harness.queues.message import Attribute, Attributes, Message, attributes_digest, body_digest
from harness.queues.model import Queue
from harness.queues.refusals import Refusal, invalid, missing
from harness.wire import new_uuid

MOST_ATTRIBUTES = 10
MOST_DELAY = 900
TRACE_HEADER = "AWSTraceHeader"
_NOT_ALLOWED = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ALLOWED = "#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,256}", re.ASCII)
_TYPE = re.compile(r"(String|Number|Binary)(\..+)?", re.DOTALL)
_ID = re.compile(r"[A-Za-z0-9!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]{1,128}", re.ASCII)
_ID_RULE = "{name} can only include alphanumeric and punctuation characters. 1 to 128 in length."
_WRONG_TYPE = "The request include parameter that is not valid for this queue type."


@dataclass(frozen=True, slots=True)
class Draft:
    """A message to be sent. `once`: the name by which a repeated attempt is known. Digests as the answer has them."""

    message: Message
    once: str
    body_digest: str
    attributes_digest: str = ""
    system_digest: str = ""
    size: int = 0


def read_message(entry: Mapping[str, Any], queue: Queue, *, sender: str, now: int, once: str = "") -> Draft | Refusal:
    """`now` in milliseconds; `entry`'s members have their types. `once`: a name where the queue's kind gives none."""
    body = entry.get("MessageBody")
    if not body:
        return missing("MessageBody")
    if _NOT_ALLOWED.search(body):
        return Refusal("InvalidMessageContents", f"Invalid characters found. Valid unicode characters are {_ALLOWED}")
    attributes = _read_attributes(entry.get("MessageAttributes") or {}, "message (user)")
    if isinstance(attributes, Refusal):
        return attributes
    system = _read_attributes(entry.get("MessageSystemAttributes") or {}, "message system")
    if isinstance(system, Refusal):
        return system
    unknown = next((name for name in system if name != TRACE_HEADER or system[name].type != "String"), None)
    if unknown is not None:
        return invalid("MessageSystemAttributes", unknown, "the only one is AWSTraceHeader, of type String.")
    size = message_bytes(body, attributes)
    most = queue.number("MaximumMessageSize")
    if size > most:
        text = f"One or more parameters are invalid. Reason: Message must be shorter than {most} bytes."
        return Refusal("InvalidParameterValue", text)
    delay = _delay(entry, queue)
    if isinstance(delay, Refusal):
        return delay
    names = _read_fifo(entry, queue, body) if queue.fifo else _read_standard(entry)
    if isinstance(names, Refusal):
        return names
    group, deduplication, name = names
    return Draft(
        Message(
            body,
            sent=now,
            due=now + delay * 1000,
            sender=sender,
            id="" if queue.fifo else new_uuid(),
            attributes=attributes,
            trace=system[TRACE_HEADER].value if system else "",
            group=group,
            deduplication=deduplication,
        ),
        name or once or new_uuid(),
        body_digest(body),
        digest_of(attributes),
        digest_of(system),
        size,
    )


def message_bytes(body: str, attributes: Attributes) -> int:
    """The size that AWS counts: the body, and name, type and value of each attribute."""
    size = len(body.encode())
    for name, attribute in attributes.items():
        value = b64decode(attribute.value) if attribute.binary else attribute.value.encode()
        size += len(name.encode()) + len(attribute.type.encode()) + len(value)
    return size


def digest_of(attributes: Attributes) -> str:
    """Empty without attributes."""
    if not attributes:
        return ""
    raw = {name: b64decode(each.value) for name, each in attributes.items() if each.binary}
    return attributes_digest(attributes, raw)


def _read_attributes(written: Mapping[str, Any], what: str) -> Attributes | Refusal:
    if len(written) > MOST_ATTRIBUTES:
        return _wrong(f"Number of message attributes [{len(written)}] exceeds the allowed maximum [{MOST_ATTRIBUTES}].")
    found: dict[str, Attribute] = {}
    for name, value in written.items():
        fault = _name_fault(name, what)
        attribute = fault or _read_attribute(name, value, what)
        if isinstance(attribute, Refusal):
            return attribute
        found[name] = attribute
    return found


def _name_fault(name: str, what: str) -> Refusal | None:
    lower = name.lower()
    if not _NAME.fullmatch(name) or name.startswith(".") or name.endswith(".") or ".." in name:
        return _wrong(
            f"The {what} attribute name '{name[:256]}' can only contain alphanumeric characters, underscores, "
            "hyphens, and periods, must not start or end with a period, and is 1 to 256 long."
        )
    if what == "message (user)" and lower.startswith(("aws.", "amazon.")):
        return _wrong(f"The {what} attribute name '{name}' must not begin with AWS. or Amazon.")
    return None


def _read_attribute(name: str, written: Mapping[str, Any], what: str) -> Attribute | Refusal:
    kind = written.get("DataType") or ""
    if not kind:
        return _wrong(f"The {what} attribute '{name}' must contain a non-empty message attribute type.")
    if not _TYPE.fullmatch(kind) or len(kind) > 256:
        return _wrong(
            f"The {what} attribute '{name}' has an invalid message attribute type, the set of supported type prefixes "
            "is Binary, Number, and String."
        )
    base = kind.partition(".")[0]
    value = written.get("BinaryValue" if base == "Binary" else "StringValue")
    other = written.get("StringValue" if base == "Binary" else "BinaryValue")
    if not value or other is not None:
        return _wrong(f"The {what} attribute '{name}' must contain a non-empty message attribute value.")
    if base == "Binary":
        return Attribute(kind, value) if _is_base64(value) else _wrong(f"The value of '{name}' is not base64.")
    if _NOT_ALLOWED.search(value):
        return Refusal("InvalidMessageContents", f"Invalid characters found. Valid unicode characters are {_ALLOWED}")
    if base == "Number" and not _is_number(value):
        return _wrong(f"Can't cast the value of {what} attribute '{name}' to a number.")
    return Attribute(kind, value)


def _is_base64(value: str) -> bool:
    try:
        b64decode(value, validate=True)
    except (BinasciiError, ValueError):
        return False
    return True


def _is_number(value: str) -> bool:
    try:
        return len(value) <= 256 and value.isascii() and "_" not in value and Decimal(value).is_finite()
    except InvalidOperation:
        return False


def _delay(entry: Mapping[str, Any], queue: Queue) -> int | Refusal:
    given = entry.get("DelaySeconds")
    if given is None:
        return queue.number("DelaySeconds")
    if queue.fifo and given:
        return invalid("DelaySeconds", given, _WRONG_TYPE)
    if not 0 <= given <= MOST_DELAY:
        return invalid("DelaySeconds", given, f"DelaySeconds must be >= 0 and <= {MOST_DELAY}.")
    return queue.number("DelaySeconds") if queue.fifo else int(given)


_Names = tuple[str, str, str]
"""Group, deduplication id, and the name by which the message is known."""


def _read_standard(entry: Mapping[str, Any]) -> _Names | Refusal:
    group, deduplication = entry.get("MessageGroupId"), entry.get("MessageDeduplicationId")
    if deduplication is not None:
        return invalid("MessageDeduplicationId", deduplication, _WRONG_TYPE)
    if group is not None and not _ID.fullmatch(group):  # since fair queues, a standard queue takes one too
        return invalid("MessageGroupId", group, _ID_RULE.format(name="MessageGroupId"))
    return group or "", "", ""


def _read_fifo(entry: Mapping[str, Any], queue: Queue, body: str) -> _Names | Refusal:
    group, deduplication = entry.get("MessageGroupId"), entry.get("MessageDeduplicationId")
    if not group:
        return missing("MessageGroupId")
    if not _ID.fullmatch(group):
        return invalid("MessageGroupId", group, _ID_RULE.format(name="MessageGroupId"))
    if deduplication is None and queue.value("ContentBasedDeduplication") == "true":
        deduplication = hashlib.sha256(body.encode()).hexdigest()
    if deduplication is None:
        return _wrong(
            "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided "
            "explicitly"
        )
    if not _ID.fullmatch(deduplication):
        return invalid("MessageDeduplicationId", deduplication, _ID_RULE.format(name="MessageDeduplicationId"))
    scope = group if queue.value("DeduplicationScope") == "messageGroup" else ""
    return group, deduplication, hashlib.sha256(f"{scope}\n{deduplication}".encode()).hexdigest()


def _wrong(text: str) -> Refusal:
    return Refusal("InvalidParameterValue", text)
