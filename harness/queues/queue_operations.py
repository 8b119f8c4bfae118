"""Queues made, found, changed, emptied and deleted. Source: Amazon SQS API Reference; texts as AWS answers them."""

import json
import re
import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from harness.errors import InputError
from harness.policy import PolicyKind, compile_document
from harness.queues.asked import Answer, Asked, Counter
from harness.queues.attributes import (
    ALL_NAMES,
    COMPUTED,
    FIFO,
    ONLY_FIFO,
    POLICY,
    REDRIVE,
    REDRIVE_ALLOW,
    SETTABLE,
    value_fault,
)
from harness.queues.model import Queue
from harness.queues.refusals import Refusal, invalid, missing
from harness.queues.registry import Known
from harness.storage.held import StoreUnavailable
from harness.storage.state import Conflict

MOST_TAGS = 50
MOST_PAGE = 1000
RECENT_SECONDS = 60
_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}", re.ASCII)
_FIFO_NAME = re.compile(r"(?=.{1,80}$)[A-Za-z0-9_-]+\.fifo", re.ASCII)
_NAME_RULE = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
_FIFO_NAME_RULE = (
    "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo "
    "suffix and be 1 to 80 in length."
)
_COUNTS = {
    "ApproximateNumberOfMessages": "visible",
    "ApproximateNumberOfMessagesNotVisible": "in_flight",
    "ApproximateNumberOfMessagesDelayed": "delayed",
}
# Two texts that say the same are no different value.
_JSON = (POLICY, REDRIVE, REDRIVE_ALLOW)
_ATTEMPTS = 8


