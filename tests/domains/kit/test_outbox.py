"""The outbox and its relay, on a real PostgreSQL."""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from sqlalchemy import func, select, update

from kit import relay as relay_of_kit
from kit.credentials import CredentialsMissing
from kit.database import Sessions
from kit.envelope import Cause, NewEvent
from kit.outbox import Outbox, on_commit, outbox
from kit.relay import EventsClient, Relay, Unreachable
from tests.domains.processes import wait_until

BUS_ARN = "arn:aws:events:eu-west-1:999999999999:event-bus/enterprise"
NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
OUTBOX = Outbox(source="acme.orders", domain="orders")


class Bus:
    """Accepts what `accepts` says yes to; remembers each call and what it accepted."""

    def __init__(self, accepts: Callable[[dict[str, Any]], bool] = lambda _: True) -> None:
        self.accepts = accepts
        self.calls: list[list[dict[str, Any]]] = []
        self.accepted: list[int] = []
        self.before: Callable[[], None] = lambda: None
        self.after: Callable[[], None] = lambda: None

    def put_events(self, *, Entries: Sequence[dict[str, Any]]) -> dict[str, Any]:
        self.before()
        self.calls.append(list(Entries))
        results = [self._result(entry) for entry in Entries]
        self.after()
        return {"FailedEntryCount": sum("ErrorCode" in result for result in results), "Entries": results}

    def _result(self, entry: dict[str, Any]) -> dict[str, Any]:
        if not self.accepts(entry):
            return {"ErrorCode": "ThrottlingException", "ErrorMessage": "slow down"}
        self.accepted.append(number_of(entry))
        return {"EventId": f"bus-{number_of(entry)}"}


def number_of(entry: dict[str, Any]) -> int:
    number: int = json.loads(entry["Detail"])["data"]["number"]
    return number


def relay_to(bus: EventsClient, sessions: Sessions, **more: Any) -> Relay:
    return Relay(sessions, lambda: bus, bus_arn=BUS_ARN, **more)


@contextmanager
def started(relay: Relay) -> Iterator[Relay]:
    relay.start()
    yield relay
    relay.stop()


def write(sessions: Sessions, *numbers: int) -> None:
    with sessions.begin() as session:
        for number in numbers:
            OUTBOX.add(session, NewEvent("Counted.v1", {"number": number}, NOON, Cause("request-1")))


def unsent(sessions: Sessions) -> int:
    with sessions.begin() as session:
        return session.scalar(select(func.count()).where(outbox.c.sent_at.is_(None))) or 0


def make_due(sessions: Sessions) -> None:
    with sessions.begin() as session:
        session.execute(update(outbox).values(next_attempt_at=func.now()))


def test_a_committed_event_is_published_whole(sessions: Sessions) -> None:
    bus = Bus()
    write(sessions, 1)
    assert relay_to(bus, sessions).publish_batch() == 1
    ((entry,),) = bus.calls
    assert {key: entry[key] for key in ("EventBusName", "Source", "DetailType", "Time")} == {
        "EventBusName": BUS_ARN,
        "Source": "acme.orders",
        "DetailType": "Counted.v1",
        "Time": NOON,
    }
    metadata = json.loads(entry["Detail"])["metadata"]
    assert {key: metadata[key] for key in metadata if key != "eventId"} == {
        "correlationId": "request-1",
        "causationId": None,
        "schemaVersion": "1.0.0",
        "occurredAt": "2026-01-15T12:00:00Z",
        "domain": "orders",
    }


def test_an_event_of_a_transaction_rolled_back_never_leaves(sessions: Sessions) -> None:
    bus = Bus()
    with sessions() as session:
        OUTBOX.add(session, NewEvent("Counted.v1", {"number": 1}, NOON, Cause()))
        session.rollback()
    assert relay_to(bus, sessions).publish_batch() == 0
    assert bus.calls == []


def test_a_published_event_is_not_published_again(sessions: Sessions) -> None:
    bus = Bus()
    write(sessions, 1)
    relay = relay_to(bus, sessions)
    assert (relay.publish_batch(), relay.publish_batch()) == (1, 0)


def test_a_call_carries_ten_events_at_most_in_the_order_written(sessions: Sessions) -> None:
    bus = Bus()
    write(sessions, *range(23))
    relay = relay_to(bus, sessions)
    assert [relay.publish_batch() for _ in range(3)] == [10, 10, 3]
    assert bus.accepted == list(range(23))


