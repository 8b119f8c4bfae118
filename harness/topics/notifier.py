"""Brings what is published to every subscriber that wants it, and again until it is there or given up.

Between any two steps the process may die: a publication is settled only after its deliveries are stored, a delivery
only after the subscriber took it or its dead letter is stored. Any number of processes share the work.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from harness.errors import FAULTS
from harness.storage.held import Held, StoreFull, StoreUnavailable
from harness.topics import writing
from harness.topics.filtering import Compile, wants
from harness.topics.model import DELIVERY, SIGNATURE, Delivery, Publication, Subscription
from harness.topics.outbox import Lane, Outbox
from harness.topics.registry import Registry
from harness.topics.signing import DEFAULT_VERSION, Signer

log = logging.getLogger(__name__)

PULL_SECONDS = 5.0
PAUSE_SECONDS = 0.5
# After a fault of ours about one message: it is tried for this long.
FAULT_SECONDS, MOST_FAULTS = 30.0, 20
CONCURRENCY = 32
# Amazon SNS Developer Guide, "Message delivery retries": HTTP endpoints without a policy of their own.
HTTP_RETRIES, HTTP_DELAY_SECONDS = 3, 20.0
_MOST_QUEUE_DELAY_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Failure:
    """`final`: another attempt would end the same."""

    message: str
    final: bool = False


class SendToQueue(Protocol):
    """Puts a message into a queue on behalf of a topic; why it cannot, None when it is there.

    `attributes`: type and value of each. May raise StoreUnavailable and StoreFull: try again later.
    """

    async def __call__(
        self,
        queue: str,
        body: str,
        *,
        topic: str,
        once: str,
        attributes: Mapping[str, tuple[str, str]],
        group: str,
        deduplication: str,
    ) -> str | None: ...


class Post(Protocol):
    """Posts to an address on behalf of an account: the status of the answer, or why there was none."""

    async def __call__(
        self, url: str, headers: Sequence[tuple[str, str]], body: bytes, *, account: str
    ) -> int | Failure: ...


class Notifier:
    """`compile`: what filter policies are. `speed`: retries come that many times sooner."""

    def __init__(
        self,
        registry: Registry,
        outbox: Outbox,
        *,
        compile: Compile,
        send: SendToQueue,
        post: Post,
        signer: Signer,
        concurrency: int = CONCURRENCY,
        speed: float = 1.0,
    ) -> None:
        self._registry = registry
        self._outbox = outbox
        self._compile = compile
        self._send = send
        self._post = post
        self._signer = signer
        self._concurrency = concurrency
        self._speed = speed

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set; then it takes nothing new and returns when what is under way has ended."""
        await self._outbox.prepare()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._lane(stop, Lane.PUBLISHED, self._share_out))
            group.create_task(self._lane(stop, Lane.ORDERED, self._in_order))
            group.create_task(self._lane(stop, Lane.QUEUES, self._deliver))
            group.create_task(self._lane(stop, Lane.HTTP, self._deliver))

    async def _lane(self, stop: asyncio.Event, lane: Lane, work: Callable[[Held], Awaitable[None]]) -> None:
        free = asyncio.Semaphore(1 if lane is Lane.ORDERED else self._concurrency)

        async def one(held: Held) -> None:
            try:
                await work(held)
            except (StoreUnavailable, StoreFull) as error:
                # Not settled, or given back: it comes again, and what is stored already is known by its name.
                log.warning("%s: %s", lane, error)
                await _give_back(held)
            # Whatever is about one message (a subscription that cannot be read, an answer, a fault of ours) must not
            # end the delivery of all others; the message comes again, many times and with pauses.
            except Exception:
                log.exception("%s: attempt %d at a message failed", lane, held.attempt)
                await self._put_aside(held)
            finally:
                free.release()

        async with asyncio.TaskGroup() as group:
            while not stop.is_set():
                await free.acquire()
                held: Sequence[Held] = ()
                try:
                    held = await _unless(stop, self._outbox.pull(lane, 1, PULL_SECONDS))
                except StoreUnavailable as error:
                    log.warning("%s", error)
                    await asyncio.sleep(PAUSE_SECONDS)
                if not held:
                    free.release()
                for item in held:
                    group.create_task(one(item))

    async def _put_aside(self, held: Held) -> None:
        if held.attempt < MOST_FAULTS:
            await _give_back(held, FAULT_SECONDS / self._speed)
            return
        log.error("a message is lost after %d attempts", held.attempt)
        try:
            await held.term()
        except StoreUnavailable as error:
            log.debug("%s", error)

    async def _share_out(self, held: Held) -> None:
        publication = Publication.from_bytes(held.body)
        for subscription in self._wanting(publication):
            delivery = Delivery(subscription.arn, publication)
            await self._outbox.add(lane_of(subscription), delivery.to_bytes(), once=delivery.id)
        await held.ack()

    async def _in_order(self, held: Held) -> None:
        """Of a FIFO topic: with every queue before the next one is begun."""
        delivered = Delivery.from_bytes(held.body)
        for subscription in self._wanting(delivered.publication):
            delivery = Delivery(subscription.arn, delivered.publication)
            failure = await self._attempt(delivery, subscription)
            if failure is not None:
                await self._give_up(delivery, subscription, failure)
        await held.ack()

    def _wanting(self, publication: Publication) -> list[Subscription]:
        return [
            subscription
            for subscription in self._registry.subscriptions(publication.topic)
            if subscription.confirmed and self._wants(subscription, publication)
        ]

    def _wants(self, subscription: Subscription, publication: Publication) -> bool:
        """What cannot be decided is not sent, and the other subscribers get theirs."""
        try:
            return wants(subscription, publication, self._compile)
        except FAULTS:
            log.exception("the filter policy of %s cannot be decided", subscription.arn)
            return False

    async def _deliver(self, held: Held) -> None:
        delivery = Delivery.from_bytes(held.body)
        found = await self._registry.subscription(delivery.subscription)
        if found is None or (delivery.kind == writing.NOTIFICATION and not found[0].confirmed):
            await held.ack()  # nobody waits for it any more
            return
        subscription = found[0]
        try:
            failure = await self._attempt(delivery, subscription)
        except (StoreUnavailable, StoreFull):
            raise
        except FAULTS:
            log.exception("%s, attempt %d met a fault", subscription.arn, held.attempt)
            failure = Failure("the message could not be brought to its subscriber", final=held.attempt >= MOST_FAULTS)
        if failure is None:
            await held.ack()
            return
        delay = None if failure.final else retry_delay(subscription, held.attempt)
        if delay is not None:
            log.info("%s, attempt %d: %s", subscription.arn, held.attempt, failure.message)
            await held.nak(delay / self._speed)
            return
        await self._give_up(delivery, subscription, failure)
        await held.ack()

    async def _attempt(self, delivery: Delivery, subscription: Subscription) -> Failure | None:
        raw = writing.is_raw(delivery, subscription)
        publication = delivery.publication
        body = publication.text(subscription.protocol) if raw else await self._wrapped(delivery, subscription)
        if subscription.protocol == "sqs":
            return await self._to_queue(subscription.endpoint, delivery, subscription, body)
        headers = writing.http_headers(delivery, subscription)
        answer = await self._post(subscription.endpoint, headers, body.encode(), account=subscription.owner)
        if isinstance(answer, Failure):
            return answer
        if 200 <= answer < 300:
            return None
        # A client error but "too many": another attempt would get the same answer.
        return Failure(f"{subscription.endpoint} answered {answer}", final=400 <= answer < 500 and answer != 429)

    async def _wrapped(self, delivery: Delivery, subscription: Subscription) -> str:
        found = await self._registry.topic(subscription.topic)
        version = found[0].given.get(SIGNATURE, DEFAULT_VERSION) if found else DEFAULT_VERSION
        return writing.wrapped(delivery, subscription, self._signer, version)

    async def _to_queue(self, queue: str, delivery: Delivery, subscription: Subscription, body: str) -> Failure | None:
        publication = delivery.publication
        ordered = queue.endswith(".fifo")
        refused = await self._send(
            queue,
            body,
            topic=publication.topic,
            once=delivery.id,
            attributes=writing.queue_attributes(delivery, subscription),
            group=publication.group,
            deduplication=publication.deduplication if ordered else "",
        )
        return None if refused is None else Failure(refused, final=True)

    async def _give_up(self, delivery: Delivery, subscription: Subscription, failure: Failure) -> None:
        log.warning("given up for %s: %s", subscription.arn, failure.message)
        if not subscription.dead_letters:
            return
        body = await self._wrapped(delivery, subscription)
        refused = await self._to_queue(subscription.dead_letters, delivery, subscription, body)
        if refused is not None:
            log.error("the dead letter of %s is lost: %s", subscription.arn, refused.message)


