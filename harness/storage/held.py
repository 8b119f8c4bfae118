"""What storage hands out, and how it fails: values that every part with something to keep shares.

What is held and never settled (its holder died) is handed out again: at least once, nothing lost.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from harness.errors import HarnessError


class StoreUnavailable(HarnessError):
    """The store did not confirm in time. What was sent may or may not be stored: send it again."""


class StoreFull(HarnessError):
    """The store is at its bound and keeps what it has."""


class ShareUsed(StoreFull):
    """An account has used its share of the state: it has to delete something before it makes more."""


class Settlement(Enum):
    ACK = "ack"  # done, forget it
    NAK = "nak"  # hand it out again after a delay
    TERM = "term"  # never hand it out again
    PROGRESS = "progress"  # still being worked on


@dataclass(frozen=True, slots=True)
class Held:
    """Something handed out and not yet settled. `attempt` counts from 1; `stored` is when the store took it."""

    body: bytes
    headers: Mapping[str, str]
    attempt: int
    stored: datetime
    settle: Callable[[Settlement, float], Awaitable[None]]

    async def ack(self) -> None:
        await self.settle(Settlement.ACK, 0)

    async def nak(self, delay: float) -> None:
        """`delay` in seconds."""
        await self.settle(Settlement.NAK, delay)

    async def term(self) -> None:
        await self.settle(Settlement.TERM, 0)

    async def in_progress(self) -> None:
        await self.settle(Settlement.PROGRESS, 0)


def name_token(*parts: str) -> str:
    """A name for streams, consumers and subject tokens: letters, digits, `-`, `_`, `=` only, at most 200 characters."""
    name = "_".join("".join(map(_safe, part)) for part in parts)
    if len(name) <= 200:
        return name
    return f"{name[:160]}_{hashlib.sha256(name.encode()).hexdigest()[:32]}"


def _safe(char: str) -> str:
    if char.isascii() and (char.isalnum() or char == "-"):
        return char
    return "".join(f"={byte:02X}" for byte in char.encode())
