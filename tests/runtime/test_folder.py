"""The state folder: who may see it, and what is said when the disk does not take it."""

import errno
import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.errors import StartError
from harness.runtime.folder import StateFolder, disk_trouble, write_whole
from harness.runtime.logs import LogFile
from harness.runtime.state import hold
from tests.runtime.commands import ROOT

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounts a file system, which takes root")


def test_the_folder_and_its_parts_are_for_their_user_alone(folder: StateFolder) -> None:
    folder.create()
    for path in (folder.root, folder.run, folder.data, folder.logs, folder.keys):
        assert path.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_was_opened_to_others_is_closed_again(folder: StateFolder) -> None:
    folder.create()
    folder.keys.chmod(0o755)
    folder.create()
    assert folder.keys.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.ENOSPC, "the disk (or the quota) is full: free some space"),
        (errno.EDQUOT, "the disk (or the quota) is full: free some space"),
        (errno.EROFS, "the file system is read-only: mount it writable"),
        (errno.EACCES, "permission denied for"),
        (errno.ENOTDIR, "a file stands where a folder is needed"),
        (errno.EIO, "Input/output error"),
    ],
    ids=lambda value: errno.errorcode[value] if isinstance(value, int) else "",
)
def test_trouble_with_a_disk_names_the_path_and_the_mend(tmp_path: Path, code: int, words: str) -> None:
    with pytest.raises(StartError) as caught, disk_trouble(tmp_path / "data"):
        raise OSError(code, os.strerror(code))
    assert str(caught.value).startswith(f"{tmp_path / 'data'}: {words}")


def test_a_file_in_the_place_of_the_folder_is_named(folder: StateFolder) -> None:
    folder.root.write_text("")
    with pytest.raises(StartError, match="a file stands where a folder is needed"):
        folder.create()


def test_a_folder_of_another_user_is_refused(folder: StateFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.create()
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 4242)
    with pytest.raises(StartError, match=rf"belongs to .*uid {owner}.* and this is uid {owner + 4242}: start as that"):
        folder.create()


def test_a_failed_replacement_keeps_the_old_content_and_no_draft(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    write_whole(file, b"old")
    with _files_limited_to(1000), pytest.raises(OSError):
        write_whole(file, bytes(5000))
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


@needs_root
def test_a_full_disk_is_said_at_the_start(small_disk: Callable[[str], Path]) -> None:
    disk = small_disk("size=32k")
    (disk / "filler").write_bytes(bytes(32 * 1024))
    with pytest.raises(StartError, match=r"\.harness.*: the disk \(or the quota\) is full"):
        StateFolder(disk / ".harness").create()


@needs_root
def test_a_read_only_disk_is_said_at_the_start(small_disk: Callable[[str], Path]) -> None:
    with pytest.raises(StartError, match=r"\.harness: the file system is read-only"):
        StateFolder(small_disk("ro") / ".harness").create()


def test_a_folder_that_the_user_may_not_write_is_said_at_the_start(tmp_path: Path) -> None:
    """In a process without root's privileges, if this has them: root may write anywhere."""
    tmp_path.chmod(0o555)
    code = "import sys; from pathlib import Path; from harness.runtime.folder import StateFolder; "
    code += "StateFolder(Path('.harness')).create()"
    result = subprocess.run(
        [*_without_privileges(), sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "StartError: .harness: permission denied for" in result.stderr


def test_a_look_at_the_lock_stops_no_start_however_long_it_takes(
    folder: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.create()
    reader = os.open(folder.lock_file, os.O_RDONLY | os.O_CREAT, 0o600)
    fcntl.flock(reader, fcntl.LOCK_SH)
    looks = iter(range(1000))

    def pause(seconds: float) -> None:
        if next(looks) == 50:
            os.close(reader)

    monkeypatch.setattr("harness.runtime.state.time", SimpleNamespace(sleep=pause))
    with hold(folder, say=print):
        assert next(looks) == 51


def test_a_log_on_a_full_disk_loses_lines_and_says_why(tmp_path: Path) -> None:
    path = tmp_path / "orders.log"
    path.symlink_to("/dev/full")
    log = LogFile(path)
    log.write("one")
    log.write("two")
    assert (log.lost, log.trouble) == (2, "No space left on device")
    log.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    mounted: list[Path] = []

    def mount(options: str) -> Path:
        path = tmp_path / "disk"
        path.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(path)], check=True)
        mounted.append(path)
        return path

    yield mount
    for path in mounted:
        subprocess.run(["umount", str(path)], check=True)


def _without_privileges() -> list[str]:
    return ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []


class _files_limited_to:
    """No file may grow past a size: what a full disk does, without one."""

    def __init__(self, size: int) -> None:
        self._size = size

    def __enter__(self) -> None:
        import resource

        self._before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (self._size, self._before[1]))

    def __exit__(self, *_: object) -> None:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, self._before)
