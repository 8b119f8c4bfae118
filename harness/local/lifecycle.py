"""Starting a landscape that runs as processes: with a terminal, in the background, or for a test run."""

import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from harness import manifest
from harness.errors import NotRunning
from harness.local.handle import Harness
from harness.local.plan import make_plan
from harness.local.running import down
from harness.local.selection import Selection, select
from harness.runtime.console import PrefixedConsole
from harness.runtime.detach import spawn_detached
from harness.runtime.folder import StateFolder
from harness.runtime.state import LandscapeState, hold
from harness.runtime.supervisor import serve

Progress = Callable[[LandscapeState], None]
"""Called with each new state of a landscape that starts."""

LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class UpRequest:
    """`domains` empty: all. `stubs`: APIs that are served from their contracts; `only_stubs`: and nothing else runs.

    `free_ports`: whatever the manifests say, so that several landscapes run side by side. `background`: nobody watches;
    what the processes print goes to their logs alone. `parent`: the process that the landscape ends with, however that
    ends; 0 for none. `seed` is the stubs'. `workbench`: the port of the workbench, whatever else says.
    `record`: what consumers use of providers is written beside the contracts.
    """

    manifest: Path
    state: Path
    domains: tuple[str, ...] = ()
    free_ports: bool = False
    background: bool = False
    parent: int = 0
    stubs: tuple[str, ...] = ()
    only_stubs: bool = False
    seed: int = 1
    workbench: int | None = None
    record: bool = False


def say(line: str) -> None:
    print(f"harness: {line}", file=sys.stderr, flush=True)


def up(request: UpRequest, *, ready: Progress) -> int:
    """Runs the landscape in this process until a signal. Raises `InputError` before anything starts, `StartError`."""
    landscape, selection = _checked(request)
    folder = StateFolder(request.state)
    with hold(folder, say=say) as held:
        running = make_plan(
            landscape,
            folder,
            domains=selection.domains,
            stubs=selection.stubs,
            seed=request.seed,
            free_ports=request.free_ports,
            workbench=request.workbench,
            record=request.record,
        )
        names = [spec.name for spec in running.plan.processes]
        console = None if request.background else PrefixedConsole(sys.stderr, names)
        if request.parent:
            threading.Thread(target=_end_with, args=(request.parent,), daemon=True).start()
        try:
            return serve(running.plan, held, console=console, on_ready=ready)
        finally:
            running.close()


def _checked(request: UpRequest) -> tuple[manifest.Landscape, Selection]:
    """What is to run; every mistake that can be told before anything starts is told here."""
    landscape = manifest.load(request.manifest)
    selection = select(landscape, request.domains, request.stubs, alone=request.only_stubs)
    if selection.stubs:
        from harness.local.providers import provider_of

        for api in selection.stubs:
            provider_of(landscape, api, seed=request.seed)
    if request.record:
        from harness.local.usage_recording import check_recording

        check_recording(landscape, request.state)
    return landscape, selection


def _end_with(parent: int) -> None:
    """Ends this process as SIGTERM does once it is no longer the child of `parent`."""
    while os.getppid() == parent:
        time.sleep(LOOK_SECONDS)
    say(f"process {parent}, which this landscape was for, is gone")
    os.kill(os.getpid(), signal.SIGTERM)


def up_detached(request: UpRequest, *, progress: Progress | None = None) -> LandscapeState:
    """Starts a supervisor in the background and returns when all is healthy."""
    _checked(request)  # mistakes are told here, not in a log
    return spawn_detached(background_command(request), StateFolder(request.state), progress=progress)


def background_command(request: UpRequest) -> list[str]:
    """The command line of the supervisor that `up_detached` leaves behind."""
    options = ["--file", str(request.manifest), "--state", str(request.state)]
    up_options = ["--background"]
    if request.free_ports:
        up_options.append("--free-ports")
    if request.parent:
        up_options += ["--parent", str(request.parent)]
    for api in request.stubs:
        up_options += ["--stub", api]
    if request.only_stubs:
        up_options.append("--only-stubs")
    if request.seed != 1:
        up_options += ["--seed", str(request.seed)]
    if request.record:
        up_options.append("--record")
    if request.workbench is not None:
        up_options += ["--workbench-port", str(request.workbench)]
    return [sys.executable, "-m", "harness.cli.main", *options, "up", *up_options, *request.domains]


class Temporary:
    """A landscape for a test run: its own state folder and free ports; gone without a trace at the end.

    It ends with this process too, should that be killed.
    """

    def __init__(self, harness: Harness, folder: "tempfile.TemporaryDirectory[str]") -> None:
        self.harness = harness
        self._folder = folder

    @classmethod
    def start(cls, file: Path, *, domains: tuple[str, ...] = ()) -> Self:
        folder = tempfile.TemporaryDirectory(prefix="harness-", ignore_cleanup_errors=True)
        state = Path(folder.name)
        try:
            up_detached(UpRequest(file, state, domains, free_ports=True, parent=os.getpid()))
            return cls(Harness.attach(file, state), folder)
        except BaseException:
            with suppress(NotRunning):
                down(state, say=say)
            folder.cleanup()
            raise

    def stop(self) -> None:
        try:
            down(Path(self._folder.name), say=say)
        except NotRunning:
            say("the landscape of this test run had ended before it was stopped")
        finally:
            self._folder.cleanup()