def lane_of(subscription: Subscription) -> Lane:
    return Lane.QUEUES if subscription.protocol == "sqs" else Lane.HTTP


def retry_delay(subscription: Subscription, attempt: int) -> float | None:
    """Seconds until the attempt after number `attempt` (from 1); None when that was the last."""
    if subscription.protocol == "sqs":
        return min(_MOST_QUEUE_DELAY_SECONDS, 0.2 * 2.0 ** min(attempt, 10))
    text = subscription.given.get(DELIVERY)
    policy: Mapping[str, int] = json.loads(text).get("healthyRetryPolicy", {}) if text else {}
    retries = policy.get("numRetries", HTTP_RETRIES)
    if attempt > retries:
        return None
    least = policy.get("minDelayTarget", HTTP_DELAY_SECONDS)
    most = policy.get("maxDelayTarget", max(least, HTTP_DELAY_SECONDS))
    return float(least + (most - least) * (attempt - 1) / max(1, retries - 1))


async def _give_back(held: Held, seconds: float = PAUSE_SECONDS) -> None:
    try:
        await held.nak(seconds)
    except StoreUnavailable as error:
        log.debug("%s", error)  # it comes back by itself, only later


async def _unless(stop: asyncio.Event, pull: Awaitable[Sequence[Held]]) -> Sequence[Held]:
    """What `pull` gives, or nothing once `stop` is set. A pull that has ended is never thrown away."""
    pulling = asyncio.ensure_future(pull)
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((pulling, stopping), return_when=asyncio.FIRST_COMPLETED)
        return pulling.result() if pulling.done() else ()
    finally:
        stopping.cancel()
        pulling.cancel()
