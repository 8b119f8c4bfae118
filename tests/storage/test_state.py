"""What both kinds of state promise, and the copy that a process keeps."""

import asyncio
import random
import uuid
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path

import pytest

from harness.storage.connection import Connection
from harness.storage.held import StoreUnavailable
from harness.storage.jetstream_state import JetStreamState
from harness.storage.memory_state import MemoryState
from harness.storage.replica import Replica
from harness.storage.state import CaughtUp, Change, Conflict, Entry, Key, State
from tests.storage.nats_server import NatsServer

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["memory", pytest.param("jetstream", marks=pytest.mark.slow)])
async def state(request: pytest.FixtureRequest) -> AsyncIterator[State]:
    if request.param == "memory":
        yield MemoryState()
        return
    server: NatsServer = request.getfixturevalue("nats_server")
    connection = await Connection.connect(server.url)
    kept = JetStreamState(connection)
    await kept.prepare()
    yield kept
    await connection.close()


def a_key(*names: str) -> Key:
    """Below a name that no other test uses."""
    return (uuid.uuid4().hex, *names)


async def changes_until_caught_up(state: State) -> list[Change]:
    found: list[Change] = []
    changes = state.changes()
    async for change in changes:
        if isinstance(change, CaughtUp):
            break
        found.append(change)
    await changes.aclose()
    return found


async def test_what_was_put_is_read_back(state: State) -> None:
    key = a_key("a bus/with.odd *names>", "ü")
    revision = await state.put(key, b'{"a": 1}')
    assert await state.get(key) == Entry(key, b'{"a": 1}', revision)


async def test_what_was_never_put_is_not_there(state: State) -> None:
    assert await state.get(a_key("nothing")) is None


async def test_what_was_deleted_is_not_there(state: State) -> None:
    key = a_key("gone")
    await state.put(key, b"1")
    await state.delete(key)
    assert await state.get(key) is None


async def test_an_entry_that_must_be_new_is_refused_when_it_is_there(state: State) -> None:
    key = a_key("new")
    await state.put(key, b"1", expected=0)
    with pytest.raises(Conflict):
        await state.put(key, b"2", expected=0)


async def test_a_deleted_entry_may_be_made_new(state: State) -> None:
    key = a_key("again")
    await state.put(key, b"1", expected=0)
    await state.delete(key)
    await state.put(key, b"2", expected=0)
    entry = await state.get(key)
    assert entry is not None
    assert entry.value == b"2"


@pytest.mark.parametrize("act", ["put", "delete"])
async def test_a_change_of_an_entry_that_has_moved_on_is_refused(state: State, act: str) -> None:
    key = a_key("moving")
    old = await state.put(key, b"1")
    await state.put(key, b"2")
    with pytest.raises(Conflict):
        await (state.put(key, b"3", expected=old) if act == "put" else state.delete(key, expected=old))


async def test_of_many_that_change_one_entry_at_once_one_succeeds(state: State) -> None:
    key = a_key("contended")
    base = await state.put(key, b"0")
    attempts = [state.put(key, str(number).encode(), expected=base) for number in range(8)]
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    assert sum(isinstance(outcome, int) for outcome in outcomes) == 1


async def test_changes_begin_with_all_that_there_is(state: State) -> None:
    key = a_key()
    await state.put((*key, "one"), b"1")
    await state.put((*key, "two"), b"1")
    await state.put((*key, "two"), b"2")
    found = {change.key: change.value for change in await changes_until_caught_up(state) if change.key[:1] == key}
    assert found == {(*key, "one"): b"1", (*key, "two"): b"2"}


async def test_a_copy_has_what_another_process_writes(state: State) -> None:
    key = a_key("shared")
    async with Replica(state).running() as copy:
        revision = await state.put(key, b"1")
        await copy.reach(revision, seconds=60)
        entry = copy.get(key)
        assert entry is not None
        assert entry.value == b"1"


async def test_a_copy_forgets_what_another_process_deletes(state: State) -> None:
    key = a_key("deleted")
    await state.put(key, b"1")
    async with Replica(state).running() as copy:
        assert copy.get(key) is not None
        await copy.reach(await state.delete(key), seconds=60)
        assert copy.get(key) is None


async def test_a_copy_has_its_own_writes_at_once(state: State) -> None:
    key = a_key()
    async with Replica(state).running() as copy:
        await copy.put((*key, "b"), b"2")
        await copy.put((*key, "a"), b"1")
        await copy.put((*key, "c"), b"3")
        await copy.delete((*key, "c"))
        assert [entry.value for entry in copy.below(key)] == [b"1", b"2"]


