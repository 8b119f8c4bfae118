"""A message as a queue keeps it, and the digests by which an SDK checks what it sent and got.

Source: Amazon SQS Developer Guide, "Amazon SQS message metadata" (attributes, their MD5) and "Amazon SQS FIFO queues".
"""

import hashlib
import struct
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

# A sequence number has 20 digits and grows; the store counts from 1.
_FIRST_SEQUENCE_NUMBER = 10**19
_TEXT, _BINARY = 1, 2


@dataclass(frozen=True, slots=True)
class Attribute:
    """`type` is `String`, `Number` or `Binary`, maybe with a label (`Number.int`). `value`: text, or base64."""

    type: str
    value: str

    @property
    def binary(self) -> bool:
        return self.type.partition(".")[0] == "Binary"


Attributes = Mapping[str, Attribute]


@dataclass(frozen=True, slots=True)
class Message:
    """`sent` and `due` (not to be received before) in milliseconds since the epoch; `sender` as in SenderId.

    `group` and `deduplication` as sent. `source`: the ARN of the queue that gave it up. `id` is empty until its place
    in a FIFO queue is known. `beside`: what a part of the landscape keeps with it for itself; no caller of SQS can set
    it or sees it, and it counts for no limit.
    """

    body: str
    sent: int
    due: int
    sender: str
    id: str = ""
    attributes: Attributes = field(default_factory=dict)
    trace: str = ""
    group: str = ""
    deduplication: str = ""
    source: str = ""
    beside: Mapping[str, str] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        content: dict[str, object] = {
            "body": self.body,
            "sent": self.sent,
            "due": self.due,
            "sender": self.sender,
            "id": self.id,
            "attributes": {name: [each.type, each.value] for name, each in self.attributes.items()},
            "trace": self.trace,
            "group": self.group,
            "deduplication": self.deduplication,
            "source": self.source,
        }
        if self.beside:
            content["beside"] = self.beside
        return orjson.dumps(content)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Message":
        content = orjson.loads(data)
        attributes = {name: Attribute(*pair) for name, pair in content.pop("attributes").items()}
        return cls(**content, attributes=attributes)


def sequence_number(sequence: int) -> str:
    return str(_FIRST_SEQUENCE_NUMBER + sequence)


def fifo_message_id(queue_id: str, sequence: int) -> str:
    """The same for every attempt to send what is kept already, also when it has been deleted since."""
    return str(uuid.UUID(bytes=hashlib.sha256(f"{queue_id}:{sequence}".encode()).digest()[:16], version=4))


def body_digest(body: str) -> str:
    return hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()


def attributes_digest(attributes: Attributes, raw: Mapping[str, bytes]) -> str:
    """Over the attributes by name: lengths (four bytes, big-endian), name, type, kind of transport, value.

    `raw`: the values of binary attributes, decoded.
    """
    digest = hashlib.md5(usedforsecurity=False)
    for name in sorted(attributes):
        attribute = attributes[name]
        value = raw[name] if attribute.binary else attribute.value.encode()
        for part in (name.encode(), attribute.type.encode()):
            digest.update(struct.pack(">I", len(part)) + part)
        digest.update(bytes([_BINARY if attribute.binary else _TEXT]))
        digest.update(struct.pack(">I", len(value)) + value)
    return digest.hexdigest()
