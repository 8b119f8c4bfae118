"""Queues on both kinds of shelf, and brokers that share them."""

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from harness.queues import dispenser
from harness.queues.broker import Broker
from harness.queues.jetstream import JetStreamShelves
from harness.queues.memory import MemoryShelves
from harness.queues.registry import Registry
from harness.queues.shelf import Shelves
from harness.storage.connection import Connection
from harness.storage.jetstream_state import JetStreamState
from harness.storage.memory_state import MemoryState
from harness.storage.replica import Replica
from harness.storage.state import State
from tests.storage.nats_server import NatsServer

NewBroker = Callable[..., Awaitable[Broker]]


@pytest.fixture(params=["memory", pytest.param("jetstream", marks=pytest.mark.slow)])
async def new_broker(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[NewBroker]:
    """Makes brokers on the same store: each is what one process has. `Broker`'s options as arguments."""
    # What is there is received at once, however long a busy server takes to tell of it.
    monkeypatch.setattr(dispenser, "REACH_SECONDS", 60.0)
    async with AsyncExitStack() as stack:
        state: State
        shelves: Shelves
        if request.param == "memory":
            state, shelves = MemoryState(), MemoryShelves()
        server: NatsServer | None = None if request.param == "memory" else request.getfixturevalue("nats_server")

        async def new(**options: object) -> Broker:
            nonlocal state, shelves
            if server is not None:
                connection = await Connection.connect(server.url)
                stack.push_async_callback(connection.close)
                state = JetStreamState(connection)
                shelves = JetStreamShelves(connection)
                await shelves.prepare()
            copy = await stack.enter_async_context(Replica(state).running())
            broker = Broker(Registry(copy, state), shelves, **options)  # type: ignore[arg-type]
            stack.push_async_callback(broker.stop)
            return broker

        yield new


@pytest.fixture
async def broker(new_broker: NewBroker) -> Broker:
    return await new_broker()


@pytest.fixture
def account() -> str:
    """One that no other test uses."""
    return str(uuid.uuid4().int)[:12]
