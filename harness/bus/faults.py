"""What goes wrong with single items of work, a broken document or a fault of ours: the others go on."""

import time
from collections.abc import Callable
from pathlib import Path
from traceback import extract_tb
from typing import Generic, TypeVar

FIRST_SECONDS, MOST_SECONDS = 1.0, 300.0

T = TypeVar("T")


class Patience(Generic[T]):
    """With items that met a fault: each is left alone for a while, longer each time. `clock`: seconds that grow."""

    def __init__(
        self, *, clock: Callable[[], float] = time.monotonic, first: float = FIRST_SECONDS, most: float = MOST_SECONDS
    ) -> None:
        self._clock = clock
        self._first = first
        self._most = most
        self._left_alone: dict[T, tuple[int, float]] = {}

    def ready(self, item: T) -> bool:
        return self._left_alone.get(item, (0, 0.0))[1] <= self._clock()

    def failed(self, item: T) -> float:
        """For how many seconds it is left alone now."""
        times = self._left_alone.get(item, (0, 0.0))[0] + 1
        seconds = min(self._most, self._first * 2.0 ** min(times - 1, 30))
        self._left_alone[item] = times, self._clock() + seconds
        return seconds

    def forget(self, item: T) -> None:
        """It has passed, or is another one now."""
        self._left_alone.pop(item, None)

    def seconds_left(self) -> float | None:
        """Until the first of them may be tried again; None when none waits."""
        waits = [until - self._clock() for _, until in self._left_alone.values()]
        return max(0.0, min(waits)) if waits else None


def fault(error: BaseException) -> str:
    """Which fault and where it was met, for a log. Not in its own words: those may hold a secret."""
    name, frames = type(error).__name__, extract_tb(error.__traceback__)
    return f"{name} at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else name
