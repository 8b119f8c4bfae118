"""What the parts remember besides events: rules, queues, archives, … as documents under keys, shared by all.

A key is a path of names (`("events", "rule", "enterprise", "to-stock")`), a value JSON as bytes. The revision counts
the changes of the whole state, so that "at least as new as" can be asked across processes.
"""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol

from harness.errors import HarnessError

Key = tuple[str, ...]


class Conflict(HarnessError):
    """Another process has changed the entry meanwhile: read it again."""


@dataclass(frozen=True, slots=True)
class Entry:
    key: Key
    value: bytes
    revision: int


@dataclass(frozen=True, slots=True)
class Change:
    """`value` None: the entry is gone."""

    key: Key
    value: bytes | None
    revision: int


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """Everything that there was at `revision` has been told."""

    revision: int


class State(Protocol):
    """Every method may raise StoreUnavailable."""

    async def prepare(self) -> None:
        """Makes the place. Calling again is harmless."""

    async def get(self, key: Key) -> Entry | None: ...

    async def put(self, key: Key, value: bytes, *, expected: int | None = None) -> int:
        """The new revision. `expected`: the revision that the entry must still have, 0 if it must not be there; raises
        Conflict otherwise.
        """

    async def delete(self, key: Key, *, expected: int | None = None) -> int:
        """What is not there is deleted already."""

    def changes(self) -> AsyncGenerator[Change | CaughtUp, None]:
        """Everything that there is, `CaughtUp`, then every change in its order, without end."""
