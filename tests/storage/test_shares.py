"""What each account has of the state: counted while entries come and go, and refused beyond its share, to it alone."""

from collections.abc import AsyncIterator

import pytest

from harness.storage.held import ShareUsed
from harness.storage.memory_state import MemoryState
from harness.storage.replica import Replica
from harness.storage.shares import Share, share_of
from harness.storage.state import Key

pytestmark = pytest.mark.anyio

A, B = "111111111111", "222222222222"
DOCUMENT = b"x" * 1000


def key(name: str, account: str = A) -> Key:
    return ("events", "rule", account, "default", name)


@pytest.fixture
async def replica() -> AsyncIterator[Replica]:
    async with Replica(MemoryState()).running() as running:
        yield running


async def filled(replica: Replica) -> list[str]:
    """Names of what the account A could put until it was refused."""
    for number in range(100):
        try:
            await replica.put(key(f"{number:02}"), DOCUMENT, expected=0)
        except ShareUsed:
            return [f"{each:02}" for each in range(number)]
    raise AssertionError("never refused")


async def test_without_a_bound_nothing_is_refused(replica: Replica) -> None:
    for number in range(100):
        await replica.put(key(str(number)), DOCUMENT)
    assert replica.shares.used()[A].documents == 100


async def test_an_account_that_has_used_its_share_stops_no_other(replica: Replica) -> None:
    replica.shares.bound = 20_000
    names = await filled(replica)
    with pytest.raises(ShareUsed, match=f"the account {A} has used its share of the state, 20,000 bytes"):
        await replica.put(key("one more"), DOCUMENT, expected=0)
    assert 10 <= len(names) < 20
    assert replica.get(key(f"{len(names):02}")) is None
    await replica.put(key("other", B), DOCUMENT, expected=0)
    used = replica.shares.used()
    assert (used[A].documents, used[B].documents) == (len(names), 1)
    assert used[A].bytes <= used[A].bound == 20_000


async def test_room_that_is_made_can_be_used_again(replica: Replica) -> None:
    replica.shares.bound = 20_000
    names = await filled(replica)
    with pytest.raises(ShareUsed):
        await replica.put(key("zz"), DOCUMENT)
    await replica.delete(key(names[0]))
    await replica.put(key("zz"), DOCUMENT)


async def test_what_is_there_may_be_changed_a_little_longer(replica: Replica) -> None:
    replica.shares.bound = 20_000
    names = await filled(replica)
    await replica.put(key(names[0]), DOCUMENT + b"DISABLED")
    await replica.put(key(names[0]), b"")
    await replica.put(key(names[0]), DOCUMENT)
    with pytest.raises(ShareUsed):
        await replica.put(key(names[0]), b"x" * 4000)
    assert replica.shares.used()[A].bytes <= 20_000 * 17 / 16


async def test_what_deleting_needs_is_always_taken(replica: Replica) -> None:
    replica.shares.bound = 20_000
    await filled(replica)
    await replica.put(("sqs", "deleted", A, "q" * 800), b"1", small_note=True)


async def test_what_other_processes_put_is_counted_too() -> None:
    state = MemoryState()
    await state.put(key("before"), DOCUMENT)
    async with Replica(state).running() as replica, Replica(state).running() as other:
        await other.put(key("after"), DOCUMENT)
        await replica.reach(other.newest)
        assert replica.shares.used() == other.shares.used()
        assert replica.shares.used()[A].documents == 2
        await other.delete(key("after"))
        await other.delete(key("before"))
        await replica.reach(other.newest)
        assert replica.shares.used() == {}


async def test_what_is_of_no_account_has_no_share(replica: Replica) -> None:
    replica.shares.bound = 10
    await replica.put(("a", "b", "c"), DOCUMENT)
    assert replica.shares.used() == {}


async def test_the_shares_of_all_accounts_fit_into_the_bound() -> None:
    assert share_of(1000, 5) == 150
    assert share_of(1000, 0) == 750
    assert all(share_of(268_435_456, count) * count * 17 / 16 < 268_435_456 for count in range(1, 200))


async def test_an_entry_counts_what_the_store_keeps_of_it(replica: Replica) -> None:
    await replica.put(key("r"), b"12345")
    parts = sum(len(part) + 1 for part in key("r"))
    assert replica.shares.used() == {A: Share(1, 5 + 2 * parts + 200, 0)}
