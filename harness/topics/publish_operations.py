"""Publish and PublishBatch. Source: Amazon SNS API Reference; texts as AWS answers them."""

import hashlib
import re
import uuid
from base64 import b64decode
from binascii import Error as BinasciiError
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation

from harness.query_protocol.answers import Members, Refusal
from harness.query_protocol.calls import Parameters, members
from harness.storage.held import StoreFull, StoreUnavailable
from harness.topics.model import DEDUPLICATION, Attribute, Delivery, Publication, Topic
from harness.topics.outbox import Lane
from harness.topics.requests import Asked, Counter, entries, invalid, json_object

MOST_BYTES = 262_144
MOST_ENTRIES = 10
_ENTRY_ID = re.compile(r"[A-Za-z0-9_-]{1,80}", re.ASCII)
_ID = re.compile(r"[!-~]{1,128}")
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,256}", re.ASCII)
_FIRST_SEQUENCE_NUMBER = 10**19
SHARE_USED = Refusal(
    "Throttled", "The account has used its share of what the landscape remembers: delete something first.", 429
)
THROTTLED = Refusal("Throttled", "The topics' outbox is full and keeps what it has.", 429)
UNAVAILABLE = Refusal("InternalError", "The store of the topics does not answer.", 500)


class PublishOperations:
    def __init__(self, counter: Counter) -> None:
        self._counter = counter

    async def publish(self, asked: Asked) -> Members | Refusal:
        parameters = asked.parameters
        if "PhoneNumber" in parameters:
            return invalid("PhoneNumber", "this landscape sends no text messages")
        arn = parameters.get("TopicArn") or parameters.get("TargetArn") or ""
        found = await self._counter.topic(replace(asked, parameters={**parameters, "TopicArn": arn}))
        if isinstance(found, Refusal):
            return found
        publication = read_publication(parameters, found[0], now=self._counter.milliseconds())
        return publication if isinstance(publication, Refusal) else await self._send(found[0], publication)

    async def publish_batch(self, asked: Asked) -> Members | Refusal:
        found = await self._counter.topic(asked, operation="Publish")
        if isinstance(found, Refusal):
            return found
        topic, batch = found[0], members(asked.parameters, "PublishBatchRequestEntries")
        wrong = _batch_fault(batch)
        if wrong is not None:
            return wrong
        successful: list[Members] = []
        failed: list[Members] = []
        for entry in batch:
            answer = await self._one(topic, entry)
            if isinstance(answer, Refusal):
                sender = answer.status < 500
                failed.append(
                    {"Id": entry["Id"], "Code": answer.code, "Message": answer.message, "SenderFault": sender}
                )
            else:
                successful.append({"Id": entry["Id"], **answer})
        return {"Successful": successful, "Failed": failed}

    async def _one(self, topic: Topic, entry: Parameters) -> Members | Refusal:
        publication = read_publication(entry, topic, now=self._counter.milliseconds())
        if isinstance(publication, Refusal):
            return publication
        try:
            return await self._send(topic, publication)
        except StoreFull:
            return THROTTLED
        except StoreUnavailable:
            return UNAVAILABLE

    async def _send(self, topic: Topic, publication: Publication) -> Members:
        if not topic.fifo:
            await self._counter.outbox.add(Lane.PUBLISHED, publication.to_bytes(), once=publication.id)
            return {"MessageId": publication.id}
        once = hashlib.sha256(f"{topic.id}\n{publication.deduplication}".encode()).hexdigest()
        # The id follows from the name by which the message is known: sent again, it is the same message.
        message_id = str(uuid.UUID(bytes=bytes.fromhex(once)[:16], version=4))
        delivery = Delivery("", replace(publication, id=message_id))
        sequence, _ = await self._counter.outbox.add(Lane.ORDERED, delivery.to_bytes(), once=once)
        return {"MessageId": message_id, "SequenceNumber": str(_FIRST_SEQUENCE_NUMBER + sequence)}


def read_publication(parameters: Parameters, topic: Topic, *, now: int) -> Publication | Refusal:
    message, subject = parameters.get("Message", ""), parameters.get("Subject", "")
    structure = parameters.get("MessageStructure", "")
    if not message:
        return invalid("Empty message")
    wrong = _structure_fault(structure, message) or _subject_fault(parameters)
    if wrong is not None:
        return wrong
    attributes = _read_attributes(parameters)
    if isinstance(attributes, Refusal):
        return attributes
    if _size(message, attributes) > MOST_BYTES:
        return invalid("Message too long")
    names = _read_names(parameters, topic, message)
    if isinstance(names, Refusal):
        return names
    return Publication(topic.arn, str(uuid.uuid4()), message, now, subject, structure, attributes, *names)


