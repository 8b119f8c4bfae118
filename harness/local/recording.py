"""Writes down what has shipped: `released.lock` beside the contracts."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from harness.contracts.finding import Level
from harness.contracts.release import DomainState, Judged, Lock, Release, Released, judge_release, serialise_lock
from harness.errors import InputError, Problem, did_you_mean
from harness.local.contracts import Contracts, read_contracts
from harness.local.release import Progress, compared_with, diff_by, released_before, settle_by


@dataclass(frozen=True, slots=True)
class Recording:
    """`added` by lock file. `refused`: what changed since its last release and may not; then nothing was written."""

    added: Mapping[str, tuple[Release, ...]]
    refused: tuple[Judged, ...]


def record_release(
    manifest: Path, wanted: Sequence[str], *, today: date, progress: Progress = lambda stage: None
) -> Recording:
    """Adds contracts to their locks and writes these. `wanted`: `DOMAIN` or `DOMAIN@VERSION`; empty, all domains.

    Raises `InputError`, also where a contract changed and the text of its last release is not found in git.
    """
    progress("reading contracts")
    now = read_contracts(manifest)
    texts = _texts(now, wanted)
    progress("comparing with the last releases")
    refused = [one for name in texts for one in _refused(now, now.domains[name], texts[name], manifest, today)]
    if refused:
        return Recording({}, tuple(refused))
    locks: dict[str, Lock] = {}
    added: dict[str, tuple[Release, ...]] = {}
    for name, files in texts.items():
        state = now.domains[name]
        before = locks.get(state.lock_file, state.lock)
        after = locks[state.lock_file] = before.released(files, today)
        new = tuple(release for release in after.releases if release not in before.releases)
        added[state.lock_file] = added.get(state.lock_file, ()) + new
    for file, lock in locks.items():
        if added[file]:
            (now.folder / file).write_text(serialise_lock(lock), encoding="utf-8", newline="\n")
    return Recording(added, ())


def _texts(now: Contracts, wanted: Sequence[str]) -> dict[str, dict[str, str]]:
    """By domain the contract files that are meant, with their texts."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for each in wanted or tuple(now.domains):
        name, at, version = each.partition("@")
        state = now.domain(name)
        if not at:
            found[name] |= state.texts
            continue
        known = {each: own.texts for each, own in state.versions.items()}
        known |= {each: own.texts for each, own in state.events.items()}
        if version not in known:
            hint = did_you_mean(version, tuple(known)) or f": known are {', '.join(known) or 'none'}"
            raise InputError([Problem("DOMAIN", 0, f'{name} has no version or event "{version}"{hint}')])
        found[name] |= known[version]
    return found


def _refused(now: Contracts, state: DomainState, files: Mapping[str, str], manifest: Path, today: date) -> list[Judged]:
    changed = [file for file in files if state.lock.latest(file) and not state.lock.has(file, files[file])]
    if not changed:
        return []
    with compared_with(manifest, "HEAD") as base:
        old = base.contracts.domains.get(state.name)
        # The lock as it lies here: what was recorded and not committed yet is a release too.
        old = replace(old, lock=state.lock) if old else None
        released = released_before(old, base) if old else Released(lost=tuple(changed))
        lost = [Problem(state.lock_file, 0, _LOST.format(file)) for file in changed if file in released.lost]
        if lost:
            raise InputError(lost)
        verdict = judge_release(
            old,
            state,
            against=base.shown,
            footprints=(),
            expectations=(),
            diff=diff_by(now, state, today=today),
            settle=settle_by(now, state, today=today),
            released=released,
            today=today,
        )
    keys = {f"{state.name} {name}": version.key for name, version in state.versions.items()}
    keys |= {name: event.key for name, event in state.events.items()}
    return [
        replace(judged, crossed=False)  # nobody was asked, so that nothing is said of whom it hurts
        for judged in verdict.judged
        if judged.finding.level is Level.BREAKING and keys.get(judged.contract) in changed
    ]


_LOST = "{} changed, and the text of its last release is in no commit: commit it, or fetch the whole history"
