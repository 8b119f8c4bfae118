"""One attempt at a target over real HTTP, and what follows from its outcome."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from harness.bus.dead_letters import dead_letter
from harness.bus.model import RetryPolicy, Rule, Target
from harness.bus.routes import Route
from harness.bus.shaping.shape import WHOLE
from harness.bus.store import Delivery
from harness.bus.targets.delivery import Backoff, Failure, GiveUp, HttpDelivery, Retry, after_failure
from harness.http_client import HttpClient
from harness.wire import bus_arn, function_arn

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 1, 15, 12, 0, 0, tzinfo=UTC)
DELIVERY = Delivery("id-1", "key", b'{"id":"id-1"}', NOON, "Root=1-2")
RULE = Rule("placed", bus_arn("eu-west-1", "333333333333", "enterprise"), "333333333333", None)
STOCK = Route("key", RULE, Target("stock", function_arn("eu-west-1", "222222222222", "stock")), WHOLE)
ARNS = {"rule_arn": "arn:rule", "target_arn": "arn:target"}
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
REFUSED = Failure("ERROR_FROM_TARGET", "stock answered 500")
NO_CHANCE = Backoff(first=1, most=100)


@dataclass
class Container:
    """Answers each request on a connection with the next of `answers`; the last one is repeated."""

    answers: list[bytes]
    close_after_answer: bool = False
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                self.requests.append(head + await reader.readexactly(length))
                writer.write(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])
                await writer.drain()
                if self.close_after_answer:
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


@asynccontextmanager
async def running(container: Container) -> AsyncIterator[Route]:
    server = await asyncio.start_server(container.serve, "127.0.0.1", 0)
    container.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield STOCK
    server.close()


async def attempt(container: Container, *, times: int = 1, timeout: float = 60) -> Failure | None:
    client = HttpClient()
    outcome: Failure | None = None
    async with running(container) as route:
        for _ in range(times):
            outcome = await HttpDelivery(client, {route.target.arn: container.url}, timeout=timeout)(route, DELIVERY)
        await client.close()
    return outcome


def answer(status: str) -> bytes:
    return f"HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n".encode()


async def test_an_event_is_posted_as_the_web_adapter_posts_it() -> None:
    container = Container([OK])
    await attempt(container)
    head, body = container.requests[0].split(b"\r\n\r\n")
    assert sorted(head.decode().split("\r\n")) == sorted(
        [
            "POST /events HTTP/1.1",
            f"host: {container.url.removeprefix('http://')}",
            "content-type: application/json",
            "content-length: 13",
            "x-amzn-request-context: null",
            "x-amzn-trace-id: Root=1-2",
        ]
    )
    assert body == b'{"id":"id-1"}'


async def test_a_rule_that_somebody_made_reaches_no_container_of_another_account() -> None:
    container, client = Container([OK]), HttpClient()
    async with running(container) as declared:
        deliver = HttpDelivery(client, {declared.target.arn: container.url})
        failure = await deliver(replace(declared, rule=replace(RULE, managed=False)), DELIVERY)
        own = replace(RULE, bus_arn=bus_arn("eu-west-1", "222222222222", "b"), account="222222222222", managed=False)
        assert await deliver(replace(declared, rule=own), DELIVERY) is None
        await client.close()
    assert failure is not None
    assert (failure.code, failure.retryable, len(container.requests)) == ("NO_PERMISSIONS", False, 1)


async def test_a_rule_on_another_accounts_bus_reaches_the_containers_of_whoever_made_it() -> None:
    container, client = Container([OK]), HttpClient()
    async with running(container) as declared:
        deliver = HttpDelivery(client, {declared.target.arn: container.url})
        theirs = replace(RULE, managed=False, creator="222222222222")
        assert await deliver(replace(declared, rule=theirs), DELIVERY) is None
        # And not those of the bus's own account: it let the rule in, not to its container.
        own = replace(RULE, bus_arn=bus_arn("eu-west-1", "222222222222", "b"), account="222222222222", managed=False)
        failure = await deliver(replace(declared, rule=replace(own, creator="111111111111")), DELIVERY)
        await client.close()
    assert failure is not None
    assert (failure.code, failure.retryable, len(container.requests)) == ("NO_PERMISSIONS", False, 1)


@pytest.mark.parametrize("status", ["200 OK", "201 Created", "202 Accepted", "204 No Content"])
async def test_two_hundreds_take_the_event(status: str) -> None:
    assert await attempt(Container([answer(status)])) is None


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("301 Moved", "ERROR_FROM_TARGET"),
        ("400 Bad Request", "ERROR_FROM_TARGET"),
        ("404 Not Found", "ERROR_FROM_TARGET"),
        ("429 Too Many Requests", "THROTTLING"),
        ("500 Internal Server Error", "ERROR_FROM_TARGET"),
        ("503 Service Unavailable", "ERROR_FROM_TARGET"),
    ],
)
async def test_any_other_status_is_a_failed_attempt(status: str, code: str) -> None:
    assert await attempt(Container([answer(status)])) == Failure(code, f"stock answered {status[:3]}")


async def test_connections_are_used_again() -> None:
    container = Container([OK])
    await attempt(container, times=5)
    assert (container.connections, len(container.requests)) == (1, 5)


async def test_a_connection_closed_while_idle_is_replaced() -> None:
    container = Container([OK], close_after_answer=True)
    assert await attempt(container, times=3) is None
    assert len(container.requests) == 3


async def test_an_answer_in_chunks_is_read_to_its_end() -> None:
    chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    container = Container([chunked])
    assert await attempt(container, times=2) is None
    assert container.connections == 1


async def test_an_answer_without_a_length_ends_with_the_connection() -> None:
    assert await attempt(Container([b"HTTP/1.1 200 OK\r\n\r\nok"], close_after_answer=True)) is None


async def test_a_target_that_is_not_there_is_a_connection_failure() -> None:
    with socket.socket() as held:  # bound, so that nobody else listens there, and not listening either
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}"
        failure = await HttpDelivery(HttpClient(), {STOCK.target.arn: url})(STOCK, DELIVERY)
    assert failure is not None
    assert failure.code == "CONNECTION_FAILURE"


async def test_a_function_whose_container_does_not_run_is_not_tried_again() -> None:
    failure = await HttpDelivery(HttpClient(), {})(STOCK, DELIVERY)
    assert failure is not None
    assert (failure.code, failure.retryable) == ("NO_RESOURCE", False)


@pytest.mark.parametrize(
    "garbage",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"SMTP ready\r\n\r\n", id="no HTTP"),
        pytest.param(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf", id="half an answer"),
    ],
)
async def test_a_broken_answer_is_a_connection_failure(garbage: bytes) -> None:
    failure = await attempt(Container([garbage], close_after_answer=True))
    assert failure is not None
    assert failure.code == "CONNECTION_FAILURE"


async def test_a_target_that_does_not_answer_times_out() -> None:
    failure = await attempt(Container([b""]), timeout=0.05)
    assert failure == Failure("TIMEOUT", "stock did not answer within 0.05 s")


def after(attempt: int, *, age: float = 0, retry: RetryPolicy | None = None, backoff: Backoff = NO_CHANCE) -> object:
    return after_failure(
        REFUSED,
        attempt=attempt,
        ingested=NOON,
        now=NOON + timedelta(seconds=age),
        retry=retry or RetryPolicy(),
        backoff=backoff,
    )


def test_a_first_failure_is_tried_again() -> None:
    assert isinstance(after(1), Retry)


def test_no_retries_means_one_attempt() -> None:
    assert after(1, retry=RetryPolicy(maximum_retry_attempts=0)) == GiveUp("MaximumRetryAttempts", 0)


def test_the_last_retry_is_allowed() -> None:
    assert isinstance(after(185), Retry)


def test_after_the_last_retry_it_is_given_up() -> None:
    assert after(186) == GiveUp("MaximumRetryAttempts", 185)


def test_an_event_of_the_maximum_age_is_given_up() -> None:
    retry = RetryPolicy(maximum_event_age_seconds=60)
    assert after(3, age=60, retry=retry) == GiveUp("MaximumEventAgeInSeconds", 2)


def test_the_next_attempt_is_not_later_than_the_maximum_age() -> None:
    verdict = after(150, age=59.5, retry=RetryPolicy(maximum_event_age_seconds=60))
    assert isinstance(verdict, Retry)
    assert verdict.delay <= 0.5


def test_with_speed_the_maximum_age_comes_sooner() -> None:
    verdict = after(2, age=25, backoff=Backoff(speed=3600))
    assert verdict == GiveUp("MaximumEventAgeInSeconds", 1)


def test_a_failure_that_no_retry_mends_is_given_up_at_once() -> None:
    failure = Failure("NO_PERMISSIONS", "no", retryable=False)
    end = after_failure(failure, attempt=1, ingested=NOON, now=NOON, retry=RetryPolicy(), backoff=NO_CHANCE)
    assert end == GiveUp("", 0)


@pytest.mark.parametrize(("attempt", "most"), [(1, 1), (2, 2), (3, 4), (7, 64), (8, 100), (185, 100)])
def test_the_wait_doubles_up_to_its_most(attempt: int, most: float) -> None:
    assert replace(NO_CHANCE, uniform=lambda low, high: high).delay(attempt) == most


def test_the_wait_is_never_nothing() -> None:
    assert replace(NO_CHANCE, uniform=lambda low, high: low).delay(1) > 0


def test_a_dead_letter_carries_the_six_attributes() -> None:
    letter = dead_letter("queue", DELIVERY, REFUSED, GiveUp("MaximumRetryAttempts", 3), **ARNS)
    assert letter.attributes == {
        "RULE_ARN": "arn:rule",
        "TARGET_ARN": "arn:target",
        "ERROR_CODE": "ERROR_FROM_TARGET",
        "ERROR_MESSAGE": "stock answered 500",
        "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts",
        "RETRY_ATTEMPTS": "3",
    }


def test_a_dead_letter_that_was_not_retried_names_no_exhausted_condition() -> None:
    letter = dead_letter("queue", DELIVERY, Failure("NO_RESOURCE", "gone", retryable=False), GiveUp("", 0), **ARNS)
    assert "EXHAUSTED_RETRY_CONDITION" not in letter.attributes
    assert letter.attributes["RETRY_ATTEMPTS"] == "0"


def test_an_error_message_is_one_printable_line() -> None:
    letter = dead_letter("queue", DELIVERY, Failure("TIMEOUT", "a\r\nb: ü"), GiveUp("", 0), **ARNS)
    assert letter.attributes["ERROR_MESSAGE"] == "a  b:"
