"""A router with a queue as its target, to be killed.

`python -m tests.bus.queue_router_process NATS_URL BUS_ARN QUEUE`
"""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from harness.access import Authority
from harness.bus.jetstream import JetStreamStore
from harness.bus.model import Rule, Target
from harness.bus.patterns.pattern import compile_pattern
from harness.bus.streams import Bounds
from harness.bus.targets.queue import QueueDeliveries, QueueDelivery
from harness.bus.targets.roles import Roles
from harness.identity import Directory
from harness.local.queues import all_for_rules, for_rules
from harness.queues.broker import Broker
from harness.queues.declared import Declared, declare, policy_for_services
from harness.queues.jetstream import JetStreamShelves
from harness.queues.registry import Registry
from harness.queues.sender import Sender
from harness.storage.connection import Connection
from harness.storage.jetstream_state import JetStreamState
from harness.storage.replica import Replica
from harness.wire import queue_arn
from tests.bus.routing import a_router

ACCOUNT = "222222222222"
REGION = "eu-west-1"


def a_rule(bus: str, queue: str) -> Rule:
    target = Target("inbox", queue_arn(REGION, ACCOUNT, queue))
    return Rule("placed", bus, bus.split(":")[4], compile_pattern({"source": ["orders"]}), (target,))


@asynccontextmanager
async def a_broker(connection: Connection, bus: str, queue: str) -> AsyncIterator[Broker]:
    """With the queue, whose policy lets the rule in."""
    state = JetStreamState(connection)
    async with Replica(state).running() as replica:
        shelves = JetStreamShelves(connection)
        await shelves.prepare()
        broker = Broker(Registry(replica, state), shelves)
        policy = policy_for_services(queue_arn(REGION, ACCOUNT, queue), [a_rule(bus, queue).arn])
        await declare(broker, REGION, [Declared(ACCOUNT, queue, {"Policy": policy}, "the test")])
        yield broker
        await broker.stop()


async def main(nats: str, bus: str, queue: str) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    connection = await Connection.connect(nats)
    store = JetStreamStore(connection, Bounds(ack_wait=2))
    authority = Authority(Directory(REGION, "o-acme", {ACCOUNT: "stock"}, {}), None)
    async with a_broker(connection, bus, queue) as broker:
        sender, roles = Sender(broker, authority), Roles(authority)
        deliver = QueueDelivery(for_rules(sender), roles)
        deliver_all = {"sqs": QueueDeliveries(all_for_rules(sender), roles)}
        await a_router(store, [a_rule(bus, queue)], deliver, deliver_all=deliver_all).run(stop)
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
