"""Whom a change hurts, and how."""

from collections.abc import Iterable
from dataclasses import dataclass

from harness.contracts.consumers.uses import Said


@dataclass(frozen=True, slots=True)
class Hurt:
    """`said`: whose use it is. `how`: what of it is touched, for people: `field $.total`."""

    said: Said
    certain: bool
    how: str

    @property
    def consumer(self) -> str:
        return self.said.consumer

    def __str__(self) -> str:
        return f"{self.said.text}{', ' if self.how else ''}{self.how}"


def worst_first(found: Iterable[Hurt]) -> tuple[Hurt, ...]:
    return tuple(sorted(dict.fromkeys(found), key=lambda hurt: (not hurt.certain, hurt.consumer)))
