"""Asking and ending a landscape that runs as processes. Imports little: these commands are to answer at once."""

import json
from collections.abc import Callable
from pathlib import Path

from harness.local.disk_use import DiskUse
from harness.runtime import logs
from harness.runtime.folder import StateFolder
from harness.runtime.state import LandscapeState, read_state, stop


def status(state: Path) -> LandscapeState | None:
    """None when nothing runs in this state folder."""
    return read_state(StateFolder(state))


def as_json(state: LandscapeState | None, storage: DiskUse | None = None) -> str:
    """The shape of `harness status --json`."""
    if state is None:
        return json.dumps({"phase": "stopped", "healthy": False, "processes": []}, indent=2)
    return json.dumps({**state.to_json(), "storage": storage and storage.to_json()}, indent=2)


def down(state: Path, *, say: Callable[[str], None]) -> None:
    """Raises `NotRunning`."""
    stop(StateFolder(state), say=say)


def show_logs(state: Path, name: str | None, *, follow: bool, lines: int, sink: Callable[[str], None]) -> bool:
    """Whether there was a log to show. Raises `InputError` for a name that never ran.

    Follows until the landscape has ended or the user interrupts.
    """
    folder = StateFolder(state)
    known = logs.names(folder.logs)
    if not known and name is None:
        return False
    chosen = [name] if name else []
    width = max((len(each) for each in (chosen or known)), default=0)

    def show(line: logs.LogLine) -> None:
        sink(f"{line.name:<{width}} | {line.text}")

    if not follow:
        for line in logs.read(folder.logs, chosen, last=lines):
            show(line)
        return True
    try:
        for line in logs.follow(folder.logs, chosen, last=lines, wait=lambda: read_state(folder) is not None):
            show(line)
    except KeyboardInterrupt:
        return True
    return True
