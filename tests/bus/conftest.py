"""A bus of each test's own, and both stores."""

import uuid
from collections.abc import AsyncIterator

import pytest

from harness.bus.jetstream import JetStreamStore
from harness.bus.memory import MemoryStore
from harness.bus.store import Store
from harness.bus.streams import Bounds
from harness.wire import bus_arn
from tests.storage.nats_server import NatsServer

ACK_WAIT = 0.5


@pytest.fixture
def bus() -> str:
    """A bus that no other test uses."""
    return bus_arn("eu-west-1", "111111111111", f"bus-{uuid.uuid4().hex[:12]}")


@pytest.fixture(params=["memory", pytest.param("jetstream", marks=pytest.mark.slow)])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    """The same tests for both; here what is held and not settled comes back after half a second."""
    store: Store
    if request.param == "memory":
        store = MemoryStore(ack_wait=ACK_WAIT)
    else:
        server: NatsServer = request.getfixturevalue("nats_server")
        store = await JetStreamStore.connect(server.url, bounds=Bounds(ack_wait=ACK_WAIT))
    yield store
    await store.close()
