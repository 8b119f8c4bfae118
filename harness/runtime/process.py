"""What to start: processes as values. A plan knows nothing of manifests; whoever makes it does."""

import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

Probe = Callable[[], Awaitable[str | None]]
"""Answers None when all is well, else what is wrong (`GET http://… answers 500`)."""

Step = Callable[[], Awaitable[None]]
"""Work around a process's first start; raises StartError when it cannot be done."""

PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")


class Kind(StrEnum):
    """In the order in which they are needed; they are stopped in the reverse."""

    POSTGRES = "postgres"
    NATS = "nats"
    EDGE = "edge"
    ROUTER = "router"
    STUB = "stub"
    DOMAIN = "domain"


@dataclass(frozen=True, slots=True)
class RunAs:
    """The user a process drops to. `reach`: it may still pass and read folders that are closed to that user (Linux)."""

    uid: int
    gid: int
    reach: bool = False


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """One process of a landscape.

    `env` is the child's whole environment; nothing is inherited. `ready` is a URL that must answer 200, a probe, or
    None (ready once started); it is asked every second afterwards too, and tells `healthy`. `sockets` are passed open,
    under the same numbers. `after` names processes that must be ready first. `prepare` runs before the first start,
    `complete` after the first readiness and before anything that waits for this process. `stop_signal` goes to the
    whole process group, SIGKILL follows after `stop_seconds`.
    """

    name: str
    kind: Kind
    command: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    ready: str | Probe | None = None
    sockets: tuple[socket.socket, ...] = ()
    after: tuple[str, ...] = ()
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 10.0
    ready_seconds: float = 30.0
    run_as: RunAs | None = None
    prepare: Step | None = None
    complete: Step | None = None
    url: str = ""
    ports: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """All processes of a landscape. `url` and `ports` are told to the user through the state and mean nothing here."""

    processes: tuple[ProcessSpec, ...]
    url: str = ""
    ports: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = [spec.name for spec in self.processes]
        if len(set(names)) != len(names):
            raise ValueError(f"two processes of one name: {names}")
        ready: set[str] = set()
        waiting = list(self.processes)
        while waiting:
            able = [spec for spec in waiting if ready.issuperset(spec.after)]
            if not able:
                raise ValueError(f"these wait for each other or for nobody: {[spec.name for spec in waiting]}")
            ready.update(spec.name for spec in able)
            waiting = [spec for spec in waiting if spec.name not in ready]


def base_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The few variables of the user's own that any program may need: search path, locale, time zone, certificates."""
    return {name: environ[name] for name in PASSED_ON if name in environ}


def stop_waves(processes: Iterable[ProcessSpec]) -> list[list[str]]:
    """Names in the order of stopping: each wave may stop together, once the wave before it has ended."""
    members = list(processes)
    waves = ([spec.name for spec in members if spec.kind is kind] for kind in reversed(Kind))
    return [wave for wave in waves if wave]


def launch_command(spec: ProcessSpec) -> list[str]:
    """The command line that starts a process tied to this one (see launch.py), or as it is where that has no use."""
    if sys.platform != "linux" and spec.run_as is None:
        return list(spec.command)
    run_as = spec.run_as
    return [
        sys.executable,
        "-I",
        "-S",
        str(Path(__file__).with_name("launch.py")),
        str(os.getpid()),
        f"{run_as.uid}:{run_as.gid}" if run_as else "-",
        "reach" if run_as and run_as.reach else "-",
        spec.env.get("LC_CTYPE", "-"),
        "--",
        *spec.command,
    ]
