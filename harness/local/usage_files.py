"""`contracts/<provider>/consumers/<consumer>.recorded.jsonl`, shared by all edges of a landscape."""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from harness import manifest
from harness.contracts.usage import Usage, merge, parse_usage, serialise
from harness.errors import InputError, Problem
from harness.manifest.files import MAX_CONTRACT_BYTES, UnreadableError, read_text
from harness.runtime.folder import shown, write_whole

SUFFIX = ".recorded.jsonl"


def usage_folder(api: manifest.PrivateApi) -> Path:
    """`consumers` beside the folders of the API's versions."""
    first = next(iter(api.versions.values()))
    return first.contract.parent.parent / "consumers"


class UsageFiles:
    """`lock` is a file that every edge of the landscape locks before it reads and writes again."""

    def __init__(self, landscape: manifest.Landscape, lock: Path) -> None:
        self._folders = {api.id: usage_folder(api) for api in landscape.apis().values()}
        self._lock = lock

    def check(self) -> None:
        """Raises `InputError` with all that is wrong with the files that are there."""
        problems: list[Problem] = []
        for folder in self._folders.values():
            for file in sorted(folder.glob(f"*{SUFFIX}")):
                try:
                    _read(file)
                except InputError as error:
                    problems += error.problems
        if problems:
            raise InputError(problems)

    def add(self, provider: str, consumer: str, usages: Iterable[Usage]) -> None:
        """Adds to what the file says. Raises `InputError` for a file that is no such, `OSError`."""
        folder = self._folders[provider]
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{consumer}{SUFFIX}"
        with self._locked():
            known = _read(file) if file.exists() else ()
            write_whole(file, serialise(merge([*known, *usages])).encode(), mode=0o644)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _read(file: Path) -> tuple[Usage, ...]:
    try:
        return parse_usage(read_text(file, limit=MAX_CONTRACT_BYTES), file=shown(file))
    except UnreadableError as error:
        raise InputError([Problem(shown(file), error.line, error.text)]) from error