async def test_a_copy_reads_what_has_not_come_to_it_yet(state: State) -> None:
    key = a_key("ahead")
    async with Replica(state).running() as copy:
        revision = await state.put(key, b"1")
        assert await copy.read(key) == copy.get(key) == Entry(key, b"1", revision)
        await state.delete(key)
        assert await copy.read(key) is None


async def test_a_copy_tells_its_listeners(state: State) -> None:
    key = a_key("heard")
    heard: list[Key] = []
    async with Replica(state).running() as copy:
        copy.listen(heard.append)
        await copy.put(key, b"1")
        await copy.reach(await state.delete(key), seconds=60)
        assert [each for each in heard if each == key] == [key, key]


async def test_two_copies_agree_on_what_is_newest(state: State) -> None:
    key = a_key("agreed")
    async with Replica(state).running() as one, Replica(state).running() as other:
        await one.put(key, b"1")
        await other.reach(one.newest, seconds=60)
        assert other.get(key) == one.get(key)


async def test_a_revision_that_does_not_come_is_said(state: State) -> None:
    async with Replica(state).running() as copy:
        with pytest.raises(StoreUnavailable, match="has not come"):
            await copy.reach(copy.newest + 1_000_000, seconds=0.05)


class Interrupted(MemoryState):
    """The first following ends when told; meanwhile an entry is changed so that reading all passes it over."""

    def __init__(self) -> None:
        super().__init__()
        self.lost = asyncio.Event()
        self._followed = False

    async def changes(self) -> AsyncGenerator[Change | CaughtUp, None]:
        again, self._followed = self._followed, True
        async for change in super().changes():
            if isinstance(change, CaughtUp) or not again:
                yield change
            if isinstance(change, CaughtUp) and not again:
                await self.lost.wait()
                raise StoreUnavailable("the server is away")


async def test_an_entry_that_is_there_is_not_forgotten_though_reading_all_again_passed_it_over() -> None:
    state = Interrupted()
    kept, gone = a_key("kept"), a_key("gone")
    heard: list[Key] = []
    async with Replica(state).running() as copy:
        await copy.put(kept, b"1")
        await copy.put(gone, b"1")
        await state.delete(gone)
        copy.listen(heard.append)
        state.lost.set()
        await copy.reach(3, seconds=60)
        assert [entry.key for entry in copy.below(())] == [kept]
        assert heard == [gone]


@pytest.mark.slow
async def test_a_copy_goes_on_after_the_server_was_killed(tmp_path: Path) -> None:
    server = NatsServer(tmp_path).start()
    connection = await Connection.connect(server.url)
    state = JetStreamState(connection)
    try:
        async with Replica(state).running() as copy:
            await copy.put(("kept",), b"1")
            server.kill()
            server.start()
            revision = await state.put(("after",), b"2")
            await copy.reach(revision, seconds=60)
            assert [entry.key for entry in copy.below(())] == [("after",), ("kept",)]
    finally:
        await connection.close()
        server.kill()


async def test_what_is_below_a_key_is_what_a_look_at_every_key_finds() -> None:
    chance, state = random.Random(17), MemoryState()
    async with Replica(state).running() as replica:
        kept: set[Key] = set()
        for _ in range(400):
            key = tuple(chance.choice("ab") for _ in range(chance.randint(1, 4)))
            if chance.random() < 0.4:
                await replica.delete(key)
                kept.discard(key)
            else:
                await replica.put(key, b"{}")
                kept.add(key)
            for size in range(4):
                prefix = key[:size]
                wanted = sorted(each for each in kept if each[: len(prefix)] == prefix)
                assert [entry.key for entry in replica.below(prefix)] == wanted


async def test_what_is_below_a_key_costs_nothing_of_what_is_elsewhere() -> None:
    async with Replica(MemoryState()).running() as replica:
        for number in range(300):
            await replica.put(("sqs", "queue", "theirs", str(number)), b"{}")
        await replica.put(("sqs", "queue", "ours", "q"), b"{}")
        compared: list[Key] = []

        class Counted(tuple[str, ...]):
            __slots__ = ()

            def __eq__(self, other: object) -> bool:
                compared.append(self)
                return super().__eq__(other)

            __hash__ = tuple.__hash__

        assert len(replica.below(Counted(("sqs", "queue", "ours")))) == 1
    assert len(compared) < 10
