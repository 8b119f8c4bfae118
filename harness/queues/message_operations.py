"""Messages sent, received, deleted, hidden; one at a time or in batches.

Source: Amazon SQS API Reference; texts as AWS answers them.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from harness.queues.asked import Answer, Asked, Counter
from harness.queues.attributes import MAX_MESSAGE_BYTES
from harness.queues.broker import MOST_IN_FLIGHT
from harness.queues.dispenser import Received, Trouble
from harness.queues.message import Attributes, body_digest, sequence_number
from harness.queues.model import Queue
from harness.queues.refusals import THROTTLED, UNAVAILABLE, Refusal, invalid, missing
from harness.queues.sending import TRACE_HEADER, digest_of, read_message
from harness.storage.held import StoreFull, StoreUnavailable

MOST_ENTRIES = 10
MOST_MESSAGES = 10
MOST_WAIT = 20
MOST_VISIBILITY = 43_200
_ENTRY_ID = re.compile(r"[A-Za-z0-9_-]{1,80}", re.ASCII)
_SYSTEM_NAMES = (
    "All", "SenderId", "SentTimestamp", "ApproximateReceiveCount", "ApproximateFirstReceiveTimestamp",
    "SequenceNumber", "MessageDeduplicationId", "MessageGroupId", TRACE_HEADER, "DeadLetterQueueSourceArn",
)  # fmt: skip
_NO_CHANGE = "Message does not exist or is not available for visibility timeout change."

Entry = Mapping[str, Any]
Each = Callable[[Queue, Entry, Asked], Awaitable[Answer | Refusal]]


class MessageOperations:
    def __init__(self, counter: Counter, *, most_batch_bytes: int = MAX_MESSAGE_BYTES) -> None:
        self._counter = counter
        self._broker = counter.broker
        self._most_batch_bytes = most_batch_bytes

    async def send_message(self, asked: Asked) -> Answer | Refusal:
        return await self._single(asked, self._send)

    async def send_message_batch(self, asked: Asked) -> Answer | Refusal:
        return await self._batch(asked, self._send)

    async def delete_message(self, asked: Asked) -> Answer | Refusal:
        return await self._single(asked, self._delete)

    async def delete_message_batch(self, asked: Asked) -> Answer | Refusal:
        return await self._batch(asked, self._delete)

    async def change_message_visibility(self, asked: Asked) -> Answer | Refusal:
        return await self._single(asked, self._hide)

    async def change_message_visibility_batch(self, asked: Asked) -> Answer | Refusal:
        return await self._batch(asked, self._hide)

    async def receive_message(self, asked: Asked) -> Answer | Refusal:
        known = await self._counter.queue(asked)
        if isinstance(known, Refusal):
            return known
        queue, parameters = known.queue, asked.parameters
        limit = parameters.get("MaxNumberOfMessages", 1)
        visibility = parameters.get("VisibilityTimeout", queue.number("VisibilityTimeout"))
        wait = parameters.get("WaitTimeSeconds", queue.number("ReceiveMessageWaitTimeSeconds"))
        names = [*(parameters.get("AttributeNames") or ()), *(parameters.get("MessageSystemAttributeNames") or ())]
        attempt = parameters.get("ReceiveRequestAttemptId") or ""
        wrong = _receive_fault(limit, visibility, wait, names)
        if wrong is not None:
            return wrong
        if attempt and (not queue.fifo or len(attempt) > 128):
            return invalid("ReceiveRequestAttemptId", attempt, "it is for FIFO queues, of 1 to 128 characters.")
        found = await self._broker.receive(queue, limit=limit, visibility=visibility, wait=wait, attempt=attempt)
        if isinstance(found, Trouble):
            text = (
                f"Too many messages in flight: the limit is {MOST_IN_FLIGHT}. Delete messages once they are processed."
            )
            return Refusal("OverLimit", text)
        wanted = parameters.get("MessageAttributeNames") or []
        messages = [self._message(queue, each, names, wanted) for each in found]
        return {"Messages": messages} if messages else {}

    # One message

    async def _send(self, queue: Queue, entry: Entry, asked: Asked) -> Answer | Refusal:
        sender = asked.caller.principal.user_id
        draft = read_message(entry, queue, sender=sender, now=self._counter.milliseconds())
        if isinstance(draft, Refusal):
            return draft
        sent = await self._broker.send(queue, draft.message, once=draft.once)
        answer: Answer = {"MessageId": sent.id, "MD5OfMessageBody": draft.body_digest}
        if draft.attributes_digest:
            answer["MD5OfMessageAttributes"] = draft.attributes_digest
        if draft.system_digest:
            answer["MD5OfMessageSystemAttributes"] = draft.system_digest
        if queue.fifo:
            answer["SequenceNumber"] = sequence_number(sent.sequence)
        return answer

    async def _delete(self, queue: Queue, entry: Entry, asked: Asked) -> Answer | Refusal:
        text = entry.get("ReceiptHandle")
        if not text:
            return missing("ReceiptHandle")
        handle = self._counter.receipts.read(queue.id, text)
        if handle is None:
            return _no_receipt(text)
        if await self._broker.delete(queue, handle) is Trouble.EXPIRED:
            return invalid("ReceiptHandle", text, "The receipt handle has expired.")
        return {}

    async def _hide(self, queue: Queue, entry: Entry, asked: Asked) -> Answer | Refusal:
        text, seconds = entry.get("ReceiptHandle"), entry.get("VisibilityTimeout")
        if not text:
            return missing("ReceiptHandle")
        if seconds is None:
            return missing("VisibilityTimeout")
        if not 0 <= seconds <= MOST_VISIBILITY:
            return invalid("VisibilityTimeout", seconds, f"VisibilityTimeout must be >= 0 and <= {MOST_VISIBILITY}.")
        handle = self._counter.receipts.read(queue.id, text)
        if handle is None:
            return _no_receipt(text)
        trouble = await self._broker.hide(queue, handle, seconds)
        if trouble is Trouble.TOO_LONG:
            reason = f"Total VisibilityTimeout for the message is beyond the limit [{MOST_VISIBILITY} seconds]."
            return invalid("VisibilityTimeout", seconds, reason)
        if trouble is None:
            return {}
        if await self._broker.holds(queue, handle):
            return Refusal("MessageNotInflight", "The message referred to is not in flight.")
        return invalid("ReceiptHandle", text, _NO_CHANGE)

    async def _single(self, asked: Asked, each: Each) -> Answer | Refusal:
        known = await self._counter.queue(asked)
        return known if isinstance(known, Refusal) else await each(known.queue, asked.parameters, asked)

    # Batches

    async def _batch(self, asked: Asked, each: Each) -> Answer | Refusal:
        known = await self._counter.queue(asked)
        if isinstance(known, Refusal):
            return known
        queue, entries = known.queue, asked.parameters.get("Entries") or []
        wrong = _batch_fault(asked.operation, entries) or self._too_long(entries)
        if wrong is not None:
            return wrong

        async def one(entry: Entry) -> Answer | Refusal:
            try:
                return await each(queue, entry, asked)
            except StoreFull:
                return THROTTLED
            except StoreUnavailable:
                return UNAVAILABLE

        # In a FIFO queue one after the other: the order of the entries is that of the messages.
        answers = (
            [await one(entry) for entry in entries]
            if queue.fifo
            else await asyncio.gather(*(one(entry) for entry in entries))
        )
        result: dict[str, list[Answer]] = {"Successful": [], "Failed": []}
        for entry, answer in zip(entries, answers, strict=True):
            if isinstance(answer, Refusal):
                row = answer.row
                failed = {"Id": entry["Id"], "SenderFault": row.status < 500, "Code": row.query}
                result["Failed"].append({**failed, "Message": answer.message})
            else:
                result["Successful"].append({"Id": entry["Id"], **answer})
        return {name: items for name, items in result.items() if items}

    def _too_long(self, entries: Sequence[Entry]) -> Refusal | None:
        size = 0
        for entry in entries:
            size += len((entry.get("MessageBody") or "").encode())
            for name, value in (entry.get("MessageAttributes") or {}).items():
                size += len(name.encode()) + sum(len(text.encode()) for text in value.values())
        if size <= self._most_batch_bytes:
            return None
        text = f"Batch requests cannot be longer than {self._most_batch_bytes} bytes. You have sent {size} bytes."
        return Refusal("BatchRequestTooLong", text)

    # What is handed out

    def _message(self, queue: Queue, received: Received, names: Sequence[str], wanted: Sequence[str]) -> Answer:
        message = received.message
        answer: Answer = {
            "MessageId": message.id,
            "ReceiptHandle": self._counter.receipts.write(queue.id, received.handle),
            "MD5OfBody": body_digest(message.body),
            "Body": message.body,
        }
        system = _system_attributes(queue, received)
        chosen = {name: value for name, value in system.items() if value and ("All" in names or name in names)}
        if chosen:
            answer["Attributes"] = chosen
        attributes = {name: each for name, each in message.attributes.items() if _is_wanted(name, wanted)}
        if attributes:
            answer["MD5OfMessageAttributes"] = digest_of(attributes)
            answer["MessageAttributes"] = _written(attributes)
        return answer


def _system_attributes(queue: Queue, received: Received) -> Mapping[str, str]:
    message, claim = received.message, received.claim
    return {
        "SenderId": message.sender,
        "SentTimestamp": str(message.sent),
        "ApproximateReceiveCount": str(claim.count),
        "ApproximateFirstReceiveTimestamp": str(claim.first),
        "SequenceNumber": sequence_number(received.handle.sequence) if queue.fifo else "",
        "MessageDeduplicationId": message.deduplication,
        "MessageGroupId": message.group,
        TRACE_HEADER: message.trace,
        "DeadLetterQueueSourceArn": message.source,
    }


def _written(attributes: Attributes) -> Mapping[str, Mapping[str, str]]:
    return {
        name: {"BinaryValue" if each.binary else "StringValue": each.value, "DataType": each.type}
        for name, each in attributes.items()
    }


def _is_wanted(name: str, wanted: Sequence[str]) -> bool:
    return any(
        each in ("All", ".*", name) or (each.endswith(".*") and name.startswith(each.removesuffix("*")))
        for each in wanted
    )


def _receive_fault(limit: int, visibility: int, wait: int, names: Sequence[str]) -> Refusal | None:
    if not 1 <= limit <= MOST_MESSAGES:
        reason = f"Must be between 1 and {MOST_MESSAGES}, if provided."
        return invalid("MaxNumberOfMessages", limit, reason)
    if not 0 <= visibility <= MOST_VISIBILITY:
        return invalid("VisibilityTimeout", visibility, f"Must be >= 0 and <= {MOST_VISIBILITY}, if provided.")
    if not 0 <= wait <= MOST_WAIT:
        return invalid("WaitTimeSeconds", wait, f"Must be >= 0 and <= {MOST_WAIT}, if provided.")
    unknown = next((name for name in names if name not in _SYSTEM_NAMES), None)
    return None if unknown is None else Refusal("InvalidAttributeName", f"Unknown Attribute {unknown}.")


def _batch_fault(operation: str, entries: Sequence[Entry]) -> Refusal | None:
    if not entries:
        return Refusal("EmptyBatchRequest", f"There should be at least one {operation}RequestEntry in the request.")
    if len(entries) > MOST_ENTRIES:
        text = f"Maximum number of entries per request are {MOST_ENTRIES}. You have sent {len(entries)}."
        return Refusal("TooManyEntriesInBatchRequest", text)
    seen: set[str] = set()
    for entry in entries:
        name = entry.get("Id") or ""
        if not _ENTRY_ID.fullmatch(name):
            text = "A batch entry id can only contain alphanumeric characters, hyphens and underscores."
            return Refusal("InvalidBatchEntryId", f"{text} It can be at most 80 letters long.")
        if name in seen:
            return Refusal("BatchEntryIdsNotDistinct", f"Id {name} repeated.")
        seen.add(name)
    return None


def _no_receipt(text: str) -> Refusal:
    return Refusal("ReceiptHandleIsInvalid", f'The input receipt handle "{text[:1024]}" is not a valid receipt handle.')
