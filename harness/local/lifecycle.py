"""Starting, stopping and asking a landscape that runs as processes."""

import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from harness import manifest
from harness.errors import NotRunning
from harness.local.handle import Harness
from harness.local.plan import make_plan, with_providers
from harness.runtime import logs
from harness.runtime.console import PrefixedConsole
from harness.runtime.detach import spawn_detached
from harness.runtime.folder import StateFolder
from harness.runtime.state import LandscapeState, hold, read_state, stop
from harness.runtime.supervisor import serve

Progress = Callable[[LandscapeState], None]
"""Called with each new state of a landscape that starts."""


@dataclass(frozen=True, slots=True)
class UpRequest:
    """`domains` empty: all. `free_ports`: whatever the manifests say, so that several landscapes run side by side.

    `background`: nobody watches; what the processes print goes to their logs alone.
    """

    manifest: Path
    state: Path
    domains: tuple[str, ...] = ()
    free_ports: bool = False
    background: bool = False


def say(line: str) -> None:
    print(f"harness: {line}", file=sys.stderr, flush=True)


def up(request: UpRequest, *, ready: Progress) -> int:
    """Runs the landscape in this process until a signal. Raises `InputError` before anything starts, `StartError`."""
    landscape = manifest.load(request.manifest)
    domains = with_providers(landscape, request.domains)
    folder = StateFolder(request.state)
    with hold(folder, say=say) as held:
        running = make_plan(landscape, folder, domains=domains, free_ports=request.free_ports)
        names = [spec.name for spec in running.plan.processes]
        console = None if request.background else PrefixedConsole(sys.stderr, names)
        try:
            return serve(running.plan, held, console=console, on_ready=ready)
        finally:
            running.close()


def up_detached(request: UpRequest, *, progress: Progress | None = None) -> LandscapeState:
    """Starts a supervisor in the background and returns when all is healthy."""
    with_providers(manifest.load(request.manifest), request.domains)  # mistakes are told here, not in a log
    argv = [sys.executable, "-m", "harness.cli.main", "--file", str(request.manifest), "--state", str(request.state)]
    argv += ["up", "--background", *(("--free-ports",) if request.free_ports else ()), *request.domains]
    return spawn_detached(argv, StateFolder(request.state), progress=progress)


def down(state: Path) -> None:
    """Raises `NotRunning`."""
    stop(StateFolder(state), say=say)


def status(state: Path) -> LandscapeState | None:
    return read_state(StateFolder(state))


def show_logs(state: Path, name: str | None, *, follow: bool, lines: int, sink: Callable[[str], None]) -> None:
    """Raises `InputError` for a name that never ran; follows until the landscape has ended or the user interrupts."""
    folder = StateFolder(state)
    chosen = [name] if name else []
    width = max((len(each) for each in (chosen or logs.names(folder.logs))), default=0)

    def show(line: logs.LogLine) -> None:
        sink(f"{line.name:<{width}} | {line.text}")

    if not follow:
        for line in logs.read(folder.logs, chosen, last=lines):
            show(line)
        return
    try:
        for line in logs.follow(folder.logs, chosen, last=lines, wait=lambda: read_state(folder) is not None):
            show(line)
    except KeyboardInterrupt:
        return


class Temporary:
    """A landscape for a test run: its own state folder and free ports; gone without a trace at the end."""

    def __init__(self, harness: Harness, folder: "tempfile.TemporaryDirectory[str]") -> None:
        self.harness = harness
        self._folder = folder

    @classmethod
    def start(cls, file: Path, *, domains: tuple[str, ...] = ()) -> Self:
        folder = tempfile.TemporaryDirectory(prefix="harness-", ignore_cleanup_errors=True)
        try:
            up_detached(UpRequest(file, Path(folder.name), domains, free_ports=True))
            return cls(Harness.attach(file, Path(folder.name)), folder)
        except BaseException:
            folder.cleanup()
            raise

    def stop(self) -> None:
        try:
            down(Path(self._folder.name))
        except NotRunning:
            say("the landscape of this test run had ended before it was stopped")
        finally:
            self._folder.cleanup()


def as_json(state: LandscapeState | None) -> str:
    """The shape of `harness status --json`."""
    if state is None:
        return json.dumps({"phase": "stopped", "healthy": False, "processes": []}, indent=2)
    return json.dumps(state.to_json(), indent=2)
