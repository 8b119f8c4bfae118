"""Queues of the manifests: made at the start, and fixed in what the manifest says of them."""

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from harness.clock import Clock, utc_now
from harness.queues.broker import Broker
from harness.queues.model import Queue
from harness.storage.held import StoreUnavailable
from harness.storage.state import Conflict

_ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class Declared:
    """`given`: attributes as SQS has them, as text. `declared_in`: the manifest's name for whoever asks."""

    account: str
    name: str
    given: Mapping[str, str] = field(default_factory=dict)
    declared_in: str = ""


def policy_for_services(arn: str, rules: Sequence[str], topics: Sequence[str] = ()) -> str:
    """The policy that lets these rules of EventBridge and topics of SNS send to a queue, as AWS's console writes it."""
    senders = (("EventsToQueue", "events", rules), ("TopicsToQueue", "sns", topics))
    statements = [
        {
            "Sid": sid,
            "Effect": "Allow",
            "Principal": {"Service": f"{service}.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": sorted(sources)}},
        }
        for sid, service, sources in senders
        if sources
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


async def declare(broker: Broker, region: str, queues: Iterable[Declared], *, clock: Clock = utc_now) -> None:
    """Every process of a landscape does this when it starts; what is there already stays, with its messages.

    A queue that no manifest declares any more is one like those that the API makes.
    """
    wanted = {(each.account, each.name): each for each in queues}
    now = int(clock().timestamp())
    for each in wanted.values():
        await _declare(broker, region, each, now)
    for queue in broker.registry.all():
        if queue.declared_in and (queue.account, queue.name) not in wanted:
            await _release(broker, queue, now)


async def _declare(broker: Broker, region: str, wanted: Declared, now: int) -> None:
    for _ in range(_ATTEMPTS):
        known = await broker.registry.find(wanted.account, wanted.name)
        if known is None:
            queue = Queue(region, wanted.account, wanted.name, uuid.uuid4().hex, created=now, modified=now)
        else:
            queue = known.queue
        # What an earlier manifest said goes; what the API set besides stays.
        kept = {name: value for name, value in queue.given.items() if name not in queue.fixed}
        changed = replace(
            queue, given={**kept, **wanted.given}, fixed=tuple(sorted(wanted.given)), declared_in=wanted.declared_in
        )
        await broker.keep(changed)
        if known is not None and changed == known.queue:
            return
        try:
            await broker.registry.put(replace(changed, modified=now), expected=known.revision if known else 0)
            return
        except Conflict:
            if known is None:
                await broker.drop(changed)
    raise StoreUnavailable(f"the queue {wanted.name} is changed all the time")


async def _release(broker: Broker, queue: Queue, now: int) -> None:
    known = await broker.registry.find(queue.account, queue.name)
    if known is None:
        return
    try:
        released = replace(known.queue, fixed=(), declared_in="", modified=now)
        await broker.registry.put(released, expected=known.revision)
    except Conflict:
        return  # another process does the same
