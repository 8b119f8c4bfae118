"""Which process a number means: a pid alone is reused, a pid with its start time is not."""

import os
import signal
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True, slots=True)
class ProcessId:
    """`started` is opaque: equal for the same process, different for any other that ever had the pid."""

    pid: int
    started: str


def identify(pid: int) -> ProcessId | None:
    """The process that has this pid now; None when there is none, or only its corpse."""
    if sys.platform == "linux":
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return None
        # proc_pid_stat(5): the name in brackets may hold anything; then state (3) … starttime in ticks since boot (22).
        # Ticks, unlike a time of day, stay the same when the system's clock is set.
        fields = stat.rpartition(")")[2].split()
        if fields[0] in "ZX":
            return None
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return ProcessId(pid, f"{boot}:{fields[19]}")
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return ProcessId(pid, f"{process.create_time():.3f}")
    except psutil.NoSuchProcess:
        return None


def alive(process: ProcessId) -> bool:
    return identify(process.pid) == process


def family(process: ProcessId) -> tuple[ProcessId, ...]:
    """The process and all that descend from it, whichever groups they have moved to."""
    if not alive(process):
        return ()
    try:
        children = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return ()
    found = (identify(child.pid) for child in children)
    return (process, *(member for member in found if member is not None))


def signal_group(pid: int, number: int) -> None:
    """A signal to the group that `pid` leads. A group that is gone already is as good."""
    with suppress(ProcessLookupError, PermissionError):  # macOS answers EPERM for a group of corpses
        os.killpg(pid, number)


def kill_family(members: Iterable[ProcessId]) -> None:
    """SIGKILL to each process that is still the one it was."""
    for member in members:
        if alive(member):
            with suppress(ProcessLookupError):
                os.kill(member.pid, signal.SIGKILL)


def end_leftovers(leaders: Sequence[ProcessId], *, seconds: float) -> tuple[ProcessId, ...]:
    """Ends processes that an earlier supervisor left: SIGTERM, after `seconds` SIGKILL. Answers those that lived."""
    members = tuple(member for leader in leaders for member in family(leader))
    left = tuple(leader for leader in leaders if alive(leader))
    for leader in left:
        signal_group(leader.pid, signal.SIGTERM)
    if not wait_gone(members, seconds=seconds):
        kill_family(members)
        wait_gone(members, seconds=5.0)
    return left


def wait_gone(members: Iterable[ProcessId], *, seconds: float) -> bool:
    """Whether all of them ended within the time."""
    remaining = list(members)
    deadline = time.monotonic() + seconds
    while remaining := [member for member in remaining if alive(member)]:
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.02)
    return True
