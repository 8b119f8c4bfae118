"""Reading the files that a team writes: regular files of sane size in UTF-8, named relative to the landscape.

Manifests are trusted (they name commands to run), so a path may lead anywhere, through links and into other checkouts.
What is refused is what cannot be meant: a device or pipe that never ends, a folder, a loop of links.
"""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from harness.errors import did_you_mean

MAX_MANIFEST_BYTES = 256 * 1024
MAX_POLICY_BYTES = 64 * 1024  # AWS's own limits are below this: the largest, a bus policy, has 10,240 characters
MAX_CONTRACT_BYTES = 2 * 1024 * 1024


class UnreadableError(Exception):
    """`inside`: the fault is in the file's content at `line`, not in whatever named the file."""

    def __init__(self, text: str, *, line: int = 0, inside: bool = False) -> None:
        super().__init__(text)
        self.text = text
        self.line = line
        self.inside = inside


@dataclass(frozen=True, slots=True)
class Root:
    """The folder of the harness.yaml; problems name every other file relative to it."""

    folder: Path

    def shown(self, path: Path) -> str:
        return Path(os.path.relpath(path, self.folder)).as_posix()


def read_text(path: Path, *, limit: int) -> str:
    """The text of a regular file of at most `limit` bytes, without a byte order mark; raises `UnreadableError`."""
    try:
        # Looked at before it is opened: opening a pipe would wait for a writer.
        mode = os.stat(path).st_mode
        if not stat.S_ISREG(mode):
            what = "a folder" if stat.S_ISDIR(mode) else "not a regular file"
            raise UnreadableError(f"is {what}")
        with path.open("rb") as stream:
            content = stream.read(limit + 1)
    except FileNotFoundError:
        if path.is_symlink():
            raise UnreadableError("is a link to a file that does not exist") from None
        raise UnreadableError("does not exist" + near(path)) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the name
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UnreadableError(f"cannot be read: {reason}") from error
    if len(content) > limit:
        raise UnreadableError(f"is larger than {limit // 1024} KiB: no such file is meant to be")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        text = f"byte 0x{content[error.start]:02x} is not UTF-8: save the file as UTF-8"
        raise UnreadableError(text, line=line, inside=True) from error


def near(path: Path) -> str:
    """The hint at a file, or at a folder on the way, that is spelled almost like the one that is missing."""
    missing = path
    while not missing.parent.is_dir() and missing.parent != missing:
        missing = missing.parent
    try:
        names = sorted(entry.name for entry in missing.parent.iterdir())
    except OSError:  # a folder that cannot be listed gives no hint; the problem itself is told either way
        return ""
    return did_you_mean(missing.name, names)
