"""May these contracts ship? Every change with whom it hurts, and what the rules of releases say."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from harness.contracts.consumers import (
    ApiChange,
    ApiContract,
    EventChange,
    Footprint,
    Hurt,
    hurt_by_api,
    hurt_by_event,
    published,
)
from harness.contracts.finding import Finding, Level, Place, Source
from harness.contracts.release.compatibility import Mode, ReleasedSchema, incompatibilities
from harness.contracts.release.lifecycle import lifecycle_changes
from harness.contracts.release.state import DomainState, EventState, Released, VersionState

Diff = Callable[[ApiContract, ApiContract], Sequence[Finding]]
"""The findings of two versions of one API's contract."""
Settle = Callable[[Sequence[Finding]], Sequence[Finding]]
"""Findings about an event, at the levels and without the ignores of a team's own settings."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A finding about `contract` (`orders v2`, `OrderPlaced.v1`). `refuses`: it keeps the change from shipping.

    `crossed`: consumers were held against it; else `hurt` says nothing. `mend` is what to do where it refuses.
    """

    contract: str
    finding: Finding
    hurt: tuple[Hurt, ...] = ()
    refuses: bool = False
    crossed: bool = True
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`against` and `consumers` are for people: what was compared with, and who was asked."""

    domain: str
    against: str
    judged: tuple[Judged, ...]
    consumers: tuple[str, ...]

    @property
    def may_ship(self) -> bool:
        return not any(judged.refuses for judged in self.judged)


def judge_release(
    old: DomainState | None,
    new: DomainState,
    *,
    against: str,
    footprints: Sequence[Footprint],
    expectations: Iterable[Finding],
    diff: Diff,
    settle: Settle,
    released: Released,
    today: date,
) -> Verdict:
    """`footprints`: of the consumers of this domain, as they are now, resolved against what was there before.

    `expectations`: what consumers expect (of this domain, or this domain of others) and is not kept.
    """
    judged = [*_contract_changes(old, new, footprints, diff, settle, released, today), *_lock(old, new, released)]
    judged += _expectations(judged, expectations)
    consumers = tuple(sorted({footprint.consumer for footprint in footprints}))
    return Verdict(new.name, against, tuple(sorted(judged, key=_order)), consumers)


def _expectations(judged: Sequence[Judged], expectations: Iterable[Finding]) -> Iterator[Judged]:
    """Without those that a change has been said to break. Who stayed on a version past its sunset was told so."""
    told = _users(one for one in judged if one.refuses)
    left = _users(one for one in judged if one.finding.rule == "version-removed-after-sunset")
    for finding in expectations:
        if finding.text.startswith(told):
            continue
        if finding.text.startswith(left) and finding.level is Level.BREAKING:
            finding = replace(finding, level=Level.RISKY, reason="what it expects went after its sunset")
        yield Judged("expectations", finding, refuses=finding.level is Level.BREAKING, crossed=False)


def _users(judged: Iterable[Judged]) -> tuple[str, ...]:
    """As the findings about expectations begin."""
    return tuple({f"{each.consumer} ({each.said.text})" for one in judged for each in one.hurt})


_ORDER = {Level.BREAKING: 0, Level.RISKY: 1, Level.SAFE: 2}


def _order(judged: Judged) -> tuple[bool, int, str, str]:
    return (not judged.refuses, _ORDER[judged.finding.level], judged.contract, judged.finding.place.label)


def _contract_changes(
    old: DomainState | None,
    new: DomainState,
    footprints: Sequence[Footprint],
    diff: Diff,
    settle: Settle,
    released: Released,
    today: date,
) -> Iterator[Judged]:
    if old is None:
        return
    for name, version in old.versions.items():
        now = new.versions.get(name)
        contract = f"{new.name} {name}"
        if now is not None:
            base = released.apis.get(name, version.contract)
            yield from _api_changes(contract, base, version, now, old, footprints, diff)
        change = ApiChange(name, version.contract, now.contract if now else None)
        is_released = old.lock.latest(version.key) is not None
        for finding in lifecycle_changes(name, version, now, today=today):
            hurt = hurt_by_api(finding, change, footprints)
            yield _lifecycle(contract, finding, hurt, is_released=is_released)
    for name, event in old.events.items():
        yield from _event_changes(name, event, new.events.get(name), old, footprints, released, settle)


def _api_changes(
    contract: str,
    base: ApiContract,
    was: VersionState,
    now: VersionState,
    old: DomainState,
    footprints: Sequence[Footprint],
    diff: Diff,
) -> Iterator[Judged]:
    if base is was.contract and was.texts == now.texts:
        return
    change = ApiChange(now.contract.version, base, now.contract)
    is_released = old.lock.latest(was.key) is not None
    for finding in diff(base, now.contract):
        hurt = hurt_by_api(finding, change, footprints) if finding.level is not Level.SAFE else ()
        yield _judged(contract, finding, hurt, is_released=is_released, kind="version")


def _judged(contract: str, finding: Finding, hurt: tuple[Hurt, ...], *, is_released: bool, kind: str) -> Judged:
    """A break refuses where it hurts somebody, or where the contract is released: what is released stays good."""
    certain = any(each.certain for each in hurt)
    breaking = finding.level is Level.BREAKING
    refuses = certain or (breaking and (bool(hurt) or is_released))
    mend = ""
    if refuses and (is_released or hurt):
        mend = f"keep it as it was, or make a new {kind} beside it"
        if is_released and not hurt:
            mend += "; a released contract changes compatibly only"
    return Judged(contract, finding, hurt, refuses, crossed=finding.level is not Level.SAFE, mend=mend)


def _lifecycle(contract: str, finding: Finding, hurt: tuple[Hurt, ...], *, is_released: bool) -> Judged:
    """A version may go before its sunset while nobody uses it; after it, whoever still does was told."""
    if finding.level is not Level.BREAKING:
        return Judged(contract, finding, hurt)
    if not hurt:
        note = "nobody is known to use it" + ("" if is_released else ", and it was never released")
        return Judged(contract, replace(finding, level=Level.RISKY, reason=note))
    return Judged(contract, finding, hurt, refuses=True, mend="keep it until then, or move its consumers first")


def _event_changes(
    name: str,
    was: EventState,
    now: EventState | None,
    old: DomainState,
    footprints: Sequence[Footprint],
    released: Released,
    settle: Settle,
) -> Iterator[Judged]:
    (before,) = published([was.contract])
    after = published([now.contract])[0] if now else None
    change = EventChange(name, before, after)
    is_released = old.lock.latest(was.key) is not None
    if now is None:
        place = Place("event", "event", detail_type=name)
        finding = Finding("event-removed", Level.BREAKING, place, f"{name} is published no more", old=_file(was))
        hurt = hurt_by_event(finding, change, footprints)
        level = Level.BREAKING if hurt else Level.RISKY
        mend = "publish it until nobody uses it" if hurt else ""
        yield Judged(name, replace(finding, level=level), hurt, refuses=bool(hurt), mend=mend)
        return
    base = ReleasedSchema("version before this change", was.contract.detail)
    versions = [*(each for each in released.events.get(name, ())), *([base] if was.texts != now.texts else [])]
    if now.mode is not was.mode and now.mode in _WEAKER.get(was.mode, ()):
        text = f"the compatibility of {name} is now {now.mode}, and was {was.mode}: less is promised"
        place = Place("event", "event", detail_type=name)
        yield Judged(
            name, Finding("event-compatibility-weakened", Level.RISKY, place, text, new=_file(now)), crossed=False
        )
    if was.texts == now.texts:
        return
    for finding in settle(incompatibilities(name, versions, now.contract.detail, now.mode)):
        hurt = hurt_by_event(finding, change, footprints)
        yield _judged(name, finding, hurt, is_released=is_released, kind="event type")


_WEAKER = {
    stronger: tuple(
        mode
        for mode in Mode
        if mode is not stronger
        and not (
            (mode.backward or not stronger.backward)
            and (mode.forward or not stronger.forward)
            and (mode.transitive or not stronger.transitive)
        )
    )
    for stronger in Mode
}


def _file(event: EventState) -> Source:
    return Source(event.contract.file, 0)


def _lock(old: DomainState | None, new: DomainState, released: Released) -> Iterator[Judged]:
    """The lock itself: releases are added to, and never taken back while their contract is there."""
    place = Place("api", "document")
    source = Source(new.lock_file, 0)
    texts = new.texts
    for release in old.lock.releases if old else ():
        if release.file in texts and release not in new.lock.releases:
            text = f"{release.file}: the release of {release.day} was taken out of the lock"
            finding = Finding("release-taken-back", Level.BREAKING, place, text, new=source)
            mend = f"restore {new.lock_file}; harness release adds to it"
            yield Judged("releases", finding, refuses=True, crossed=False, mend=mend)
    for file in released.lost:
        text = f"{file}: the text of a release was not found in git, so that it could not be compared"
        finding = Finding("release-not-found", Level.RISKY, place, text, new=source)
        yield Judged("releases", finding, crossed=False)
    for file, text in texts.items():
        latest = new.lock.latest(file)
        if latest is not None and not new.lock.has(file, text):
            said = f"{file} is not as it was released on {latest.day}: run harness release {new.name} when it ships"
            yield Judged(
                "releases", Finding("release-not-recorded", Level.SAFE, place, said, new=source), crossed=False
            )
