"""The topics and subscriptions that there are: documents in the state, which all processes share."""

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

from harness.errors import FAULTS
from harness.policy import Document
from harness.storage.state import Entry, Key, State
from harness.topics.model import Subscription, Topic, subscriptions_key, topic_key

log = logging.getLogger(__name__)

T = TypeVar("T", Topic, Subscription)


class Copy(Protocol):
    """The part of `storage.replica.Replica` that this needs."""

    def get(self, key: Key) -> Entry | None: ...

    def below(self, prefix: Key) -> list[Entry]: ...

    def listen(self, listener: Callable[[Key], None]) -> None: ...

    async def put(self, key: Key, value: bytes, *, expected: int | None = None) -> Entry: ...

    async def delete(self, key: Key, *, expected: int | None = None) -> None: ...


class Registry:
    """`copy` follows `state`; `known`: what has been parsed of it, by key, with its revision.

    Methods that write may raise Conflict, StoreFull, StoreUnavailable.
    """

    def __init__(self, copy: Copy, state: State) -> None:
        self._copy = copy
        self._state = state
        self.known: dict[Key, tuple[int, Topic | Subscription]] = {}
        copy.listen(self._changed)

    async def topic(self, arn: str) -> tuple[Topic, int] | None:
        """With its revision. What is not known here may have been made by another process a moment ago."""
        parts = arn.split(":")
        if len(parts) != 6 or parts[2] != "sns":
            return None
        key = topic_key(parts[4], parts[5])
        entry = self._copy.get(key) or await self._state.get(key)
        if entry is None:
            return None
        topic = self._parsed(entry, Topic.from_bytes)
        return (topic, entry.revision) if topic.arn == arn else None

    def topics(self, account: str) -> list[Topic]:
        return [self._parsed(entry, Topic.from_bytes) for entry in self._copy.below(("sns", "topic", account))]

    def all_topics(self) -> list[Topic]:
        return [self._parsed(entry, Topic.from_bytes) for entry in self._copy.below(("sns", "topic"))]

    async def subscription(self, arn: str) -> tuple[Subscription, int] | None:
        parts = arn.split(":")
        if len(parts) != 7 or parts[2] != "sns":
            return None
        key = (*subscriptions_key(arn), parts[6])
        entry = self._copy.get(key) or await self._state.get(key)
        return None if entry is None else (self._parsed(entry, Subscription.from_bytes), entry.revision)

    def subscriptions(self, topic: str) -> list[Subscription]:
        return list(self._readable(self._copy.below(subscriptions_key(topic))))

    def all_subscriptions(self) -> list[Subscription]:
        return list(self._readable(self._copy.below(("sns", "subscription"))))

    async def put(self, what: Topic | Subscription, *, expected: int | None = None) -> None:
        await self._copy.put(what.key, what.to_bytes(), expected=expected)

    async def delete(self, what: Topic | Subscription) -> None:
        await self._copy.delete(what.key)

    def policy(self, arn: str) -> Document | None:
        """As known here."""
        parts = arn.split(":")
        entry = self._copy.get(topic_key(parts[4], parts[5])) if len(parts) == 6 and parts[2] == "sns" else None
        return self._parsed(entry, Topic.from_bytes).policy if entry is not None else None

    def _changed(self, key: Key) -> None:
        if self._copy.get(key) is None:
            self.known.pop(key, None)

    def _readable(self, entries: Iterable[Entry]) -> Iterator[Subscription]:
        """One that cannot be read gets nothing and holds up no other."""
        for entry in entries:
            try:
                yield self._parsed(entry, Subscription.from_bytes)
            except FAULTS as error:
                log.error("%s cannot be read and gets nothing: %s", "/".join(entry.key), type(error).__name__)

    def _parsed(self, entry: Entry, parse: Callable[[bytes], T]) -> T:
        known = self.known.get(entry.key)
        if known is not None and known[0] == entry.revision:
            return known[1]  # type: ignore[return-value]
        parsed = parse(entry.value)
        self.known[entry.key] = (entry.revision, parsed)
        return parsed
