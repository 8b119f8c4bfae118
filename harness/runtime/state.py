"""What runs, on disk: `run/state.json` written whole at every change, and `run/lock`, held as long as it runs.

The lock (flock(2)) is the truth about whether a landscape runs: the kernel frees it with the process that held it,
however that ended. The state file says the rest. Pids in it count only together with their start times.
"""

import fcntl
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from harness.errors import NotRunning, StartError
from harness.runtime.folder import StateFolder, disk_trouble, shown, write_whole
from harness.runtime.pids import ProcessId, alive, end_leftovers, family, identify, kill_family, wait_gone

VERSION = 1
LOOK_SECONDS = 0.02
LOOKS, LOOKS_FOR_NOBODY = 10, 250


class Phase(StrEnum):
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ProcessState:
    """`pid` 0 = not running now. `restarts` counts since `up`. `detail`: why it is not healthy. `since`: ISO 8601."""

    name: str
    kind: str
    pid: int = 0
    started: str = ""
    healthy: bool = False
    restarts: int = 0
    url: str = ""
    ports: dict[str, int] = field(default_factory=dict)
    since: str = ""
    detail: str = ""
    log: str = ""


@dataclass(frozen=True, slots=True)
class LandscapeState:
    """`pid` and `started` are the supervisor's. `error` is set when the phase is failed."""

    pid: int
    started: str
    phase: Phase
    since: str = ""
    url: str = ""
    ports: dict[str, int] = field(default_factory=dict)
    error: str = ""
    processes: tuple[ProcessState, ...] = ()
    version: int = VERSION

    @property
    def supervisor(self) -> ProcessId:
        return ProcessId(self.pid, self.started)

    @property
    def healthy(self) -> bool:
        return self.phase is Phase.RUNNING and all(process.healthy for process in self.processes)

    def to_json(self) -> dict[str, Any]:
        """The shape of `status --json`."""
        return {**asdict(self), "healthy": self.healthy}


@dataclass(frozen=True, slots=True)
class Held:
    """Proof that this process holds the lock of a landscape's folder."""

    folder: StateFolder


@contextmanager
def hold(folder: StateFolder, *, say: Callable[[str], None]) -> Iterator[Held]:
    """Creates the folder, takes its lock and ends what a killed supervisor may have left; frees it at the end.

    Take it before binding ports or making data: then "already running" is said before "port in use".
    """
    folder.create()
    with disk_trouble(folder.lock_file):
        descriptor = os.open(folder.lock_file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not _lock(descriptor, folder):
            raise StartError(_already_running(folder))
        me = identify(os.getpid())
        assert me is not None
        with disk_trouble(folder.lock_file):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{me.pid}\n".encode(), 0)
        clear_leftovers(folder, say=say)
        yield Held(folder)
    finally:
        os.close(descriptor)


def write_state(folder: StateFolder, state: LandscapeState) -> None:
    write_whole(folder.state_file, json.dumps(asdict(state), indent=1).encode())


def read_state(folder: StateFolder) -> LandscapeState | None:
    """The state of the landscape that runs here; None when none does, or when it has not written one yet."""
    if not _is_held(folder):
        return None
    state = _load(folder.state_file)
    # Between a start and its first state there may be one that an earlier landscape left.
    return state if state is not None and state.pid == _locked_by(folder) else None


def last_failure(folder: StateFolder) -> LandscapeState | None:
    """The state that a start left which came to nothing, for its `error` and `pid`."""
    state = _load(folder.state_file)
    return state if state is not None and state.phase is Phase.FAILED else None


def stop(folder: StateFolder, *, say: Callable[[str], None], seconds: float = 60.0) -> None:
    """Ends the landscape: SIGTERM to its supervisor, which stops the rest; after `seconds` SIGKILL to all of it.

    `NotRunning` when there is none; what a killed supervisor may have left is ended first.
    """
    if not _is_held(folder):
        if folder.run.is_dir():
            clear_leftovers(folder, say=say)
        raise NotRunning(f"no landscape runs in {shown(folder.root)}")
    supervisor = _holder(folder)
    if supervisor is None:
        raise StartError(
            f"a landscape holds {shown(folder.lock_file)}, but which process it is cannot be seen from here "
            "(another container?): stop it where it was started"
        )
    if alive(supervisor):
        os.kill(supervisor.pid, signal.SIGTERM)
    if wait_gone([supervisor], seconds=seconds):
        return
    say(f"the supervisor (process {supervisor.pid}) did not end within {seconds:g} s and is killed")
    members = family(supervisor)
    kill_family(members)
    wait_gone(members, seconds=5.0)
    clear_leftovers(folder, say=say)


def clear_leftovers(folder: StateFolder, *, say: Callable[[str], None]) -> None:
    """Ends processes of a landscape whose supervisor is gone, and forgets its state. Only without a live supervisor."""
    state = _load(folder.state_file)
    if state is None:
        return
    by_pid = {process.pid: process.name for process in state.processes if process.pid}
    leaders = [ProcessId(process.pid, process.started) for process in state.processes if process.pid]
    for left in end_leftovers(leaders, seconds=3.0):
        say(f"ended {by_pid[left.pid]} (process {left.pid}), left by a supervisor that was killed")
    with disk_trouble(folder.state_file):
        folder.state_file.unlink(missing_ok=True)


def _lock(descriptor: int, folder: StateFolder) -> bool:
    """Tries for a moment: a reader that looks whether the lock is held has it for an instant. On a busy machine that
    instant may be long, so where no process is known to hold it, it is tried for some seconds."""
    for look in range(LOOKS_FOR_NOBODY):
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        if look >= LOOKS and _holder(folder) is not None:
            return False
        time.sleep(LOOK_SECONDS)
    return False


def _is_held(folder: StateFolder) -> bool:
    try:
        descriptor = os.open(folder.lock_file, os.O_RDONLY)
    except FileNotFoundError:
        return False
    except PermissionError as error:
        raise NotRunning(f"{shown(folder.lock_file)} may not be read by this user") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)


def _holder(folder: StateFolder) -> ProcessId | None:
    """The supervisor, from the state it wrote or, before it wrote one, from its lock."""
    state = _load(folder.state_file)
    if state is not None and alive(state.supervisor):
        return state.supervisor
    pid = _locked_by(folder)
    return identify(pid) if pid else None


def _locked_by(folder: StateFolder) -> int:
    """The pid in the lock file; 0 when it is being written."""
    text = folder.lock_file.read_text().strip()
    return int(text) if text.isdigit() else 0


def _already_running(folder: StateFolder) -> str:
    holder = _holder(folder)
    who = f" as process {holder.pid}" if holder else ""
    return f"a landscape already runs in {shown(folder.root)}{who}: `harness status` shows it, `harness down` ends it"


def _load(path: Path) -> LandscapeState | None:
    """None also for a file that is damaged or of another version: the lock alone tells whether something runs."""
    try:
        raw = json.loads(path.read_bytes())
        processes = tuple(ProcessState(**process) for process in raw.pop("processes"))
        return LandscapeState(**{**raw, "phase": Phase(raw["phase"]), "processes": processes})
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
