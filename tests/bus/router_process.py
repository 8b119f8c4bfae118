"""A router in a process of its own, to be killed.

`python -m tests.bus.router_process NATS_URL BUS_ARN TARGET_URL [REPLICAS [ACK_WAIT]]`
"""

import asyncio
import signal
import sys

from harness.bus.jetstream import JetStreamStore
from harness.bus.model import Rule, Target
from harness.bus.patterns.pattern import compile_pattern
from harness.bus.streams import Bounds
from harness.bus.targets.delivery import Backoff, HttpDelivery
from harness.http_client import HttpClient
from harness.wire import function_arn
from tests.bus.routing import a_router

STOCK = function_arn("eu-west-1", "222222222222", "stock")
PATTERN = {"source": ["orders"]}


async def main(nats: str, bus: str, target: str, replicas: str = "1", ack_wait: str = "2") -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    store = await JetStreamStore.connect(
        nats, bounds=Bounds(ack_wait=float(ack_wait)), timeout=60, replicas=int(replicas)
    )
    rule = Rule("placed", bus, "222222222222", compile_pattern(PATTERN), (Target("stock", STOCK),))
    await a_router(store, [rule], HttpDelivery(HttpClient(), {STOCK: target}), backoff=Backoff(most=1)).run(stop)
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
