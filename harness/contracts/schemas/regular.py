"""Texts that match a regular expression of ECMA-262. What is drawn is a proposal: a validator decides."""

from collections.abc import Callable
from functools import lru_cache, partial
from random import Random
from typing import Final

from harness.contracts.schemas.regular_syntax import Choice, Literal, OneOf, Repeat, Row, Tree, UnknownSyntax, parsed

_MAX_REPEAT: Final = 300
# How many more than it must a repetition without a bound has at most, where chance decides.
_MORE: Final = 2
_LONGEST: Final = 100_000


@lru_cache(maxsize=1024)
def texts(pattern: str, least: int = 0) -> tuple[str, ...]:
    """Some texts that `pattern` should match: the shortest, one of `least` characters and more where it can be."""
    try:
        tree = parsed(pattern)
        drawn = [_chosen(tree, 0, 0)] if least == 0 else []
        drawn += [_chosen(tree, more, 0) for more in (least, 1, 2)]
        others = [_chosen(tree, least, branch) for branch in (1, 2)]
    except UnknownSyntax:  # unfinished patterns are for the validator to refuse
        return ()
    before = [] if pattern.startswith("^") else [text.rjust(least, "x") for text in drawn]
    after = [] if pattern.endswith("$") else [text.ljust(least, "x") for text in drawn]
    return tuple(dict.fromkeys((*drawn, *others, *before, *after)))


def _chosen(tree: Tree, length: int, branch: int, drawn: int = 0) -> str:
    """`length`: what the text should have, to choose repetitions by; `drawn`: what it has; `branch`: which arm."""
    match tree:
        case Literal(text):
            return text
        case OneOf(_, first):
            return first
        case Choice(arms):
            return _chosen(arms[branch % len(arms)], length, branch)
        case Repeat(part, least, most):
            # So often that `length` characters come of it, if each time gives one.
            times = max(least, min(length - drawn, _MAX_REPEAT if most is None else min(most, _MAX_REPEAT)))
            if times > 10 * _MAX_REPEAT:
                raise UnknownSyntax(f"a text with {times} repetitions is too long for an example")
            text = _chosen(part, length, branch)
            if len(text) * times > _LONGEST:  # repetitions within each other
                raise UnknownSyntax(f"a text of {len(text) * times} characters is too long for an example")
            return text * times
        case Row(parts):
            text = ""
            for part in parts:
                text += _chosen(part, length, branch, len(text))
            return text


def text_for(pattern: str) -> Callable[[Random], str]:
    """Draws text that matches. Raises `UnknownSyntax`."""
    tree = parsed(pattern)
    if _longest(tree) > _LONGEST:
        raise UnknownSyntax(f"a text for the pattern {pattern} is too long for an example")
    return partial(_drawn, tree)


def _longest(tree: Tree) -> int:
    """The most that `_drawn` would do."""
    match tree:
        case Literal() | OneOf():
            return 1
        case Choice(arms):
            return max(_longest(arm) for arm in arms)
        case Repeat(part, least, most):
            return _most_times(least, most) * _longest(part)
        case Row(parts):
            return sum(_longest(part) for part in parts)


def _most_times(least: int, most: int | None) -> int:
    return least + _MORE if most is None else min(most, max(least, 1) + _MORE)


def _drawn(tree: Tree, random: Random) -> str:
    match tree:
        case Literal(text):
            return text
        case OneOf(ranges, _):
            # Printable characters where there are some: a caller has to read what is drawn.
            shown = [(max(low, 0x21), min(high, 0x7E)) for low, high in ranges if high >= 0x21 and low <= 0x7E]
            return chr(random.randint(*random.choice(shown or ranges)))
        case Choice(arms):
            return _drawn(random.choice(arms), random)
        case Repeat(part, least, most):
            times = random.randint(least, _most_times(least, most))
            return "".join(_drawn(part, random) for _ in range(times))
        case Row(parts):
            return "".join(_drawn(part, random) for part in parts)
