"""What a child sees: its environment, its signals, its user, and the tie to its supervisor."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness.runtime.child import run_to_end
from harness.runtime.guard import groups_left
from harness.runtime.postgres_user import server_user
from harness.runtime.process import ProcessSpec, RunAs, base_environment
from tests.runtime.conftest import tiny

NOBODY = 65534
NO_PROCESS = str(1 << 30)  # above every system's highest
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="changes user, which takes root")
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="Linux's own means")
# 32 and 33 are the C library's own (nptl(7)): no program can set them, and whatever started the test run may have.
PROGRAMS_SIGNALS = ~(1 << 31 | 1 << 32)


def python(code: str, **changes: object) -> ProcessSpec:
    return replace(tiny("child"), command=(sys.executable, "-I", "-S", "-c", code), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("env", [{"COLOUR": "red"}, {}, {"LC_CTYPE": "C", "COLOUR": "red"}], ids=str)
def test_the_environment_is_what_the_plan_says_and_nothing_else(env: dict[str, str]) -> None:
    shown = replace(tiny("child"), command=("/usr/bin/env",), env=env)
    code, output = asyncio.run(run_to_end(shown))
    assert code == 0
    assert sorted(output.splitlines()) == sorted(f"{name}={value}" for name, value in env.items())


def test_only_a_few_variables_of_the_user_are_passed_on() -> None:
    environ = {"PATH": "/bin", "HOME": "/home/a", "AWS_SECRET_ACCESS_KEY": "x", "PYTHONPATH": "/x", "TZ": "UTC"}
    assert base_environment(environ) == {"PATH": "/bin", "HOME": "/home/a", "TZ": "UTC"}


@needs_linux
def test_no_signal_is_ignored_or_blocked() -> None:
    shown = replace(tiny("child"), command=("/bin/grep", "-E", "SigIgn|SigBlk", "/proc/self/status"))
    _, output = asyncio.run(run_to_end(shown))
    assert [int(line.split()[1], 16) & PROGRAMS_SIGNALS for line in output.splitlines()] == [0, 0]


@needs_linux
def test_a_signal_that_the_supervisor_ignores_reaches_the_child() -> None:
    shown = replace(tiny("child"), command=("/bin/grep", "SigIgn", "/proc/self/status"))
    before = signal.signal(signal.SIGQUIT, signal.SIG_IGN)  # as in a job that a shell put into the background
    try:
        _, output = asyncio.run(run_to_end(shown))
    finally:
        signal.signal(signal.SIGQUIT, before)
    assert int(output.split()[1], 16) & PROGRAMS_SIGNALS == 0


@needs_linux
def test_a_signal_that_the_supervisor_blocks_reaches_the_child() -> None:
    shown = replace(tiny("child"), command=("/bin/grep", "SigBlk", "/proc/self/status"))
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    try:
        _, output = asyncio.run(run_to_end(shown))
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    assert int(output.split()[1], 16) & PROGRAMS_SIGNALS == 0


def test_a_child_leads_a_session_and_a_group_of_its_own() -> None:
    code = "import os; print(os.getpid() == os.getsid(0) == os.getpgid(0))"
    assert asyncio.run(run_to_end(python(code))) == (0, "True")


def test_a_child_inherits_no_file_but_its_standard_ones(tmp_path: Path) -> None:
    with (tmp_path / "open").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        code = f"import os\ntry: os.fstat({file.fileno()}); print('open')\nexcept OSError: print('closed')"
        assert asyncio.run(run_to_end(python(code))) == (0, "closed")


@pytest.mark.parametrize(("run", "exit_code"), [(("/",), 126), (("no-such-program",), 127)], ids=["folder", "missing"])
def test_what_cannot_be_run_has_the_shells_exit_code(run: tuple[str, ...], exit_code: int) -> None:
    code, output = asyncio.run(run_to_end(replace(tiny("child"), command=run)))
    assert code == exit_code
    assert output.startswith(f"cannot start {run[0]}: ")


@needs_linux
def test_a_child_whose_supervisor_died_before_the_tie_does_not_begin() -> None:
    launch = Path(__file__).resolve().parents[2] / "harness" / "runtime" / "launch.py"
    result = subprocess.run(
        [sys.executable, "-I", "-S", str(launch), NO_PROCESS, "-", "-", "-", "--", "/bin/echo", "began"],
        capture_output=True,
        check=False,
    )
    assert result.stdout == b""


@needs_root
@pytest.mark.parametrize("reach", [False, True], ids=["closed", "reach"])
def test_a_dropped_child_reads_closed_folders_only_with_reach(closed: Path, reach: bool) -> None:
    code, output = asyncio.run(run_to_end(_as_nobody("/bin/cat", str(closed / "file"), reach=reach)))
    assert (code, output) == (0, "text") if reach else "Permission denied" in output


@needs_root
@needs_linux
def test_a_dropped_child_is_no_longer_root_and_keeps_one_capability(closed: Path) -> None:
    _, output = asyncio.run(run_to_end(_as_nobody("/bin/cat", "/proc/self/status", reach=True)))
    status = dict(line.split(":\t", 1) for line in output.splitlines() if ":\t" in line)
    assert set(status["Uid"].split()) == set(status["Gid"].split()) == {str(NOBODY)}
    assert status["Groups"].strip() == ""
    assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 1 << 2  # CAP_DAC_READ_SEARCH
    assert status["NoNewPrivs"] == "1"


@needs_root
@needs_linux
def test_a_dropped_child_without_reach_keeps_no_capability() -> None:
    _, output = asyncio.run(run_to_end(_as_nobody("/bin/cat", "/proc/self/status", reach=False)))
    assert "CapEff:\t0000000000000000" in output


@needs_root
@needs_linux
def test_a_dropped_child_cannot_write_what_it_may_read(closed: Path) -> None:
    code, output = asyncio.run(run_to_end(_as_nobody("/usr/bin/tee", "-a", str(closed / "file"), reach=True)))
    assert code == 1
    assert "Permission denied" in output


@needs_root
@pytest.mark.parametrize(("mode", "reach"), [(0o700, True), (0o755, False)], ids=["closed", "open"])
def test_reach_is_asked_for_only_where_a_folder_is_closed(closed: Path, mode: int, reach: bool) -> None:
    program = closed / "bin" / "postgres"
    program.parent.mkdir()
    program.parent.chmod(0o755)
    program.touch()
    program.chmod(0o755)
    closed.chmod(mode)
    user = server_user("nobody", data=closed / "data", installation=closed)
    assert user == RunAs(NOBODY, _group(), reach=reach)


def test_an_ordinary_user_runs_postgresql_as_themselves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert server_user("nobody", data=tmp_path, installation=tmp_path) is None


@pytest.mark.parametrize(
    ("lines", "groups"),
    [([], []), (["+5\n", "+7\n"], [5, 7]), (["+5\n", "+7\n", "-5\n"], [7]), (["+5\n", "-5\n", "-9\n"], [])],
    ids=["nothing", "all begun", "one ended", "all ended"],
)
def test_the_guard_knows_the_groups_that_are_left(lines: list[str], groups: list[int]) -> None:
    assert groups_left(lines) == groups


@pytest.fixture
def closed() -> Iterator[Path]:
    """A folder that is closed to others in one that is open (pytest's are not, and other tests are in them), with a
    readable file in it."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        above = Path(name)
        above.chmod(0o755)
        folder = above / "closed"
        folder.mkdir(mode=0o700)
        (folder / "file").write_text("text")
        (folder / "file").chmod(0o644)
        yield folder


def _as_nobody(*command: str, reach: bool) -> ProcessSpec:
    return replace(tiny("child"), command=command, run_as=RunAs(NOBODY, _group(), reach=reach), cwd=Path("/"))


def _group() -> int:
    import pwd

    return pwd.getpwnam("nobody").pw_gid
