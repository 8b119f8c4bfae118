"""What a queue's messages lie on, whichever way they are kept: the protocol of both kinds of shelf.

A message is kept when `append` returns, and gone when `erase` does. Who holds it meanwhile, and until when, is said by
its lane's claims, written by compare and swap: of two processes that take the same message one gets it. Whoever dies
in between leaves a message that comes forth again: at least once, nothing lost.
"""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol

from harness.queues.index import Arrived, Lane
from harness.queues.message import Message


@dataclass(frozen=True, slots=True)
class Purged:
    """Every message up to this sequence has been taken away."""

    upto: int


@dataclass(frozen=True, slots=True)
class Told:
    """Everything that there was when the telling began has been told; messages up to `upto`."""

    upto: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a queue's messages are kept: `id` is new with each queue that is made, `seconds` is how long they stay.

    `once_seconds`: how long a message is known by the name under which it was appended.
    """

    id: str
    ordered: bool
    seconds: int
    once_seconds: int


class Shelf(Protocol):
    """Of one queue. Every method may raise StoreUnavailable; those that write may raise StoreFull."""

    async def append(self, message: Message, *, once: str) -> tuple[int, bool]:
        """The message's sequence, and whether one of the name `once` was kept a while ago: then nothing is added."""

    async def append_all(self, messages: Sequence[tuple[Message, str]]) -> None:
        """Each with its `once`, in this order. Does not wait long; when it raises, some may be kept."""

    async def fetch(self, sequence: int) -> Message | None: ...

    async def erase(self, sequence: int) -> None:
        """What is not there is erased already."""

    async def purge(self) -> int:
        """Erases all; the last sequence that went."""

    async def newest(self) -> int:
        """The sequence of the last message that was appended."""

    async def lane(self, key: str) -> Lane: ...

    async def write_lane(self, lane: Lane) -> int:
        """The new revision. Raises Conflict if the one that is kept is no longer `lane.revision`."""

    def messages(self) -> AsyncGenerator[Arrived | Told, None]:
        """Those that there are, `Told`, then each that is appended, without end."""

    def lanes(self) -> AsyncGenerator[Lane | Purged | Told, None]:
        """Those that have claims, `Told`, then every change, without end."""


class Shelves(Protocol):
    async def keep(self, place: Place) -> None:
        """Makes the place, or brings it up to date."""

    async def drop(self, place_id: str) -> None:
        """With all that is in it."""

    def shelf(self, place: Place) -> Shelf: ...
