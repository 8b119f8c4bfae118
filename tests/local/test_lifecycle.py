"""A landscape for a test run: whatever happens at its start, nothing of it stays."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from harness.errors import InputError, NotRunning, StartError
from harness.local import lifecycle
from harness.local.handle import Harness
from harness.local.lifecycle import Temporary, UpRequest, background_command, up_detached
from harness.local.running import status
from harness.runtime.state import LandscapeState, Phase
from tests.local.conftest import ROOT

MANIFEST = ROOT / "harness.yaml"


class Landscape:
    """Stands for the supervisor: remembers what was asked of it, and in which state folder."""

    def __init__(self) -> None:
        self.folders: list[Path] = []
        self.stopped: list[Path] = []
        self.error: BaseException | None = None
        self.running = False

    def up(self, request: UpRequest) -> LandscapeState:
        self.folders.append(request.state)
        (request.state / "data").mkdir()
        if self.error is not None:
            raise self.error
        self.running = True
        return LandscapeState(1, "", Phase.RUNNING)

    def down(self, state: Path, *, say: Callable[[str], None]) -> None:
        self.stopped.append(state)
        if not self.running:
            raise NotRunning("no landscape runs")
        self.running = False


@pytest.fixture
def supervisor(monkeypatch: pytest.MonkeyPatch, landscape: object) -> Landscape:
    made = Landscape()
    monkeypatch.setattr(lifecycle, "up_detached", made.up)
    monkeypatch.setattr(lifecycle, "down", made.down)
    monkeypatch.setattr(Harness, "attach", lambda file, state: Harness(landscape, "http://x", bytes(32)))  # type: ignore[arg-type]
    return made


def test_ends_without_a_trace(supervisor: Landscape) -> None:
    Temporary.start(MANIFEST).stop()

    (folder,) = supervisor.folders
    assert not supervisor.running
    assert not folder.exists()


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(StartError("orders did not become ready"), id="a part that does not start"),
        pytest.param(InputError([]), id="a mistake in a manifest"),
        pytest.param(KeyboardInterrupt(), id="Ctrl-C"),
    ],
)
def test_a_start_that_fails_leaves_no_folder(supervisor: Landscape, error: BaseException) -> None:
    supervisor.error = error

    with pytest.raises(type(error)):
        Temporary.start(MANIFEST)

    (folder,) = supervisor.folders
    assert not folder.exists()


def test_one_that_came_up_and_cannot_be_used_is_stopped(supervisor: Landscape, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(file: Path, state: Path) -> Harness:
        raise InputError([])

    monkeypatch.setattr(Harness, "attach", refuse)

    with pytest.raises(InputError):
        Temporary.start(MANIFEST)

    assert supervisor.stopped == supervisor.folders
    assert not supervisor.running
    assert not supervisor.folders[0].exists()


def test_one_that_ended_by_itself_is_told_and_its_folder_goes(
    supervisor: Landscape, capsys: pytest.CaptureFixture[str]
) -> None:
    temporary = Temporary.start(MANIFEST)
    supervisor.running = False

    temporary.stop()

    assert "had ended before it was stopped" in capsys.readouterr().err
    assert not supervisor.folders[0].exists()


def test_the_supervisor_in_the_background_is_told_all_that_was_asked(tmp_path: Path) -> None:
    request = UpRequest(MANIFEST, tmp_path, ("orders",), free_ports=True, parent=4711)

    assert background_command(request) == [
        *(sys.executable, "-m", "harness.cli.main", "--file", str(MANIFEST), "--state", str(tmp_path), "up"),
        *("--background", "--free-ports", "--parent", "4711", "orders"),
    ]


def test_so_it_is_of_stubs_and_of_recording(tmp_path: Path) -> None:
    request = UpRequest(
        MANIFEST, tmp_path, stubs=("orders", "stock"), only_stubs=True, seed=3, workbench=9000, record=True
    )

    assert background_command(request)[7:] == [
        *("up", "--background", "--stub", "orders", "--stub", "stock", "--only-stubs"),
        *("--seed", "3", "--record", "--workbench-port", "9000"),
    ]


def test_a_contract_that_leaves_no_answer_starts_nothing(tmp_path: Path) -> None:
    for name in ("domains", "contracts", "policies"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(MANIFEST, tmp_path)
    contract = tmp_path / "contracts/stock/v1/openapi.yaml"
    contract.write_text(contract.read_text().replace("'^\"v[0-9]+\"$'", "'(a)\\1'").replace("'\"v1\"'", "17"))

    with pytest.raises(
        InputError, match=r"contracts/stock/v1/openapi\.yaml: GET /items/\{sku\} 200 ETag: .* give an ex"
    ):
        up_detached(UpRequest(tmp_path / "harness.yaml", tmp_path / "state", ("orders",)))

    assert not (tmp_path / "state").exists()


def test_a_landscape_ends_with_the_process_that_it_is_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    parents = iter([4711, 4711, 1])
    asked: list[tuple[int, signal.Signals]] = []
    monkeypatch.setattr(lifecycle, "LOOK_SECONDS", 0)
    monkeypatch.setattr(os, "getppid", lambda: next(parents))
    monkeypatch.setattr(os, "kill", lambda pid, number: asked.append((pid, number)))

    lifecycle._end_with(4711)

    assert asked == [(os.getpid(), signal.SIGTERM)]
    assert "process 4711" in capsys.readouterr().err


@pytest.mark.slow
def test_a_killed_test_run_leaves_no_landscape(tmp_path: Path) -> None:
    """For real: the process that started it is killed, and its supervisor ends."""
    script = f"""
import sys
from pathlib import Path
from harness.local.lifecycle import Temporary
temporary = Temporary.start(Path({str(MANIFEST)!r}), domains=("stock",))
print(temporary._folder.name, flush=True)
sys.stdin.read()
"""
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert process.stdout is not None
    running = status(Path(process.stdout.readline().strip()))
    assert running is not None
    supervisor = psutil.Process(running.pid)
    family = [supervisor, *supervisor.children(recursive=True)]

    process.kill()
    process.wait()

    _, alive = psutil.wait_procs(family, timeout=120)
    assert alive == []
