"""A process that receives and deletes, to be killed: `python -m tests.queues.edge_process NATS_URL ACCOUNT NAME`.

It prints the body of each message, and deletes it once there is another line to read for it.
"""

import asyncio
import sys

from harness.queues.broker import Broker
from harness.queues.jetstream import JetStreamShelves
from harness.queues.registry import Registry
from harness.storage.connection import Connection
from harness.storage.held import StoreUnavailable
from harness.storage.jetstream_state import JetStreamState
from harness.storage.replica import Replica
from tests.queues.queues import receive


async def main(url: str, account: str, name: str) -> None:
    connection = await Connection.connect(url)
    state = JetStreamState(connection)
    async with Replica(state).running() as copy:
        broker = Broker(Registry(copy, state), JetStreamShelves(connection))
        known = await broker.registry.find(account, name)
        assert known is not None
        while True:
            try:
                for each in await receive(broker, known.queue, visibility=1, wait=1):
                    print(each.message.body, flush=True)
                    if not await asyncio.to_thread(sys.stdin.readline):
                        return
                    await broker.delete(known.queue, each.handle)
            except StoreUnavailable:
                await asyncio.sleep(0.1)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
