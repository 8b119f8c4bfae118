"""Queues in a process of the landscape: the broker, and what the bus sends to queues."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from harness import manifest
from harness.access import Assumed
from harness.bus.dead_letters import SendToQueue
from harness.bus.targets.delivery import Failure
from harness.bus.targets.queue import SendAllToQueue
from harness.queues.broker import Broker
from harness.queues.declared import declare
from harness.queues.jetstream import JetStreamShelves, stream_of
from harness.queues.message import Attribute
from harness.queues.registry import Copy, Registry
from harness.queues.sender import Sender
from harness.storage.connection import Connection
from harness.storage.state import State

EVENTS = "events.amazonaws.com"
# What SQS's refusal means to EventBridge, by its name.
_CODES: Mapping[str, str] = {"QueueDoesNotExist": "NO_RESOURCE", "AccessDenied": "NO_PERMISSIONS"}


@asynccontextmanager
async def queues(
    connection: Connection, copy: Copy, state: State, landscape: manifest.Landscape
) -> AsyncIterator[Broker]:
    """The landscape's queues, those of the manifests made; `copy` follows `state`."""
    shelves = JetStreamShelves(connection)
    await shelves.prepare()
    broker = Broker(Registry(copy, state), shelves)
    await declare(broker, landscape.region, landscape.queues())
    try:
        yield broker
    finally:
        await broker.stop()


def queue_streams(broker: Broker) -> dict[str, str]:
    """The ARN of each queue, by the name of the stream that has its messages."""
    return {stream_of(queue.id): queue.arn for queue in broker.registry.all()}


def for_rules(sender: Sender) -> SendToQueue:
    """Sends on behalf of a rule, as EventBridge does."""

    async def send(
        queue: str,
        body: bytes,
        *,
        source_arn: str,
        id: str,
        attributes: Mapping[str, str] | None = None,
        group: str = "",
        trace: str = "",
        assumed: Assumed | None = None,
        beside: Mapping[str, str] | None = None,
    ) -> Failure | None:
        refused = await sender.send(
            queue,
            body.decode(),
            service=EVENTS,
            source_arn=source_arn,
            # SQS takes no attribute without a value.
            attributes={name: Attribute("String", value) for name, value in (attributes or {}).items() if value},
            group=group,
            trace=trace,
            once=id,
            assumed=assumed,
            beside=beside,
        )
        if refused is None:
            return None
        return Failure(_CODES.get(refused.name, "INVALID_PARAMETER"), refused.message, retryable=False)

    return send


def all_for_rules(sender: Sender) -> SendAllToQueue:
    async def send_all(
        queue: str,
        messages: Sequence[tuple[bytes, str, str]],
        *,
        source_arn: str,
        group: str,
        assumed: Assumed | None = None,
    ) -> bool:
        texts = [(body.decode(), trace, once) for body, trace, once in messages]
        return await sender.send_all(queue, texts, service=EVENTS, source_arn=source_arn, group=group, assumed=assumed)

    return send_all
