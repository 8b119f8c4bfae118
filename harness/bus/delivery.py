"""One attempt at a target, what its outcome means, and when the next attempt is due.

Source: EventBridge user guide, "Retrying events" and "Using dead-letter queues". What to do is decided here as values;
the router does it.
"""

import asyncio
import random
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from harness.bus.model import RetryPolicy, Target
from harness.bus.store import DeadLetter, Delivery
from harness.http_client import HttpClient, TargetUnreachable
from harness.wire import EVENTS_PATH, INTEGRATION_TIMEOUT_SECONDS, REQUEST_CONTEXT_HEADER

ERROR_MESSAGE_CHARACTERS = 1024


@dataclass(frozen=True, slots=True)
class Failure:
    """`code` is one of EventBridge's dead-letter codes; `retryable` False ends the attempts."""

    code: str
    message: str
    retryable: bool = True


Deliver = Callable[[Target, Delivery], Awaitable[Failure | None]]
"""One attempt; None when the target took the event."""


class HttpDelivery:
    """`POST {url}/events`, as the Lambda Web Adapter passes an event to a container. 2xx takes it.

    `containers`: the base URL of each function's container, by the function's ARN.
    """

    def __init__(
        self, client: HttpClient, containers: Mapping[str, str], *, timeout: float = INTEGRATION_TIMEOUT_SECONDS
    ) -> None:
        self._client = client
        self._containers = containers
        self._timeout = timeout

    async def __call__(self, target: Target, delivery: Delivery) -> Failure | None:
        headers = [("content-type", "application/json"), (REQUEST_CONTEXT_HEADER.decode(), "null")]
        if delivery.trace:
            headers.append(("x-amzn-trace-id", delivery.trace))
        name = target.arn.rpartition(":")[2]
        base = self._containers.get(target.arn)
        if base is None:
            return Failure("NO_RESOURCE", f"{target.arn} does not run here", retryable=False)
        url = base.rstrip("/") + EVENTS_PATH
        try:
            async with asyncio.timeout(self._timeout):
                answer = await self._client.post(url, headers, delivery.body)
        except TimeoutError:
            return Failure("TIMEOUT", f"{name} did not answer within {self._timeout:g} s")
        except TargetUnreachable as error:
            return Failure("CONNECTION_FAILURE", f"{name}: {error}")
        if 200 <= answer.status < 300:
            return None
        code = "THROTTLING" if answer.status == 429 else "ERROR_FROM_TARGET"
        return Failure(code, f"{name} answered {answer.status}")


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential with full jitter, in seconds; `speed` 60 makes a minute pass in a second (for tests)."""

    first: float = 0.2
    most: float = 300.0
    speed: float = 1.0

    def delay(self, attempt: int, uniform: Callable[[float, float], float] = random.uniform) -> float:
        """Before the attempt after number `attempt` (from 1)."""
        most = min(self.most, self.first * 2 ** min(attempt - 1, 30))
        # Never nothing at all: a target that fails at once would be asked again in a tight loop.
        return max(uniform(0, most), self.first / 10) / self.speed


@dataclass(frozen=True, slots=True)
class Retry:
    delay: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """`exhausted` is EventBridge's EXHAUSTED_RETRY_CONDITION, empty when the failure itself ended the attempts."""

    exhausted: str
    retries: int


def after_failure(
    failure: Failure, *, attempt: int, ingested: datetime, now: datetime, retry: RetryPolicy, backoff: Backoff
) -> Retry | GiveUp:
    """`attempt` counts from 1, so `MaximumRetryAttempts` 0 means one attempt."""
    if not failure.retryable:
        return GiveUp("", 0)
    if attempt > retry.maximum_retry_attempts:
        return GiveUp("MaximumRetryAttempts", attempt - 1)
    left = retry.maximum_event_age_seconds / backoff.speed - (now - ingested).total_seconds()
    if left <= 0:
        return GiveUp("MaximumEventAgeInSeconds", attempt - 1)
    return Retry(min(backoff.delay(attempt), left))


def dead_letter(
    queue: str, delivery: Delivery, failure: Failure, end: GiveUp, *, rule_arn: str, target_arn: str
) -> DeadLetter:
    attributes = {
        "RULE_ARN": rule_arn,
        "TARGET_ARN": target_arn,
        "ERROR_CODE": failure.code,
        "ERROR_MESSAGE": _one_line(failure.message),
        "RETRY_ATTEMPTS": str(end.retries),
    }
    if end.exhausted:
        attributes["EXHAUSTED_RETRY_CONDITION"] = end.exhausted
    return DeadLetter(delivery.id, queue, delivery.body, attributes)


def _one_line(text: str) -> str:
    printable = re.sub(r"[^\x20-\x7e]", " ", text)
    return printable[:ERROR_MESSAGE_CHARACTERS].strip()
