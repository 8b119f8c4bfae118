"""Many ranges, asked which of them hold a value: a tree over their middles, logarithmic for what is not in many."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Ranges(Generic[T]):
    """Of closed ranges (low, high, item). Those around a node's middle lie there twice, by either end."""

    def __init__(self, ranges: Sequence[tuple[Any, Any, T]]) -> None:
        ends = sorted({end for low, high, _ in ranges for end in (low, high)})
        self._middle: Any = ends[len(ends) // 2]
        here = [item for item in ranges if item[0] <= self._middle <= item[1]]
        self._by_low = sorted(here, key=_low)
        self._by_high = sorted(here, key=_high)
        self._lows = [low for low, _, _ in self._by_low]
        self._highs = [high for _, high, _ in self._by_high]
        below = [item for item in ranges if item[1] < self._middle]
        above = [item for item in ranges if item[0] > self._middle]
        self._below = Ranges(below) if below else None
        self._above = Ranges(above) if above else None

    def holding(self, point: Any) -> Iterator[T]:
        node: Ranges[T] | None = self
        while node is not None:
            if point <= node._middle:
                for _, _, item in node._by_low[: bisect_right(node._lows, point)]:
                    yield item
                node = node._below
            else:
                for _, _, item in node._by_high[bisect_left(node._highs, point) :]:
                    yield item
                node = node._above


def _low(item: tuple[Any, Any, Any]) -> Any:
    return item[0]


def _high(item: tuple[Any, Any, Any]) -> Any:
    return item[1]