def test_an_entry_that_failed_is_sent_again_and_its_neighbours_are_not(sessions: Sessions) -> None:
    bus = Bus(accepts=lambda entry: number_of(entry) != 2)
    write(sessions, 1, 2, 3)
    relay = relay_to(bus, sessions)
    relay.publish_batch()
    assert (bus.accepted, unsent(sessions)) == ([1, 3], 1)
    bus.accepts = lambda _: True
    make_due(sessions)
    relay.publish_batch()
    assert (bus.accepted, unsent(sessions)) == ([1, 3, 2], 0)


def test_an_entry_that_failed_rests_before_its_next_attempt(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_of_kit, "FIRST_PAUSE_SECONDS", 3600)  # however long the second look takes to come
    monkeypatch.setattr(relay_of_kit, "LONGEST_PAUSE_SECONDS", 3600)
    bus = Bus(accepts=lambda _: False)
    write(sessions, 1)
    relay = relay_to(bus, sessions)
    assert (relay.publish_batch(), relay.publish_batch()) == (1, 0)


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="http://127.0.0.1:1"),
        ClientError({"Error": {"Code": "InternalFailure", "Message": "away"}}, "PutEvents"),
        CredentialsMissing("no AWS credentials"),
    ],
    ids=["the bus cannot be reached", "the bus answers an error", "there are no credentials yet"],
)
def test_a_call_that_failed_loses_nothing(sessions: Sessions, error: Exception) -> None:
    bus = Bus()
    write(sessions, 1, 2)
    relay = relay_to(bus, sessions)

    def fail() -> None:
        raise error

    bus.before = fail
    with pytest.raises(Unreachable):
        relay.publish_batch()
    bus.before = lambda: None
    assert relay.publish_batch() == 2
    assert bus.accepted == [1, 2]


class Killed(BaseException):
    """Ends a publication as a killed process would: nothing after it runs."""


def test_a_death_between_publication_and_mark_publishes_the_same_event_again(sessions: Sessions) -> None:
    bus = Bus()
    write(sessions, 1)

    def die() -> None:
        raise Killed

    bus.after = die
    with pytest.raises(Killed):
        relay_to(bus, sessions).publish_batch()
    bus.after = lambda: None
    relay_to(bus, sessions).publish_batch()
    first, second = (json.loads(call[0]["Detail"])["metadata"]["eventId"] for call in bus.calls)
    assert first == second
    assert unsent(sessions) == 0


def test_two_relays_never_hold_the_same_event(sessions: Sessions) -> None:
    slow, quick = Bus(), Bus()
    write(sessions, *range(10))
    inside, leave = threading.Event(), threading.Event()

    def wait_inside() -> None:
        inside.set()
        assert leave.wait(60)

    slow.before = wait_inside
    thread = threading.Thread(target=relay_to(slow, sessions).publish_batch)
    thread.start()
    assert inside.wait(60)
    write(sessions, 10)
    assert relay_to(quick, sessions).publish_batch() == 1
    leave.set()
    thread.join(60)
    assert (quick.accepted, slow.accepted) == ([10], list(range(10)))


def test_a_commit_wakes_the_relay(sessions: Sessions) -> None:
    bus = Bus()
    with started(relay_to(bus, sessions, poll_seconds=3600)) as relay:
        on_commit(sessions, relay.wake)
        wait_until(lambda: relay.running, what="the relay")
        write(sessions, 1)
        wait_until(lambda: bus.accepted == [1], what="the event")


def test_what_another_process_wrote_is_found_by_the_poll(sessions: Sessions) -> None:
    bus = Bus()
    with started(relay_to(bus, sessions, poll_seconds=0.05)):
        write(sessions, 1)
        wait_until(lambda: bus.accepted == [1], what="the event")


def test_the_relay_goes_on_when_the_bus_is_back(sessions: Sessions) -> None:
    bus = Bus()
    failures = iter(range(3))

    def fail_three_times() -> None:
        if next(failures, None) is not None:
            raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")

    bus.before = fail_three_times
    with started(relay_to(bus, sessions, poll_seconds=0.05)):
        write(sessions, 1)
        wait_until(lambda: bus.accepted == [1], what="the event")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_relay_that_dies_says_so(sessions: Sessions) -> None:
    dead = threading.Event()
    bus = Bus()

    def mistake() -> None:
        raise LookupError("a mistake in the code")

    bus.before = mistake
    write(sessions, 1)
    relay = relay_to(bus, sessions, on_death=dead.set)
    relay.start()
    assert dead.wait(60)
    wait_until(lambda: not relay.running, what="the relay's end")
