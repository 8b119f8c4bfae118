"""Queues and messages for tests."""

import json
import time
import uuid
from datetime import datetime, timedelta
from typing import Any

from harness.clock import utc_now
from harness.queues.broker import Broker, Sent
from harness.queues.dispenser import Received
from harness.queues.message import Message
from harness.queues.model import Queue

REGION = "eu-west-1"


class Ahead:
    """A clock that tests put forward, so that what is hidden or delayed for long comes forth at their word."""

    def __init__(self) -> None:
        self.seconds = 0

    def __call__(self) -> datetime:
        return utc_now() + timedelta(seconds=self.seconds)


async def a_queue(broker: Broker, account: str, name: str = "q", **given: str) -> Queue:
    """Attributes by their names; `FifoQueue` makes the name end as it must."""
    name = f"{name}.fifo" if given.get("FifoQueue") == "true" else name
    queue = Queue(REGION, account, name, uuid.uuid4().hex[:16], given)
    await broker.keep(queue)
    await broker.registry.put(queue, expected=0)
    return queue


def redrive_to(queue: Queue, receives: int) -> str:
    return json.dumps({"deadLetterTargetArn": queue.arn, "maxReceiveCount": receives})


def a_message(body: str, *, delay: float = 0, **more: Any) -> Message:
    now = int(time.time() * 1000)
    return Message(body, sent=now, due=now + int(delay * 1000), **{"sender": "AROAEXAMPLE:tests", **more})


async def send(broker: Broker, queue: Queue, body: str, *, once: str = "", **more: Any) -> Sent:
    message = a_message(body, id="" if queue.fifo else str(uuid.uuid4()), **more)
    return await broker.send(queue, message, once=once or uuid.uuid4().hex)


async def receive(broker: Broker, queue: Queue, limit: int = 10, **more: Any) -> list[Received]:
    more = {"visibility": 30, "wait": 60, **more}
    found = await broker.receive(queue, limit=limit, **more)
    assert isinstance(found, list), found
    return found


def bodies(received: list[Received]) -> list[str]:
    return [each.message.body for each in received]
