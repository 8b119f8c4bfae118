"""The folder of all that a landscape leaves on disk: `.harness/` with run/, data/, logs/ and keys/, mode 0700.

Trouble with a disk is a `StartError` that names the path and the mend, never a traceback.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.errors import StartError

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
PARTS = ("run", "data", "logs", "keys")


@dataclass(frozen=True, slots=True)
class StateFolder:
    """Paths below one landscape's folder. Only `create` touches the disk."""

    root: Path

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def keys(self) -> Path:
        return self.root / "keys"

    @property
    def state_file(self) -> Path:
        return self.run / "state.json"

    @property
    def lock_file(self) -> Path:
        return self.run / "lock"

    def create(self) -> None:
        """Makes what is missing and proves that it can be written; `StartError` says what stands in the way."""
        for path in (self.root, *(self.root / part for part in PARTS)):
            with disk_trouble(path):
                path.mkdir(mode=0o700, exist_ok=True)
                _refuse_another_owner(path)
                path.chmod(0o700)  # a umask or a copy may have left another mode
        probe = self.run / f".probe-{os.getpid()}"
        with disk_trouble(self.run):
            try:
                probe.write_bytes(bytes(4096))
            finally:
                probe.unlink(missing_ok=True)


@contextmanager
def disk_trouble(path: Path) -> Iterator[None]:
    """Turns an `OSError` inside the block into a `StartError` about `path`."""
    try:
        yield
    except OSError as error:
        raise StartError(f"{shown(path)}: {_mend(error)}") from error


def write_whole(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Replaces a file in one step: a reader sees the old content or the new, also when the disk is full."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def shown(path: Path) -> str:
    """A path as a user would type it: relative below the working directory, else absolute."""
    absolute = path.absolute()
    here = Path.cwd()
    return str(absolute.relative_to(here)) if absolute.is_relative_to(here) else str(absolute)


def user_name(uid: int) -> str:
    """`alice (uid 1000)`, or `uid 1000` where the number has no name."""
    import pwd

    try:
        return f"{pwd.getpwuid(uid).pw_name} (uid {uid})"
    except KeyError:
        return f"uid {uid}"


def _refuse_another_owner(path: Path) -> None:
    owner = path.stat().st_uid
    if owner != os.geteuid():
        raise StartError(
            f"{shown(path)} belongs to {user_name(owner)} and this is {user_name(os.geteuid())}: "
            "start as that user, or move the folder away to begin with an empty landscape"
        )


def _mend(error: OSError) -> str:
    if error.errno in FULL:
        return "the disk (or the quota) is full: free some space and start again; what is stored stays as it was"
    if error.errno == errno.EROFS:
        return "the file system is read-only: mount it writable, or work in a checkout on another disk"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"permission denied for {user_name(os.geteuid())}: make it writable for that user"
    if error.errno in (errno.EEXIST, errno.ENOTDIR):
        return "a file stands where a folder is needed: move it away"
    if error.errno == errno.ENOENT:
        return "the folder above it does not exist"
    return os.strerror(error.errno) if error.errno else str(error)
