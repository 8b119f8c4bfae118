"""Which user PostgreSQL runs as: it refuses to run as root.

An ordinary user runs it as themselves. Root drops to an unprivileged user who owns the data folder and nothing else;
where that user cannot pass the folders above the program or the data (a checkout under /root), the process keeps the
one capability to read through them (see launch.py), and no folder of root's has to be opened to everyone.
"""

import os
import stat
from pathlib import Path

from harness.errors import StartError
from harness.runtime.process import RunAs


def server_user(name: str, *, data: Path, installation: Path) -> RunAs | None:
    """None when this is not root. Data that exists is run by whoever owns it; otherwise the user `name`."""
    if os.geteuid() != 0:
        return None
    uid, gid = _owner(data) or _named(name)
    return RunAs(
        uid, gid, reach=not (_open_to(uid, gid, data.parent) and _open_to(uid, gid, installation / "bin" / "postgres"))
    )


def own(path: Path, user: RunAs | None) -> None:
    if user is not None:
        os.chown(path, user.uid, user.gid)


def _owner(data: Path) -> tuple[int, int] | None:
    try:
        found = data.stat()
    except FileNotFoundError:
        return None
    if found.st_uid == 0:
        raise StartError(
            f"{data} belongs to root, as which PostgreSQL does not run: give it to another user (chown -R)"
        )
    return found.st_uid, found.st_gid


def _named(name: str) -> tuple[int, int]:
    import pwd

    try:
        entry = pwd.getpwnam(name)
    except KeyError as error:
        raise StartError(
            f'PostgreSQL does not run as root, and there is no user "{name}" to run it as: create one, or start as an '
            "ordinary user"
        ) from error
    return entry.pw_uid, entry.pw_gid


def _open_to(uid: int, gid: int, path: Path) -> bool:
    """Whether a user may pass every folder down to `path` and read it, by owner, group and mode."""
    whole = path.absolute().resolve()
    return all(_may(uid, gid, each, stat.S_IXOTH) for each in whole.parents) and _may(uid, gid, whole, stat.S_IROTH)


def _may(uid: int, gid: int, path: Path, other: int) -> bool:
    found = path.stat()
    shift = 6 if found.st_uid == uid else 3 if found.st_gid == gid else 0
    return bool(found.st_mode & (other << shift))