class QueueOperations:
    """`recent_seconds`: how long a name stays taken after its queue was deleted, and between two purges."""

    def __init__(self, counter: Counter, *, recent_seconds: float = RECENT_SECONDS) -> None:
        self._counter = counter
        self._registry = counter.broker.registry
        self._recent_seconds = recent_seconds

    async def create_queue(self, asked: Asked) -> Answer | Refusal:
        name, given = asked.parameters.get("QueueName"), asked.parameters.get("Attributes") or {}
        tags = asked.parameters.get("tags") or {}
        if name is None:
            return missing("QueueName")
        fifo = given.get(FIFO) == "true"
        if not (_FIFO_NAME if fifo else _NAME).fullmatch(name):
            return Refusal("InvalidParameterValue", _FIFO_NAME_RULE if fifo else _NAME_RULE)
        account = asked.caller.account
        refused = self._counter.refused(asked, self._counter.arn(account, name), None)
        if refused is not None:
            return refused
        now = self._counter.seconds()
        queue = Queue(self._counter.region, account, name, uuid.uuid4().hex, {}, tags, now, now)
        wrong = _tags_fault(tags) or await self._attributes_fault(queue, given)
        if wrong is not None:
            return wrong
        queue = replace(queue, given={key: value for key, value in given.items() if value})
        known = await self._registry.find(account, name)
        if known is None:
            deleted = await self._registry.moment("deleted", account, name)
            if deleted is not None and now - deleted < self._recent_seconds:
                text = f"You must wait {RECENT_SECONDS} seconds after deleting a queue before you can create another "
                return Refusal("QueueDeletedRecently", f"{text}with the same name.")
            known = await self._made(queue)
        different = next((key for key, value in given.items() if not _same(key, known.queue.value(key), value)), None)
        if different is not None:
            text = "A queue already exists with the same name and a different value for attribute"
            return Refusal("QueueNameExists", f"{text} {different}")
        return {"QueueUrl": self._counter.url(asked, known.queue)}

    async def _made(self, queue: Queue) -> Known:
        """The queue, or the one that another process made a moment earlier."""
        await self._counter.broker.keep(queue)
        try:
            return await self._registry.put(queue, expected=0)
        except Conflict:
            await self._counter.broker.drop(queue)
            known = await self._registry.find(queue.account, queue.name)
            if known is None:
                raise StoreUnavailable(f"{queue.arn} is made and deleted all the time") from None
            return known

    async def get_queue_url(self, asked: Asked) -> Answer | Refusal:
        name = asked.parameters.get("QueueName")
        if not name:
            return missing("QueueName")
        account = asked.parameters.get("QueueOwnerAWSAccountId") or asked.caller.account
        known = await self._counter.named(asked, account, name)
        return known if isinstance(known, Refusal) else {"QueueUrl": self._counter.url(asked, known.queue)}

    async def list_queues(self, asked: Asked) -> Answer | Refusal:
        account = asked.caller.account
        refused = self._counter.refused(asked, self._counter.arn(account, ""), None)
        if refused is not None:
            return refused
        prefix = asked.parameters.get("QueueNamePrefix") or ""
        queues = [queue for queue in self._registry.of_account(account) if queue.name.startswith(prefix)]
        return self._page(asked, queues, "QueueUrls")

    async def list_dead_letter_source_queues(self, asked: Asked) -> Answer | Refusal:
        known = await self._counter.queue(asked)
        if isinstance(known, Refusal):
            return known
        arn = known.queue.arn
        queues = [each for each in self._registry.all() if each.redrive is not None and each.redrive[0] == arn]
        return self._page(asked, queues, "queueUrls")

    async def delete_queue(self, asked: Asked) -> Answer | Refusal:
        for _ in range(_ATTEMPTS):
            known = await self._counter.queue(asked)
            if isinstance(known, Refusal):
                return known
            queue = known.queue
            if queue.declared_in:
                return _declared(queue, "delete it")
            try:
                await self._registry.delete(known)
            except Conflict:
                continue
            await self._registry.note("deleted", queue.account, queue.name, self._counter.seconds())
            await self._counter.broker.drop(queue)
            return {}
        raise StoreUnavailable("the queue is changed all the time")

    async def purge_queue(self, asked: Asked) -> Answer | Refusal:
        known = await self._counter.queue(asked)
        if isinstance(known, Refusal):
            return known
        queue, now = known.queue, self._counter.seconds()
        purged = await self._registry.moment("purged", queue.account, queue.name)
        if purged is not None and now - purged < self._recent_seconds:
            text = f"Only one PurgeQueue operation on {queue.name} is allowed every {RECENT_SECONDS} seconds."
            return Refusal("PurgeQueueInProgress", text)
        await self._registry.note("purged", queue.account, queue.name, now)
        await self._counter.broker.purge(queue)
        return {}

    async def get_queue_attributes(self, asked: Asked) -> Answer | Refusal:
        known = await self._counter.queue(asked)
        if isinstance(known, Refusal):
            return known
        names = asked.parameters.get("AttributeNames") or []
        unknown = next((name for name in names if name not in ALL_NAMES), None)
        if unknown is not None:
            return Refusal("InvalidAttributeName", f"Unknown Attribute {unknown}.")
        wanted = (*SETTABLE, *COMPUTED) if "All" in names else tuple(dict.fromkeys(names))
        values = await self._values(known.queue, wanted)
        found = {name: values[name] for name in wanted if values.get(name)}
        return {"Attributes": found} if found else {}

    async def _values(self, queue: Queue, wanted: Sequence[str]) -> Mapping[str, str]:
        values = {name: queue.value(name) or "" for name in SETTABLE}
        values |= {
            "QueueArn": queue.arn,
            "CreatedTimestamp": str(queue.created),
            "LastModifiedTimestamp": str(queue.modified),
        }
        if any(name in wanted for name in _COUNTS):
            counts = await self._counter.broker.counts(queue)
            values |= {name: str(getattr(counts, member)) for name, member in _COUNTS.items()}
        return values

    async def set_queue_attributes(self, asked: Asked) -> Answer | Refusal:
        given = asked.parameters.get("Attributes")
        if not given:
            return missing("Attribute.Name")
        known = await self._counter.queue(asked)
        if isinstance(known, Refusal):
            return known
        wrong = await self._attributes_fault(known.queue, given)
        if wrong is not None:
            return wrong

        def set_given(queue: Queue) -> Queue | Refusal:
            fixed = next((name for name in given if not _may_change(queue, name, given[name])), None)
            if fixed is not None:
                return _declared(queue, f"change its {fixed}")
            return replace(queue, given={name: value for name, value in {**queue.given, **given}.items() if value})

        return await self.change(asked, set_given)

    async def tag_queue(self, asked: Asked) -> Answer | Refusal:
        tags = asked.parameters.get("Tags") or {}
        if not tags:
            return missing("Tags")

        def add(queue: Queue) -> Queue | Refusal:
            together = {**queue.tags, **tags}
            return _tags_fault(together) or replace(queue, tags=together)

        return await self.change(asked, add)

    async def untag_queue(self, asked: Asked) -> Answer | Refusal:
        keys = asked.parameters.get("TagKeys") or []
        if not keys:
            return Refusal("InvalidParameterValue", "Tag keys must be between 1 and 128 characters in length.")
        return await self.change(
            asked, lambda queue: replace(queue, tags={key: queue.tags[key] for key in queue.tags if key not in keys})
        )

    async def list_queue_tags(self, asked: Asked) -> Answer | Refusal:
        known = await self._counter.queue(asked)
        if isinstance(known, Refusal):
            return known
        return {"Tags": dict(known.queue.tags)} if known.queue.tags else {}

    async def change(self, asked: Asked, change: Callable[[Queue], Queue | Refusal]) -> Answer | Refusal:
        """The queue that is asked about, changed; tried again when another process changed it meanwhile."""
        for _ in range(_ATTEMPTS):
            known = await self._counter.queue(asked)
            if isinstance(known, Refusal):
                return known
            changed = change(known.queue)
            if isinstance(changed, Refusal):
                return changed
            changed = replace(changed, modified=self._counter.seconds())
            if changed.place != known.queue.place:
                await self._counter.broker.keep(changed)
            try:
                await self._registry.put(changed, expected=known.revision)
            except Conflict:
                continue
            return {}
        raise StoreUnavailable("the queue is changed all the time")

    def _page(self, asked: Asked, queues: Sequence[Queue], member: str) -> Answer | Refusal:
        most, token = asked.parameters.get("MaxResults"), asked.parameters.get("NextToken")
        if most is not None and not 1 <= most <= MOST_PAGE:
            return invalid("MaxResults", most, f"MaxResults must be an integer between 1 and {MOST_PAGE}, if provided.")
        after = _after(token)
        if after is None:
            return invalid("NextToken", token, "Invalid or expired next token.")
        rest = [queue for queue in queues if (queue.account, queue.name) > after]
        page = rest[: most or MOST_PAGE]
        answer: Answer = {member: [self._counter.url(asked, queue) for queue in page]}
        if most is not None and len(rest) > len(page):
            answer["NextToken"] = urlsafe_b64encode(f"{page[-1].account}/{page[-1].name}".encode()).decode()
        return answer if page or member == "queueUrls" else {}

    async def _attributes_fault(self, queue: Queue, given: Mapping[str, str]) -> Refusal | None:
        """`queue`: as it is before, of which `given` may say the kind only when it is made."""
        fifo = queue.fifo or given.get(FIFO) == "true"
        for name, value in given.items():
            if name not in SETTABLE or (name in ONLY_FIFO and not fifo):
                return Refusal("InvalidAttributeName", f"Unknown Attribute {name}.")
            if name == FIFO and queue.given and queue.given.get(FIFO) != value:
                return Refusal("InvalidAttributeName", f"Unknown Attribute {name}.")
            text = value_fault(name, value)
            if text is not None:
                kind = "InvalidParameterValue" if name in (REDRIVE, REDRIVE_ALLOW) else "InvalidAttributeValue"
                return Refusal(kind, text)
        together = {**queue.given, **given}
        per_group = together.get("FifoThroughputLimit") == "perMessageGroupId"
        if per_group and together.get("DeduplicationScope") != "messageGroup":
            text = "The FifoThroughputLimit perMessageGroupId needs the DeduplicationScope messageGroup."
            return Refusal("InvalidAttributeValue", text)
        return policy_fault(given.get(POLICY, "")) or await self._redrive_fault(queue, fifo, given.get(REDRIVE, ""))

    async def _redrive_fault(self, queue: Queue, fifo: bool, text: str) -> Refusal | None:
        if not text:
            return None
        arn = json.loads(text)["deadLetterTargetArn"]
        target = await self._registry.by_arn(arn)
        if target is None or target.account != queue.account:
            return invalid(REDRIVE, text, "Dead letter target does not exist.")
        if target.fifo != fifo:
            return invalid(REDRIVE, text, "Dead-letter queue must be same type of queue as the source.")
        if not target.allows_redrive_from(queue.arn):
            return invalid(REDRIVE, text, f"The queue {arn} does not allow {queue.arn} to use it (RedriveAllowPolicy).")
        return None


