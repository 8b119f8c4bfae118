"""Calls that meet: changes at once, stores that are away, and events right behind the rule that is to take them."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import pytest

from harness.access import Authority
from harness.bus import documents
from harness.bus.archives import archive_of
from harness.bus.catalogue import Catalogue
from harness.bus.dead_letters import DeadLetters
from harness.bus.jetstream import JetStreamStore
from harness.bus.lane import Work
from harness.bus.limits import Limits
from harness.bus.memory import MemoryStore
from harness.bus.operations.call import ATTEMPTS, Call
from harness.bus.operations.table import OPERATIONS, perform
from harness.bus.put_events import RequestError
from harness.bus.router import Router
from harness.bus.routes import Route
from harness.bus.store import Archived, Delivery
from harness.bus.targets.delivery import Failure
from harness.clock import utc_now
from harness.storage.connection import Connection
from harness.storage.held import StoreFull, StoreUnavailable
from harness.storage.jetstream_state import JetStreamState
from harness.storage.memory_state import MemoryState
from harness.storage.replica import Replica
from harness.storage.state import CaughtUp, Change, Entry, Key
from tests.access.landscape import ORDERS, REGION, a_directory, a_sealer, a_session
from tests.bus.desks import a_desk
from tests.bus.operations.conftest import ADMIN, Bench
from tests.bus.routing import Queues
from tests.storage.nats_server import NatsServer

RULE = {"Name": "r", "EventPattern": '{"source": ["a"]}'}
QUEUE = f"arn:aws:sqs:{REGION}:{ORDERS}:q"
SIX = Limits(targets_per_rule=6)
ARCHIVE = {"ArchiveName": "a", "EventSourceArn": f"arn:aws:events:{REGION}:{ORDERS}:event-bus/default"}


def a_call(replica: Replica, operation: str, request: dict[str, Any], limits: Limits | None = None) -> Call:
    authority = Authority(a_directory(ADMIN), a_sealer())
    caller = authority.caller_of(a_session(ADMIN, now=utc_now().replace(microsecond=0)))
    assert caller is not None
    desk = a_desk(authority, MemoryStore(), replica=replica, limits=limits)
    return Call(desk, caller, operation, request, {}, utc_now())


async def ask(replica: Replica, operation: str, request: dict[str, Any], limits: Limits | None = None) -> Any:
    return await perform(OPERATIONS[operation], a_call(replica, operation, request, limits))


class Lagging(Replica):
    """Hears of nothing but what it asks for."""

    def get(self, key: Key) -> Entry | None:
        return self.seen.get(key)

    async def read(self, key: Key) -> Entry | None:
        found = await super().read(key)
        if found is not None:
            self.seen[key] = found
        return found

    def __init__(self, state: MemoryState) -> None:
        super().__init__(state)
        self.seen: dict[Key, Entry] = {}


@pytest.mark.anyio
async def test_targets_put_at_once_by_two_edges_are_all_there() -> None:
    state = MemoryState()
    async with Replica(state).running() as one, Replica(state).running() as other:
        await ask(one, "PutRule", RULE)
        await other.reach(one.newest)
        puts = [
            ask(replica, "PutTargets", {"Rule": "r", "Targets": [{"Id": f"{name}{number}", "Arn": QUEUE}]}, SIX)
            for number in range(3)
            for name, replica in (("one", one), ("other", other))
        ]
        assert [answer["FailedEntryCount"] for answer in await asyncio.gather(*puts)] == [0] * 6
        listed = await ask(one, "ListTargetsByRule", {"Rule": "r"})
        assert len(listed["Targets"]) == 6


@pytest.mark.anyio
async def test_a_copy_that_lags_reads_before_it_writes() -> None:
    state = MemoryState()
    async with Replica(state).running() as one:
        await ask(one, "PutRule", {**RULE, "Description": "kept", "Tags": [{"Key": "a", "Value": "b"}]})
        lagging = Lagging(state)
        answer = await ask(lagging, "PutRule", RULE)
        assert answer == {"RuleArn": f"arn:aws:events:{REGION}:{ORDERS}:rule/r"}
        entry = await state.get(documents.rule_key(ORDERS, "default", "r"))
        assert entry is not None
        assert documents.read(entry)["Tags"] == [{"Key": "a", "Value": "b"}]


@pytest.mark.anyio
async def test_of_buses_made_at_once_one_is() -> None:
    state = MemoryState()
    async with Replica(state).running() as one, Replica(state).running() as other:
        made = await asyncio.gather(*(ask(each, "CreateEventBus", {"Name": "own"}) for each in (one, other)))
    refused = [answer for answer in made if isinstance(answer, RequestError)]
    assert [error.type for error in refused] == ["ResourceAlreadyExistsException"]


@pytest.mark.anyio
async def test_a_document_that_never_holds_still_is_said_to() -> None:
    class Restless(MemoryState):
        async def get(self, key: Key) -> Entry | None:
            entry = await super().get(key)
            if entry is not None and key[1] == "rule":
                await super().put(key, entry.value)
            return entry

        async def put(self, key: Key, value: bytes, *, expected: int | None = None) -> int:
            self.attempts += 1
            return await super().put(key, value, expected=expected)

        attempts = 0

    state = Restless()
    lagging = Lagging(state)
    await MemoryState.put(state, documents.rule_key(ORDERS, "default", "r"), b"{}")
    answer = await ask(lagging, "PutRule", RULE)
    assert isinstance(answer, RequestError)
    assert (answer.type, state.attempts) == ("ConcurrentModificationException", ATTEMPTS)


class Away(MemoryStore):
    """Fails where it is told to."""

    def __init__(self, method: str, error: Exception) -> None:
        super().__init__()

        async def fail(*_: Any) -> None:
            raise error

        setattr(self, method, fail)


@pytest.mark.parametrize("method", ["prepare", "clear"])
@pytest.mark.parametrize(
    ("error", "code"),
    [
        pytest.param(StoreUnavailable("away"), "InternalException", id="a store that does not answer"),
        pytest.param(StoreFull("full"), "ThrottlingException", id="a store that is full"),
    ],
)
def test_a_bus_that_finds_no_place_is_not_made(bench: Bench, method: str, error: Exception, code: str) -> None:
    bench.use(Away(method, error))
    assert bench.refusal("CreateEventBus", {"Name": "own"})[0] == code
    bench.use(MemoryStore())
    assert bench.ask("CreateEventBus", {"Name": "own"})["EventBusArn"].endswith("event-bus/own")


def test_an_archive_says_how_much_it_holds(bench: Bench) -> None:
    bench.ask("CreateArchive", ARCHIVE)
    entry = bench.desk.replica.get(documents.archive_key(ORDERS, "a"))
    assert entry is not None
    archive = archive_of(documents.archive_arn(REGION, ORDERS, "a"), documents.read(entry))
    store = bench.desk.store
    bench.loop.run(store.prepare_archive(archive))
    bench.loop.run(store.enqueue([], [Archived(archive, str(number), 1, b"{}") for number in range(3)]))
    described = bench.ask("DescribeArchive", {"ArchiveName": "a"})
    (listed,) = bench.ask("ListArchives", {})["Archives"]
    assert (described["EventCount"], listed["EventCount"]) == (3, 3)
    assert described["SizeBytes"] >= 6


class Behind(JetStreamState):
    """Tells of each change a while after it was made."""

    async def changes(self) -> AsyncGenerator[Change | CaughtUp, None]:
        async with aclosing(super().changes()) as changes:
            async for change in changes:
                await asyncio.sleep(0.03)
                yield change


@pytest.mark.slow
@pytest.mark.parametrize("bench", ["jetstream"], indirect=True)
def test_events_right_behind_a_new_target_reach_it(bench: Bench, nats_server: NatsServer) -> None:
    """The router is another process, whose copy of the state is behind."""
    taken: list[tuple[str, str]] = []
    changed, stop = asyncio.Event(), asyncio.Event()

    async def take(route: Route, delivery: Delivery) -> Failure | None:
        taken.append((route.rule.name, delivery.event_id))
        changed.set()
        return None

    async def route_events() -> None:
        connection = await Connection.connect(nats_server.url)
        async with Replica(Behind(connection)).running() as replica:
            store = JetStreamStore(connection)
            work = Work(store, take, DeadLetters(Queues(), store))
            await Router(Catalogue(replica, region=REGION, accounts=[ORDERS]), work).run(stop)
        await connection.close()

    async def until(wanted: set[tuple[str, str]]) -> None:
        async with asyncio.timeout(30):
            while not wanted <= set(taken):
                changed.clear()
                await changed.wait()

    running = asyncio.run_coroutine_threadsafe(route_events(), bench.loop.loop)
    wanted = set()
    for number in range(10):
        name = f"rule-{number}"
        bench.ask("PutRule", {"Name": name, "EventPattern": f'{{"source": ["{name}"]}}'})
        function = f"arn:aws:lambda:{REGION}:{ORDERS}:function:f"
        bench.ask("PutTargets", {"Rule": name, "Targets": [{"Id": "f", "Arn": function}]})
        put = bench.ask("PutEvents", {"Entries": [{"Source": name, "DetailType": "t", "Detail": "{}"}]})
        wanted.add((name, put["Entries"][0]["EventId"]))
    try:
        bench.loop.run(until(wanted))
    finally:
        bench.loop.loop.call_soon_threadsafe(stop.set)
        running.result(30)


RULE_ARN = f"arn:aws:events:{REGION}:{ORDERS}:rule/r"


@pytest.mark.parametrize(
    ("operation", "request_", "counts_anew"),
    [
        pytest.param("PutRule", {"Name": "r", "ScheduleExpression": "rate(1 hour)"}, False, id="the same again"),
        pytest.param("PutRule", {"Name": "r", "ScheduleExpression": "rate(1 day)"}, True, id="another schedule"),
        pytest.param("EnableRule", {"Name": "r"}, False, id="enabled though it was"),
        pytest.param("DisableRule", {"Name": "r"}, True, id="disabled"),
        pytest.param("TagResource", {"ResourceARN": RULE_ARN, "Tags": []}, False, id="tagged"),
    ],
)
@pytest.mark.anyio
async def test_from_when_a_schedule_counts(operation: str, request_: dict[str, Any], counts_anew: bool) -> None:
    replica = Replica(MemoryState())
    await ask(replica, "PutRule", {"Name": "r", "ScheduleExpression": "rate(1 hour)"})
    key = documents.rule_key(ORDERS, "default", "r")
    entry = replica.get(key)
    assert entry is not None
    await replica.put(key, documents.write({**documents.read(entry), "Since": 1.0}))
    await ask(replica, operation, request_)
    entry = replica.get(key)
    assert entry is not None
    assert (documents.read(entry)["Since"] != 1.0) is counts_anew
