"""One attempt at a target, what its outcome means, and when the next attempt is due.

Source: EventBridge user guide, "Retrying events" and "Using dead-letter queues". What to do is decided here as values;
the router does it.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from harness.bus.model import RetryPolicy
from harness.bus.routes import Route
from harness.bus.store import Delivery
from harness.http_client import HttpClient, TargetUnreachable
from harness.wire import EVENTS_PATH, INTEGRATION_TIMEOUT_SECONDS, REQUEST_CONTEXT_HEADER


@dataclass(frozen=True, slots=True)
class Failure:
    """`code` is one of EventBridge's dead-letter codes; `retryable` False ends the attempts.

    `not_before`: seconds that the target asks to be left alone.
    """

    code: str
    message: str
    retryable: bool = True
    not_before: float = 0


Deliver = Callable[[Route, Delivery], Awaitable[Failure | None]]
"""One attempt, with the body as it is sent; None when the target took the event. May raise StoreUnavailable."""

DeliverAll = Callable[[Route, Sequence[Delivery]], Awaitable[bool]]
"""Many events to one target. False, StoreFull and StoreUnavailable: maybe not all are taken. Each is then delivered by
itself, and one that the target has already it knows by the delivery's id.
"""


class Deliveries:
    """By what a target's ARN names: `by_service` has the ARN's third part."""

    def __init__(self, by_service: Mapping[str, Deliver]) -> None:
        self._by_service = by_service

    async def __call__(self, route: Route, delivery: Delivery) -> Failure | None:
        deliver = self._by_service.get(service_of(route.target.arn))
        if deliver is None:
            return Failure("INVALID_PARAMETER", f"{route.target.arn} is no target of this bus", retryable=False)
        return await deliver(route, delivery)


@lru_cache(maxsize=1024)
def service_of(arn: str) -> str:
    """`lambda`, `sqs`, …; the two kinds that share the service `events` are `event-bus` and `api-destination`."""
    _, _, service, _, _, resource, *_ = [*arn.split(":", 5), "", "", "", "", ""]
    return resource.partition("/")[0] if service == "events" else service


def of_another_account(route: Route, action: str) -> Failure | None:
    """Functions and log groups have no policy here, so none lets a rule in that another account made. What a manifest
    declares is agreed: a domain's own manifest says what it subscribes to.
    """
    rule, target = route.rule, route.target
    if rule.managed or target.arn.split(":")[4] == (rule.creator or rule.account):
        return None
    text = f"{rule.arn} is not authorized to perform: {action} on resource: {target.arn}"
    return Failure("NO_PERMISSIONS", f"{text} because no resource-based policy allows it", retryable=False)


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

    async def __call__(self, route: Route, delivery: Delivery) -> Failure | None:
        target = route.target
        headers = [("content-type", "application/json"), (REQUEST_CONTEXT_HEADER.decode(), "null")]
        if delivery.trace:
            headers.append(("x-amzn-trace-id", delivery.trace))
        name = target.arn.rpartition(":")[2]
        refused = of_another_account(route, "lambda:InvokeFunction")
        if refused is not None:
            return refused
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
    """Exponential with full jitter, in seconds; `speed` 60 makes a minute pass in a second (for tests).

    `uniform`: a number between two.
    """

    first: float = 0.2
    # With the mean of half of it, 185 retries take most of the 24 hours that they have by default.
    most: float = 900.0
    speed: float = 1.0
    uniform: Callable[[float, float], float] = random.uniform

    def delay(self, attempt: int) -> float:
        """Before the attempt after number `attempt` (from 1)."""
        most = min(self.most, self.first * 2 ** min(attempt - 1, 30))
        # Never nothing at all: a target that fails at once would be asked again in a tight loop.
        return max(self.uniform(0, most), self.first / 10) / self.speed


@dataclass(frozen=True, slots=True)
class Retry:
    delay: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """`exhausted` is EventBridge's EXHAUSTED_RETRY_CONDITION, empty when the failure itself ended the attempts.

    `retries` is its RETRY_ATTEMPTS: the attempts after the first.
    """

    exhausted: str
    retries: int


def after_failure(
    failure: Failure, *, attempt: int, ingested: datetime, now: datetime, retry: RetryPolicy, backoff: Backoff
) -> Retry | GiveUp:
    """`attempt` counts from 1, so `MaximumRetryAttempts` 0 means one attempt."""
    if not failure.retryable:
        return GiveUp("", attempt - 1)
    if attempt > retry.maximum_retry_attempts:
        return GiveUp("MaximumRetryAttempts", attempt - 1)
    left = retry.maximum_event_age_seconds / backoff.speed - (now - ingested).total_seconds()
    if left <= 0:
        return GiveUp("MaximumEventAgeInSeconds", attempt - 1)
    delay = max(backoff.delay(attempt), failure.not_before / backoff.speed)
    return Retry(min(delay, left))
