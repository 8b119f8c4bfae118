"""What of a landscape runs: which domains, and which APIs stubs made from their contracts stand for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness import manifest
from harness.errors import InputError, Problem, did_you_mean


@dataclass(frozen=True, slots=True)
class Selection:
    """Names in the manifest's order; none is in both."""

    domains: tuple[str, ...]
    stubs: tuple[str, ...] = ()


def select(
    landscape: manifest.Landscape, named: Sequence[str], stubs: Sequence[str] = (), *, alone: bool = False
) -> Selection:
    """The named domains, and stubs for what they call; every domain when none is named. Raises `InputError`.

    `stubs` are APIs that a stub stands for in any case; `alone`: nothing but those.
    """
    known = landscape.domains
    _check(named, "DOMAIN", known, "domain")
    _check(stubs, "API" if alone else "--stub", landscape.apis(), "API")
    both = [name for name in named if name in stubs]
    if both:
        raise InputError(
            [Problem("--stub", 0, f'"{name}" is also named to run itself: leave one out') for name in both]
        )
    if alone:
        return Selection((), _in_order(landscape, stubs))
    real = _in_order(landscape, named or [name for name in known if name not in stubs])
    called = {api for name in real for api in known[name].calls if api not in real} if named else set()
    return Selection(real, _in_order(landscape, [*stubs, *called]))


def with_providers(landscape: manifest.Landscape, named: Sequence[str]) -> list[str]:
    """The named domains and all that they call, directly or not; every domain when none is named."""
    if not named:
        return list(landscape.domains)
    _check(named, "DOMAIN", landscape.domains, "domain")
    wanted: list[str] = []
    pending = list(named)
    while pending:
        name = pending.pop(0)
        if name not in wanted:
            wanted.append(name)
            pending += landscape.domains[name].calls
    return [name for name in landscape.domains if name in wanted]


def _check(names: Sequence[str], where: str, known: Iterable[str], what: str) -> None:
    listed = list(known)
    for name in names:
        if name not in listed:
            hint = did_you_mean(name, listed) or f": known are {', '.join(listed)}"
            raise InputError([Problem(where, 0, f'unknown {what} "{name}"{hint}')])


def _in_order(landscape: manifest.Landscape, names: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in landscape.domains if name in names)