def _structure_fault(structure: str, message: str) -> Refusal | None:
    if structure not in ("", "json"):
        return invalid("MessageStructure")
    if structure == "json":
        texts = json_object(message)
        if texts is None:
            return invalid("Message Structure - JSON message body failed to parse")
        if not isinstance(texts.get("default"), str):
            return invalid("Message Structure - No default entry in JSON message body")
    return None


def _subject_fault(parameters: Parameters) -> Refusal | None:
    subject = parameters.get("Subject")
    if subject is None:
        return None
    good = 1 <= len(subject) <= 100 and not re.search(r"[\x00-\x1f\x7f]", subject)
    return None if good else invalid("Subject")


def _read_attributes(parameters: Parameters) -> dict[str, Attribute] | Refusal:
    found: dict[str, Attribute] = {}
    kinds = entries(parameters, "MessageAttributes", key="Name", value="Value.DataType")
    texts = entries(parameters, "MessageAttributes", key="Name", value="Value.StringValue")
    blobs = entries(parameters, "MessageAttributes", key="Name", value="Value.BinaryValue")
    for name, kind in kinds.items():
        base, value = kind.partition(".")[0], blobs[name] if kind.startswith("Binary") else texts[name]
        if not _NAME.fullmatch(name) or name.startswith(".") or name.endswith(".") or ".." in name:
            return _wrong(f"The message attribute name '{name[:256]}' is invalid.")
        if base not in ("String", "Number", "Binary"):
            return _wrong(
                f"The message attribute '{name}' has an invalid message attribute type, the set of supported type "
                "prefixes is Binary, Number, and String."
            )
        if not value:
            return _wrong(
                f"The message attribute '{name}' must contain non-empty message attribute value for message attribute "
                f"type '{kind}'."
            )
        if base == "Number" and not _is_number(value):
            return _wrong(f"Could not cast message attribute '{name}' value to number.")
        if base == "Binary" and not _is_base64(value):
            return _wrong(f"The value of the message attribute '{name}' is not base64.")
        found[name] = Attribute(kind, value)
    return found


def _size(message: str, attributes: Mapping[str, Attribute]) -> int:
    size = len(message.encode())
    for name, each in attributes.items():
        value = b64decode(each.value) if each.type.startswith("Binary") else each.value.encode()
        size += len(name.encode()) + len(each.type.encode()) + len(value)
    return size


def _read_names(parameters: Parameters, topic: Topic, message: str) -> tuple[str, str] | Refusal:
    """Group and deduplication id."""
    group, deduplication = parameters.get("MessageGroupId", ""), parameters.get("MessageDeduplicationId", "")
    if not topic.fifo:
        if deduplication:
            reason = "The request includes MessageDeduplicationId parameter that is not valid for this topic type"
            return invalid("MessageDeduplicationId", reason)
        return (group, "") if not group or _ID.fullmatch(group) else invalid("MessageGroupId")
    if not group:
        return invalid("The MessageGroupId parameter is required for FIFO topics")
    if not _ID.fullmatch(group):
        return invalid("MessageGroupId")
    if not deduplication and topic.given.get(DEDUPLICATION) == "true":
        deduplication = hashlib.sha256(message.encode()).hexdigest()
    if not deduplication:
        return invalid(
            "The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided "
            "explicitly"
        )
    return (group, deduplication) if _ID.fullmatch(deduplication) else invalid("MessageDeduplicationId")


def _batch_fault(batch: tuple[Parameters, ...]) -> Refusal | None:
    if not batch:
        return Refusal("EmptyBatchRequest", "The batch request doesn't contain any entries.")
    if len(batch) > MOST_ENTRIES:
        return Refusal("TooManyEntriesInBatchRequest", "The batch request contains more entries than permissible.")
    ids = [entry.get("Id", "") for entry in batch]
    if not all(_ENTRY_ID.fullmatch(each) for each in ids):
        return Refusal(
            "InvalidBatchEntryId", "The Id of a batch entry in a batch request doesn't abide by the specification."
        )
    if len(set(ids)) < len(ids):
        return Refusal("BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id.")
    if sum(len(entry.get("Message", "").encode()) for entry in batch) > MOST_BYTES:
        return Refusal(
            "BatchRequestTooLong", "The length of all the batch messages put together is more than the limit."
        )
    return None


def _is_number(value: str) -> bool:
    try:
        return len(value) <= 256 and value.isascii() and "_" not in value and Decimal(value).is_finite()
    except InvalidOperation:
        return False


def _is_base64(value: str) -> bool:
    try:
        b64decode(value, validate=True)
    except (BinasciiError, ValueError):
        return False
    return True


def _wrong(text: str) -> Refusal:
    return Refusal("ParameterValueInvalid", text)
