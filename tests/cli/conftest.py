"""The command line in this process, and a landscape without processes: its lock, its state and its keys."""

import io
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness import manifest
from harness.cli.main import main
from harness.local.handle import Harness
from harness.runtime.folder import StateFolder
from harness.runtime.pids import identify
from harness.runtime.state import LandscapeState, Phase, ProcessState, hold, write_state
from tests.local.edge import Edge
from tests.local.edge import edge as edge

ROOT = Path(__file__).resolve().parents[2]
NOON = datetime(2026, 1, 15, 12, 0, 0, tzinfo=UTC)
KEY = bytes(range(32))


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """`run("status", "--json", stdin=b"")`: the command in the repository's folder, as it ended."""
    monkeypatch.chdir(ROOT)
    for name in [name for name in os.environ if name.startswith("HARNESS_")]:
        monkeypatch.delenv(name)

    def command(*arguments: str, stdin: bytes = b"") -> Done:
        monkeypatch.setattr(sys, "argv", ["harness", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capfd.readouterr()
        assert "Traceback" not in printed.err
        code = ended.value.code
        assert code is None or isinstance(code, int)
        return Done(code or 0, printed.out, printed.err)

    return command


@pytest.fixture(scope="session")
def landscape() -> manifest.Landscape:
    return manifest.load(ROOT / "harness.yaml")


@pytest.fixture
def running(landscape: manifest.Landscape, edge: Edge, monkeypatch: pytest.MonkeyPatch) -> Edge:
    """Every command finds a landscape whose workbench is `edge`."""
    harness = Harness(landscape, edge.url, KEY, clock=lambda: NOON)
    monkeypatch.setattr(Harness, "attach", lambda file, state: harness)
    return edge


def process(name: str, *, healthy: bool = True, kind: str = "domain", **more: object) -> ProcessState:
    return ProcessState(name, kind, pid=4711, healthy=healthy, **more)  # type: ignore[arg-type]


def state_of(*processes: ProcessState, phase: Phase = Phase.RUNNING) -> LandscapeState:
    me = identify(os.getpid())
    assert me is not None
    return LandscapeState(
        me.pid, me.started, phase, ports={"workbench": 4566, "public": 4567, "orders": 40001}, processes=processes
    )


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path / "state")


@pytest.fixture
def held(state: StateFolder) -> Iterator[StateFolder]:
    """A landscape runs in `state`, as far as its lock and its state say so."""
    with hold(state, say=print):
        write_state(state, state_of(process("orders", url="http://127.0.0.1:40002"), process("stock")))
        yield state
