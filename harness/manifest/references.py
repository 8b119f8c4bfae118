"""What only several files together can get wrong: names that nothing has, names that two things have."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from harness.errors import did_you_mean
from harness.manifest.fields import At, Where

T = TypeVar("T")


def known(kind: str, named: At[str], table: Mapping[str, T], where: Where) -> T | None:
    """What `named` refers to; None after an unknown name, or an earlier mistake that left no name, is put down."""
    if named.value in table:
        return table[named.value]
    if named.value:
        hint = did_you_mean(named.value, list(table)) or f": known are {', '.join(table) or 'none'}"
        where.problem(named.line, f'unknown {kind} "{named.value}"{hint}')
    return None


@dataclass(frozen=True, slots=True)
class Claim:
    """That `owner` has something for itself alone. `line` 0: by default, written nowhere. Empty keys claim nothing."""

    key: str
    owner: str
    where: Where
    line: int


def once(text: str, claims: Iterable[Claim]) -> None:
    """A problem for each claim of a key that an earlier one has; `text` may use `{key}` and the earlier's `{owner}`."""
    first: dict[str, Claim] = {}
    # What is written down is the mistake, not the default that it collides with.
    for claim in sorted(claims, key=lambda claim: claim.line != 0):
        taken = first.setdefault(claim.key, claim)
        if claim.key and taken is not claim:
            place = f"{taken.where.file}:{taken.line}" if taken.line else "by default"
            claim.where.problem(claim.line, f"{text.format(key=claim.key, owner=taken.owner)} ({place})")


def repeated(what: str, names: Sequence[At[str]], where: Where) -> None:
    """A problem for every name that the list has already."""
    once(f'{what} "{{key}}" is listed twice', (Claim(name.value, name.value, where, name.line) for name in names))
