"""EventBridge's match operators on one scalar of an event.

A compiled matcher is a frozen value, so that an index over many rules can look into it. Source: aws/event-ruler.
"""

from dataclasses import dataclass
from typing import Protocol

from harness.bus.patterns.addresses import address_digits
from harness.bus.patterns.fields import Key, Scalar, key_of
from harness.bus.patterns.numbers import comparable


class Matcher(Protocol):
    def holds(self, value: Scalar) -> bool: ...


@dataclass(frozen=True, slots=True)
class Exists:
    """Any scalar, null too."""

    def holds(self, value: Scalar) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Prefix:
    text: str

    def holds(self, value: Scalar) -> bool:
        return isinstance(value, str) and value.startswith(self.text)


@dataclass(frozen=True, slots=True)
class Suffix:
    text: str

    def holds(self, value: Scalar) -> bool:
        return isinstance(value, str) and value.endswith(self.text)


@dataclass(frozen=True, slots=True)
class Folded:
    """Another matcher on the case-folded string: `straße` equals `STRASSE`. Its own text is folded too."""

    inner: Matcher

    def holds(self, value: Scalar) -> bool:
        return isinstance(value, str) and self.inner.holds(value.casefold())


@dataclass(frozen=True, slots=True)
class Equals:
    key: Key

    def holds(self, value: Scalar) -> bool:
        return key_of(value) == self.key


@dataclass(frozen=True, slots=True)
class Range:
    """A JSON number between two bounds; an infinite bound is none. A number that no double holds lies nowhere."""

    low: float
    high: float
    low_open: bool
    high_open: bool

    def holds(self, value: Scalar) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        if isinstance(value, int):
            if not comparable(value):
                return False
            value = float(value)
        above = value > self.low if self.low_open else value >= self.low
        return above and (value < self.high if self.high_open else value <= self.high)


@dataclass(frozen=True, slots=True)
class Addresses:
    """IP addresses from `low` to `high`, as upper-case hexadecimal digits.

    The ruler compares digit by digit and does not part the families, so `0.0.0.0/0` takes in `::1`.
    """

    low: str
    high: str

    def holds(self, value: Scalar) -> bool:
        digits = address_digits(value)
        return digits is not None and self.low <= digits <= self.high


@dataclass(frozen=True, slots=True)
class Wildcard:
    """`parts` are the literal stretches between the stars; one part means no star."""

    parts: tuple[str, ...]

    def holds(self, value: Scalar) -> bool:
        if not isinstance(value, str):
            return False
        if len(self.parts) == 1:
            return value == self.parts[0]
        first, last = self.parts[0], self.parts[-1]
        end = len(value) - len(last)
        if end < len(first) or not value.startswith(first) or not value.endswith(last):
            return False
        at = len(first)
        for part in self.parts[1:-1]:
            found = value.find(part, at, end)
            if found < 0:
                return False
            at = found + len(part)
        return True


@dataclass(frozen=True, slots=True)
class AnythingBut:
    """A scalar equal to none of `keys`; values of other types pass."""

    keys: frozenset[Key]

    def holds(self, value: Scalar) -> bool:
        return key_of(value) not in self.keys


@dataclass(frozen=True, slots=True)
class NoneOf:
    """A scalar that none of the inner matchers takes; what is no string passes."""

    inner: tuple[Matcher, ...]

    def holds(self, value: Scalar) -> bool:
        return not any(matcher.holds(value) for matcher in self.inner)
