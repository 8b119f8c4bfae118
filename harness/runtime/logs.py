"""Logs of a landscape's processes: written line by line with the time, rotated by size, read back and followed.

A line on disk is `2026-01-15T12:00:00.000000Z text`. Lines of other form (a traceback of the supervisor itself) count
as said at the time of the line before them.
"""

import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import merge
from pathlib import Path

from harness.clock import Clock, utc_now
from harness.errors import InputError, Problem, did_you_mean
from harness.runtime.folder import disk_trouble, shown

SUPERVISOR = "supervisor"
MAX_BYTES = 10_000_000
OLD_FILES = 2
_STAMPED = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z) (.*)", re.DOTALL)
_EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True, order=True)
class LogLine:
    time: datetime
    name: str
    text: str


def log_path(logs: Path, name: str) -> Path:
    return logs / f"{name}.log"


class LogFile:
    """Appends lines; at `max_bytes` the file becomes `.1`, `.1` becomes `.2`, and the oldest goes.

    A full disk must not end a landscape: lines that cannot be kept are counted and `trouble` names the reason.
    """

    def __init__(
        self, path: Path, *, clock: Clock = utc_now, max_bytes: int = MAX_BYTES, old_files: int = OLD_FILES
    ) -> None:
        self.path = path
        self.lost = 0
        self.trouble = ""
        self._clock = clock
        self._max_bytes = max_bytes
        self._old_files = old_files
        with disk_trouble(path):
            self._descriptor = self._open()
            self._size = os.fstat(self._descriptor).st_size

    def write(self, text: str) -> None:
        stamp = self._clock().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        data = f"{stamp} {text}\n".encode("utf-8", "replace")
        try:
            if self._size and self._size + len(data) > self._max_bytes:
                self._rotate()
            self._size += os.write(self._descriptor, data)
            self.trouble = ""
        except OSError as error:
            self.lost += 1
            self.trouble = error.strerror or str(error)

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _open(self) -> int:
        return os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def _rotate(self) -> None:
        for number in range(self._old_files, 0, -1):
            older = self.path.with_name(f"{self.path.name}.{number}")
            newer = self.path if number == 1 else self.path.with_name(f"{self.path.name}.{number - 1}")
            with suppress(FileNotFoundError):
                newer.replace(older)
        opened = self._open()
        self.close()
        self._descriptor, self._size = opened, 0


def names(logs: Path) -> list[str]:
    """Processes that have a log here."""
    return sorted(path.name.removesuffix(".log") for path in logs.glob("*.log"))


def read(logs: Path, chosen: Sequence[str] = (), *, last: int | None = None) -> list[LogLine]:
    """Lines of some processes (or all), oldest first; the `last` so many of all of them together.

    `InputError` when a chosen process has no log.
    """
    lines = list(merge(*(_lines_of(logs, name) for name in _chosen(logs, chosen))))
    return lines if last is None else lines[max(0, len(lines) - last) :]


def follow(
    logs: Path, chosen: Sequence[str] = (), *, last: int = 10, wait: Callable[[], bool], pause: float = 0.1
) -> Iterator[LogLine]:
    """The `last` lines, then each new one. When there is nothing new `wait` answers whether to go on, and `pause`
    seconds pass before the next look; when it says no there is one more, for what was written before the end.

    Goes on over rotation, and takes up processes whose log appears later when none were chosen.
    """
    tails = {name: _Tail(log_path(logs, name), name) for name in _chosen(logs, chosen)}
    for tail in tails.values():
        tail.skip_to_end()
    # Read behind the ends just noted, and whole before the first line is handed out: nothing written meanwhile is lost,
    # and what was written between the two looks is not told twice.
    shown = read(logs, chosen)
    told = set(shown)
    yield from shown[max(0, len(shown) - last) :]
    ended = False
    while True:
        if not chosen:
            for name in names(logs):
                tails.setdefault(name, _Tail(log_path(logs, name), name))
        fresh = sorted(line for tail in tails.values() for line in tail.fresh())
        yield from (line for line in fresh if line not in told)
        told.clear()
        if ended:
            return
        if not fresh:
            ended = not wait()
            if not ended:
                time.sleep(pause)


class _Tail:
    """Reads what was added to a file since the last look, through rotation."""

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self._name = name
        self._inode = 0
        self._offset = 0
        self._rest = b""
        self._time = _EPOCH

    def skip_to_end(self) -> None:
        with suppress(FileNotFoundError):
            stat = self._path.stat()
            self._inode, self._offset = stat.st_ino, stat.st_size

    def fresh(self) -> list[LogLine]:
        data = b""
        with suppress(FileNotFoundError), self._path.open("rb") as file:
            stat = os.fstat(file.fileno())
            if self._inode not in (0, stat.st_ino):
                data = self._rest_of_rotated()
            if stat.st_ino != self._inode or stat.st_size < self._offset:
                self._inode, self._offset = stat.st_ino, 0
            file.seek(self._offset)
            added = file.read()
            self._offset += len(added)
            data += added
        *whole, self._rest = (self._rest + data).split(b"\n")
        lines = list(_parse(self._name, whole, self._time))
        if lines:
            self._time = lines[-1].time
        return lines

    def _rest_of_rotated(self) -> bytes:
        rotated = self._path.with_name(f"{self._path.name}.1")
        with suppress(FileNotFoundError), rotated.open("rb") as file:
            if os.fstat(file.fileno()).st_ino == self._inode:
                file.seek(self._offset)
                return file.read()
        return b""


def _chosen(logs: Path, chosen: Sequence[str]) -> Sequence[str]:
    known = names(logs)
    for name in chosen:
        if name not in known:
            hint = did_you_mean(name, known) or f" (there are: {', '.join(known) or 'none yet'})"
            raise InputError([Problem(shown(logs), 0, f'no log of "{name}"{hint}')])
    return chosen or known


def _lines_of(logs: Path, name: str) -> list[LogLine]:
    path = log_path(logs, name)
    older = sorted(path.parent.glob(f"{path.name}.*"), reverse=True)
    lines: list[LogLine] = []
    for file in (*older, path):
        with suppress(FileNotFoundError):  # rotated away meanwhile
            raw = file.read_bytes().split(b"\n")
            lines += _parse(name, raw[:-1] if raw[-1] == b"" else raw, lines[-1].time if lines else _EPOCH)
    return lines


def _parse(name: str, raw: Sequence[bytes], before: datetime) -> Iterator[LogLine]:
    for each in raw:
        text = each.decode("utf-8", "replace")
        if stamped := _STAMPED.fullmatch(text):
            before = datetime.fromisoformat(stamped[1])
            text = stamped[2]
        yield LogLine(before, name, text)
