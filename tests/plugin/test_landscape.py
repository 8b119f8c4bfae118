"""The landscape of a run: whose it is, and that it is started and stopped once."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from harness.errors import InputError, StartError
from harness.local.handle import Harness
from harness.local.lifecycle import Temporary
from harness.pytest_plugin.landscape import Landscape


class Config:
    """As much of pytest's configuration as is asked for."""

    def __init__(self, rootpath: Path, **options: str) -> None:
        self.rootpath = rootpath
        self._options = {f"--harness-{name}": value for name, value in options.items()}

    def getoption(self, name: str) -> str | None:
        return self._options.get(name)


class Supervisor:
    """Stands for `Temporary` and for `Harness.attach`: notes what was asked."""

    def __init__(self) -> None:
        self.started: list[Path] = []
        self.attached: list[tuple[Path, Path]] = []
        self.stopped = 0
        self.harness = object()
        self.error: Exception | None = None

    def start(self, manifest: Path) -> "Supervisor":
        self.started.append(manifest)
        if self.error is not None:
            raise self.error
        return self

    def stop(self) -> None:
        self.stopped += 1

    def attach(self, manifest: Path, state: Path) -> object:
        self.attached.append((manifest, state))
        return self.harness


@pytest.fixture
def supervisor(monkeypatch: pytest.MonkeyPatch) -> Supervisor:
    made = Supervisor()
    monkeypatch.setattr(Temporary, "start", made.start)
    monkeypatch.setattr(Harness, "attach", made.attach)
    return made


Made = Callable[..., Landscape]


@pytest.fixture
def landscape(tmp_path: Path) -> Made:
    (tmp_path / "harness.yaml").touch()

    def make(**options: str) -> Landscape:
        return Landscape(cast(Any, Config(tmp_path.resolve(), **options)))

    return make


def test_is_started_by_whoever_needs_it_first_and_once(landscape: Made, supervisor: Supervisor, tmp_path: Path) -> None:
    made = landscape()
    assert made.started is None

    assert made.get() is made.get() is made.started is supervisor.harness

    assert supervisor.started == [tmp_path.resolve() / "harness.yaml"]


def test_is_stopped_once(landscape: Made, supervisor: Supervisor) -> None:
    made = landscape()
    made.get()

    made.stop()
    made.stop()

    assert supervisor.stopped == 1


def test_that_nobody_needed_is_not_stopped(landscape: Made, supervisor: Supervisor) -> None:
    landscape().stop()

    assert (supervisor.started, supervisor.stopped) == ([], 0)


def test_that_does_not_start_is_not_tried_again_for_every_item(landscape: Made, supervisor: Supervisor) -> None:
    supervisor.error = StartError("orders did not become ready within 30 s")
    made = landscape()

    for _ in range(3):
        with pytest.raises(StartError, match="did not become ready"):
            made.get()

    assert len(supervisor.started) == 1


def test_that_runs_already_is_used_and_left_running(landscape: Made, supervisor: Supervisor, tmp_path: Path) -> None:
    made = landscape(running=str(tmp_path / "state"))

    made.get()
    made.stop()

    assert supervisor.attached == [(tmp_path.resolve() / "harness.yaml", tmp_path.resolve() / "state")]
    assert (supervisor.started, supervisor.stopped) == ([], 0)


def test_is_that_of_the_manifest_that_is_named(landscape: Made, supervisor: Supervisor, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.touch()

    landscape(file=str(other)).get()

    assert supervisor.started == [other.resolve()]


def test_of_a_manifest_that_is_not_there_is_refused(landscape: Made, supervisor: Supervisor, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        landscape(file=str(tmp_path / "missing.yaml")).get()


def test_the_plugin_of_a_run_without_contracts_imports_next_to_nothing() -> None:
    """It is loaded by every pytest in whose environment the harness is installed."""
    script = """
import sys
import pytest
before = set(sys.modules)
import harness.pytest_plugin
loaded = sorted(name for name in set(sys.modules) - before if not name.startswith("_"))
heavy = [name for name in loaded if name.partition(".")[0] in ("requests", "yaml", "schemathesis", "jsonschema_rs")]
ours = [name for name in loaded if name.startswith("harness.") and "pytest_plugin" not in name]
assert not heavy, heavy
assert ours == ["harness.errors"], ours
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
