"""`contracts/released.lock`: the hash of every released contract, so that a release cannot be changed unnoticed.

One line for each release of a file, oldest first: its path below `contracts/`, the hash of its text, the day.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from harness.errors import InputError, Problem

NAME = "released.lock"
_HEAD = "# Released contracts: path, hash, day. Written by `harness release`; a release is never taken back by hand.\n"
_LINE = re.compile(r"(?P<file>\S+) (?P<digest>sha256:[0-9a-f]{64}) (?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})")


@dataclass(frozen=True, slots=True)
class Release:
    """`file` is the contract's path below the folder of the lock, with slashes."""

    file: str
    digest: str
    day: date


@dataclass(frozen=True, slots=True)
class Lock:
    releases: tuple[Release, ...] = ()

    def of(self, file: str) -> tuple[Release, ...]:
        """Every release of a file, oldest first."""
        return tuple(release for release in self.releases if release.file == file)

    def latest(self, file: str) -> Release | None:
        released = self.of(file)
        return released[-1] if released else None

    def has(self, file: str, text: str) -> bool:
        """Whether the latest release of a file has this text."""
        latest = self.latest(file)
        return latest is not None and latest.digest == digest(text)

    @property
    def files(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(release.file for release in self.releases))

    def released(self, texts: Mapping[str, str], day: date) -> "Lock":
        """With a release of each file whose text is not that of its latest one."""
        new = [Release(file, digest(text), day) for file, text in texts.items() if not self.has(file, text)]
        return Lock(_sorted((*self.releases, *new)))

    def without(self, files: Iterable[str]) -> "Lock":
        gone = set(files)
        return Lock(tuple(release for release in self.releases if release.file not in gone))


def _sorted(releases: Iterable[Release]) -> tuple[Release, ...]:
    """By file; `sorted` keeps the order of one file's releases."""
    return tuple(sorted(releases, key=lambda release: release.file))


def digest(text: str) -> str:
    """Of the text with plain line ends: a checkout on another system has the same."""
    return "sha256:" + hashlib.sha256(text.replace("\r\n", "\n").encode()).hexdigest()


def parse_lock(text: str, *, file: str) -> Lock:
    """Raises `InputError` with every line that is wrong."""
    releases: list[Release] = []
    problems: list[Problem] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        release = _release(line.rstrip(), file, number, problems)
        if release is not None:
            releases.append(release)
    if problems:
        raise InputError(problems)
    return Lock(_sorted(releases))


def _release(line: str, file: str, number: int, problems: list[Problem]) -> Release | None:
    found = _LINE.fullmatch(line)
    if found is None:
        mend = "a line is PATH sha256:HASH YYYY-MM-DD, as harness release writes it"
        problems.append(Problem(file, number, f'"{line}" is no release: {mend}'))
        return None
    try:
        return Release(found["file"], found["digest"], date.fromisoformat(found["day"]))
    except ValueError as error:
        problems.append(Problem(file, number, f"{found['day']} is no day: {error}"))
        return None


def serialise_lock(lock: Lock) -> str:
    return _HEAD + "".join(f"{release.file} {release.digest} {release.day}\n" for release in lock.releases)
