"""The texts of a regular expression: all of them where they are few, some where they are not.

As in `regular`, what is made is a proposal: a validator decides.
"""

from collections.abc import Iterable
from random import Random
from typing import Final

from harness.contracts.schemas.regular import text_for, texts
from harness.contracts.schemas.regular_syntax import Choice, Literal, OneOf, Repeat, Row, Tree, UnknownSyntax, parsed

MOST_TEXTS: Final = 256
_DRAWS: Final = 24
_LONGEST: Final = 1_000
_ALPHABET: Final = 26
"""A set of more characters than this is no list of values."""


def all_texts(pattern: str) -> tuple[str, ...] | None:
    """None where there are more than `MOST_TEXTS`, or that is not known."""
    try:
        found = _all(parsed(pattern))
    except UnknownSyntax:
        return None
    return None if found is None else tuple(dict.fromkeys(found))


def drawn_texts(pattern: str, lengths: Iterable[int], random: Random) -> tuple[str, ...]:
    """Of several lengths, and some by chance; none of an expression whose texts are too long to look at."""
    try:
        draw = text_for(pattern)
    except UnknownSyntax:
        return ()
    chosen = [text for length in lengths for text in texts(pattern, length)]
    return tuple(dict.fromkeys((*chosen, *(draw(random) for _ in range(_DRAWS)))))


def _all(tree: Tree) -> list[str] | None:
    match tree:
        case Literal(text):
            return [text]
        case OneOf(ranges, _):
            if sum(high - low + 1 for low, high in ranges) > _ALPHABET:
                return None
            return [chr(code) for low, high in ranges for code in range(low, high + 1)]
        case Choice(arms):
            return _joined([_all(arm) for arm in arms])
        case Repeat(part, least, most):
            if most is None or most > MOST_TEXTS:
                return None
            once = _all(part)
            return _joined(_row([once] * times) for times in range(least, most + 1))
        case Row(parts):
            return _row([_all(part) for part in parts])


def _joined(each: Iterable[list[str] | None]) -> list[str] | None:
    found: dict[str, None] = {}
    for some in each:
        if some is None or len(found) + len(some) > MOST_TEXTS:
            return None
        found |= dict.fromkeys(some)
    return list(found)


def _row(parts: list[list[str] | None]) -> list[str] | None:
    found = [""]
    for ends in parts:
        if ends is None or len(found) * len(ends) > MOST_TEXTS or len(found[0]) > _LONGEST:
            return None
        found = [text + end for text in found for end in ends]
    return found
