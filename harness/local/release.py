"""May a domain ship, held against another revision or folder; and writing down what has shipped."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.contracts.consumers import ApiContract, EventContractFile, subscription_findings, unmet
from harness.contracts.diff import Settings, diff_contracts, read_contract, read_settings
from harness.contracts.diff.document import of_findings
from harness.contracts.finding import Finding
from harness.contracts.release import (
    Diff,
    DomainState,
    EventState,
    Release,
    Released,
    ReleasedSchema,
    Settle,
    Verdict,
    digest,
    judge_release,
)
from harness.errors import InputError, Problem
from harness.local.contracts import Contracts, read_contracts, read_event
from harness.local.revisions import Revision, commits_of, find_revision, text_at, unpack

FORGET_AFTER_DAYS = 90
"""Recorded usage that is older is forgotten, unless another number is given."""

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Base:
    """What is compared with. `home`: where its landscape lies in `revision`'s repository; both None without git."""

    contracts: Contracts
    shown: str
    revision: Revision | None
    home: Path | None


def can_release(
    manifest: Path,
    domain: str,
    *,
    against: str,
    today: date,
    forget_after_days: int = FORGET_AFTER_DAYS,
    progress: Progress = lambda stage: None,
) -> Verdict:
    """`against`: a folder that has the landscape too, or a git revision. Raises `InputError`."""
    progress("reading contracts, pacts and rules")
    now = read_contracts(manifest)
    new = now.domain(domain)
    progress(f"reading {against}")
    with compared_with(manifest, against) as base:
        old = base.contracts.domains.get(domain)
        progress("holding changes against consumers")
        before = old or new
        return judge_release(
            old,
            new,
            against=base.shown,
            footprints=now.footprints(before.provider, today=today, forget_after_days=forget_after_days),
            expectations=expectations(now, domain, today=today, forget_after_days=forget_after_days),
            diff=diff_by(now, new, today=today),
            settle=settle_by(now, new, today=today),
            released=released_before(old, base) if old else Released(),
            today=today,
        )


def expectations(now: Contracts, domain: str, *, today: date, forget_after_days: int) -> list[Finding]:
    """What is not kept: what others expect of the domain, and what the domain expects of others."""
    found: list[Finding] = []
    for name, state in now.domains.items():
        for footprint in now.footprints(state.provider, today=today, forget_after_days=forget_after_days):
            if domain in (name, footprint.consumer):
                for use in footprint.uses:
                    found += unmet(use, state.provider)
    events = now.events
    for rule in now.subscriptions:
        for finding in subscription_findings(rule, events):
            publishers = {event.contract.provider for event in events if event.detail_type == finding.place.detail_type}
            if rule.consumer == domain or domain in publishers:
                found.append(finding)
    return found


@contextmanager
def compared_with(manifest: Path, against: str) -> Iterator[Base]:
    """The contracts of a folder or a revision; those of a revision can be read as long as the context lasts."""
    folder = Path(against)
    if folder.is_dir():
        contracts = _read_base(folder / manifest.name, against)
        yield Base(contracts, against, _revision_of(folder), folder.resolve())
        return
    revision = find_revision(against, manifest.parent)
    inside = os.path.relpath(manifest.parent, revision.repository)
    with TemporaryDirectory(prefix="harness-") as unpacked:
        unpack(revision, Path(unpacked))
        contracts = _read_base(Path(unpacked).resolve() / inside / manifest.name, revision.shown)
        yield Base(contracts, revision.shown, revision, revision.repository / inside)


def _read_base(manifest: Path, shown: str) -> Contracts:
    if not manifest.is_file():
        raise InputError([Problem("--against", 0, f"{shown} has no {manifest.name} at this place")])
    try:
        return read_contracts(manifest)
    except InputError as error:
        at = [Problem(f"{shown}: {problem.file}", problem.line, problem.text) for problem in error.problems]
        raise InputError(at) from error


def _revision_of(folder: Path) -> Revision | None:
    """The commit that a folder stands at, for its history; None where it has none."""
    try:
        return find_revision("HEAD", folder)
    except InputError:
        return None


def diff_by(now: Contracts, domain: DomainState, *, today: date) -> Diff:
    """The diff of two contracts by the rules of the team that owns the domain."""
    return partial(_diff, settings=_settings(now.folder, domain), today=today)


def _diff(old: ApiContract, new: ApiContract, *, settings: Settings, today: date) -> Sequence[Finding]:
    before, after = read_contract(old.file, old.read), read_contract(new.file, new.read)
    return _about_one(diff_contracts(before, after, today=today, settings=settings).findings)


def settle_by(now: Contracts, domain: DomainState, *, today: date) -> Settle:
    """Findings about events by the same rules."""
    return partial(_settle, settings=_settings(now.folder, domain), today=today)


def _settle(findings: Sequence[Finding], *, settings: Settings, today: date) -> Sequence[Finding]:
    return _about_one(of_findings(findings, today=today, settings=settings).findings)


def _about_one(findings: Sequence[Finding]) -> list[Finding]:
    """The settings are for all contracts: that an ignore hides nothing of one of them says nothing."""
    return [finding for finding in findings if finding.rule != "ignore-unused"]


def _settings(folder: Path, domain: DomainState) -> Settings:
    """`rules.yaml` beside the lock."""
    path = (folder / domain.lock_file).parent / "rules.yaml"
    if not path.is_file():
        return Settings()
    shown = Path(os.path.relpath(path, folder)).as_posix()
    return read_settings(shown, path.read_text(encoding="utf-8"))


def released_before(old: DomainState, base: Base) -> Released:
    """The texts of releases that differ from the base, out of git's history."""
    apis: dict[str, ApiContract] = {}
    events: dict[str, tuple[ReleasedSchema, ...]] = {}
    lost: list[str] = []
    for name, version in old.versions.items():
        latest = old.lock.latest(version.key)
        if latest is None or old.lock.has(version.key, version.texts[version.key]):
            continue
        read = _read_release(version.contract.file, latest, base)
        if read is None:
            lost.append(version.key)
        else:
            apis[name] = ApiContract(name, version.contract.file, read)
    for name, event in old.events.items():
        found = []
        for release in old.lock.of(event.key):
            schema = _released_event(old, event, release, base)
            if schema is None:
                lost.append(event.key)
            else:
                found.append(ReleasedSchema(f"release of {release.day}", schema.detail))
        events[name] = tuple(found)
    return Released(apis, events, tuple(dict.fromkeys(lost)))


def _released_event(old: DomainState, event: EventState, release: Release, base: Base) -> EventContractFile | None:
    if release.digest == digest(event.texts[event.key]):
        return event.contract
    read = _read_release(event.contract.file, release, base)
    return read_event(old.name, event.contract.detail_type, event.contract.file, read) if read else None


def _read_release(file: str, release: Release, base: Base) -> Callable[[str], str] | None:
    """How the files of a release are read; None where no commit has its text."""
    revision, folder = base.revision, base.home
    if revision is None or folder is None:
        return None
    for commit in commits_of(folder / file, revision):
        text = text_at(commit, folder / file, revision.repository)
        if text is not None and digest(text.removeprefix("\ufeff")) == release.digest:
            return partial(_text_at, commit, folder, revision)
    return None


def _text_at(commit: str, folder: Path, revision: Revision, name: str) -> str:
    text = text_at(commit, folder / name, revision.repository)
    if text is None:
        raise InputError([Problem(name, 0, f"is not there at commit {commit[:10]}, where its contract was released")])
    return text.removeprefix("\ufeff")
