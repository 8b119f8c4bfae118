"""Topics of the manifests: made at the start, with their subscriptions, and fixed in what the manifest says of them."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from harness.storage.held import StoreUnavailable
from harness.storage.state import Conflict
from harness.topics.model import Subscription, Topic, dead_letters, topic_arn
from harness.topics.registry import Registry

_ATTEMPTS = 20
# The same subscription has the same id in every process that makes it.
_NAMESPACE = uuid.UUID("5c0e7a0e-3f0e-4d0b-9d1c-6c1f5f0b7a55")


@dataclass(frozen=True, slots=True)
class DeclaredSubscription:
    """`queue` is an ARN, `given` attributes as SNS has them, as text."""

    queue: str
    given: Mapping[str, str] = field(default_factory=dict)

    @property
    def dead_letters(self) -> str:
        return dead_letters(self.given)


@dataclass(frozen=True, slots=True)
class Declared:
    """`given` as in a subscription. `declared_in`: the manifest's name for whoever asks."""

    account: str
    name: str
    given: Mapping[str, str] = field(default_factory=dict)
    subscriptions: tuple[DeclaredSubscription, ...] = ()
    declared_in: str = ""


async def declare(registry: Registry, region: str, topics: Iterable[Declared], addresses: Mapping[str, str]) -> None:
    """Every edge of a landscape does this when it starts. `addresses`: host and port of the edge, by account id.

    A topic that no manifest declares any more is one like those that the API makes; a subscription ends.
    """
    wanted = {topic_arn(region, each.account, each.name): each for each in topics}
    for each in wanted.values():
        await _declare(registry, region, each)
    kept = set()
    for arn, each in wanted.items():
        for subscription in each.subscriptions:
            kept.add(await _subscribe(registry, arn, each, subscription, addresses))
    for known in registry.all_subscriptions():
        if known.declared_in and known.arn not in kept:
            await registry.delete(known)
    for topic in registry.all_topics():
        if topic.declared_in and topic.arn not in wanted:
            await _release(registry, topic)


async def _declare(registry: Registry, region: str, wanted: Declared) -> None:
    arn = topic_arn(region, wanted.account, wanted.name)
    for _ in range(_ATTEMPTS):
        known = await registry.topic(arn)
        topic = known[0] if known else Topic(region, wanted.account, wanted.name, uuid.uuid4().hex)
        # What an earlier manifest said goes; what the API set besides stays.
        kept = {name: value for name, value in topic.given.items() if name not in topic.fixed}
        changed = replace(
            topic, given={**kept, **wanted.given}, fixed=tuple(sorted(wanted.given)), declared_in=wanted.declared_in
        )
        if known is not None and changed == topic:
            return
        try:
            await registry.put(changed, expected=known[1] if known else 0)
            return
        except Conflict:
            continue
    raise StoreUnavailable(f"the topic {wanted.name} is changed all the time")


async def _subscribe(
    registry: Registry, topic: str, owner: Declared, wanted: DeclaredSubscription, addresses: Mapping[str, str]
) -> str:
    """Its ARN. One that the API made for the same queue becomes this one: a message comes once."""
    id = str(uuid.uuid5(_NAMESPACE, f"{topic} {wanted.queue}"))
    made = Subscription(topic, id, "sqs", wanted.queue, owner.account)
    for _ in range(_ATTEMPTS):
        others = (
            each for each in registry.subscriptions(topic) if (each.protocol, each.endpoint) == ("sqs", made.endpoint)
        )
        known = await registry.subscription(next((each.arn for each in others), made.arn))
        subscription = known[0] if known else made
        kept = {name: value for name, value in subscription.given.items() if name not in subscription.fixed}
        changed = replace(
            subscription,
            given={**kept, **wanted.given},
            owner=owner.account,
            # The queue's policy says whether the topic may send; nobody is asked besides.
            confirmed=True,
            address=addresses[wanted.queue.split(":")[4]],
            fixed=tuple(sorted(wanted.given)),
            declared_in=owner.declared_in,
        )
        if known is not None and changed == subscription:
            return subscription.arn
        try:
            await registry.put(changed, expected=known[1] if known else 0)
            return subscription.arn
        except Conflict:
            continue
    raise StoreUnavailable(f"the subscription {made.arn} is changed all the time")


async def _release(registry: Registry, topic: Topic) -> None:
    known = await registry.topic(topic.arn)
    if known is None:
        return
    try:
        await registry.put(replace(known[0], fixed=(), declared_in=""), expected=known[1])
    except Conflict:
        return  # another process does the same
