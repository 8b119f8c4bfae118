"""Starting, watching and ending landscapes that run in processes of their own."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from harness.runtime.folder import StateFolder
from harness.runtime.state import LandscapeState, Phase, read_state

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 120.0


def command(folder: StateFolder, plan: dict[str, Any]) -> list[str]:
    return [sys.executable, "-m", "tests.runtime.landscape", str(folder.root), json.dumps(plan)]


class Started:
    """A landscape in the background, its output in a file beside its folder."""

    def __init__(self, folder: StateFolder, plan: dict[str, Any], *, before: Sequence[str] = ()) -> None:
        self.folder = folder
        self.output = folder.root.with_name(f"{folder.root.name}.out")
        with self.output.open("ab") as out:
            self.process = subprocess.Popen(
                [*before, *command(folder, plan)], stdout=out, stderr=out, cwd=ROOT, start_new_session=True
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    def text(self) -> str:
        return self.output.read_text()

    def until(self, condition: Callable[[], object], what: str) -> None:
        until(lambda: condition() or self.process.poll() is not None, what)
        assert condition(), f"it ended (code {self.process.poll()}) before {what}:\n{self.text()}"

    def until_running(self) -> LandscapeState:
        self.until(lambda: (state := read_state(self.folder)) and state.phase is Phase.RUNNING, "it was up")
        state = read_state(self.folder)
        assert state is not None
        return state

    def family(self) -> list[psutil.Process]:
        """All that runs because of it: its children, theirs, and itself."""
        supervisor = psutil.Process(self.pid)
        return [supervisor, *supervisor.children(recursive=True)]

    def ends(self) -> int:
        return self.process.wait(SECONDS)

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)


@contextmanager
def started(folder: StateFolder, plan: dict[str, Any], *, before: Sequence[str] = ()) -> Iterator[Started]:
    """Ends it at the end of the block, whatever happened in it."""
    landscape = Started(folder, plan, before=before)
    try:
        yield landscape
    finally:
        if landscape.process.poll() is None:
            landscape.process.terminate()
            try:
                landscape.process.wait(SECONDS)
            except subprocess.TimeoutExpired:
                landscape.process.kill()
                landscape.process.wait()


def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited {SECONDS:g} s in vain until {what}"
        time.sleep(0.01)


def gone(processes: Sequence[psutil.Process]) -> bool:
    """Whether none of them lives; a corpse that nobody has collected does not."""
    return not any(_lives(each) for each in processes)


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:  # it went between the two looks
        return False
