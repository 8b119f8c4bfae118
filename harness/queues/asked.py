"""One operation asked for, and what every operation begins with: which queue, may they, is it there."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.access import Authority, Caller
from harness.clock import Clock
from harness.policy import ContextValue
from harness.queues import access
from harness.queues.broker import Broker
from harness.queues.model import Queue
from harness.queues.receipts import Receipts
from harness.queues.refusals import NO_SUCH_QUEUE, Refusal, missing
from harness.queues.registry import Known
from harness.wire import queue_arn

# The last two parts of its path are what counts in a queue's address.
_ADDRESS = re.compile(r"(?:https?://[^/?#]*)?(?:/[^/?#]*)*?/([0-9]{12})/([^/?#]+)/?")


@dataclass(frozen=True, slots=True)
class Asked:
    """`parameters` in the shape of the JSON protocol. `host`: by which the caller reached this endpoint."""

    caller: Caller
    operation: str
    parameters: Mapping[str, Any]
    context: Mapping[str, ContextValue]
    host: str


Answer = dict[str, Any]
Operation = Callable[[Asked], Awaitable[Answer | Refusal]]


@dataclass(frozen=True, slots=True)
class Counter:
    """Where the operations are asked."""

    authority: Authority
    broker: Broker
    receipts: Receipts
    region: str
    clock: Clock

    def arn(self, account: str, name: str) -> str:
        return queue_arn(self.region, account, name)

    def refused(self, asked: Asked, arn: str, queue: Queue | None) -> Refusal | None:
        return access.refusal(self.authority, asked.caller, asked.operation, arn, queue, asked.context)

    async def queue(self, asked: Asked) -> Known | Refusal:
        """The queue that `QueueUrl` names, for a caller who may."""
        url = asked.parameters.get("QueueUrl")
        if not url:
            return missing("QueueUrl")
        named = _ADDRESS.fullmatch(url)
        if named is None:
            return Refusal("InvalidAddress", f"The address {url[:256]} is not valid for this endpoint.")
        return await self.named(asked, named[1], named[2])

    async def named(self, asked: Asked, account: str, name: str) -> Known | Refusal:
        known = await self.broker.registry.find(account, name)
        refused = self.refused(asked, self.arn(account, name), known.queue if known else None)
        if refused is not None:
            return refused
        return known or NO_SUCH_QUEUE

    def url(self, asked: Asked, queue: Queue) -> str:
        """By the host that the caller uses; what counts is its path."""
        return f"http://{asked.host}/{queue.account}/{queue.name}"

    def seconds(self) -> int:
        return int(self.clock().timestamp())

    def milliseconds(self) -> int:
        return int(self.clock().timestamp() * 1000)
