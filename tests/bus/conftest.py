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

PATIENT, HASTY = 60.0, 0.5


@pytest.fixture
def bus() -> str:
    """A bus that no other test uses."""
    return bus_arn("eu-west-1", "111111111111", f"bus-{uuid.uuid4().hex[:12]}")


@pytest.fixture(params=["memory", pytest.param("jetstream", marks=pytest.mark.slow)])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    """The same tests for both. What is held is not handed out again because the machine is slow."""
    store = await a_store(request, PATIENT)
    yield store
    await store.close()


@pytest.fixture(params=["memory", pytest.param("jetstream", marks=pytest.mark.slow)])
async def hasty(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    """In which what is held and not settled comes back after half a second."""
    store = await a_store(request, HASTY)
    yield store
    await store.close()


async def a_store(request: pytest.FixtureRequest, ack_wait: float) -> Store:
    if request.param == "memory":
        return MemoryStore(ack_wait=ack_wait)
    server: NatsServer = request.getfixturevalue("nats_server")
    return await JetStreamStore.connect(server.url, bounds=Bounds(ack_wait=ack_wait))
