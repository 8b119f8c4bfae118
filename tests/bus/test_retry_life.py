"""A day of retries in two seconds: the clock factor, the attempts as a tracer hears of them, and the dead letter."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import pytest

from harness.bus.model import RetryPolicy, Rule, Target
from harness.bus.patterns.pattern import compile_pattern
from harness.bus.routes import Route
from harness.bus.store import Delivery, Record, Store
from harness.bus.targets.delivery import Backoff, Failure
from harness.bus.tracing import Attempt
from harness.clock import utc_now
from harness.wire import function_arn
from tests.bus.routing import Queues, a_router

pytestmark = pytest.mark.anyio

DAY = 86_400
FACTOR = DAY / 2
QUEUE = "arn:aws:sqs:eu-west-1:222222222222:dead"
STOCK = function_arn("eu-west-1", "222222222222", "stock")


@dataclass
class Life:
    """What the tracer hears of one event, in seconds of the life that is lived so fast."""

    begun: datetime = field(default_factory=utc_now)
    matched_: list[tuple[str, list[str]]] = field(default_factory=list)
    attempts: list[tuple[float, Attempt]] = field(default_factory=list)
    delivered_: list[str] = field(default_factory=list)
    ends: list[tuple[str, str, str]] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def matched(self, event_id: str, bus: str, rules: Sequence[Rule]) -> None:
        self.matched_.append((event_id, [rule.name for rule in rules]))

    def attempted(self, attempt: Attempt) -> None:
        self.attempts.append(((utc_now() - self.begun).total_seconds() * FACTOR, attempt))

    def delivered(self, event_id: str, rule: Rule, target: Target) -> None:
        self.delivered_.append(event_id)
        self.ended.set()

    def given_up(self, event_id: str, rule: Rule, target: Target, *, code: str, queue: str, reason: str) -> None:
        self.ends.append((code, queue, reason))
        self.ended.set()


async def live(
    store: Store, bus: str, *, retry: RetryPolicy, queues: Queues, fails: int = 10_000, factor: float = FACTOR
) -> Life:
    """Of one event whose target fails so many times; the jitter takes the longest wait each time."""
    left = [None] * fails

    async def deliver(route: Route, delivery: Delivery) -> Failure | None:
        if left:
            left.pop()
            return Failure("ERROR_FROM_TARGET", "stock answered 500")
        return None

    life, stop = Life(), asyncio.Event()
    rule = Rule("placed", bus, "222222222222", compile_pattern({"source": ["a"]}), (Target("t", STOCK, retry, QUEUE),))
    backoff = Backoff(speed=factor, uniform=lambda low, high: high)
    await store.prepare([bus])
    running = asyncio.create_task(
        a_router(store, [rule], deliver, queues=queues, backoff=backoff, tracer=life).run(stop)
    )
    await store.publish(bus, [Record("id-1", json.dumps({"id": "id-1", "source": "a", "detail": {}}).encode())])
    await asyncio.wait_for(life.ended.wait(), 180)
    stop.set()
    await running
    return life


async def test_a_day_of_retries_ends_with_the_event_s_age(store: Store, bus: str) -> None:
    queues = Queues()
    life = await live(store, bus, retry=RetryPolicy(), queues=queues)
    (letter,) = queues.taken[QUEUE]
    at = [time for time, _ in life.attempts]
    planned = [attempt.next_in * FACTOR for _, attempt in life.attempts if attempt.next_in is not None]
    print("attempts at (hours):", *(f"{time / 3600:.2f}" for time in at))
    # The last wait ends with the event's age.
    assert planned[:-1] == pytest.approx([min(900, 0.2 * 2**number) for number in range(len(planned) - 1)])
    assert planned[-1] <= 900.001
    assert at[-1] >= DAY
    assert len(at) <= 109  # what a day holds of waits that double from 0.2 s up to 900 s
    assert letter["attributes"] == {
        "RULE_ARN": letter["source_arn"],
        "TARGET_ARN": STOCK,
        "ERROR_CODE": "ERROR_FROM_TARGET",
        "ERROR_MESSAGE": "stock answered 500",
        "EXHAUSTED_RETRY_CONDITION": "MaximumEventAgeInSeconds",
        "RETRY_ATTEMPTS": str(len(at) - 1),
    }
    assert [attempt.number for _, attempt in life.attempts] == list(range(1, len(at) + 1))
    assert (life.matched_, life.delivered_, life.ends) == (
        [("id-1", ["placed"])],
        [],
        [("ERROR_FROM_TARGET", QUEUE, "")],
    )


async def test_with_the_default_policy_the_retries_may_run_out_first(store: Store, bus: str) -> None:
    queues = Queues()
    retry = RetryPolicy(maximum_event_age_seconds=10**9)
    life = await live(store, bus, retry=retry, queues=queues, factor=1_000_000)
    (letter,) = queues.taken[QUEUE]
    assert letter["attributes"]["EXHAUSTED_RETRY_CONDITION"] == "MaximumRetryAttempts"
    assert (letter["attributes"]["RETRY_ATTEMPTS"], len(life.attempts)) == ("185", 186)


async def test_a_target_that_is_mended_gets_the_event_at_last(store: Store, bus: str) -> None:
    life = await live(store, bus, retry=RetryPolicy(), queues=Queues(), fails=12, factor=DAY / 60)
    assert life.delivered_ == ["id-1"]
    codes = [(attempt.code, attempt.next_in is None) for _, attempt in life.attempts]
    assert codes == [("ERROR_FROM_TARGET", False)] * 12 + [("", True)]
    assert life.ends == []


async def test_a_dead_letter_that_its_queue_does_not_take_is_set_aside_with_the_reason(store: Store, bus: str) -> None:
    text = "The specified queue does not exist or you do not have access to it."
    queues = Queues(refuses={QUEUE: Failure("NO_RESOURCE", text, retryable=False)})
    life = await live(store, bus, retry=RetryPolicy(maximum_retry_attempts=0), queues=queues)
    letters = [letter async for letter in store.undelivered() if bus.rpartition("/")[2] in str(letter.attributes)]
    assert [(letter.queue, letter.reason, letter.attributes["RETRY_ATTEMPTS"]) for letter in letters] == [
        (QUEUE, text, "0")
    ]
    assert life.ends == [("ERROR_FROM_TARGET", QUEUE, text)]
