"""By what an index can find a condition: for each alternative a handle that every value it takes has too.

A handle is a (kind, value) pair in one hash table per path. `choices_of` says those of a condition, `Asking` those that
a value of an event must look up. Ranges have a table of their own (`harness.bus.patterns.ranges`).
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum, auto
from typing import Any

from harness.bus.patterns.addresses import address_digits
from harness.bus.patterns.clauses import Condition
from harness.bus.patterns.fields import Key, Scalar
from harness.bus.patterns.matchers import Addresses, Equals, Folded, Prefix, Range, Suffix, Wildcard
from harness.bus.patterns.numbers import comparable

GRAM = 3


class Kind(IntEnum):
    EXACT = auto()
    FOLDED = auto()
    PREFIX = auto()
    SUFFIX = auto()
    FOLDED_PREFIX = auto()
    FOLDED_SUFFIX = auto()
    GRAM = auto()  # a short stretch that lies anywhere in the string
    PRESENT = auto()


Handle = tuple[Kind, Any]


@dataclass(frozen=True, slots=True)
class Span:
    """Numbers, or digits of addresses (`texts`), from `low` to `high`, both taken in."""

    low: Any
    high: Any
    texts: bool


def choices_of(condition: Condition) -> Iterator[Collection[Handle | Span]]:
    """For each alternative of the condition, any of these finds it. Not for a condition that absence fulfils."""
    for key in condition.keys:
        yield ((Kind.EXACT, key),)
    for matcher in condition.matchers:
        read = _READ.get(type(matcher))
        yield read(matcher) if read else _PRESENT


_PRESENT: Collection[Handle | Span] = ((Kind.PRESENT, None),)


def _folded(matcher: Folded) -> Collection[Handle | Span]:
    match matcher.inner:
        case Equals(key):
            return ((Kind.FOLDED, key),)
        case Prefix(text) if text:
            return ((Kind.FOLDED_PREFIX, text),)
        case Suffix(text) if text:
            return ((Kind.FOLDED_SUFFIX, text),)
    return _PRESENT


def _wildcard(matcher: Wildcard) -> Collection[Handle | Span]:
    first, last = matcher.parts[0], matcher.parts[-1]
    if len(matcher.parts) == 1:
        return ((Kind.EXACT, first),)
    found: list[Handle] = []
    if first:
        found.append((Kind.PREFIX, first))
    if last:
        found.append((Kind.SUFFIX, last))
    # The longest stretch between two stars; its rarest part is chosen by whoever counts.
    inner = max(matcher.parts[1:-1], key=len, default="")
    size = min(GRAM, len(inner))
    if size:
        found += [(Kind.GRAM, inner[at : at + size]) for at in range(len(inner) - size + 1)]
    return found or _PRESENT


def _affix(kind: Kind) -> Callable[[Any], Collection[Handle | Span]]:
    return lambda matcher: ((kind, matcher.text),) if matcher.text else _PRESENT


def _range(matcher: Range) -> Collection[Handle | Span]:
    return (
        ((Kind.EXACT, matcher.low),) if matcher.low == matcher.high else (Span(matcher.low, matcher.high, texts=False),)
    )


_READ: dict[type[Any], Callable[[Any], Collection[Handle | Span]]] = {
    Prefix: _affix(Kind.PREFIX),
    Suffix: _affix(Kind.SUFFIX),
    Folded: _folded,
    Wildcard: _wildcard,
    Range: _range,
    Addresses: lambda matcher: (Span(matcher.low, matcher.high, texts=True),),
}


@dataclass(slots=True)
class Asking:
    """Which kinds of handle a path's table has, and of which lengths: nothing else is worth a look."""

    kinds: set[Kind] = field(default_factory=set)
    lengths: dict[Kind, tuple[int, ...]] = field(default_factory=dict)

    @classmethod
    def about(cls, handles: Iterable[Handle]) -> "Asking":
        lengths: dict[Kind, set[int]] = {}
        asking = cls()
        for kind, value in handles:
            asking.kinds.add(kind)
            if kind in _CUT:
                lengths.setdefault(kind, set()).add(len(value))
        asking.lengths = {kind: tuple(sorted(sizes)) for kind, sizes in lengths.items()}
        return asking

    def handles(self, value: Scalar, key: Key) -> Iterator[Handle]:
        """Those of the value that may be in the table; one may come twice."""
        kinds = self.kinds
        if Kind.EXACT in kinds:
            yield Kind.EXACT, key
        if Kind.PRESENT in kinds:
            yield Kind.PRESENT, None
        if not isinstance(value, str):
            return
        folded = value.casefold() if kinds & _FOLDING else ""
        if Kind.FOLDED in kinds:
            yield Kind.FOLDED, folded
        for kind, sizes in self.lengths.items():
            text = folded if kind in _FOLDING else value
            for size in sizes:
                if size > len(text):
                    break
                for piece in _CUT[kind](text, size):
                    yield kind, piece


_FOLDING = frozenset({Kind.FOLDED, Kind.FOLDED_PREFIX, Kind.FOLDED_SUFFIX})


def _beginning(text: str, size: int) -> tuple[str]:
    return (text[:size],)


def _ending(text: str, size: int) -> tuple[str]:
    return (text[len(text) - size :],)


def _grams(text: str, size: int) -> set[str]:
    return {text[at : at + size] for at in range(len(text) - size + 1)}


_CUT: dict[Kind, Callable[[str, int], Collection[str]]] = {
    Kind.PREFIX: _beginning,
    Kind.FOLDED_PREFIX: _beginning,
    Kind.SUFFIX: _ending,
    Kind.FOLDED_SUFFIX: _ending,
    Kind.GRAM: _grams,
}


def point_of(value: Scalar, *, texts: bool) -> Any:
    """What ranges are asked for; None for a value that lies in no range."""
    if texts:
        return address_digits(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not comparable(value):
        return None
    return float(value)