def policy_fault(text: str) -> Refusal | None:
    if not text:
        return None
    try:
        compile_document(text, kind=PolicyKind.RESOURCE, name=POLICY)
    except InputError as error:
        return Refusal("InvalidAttributeValue", f"Invalid value for the parameter Policy. {error}")
    return None


def _tags_fault(tags: Mapping[str, str]) -> Refusal | None:
    if len(tags) > MOST_TAGS:
        return Refusal("InvalidParameterValue", f"Too many tags added for queue: at most {MOST_TAGS}.")
    for key, value in tags.items():
        if not 1 <= len(key) <= 128:
            return Refusal("InvalidParameterValue", "Tag keys must be between 1 and 128 characters in length.")
        if len(value) > 256:
            return Refusal("InvalidParameterValue", "Tag values must be between 0 and 256 characters in length.")
        if key.lower().startswith("aws:"):
            return Refusal("InvalidParameterValue", "Tag keys may not start with aws:")
    return None


def _same(name: str, now: str | None, given: str) -> bool:
    if name in _JSON and now and given:
        return bool(json.loads(now) == json.loads(given))
    return (now or "") == given


def _may_change(queue: Queue, name: str, value: str) -> bool:
    return name not in queue.fixed or _same(name, queue.value(name), value)


def _declared(queue: Queue, what: str) -> Refusal:
    text = f"The queue {queue.name} is declared in {queue.declared_in}, which alone may {what}."
    return Refusal("UnsupportedOperation", text)


def _after(token: str | None) -> tuple[str, str] | None:
    if not token:
        return "", ""
    try:
        account, _, name = urlsafe_b64decode(token.encode("ascii")).decode("ascii").partition("/")
    except ValueError:
        return None
    return account, name
