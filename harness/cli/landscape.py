"""Commands that start, stop and show a landscape: up, down, status, logs."""

import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import Options, options
from harness.errors import InputError, Problem
from harness.local import docker, running
from harness.local.disk_use import disk_use

if TYPE_CHECKING:
    from harness.local.lifecycle import UpRequest
    from harness.runtime.state import LandscapeState


class Engine(StrEnum):
    PROCESSES = "processes"
    DOCKER = "docker"


def add_to(app: typer.Typer) -> None:
    app.command()(up)
    app.command()(down)
    app.command()(status)
    app.command()(logs)


def up(
    context: typer.Context,
    domains: Annotated[
        list[str] | None, typer.Argument(metavar="DOMAIN", help="only these; stubs stand for the APIs that they call")
    ] = None,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="return when all is healthy")] = False,
    engine: Annotated[
        Engine, typer.Option(help="processes needs Python alone; docker uses docker compose")
    ] = Engine.PROCESSES,
    free_ports: Annotated[
        bool, typer.Option("--free-ports", help="any free ports instead of the manifest's (several landscapes at once)")
    ] = False,
    stubs: Annotated[
        list[str] | None, typer.Option("--stub", metavar="API", help="serve this API from its contract (repeatable)")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="of what stubs make up")] = 1,
    record: Annotated[
        bool, typer.Option("--record", help="write what each consumer uses of each API beside the contracts")
    ] = False,
    background: Annotated[bool, typer.Option("--background", hidden=True)] = False,
    parent: Annotated[int, typer.Option("--parent", hidden=True)] = 0,
    only_stubs: Annotated[bool, typer.Option("--only-stubs", hidden=True)] = False,
    workbench: Annotated[int | None, typer.Option("--workbench-port", hidden=True)] = None,
) -> None:
    """Start the landscape of harness.yaml and stay with it until Ctrl-C, or return when all is healthy (--detach)."""
    chosen = options(context)
    file = chosen.manifest()
    names = tuple(domains or ())
    if engine is Engine.DOCKER:
        from harness.local import containers

        for option, given, why in (
            ("--free-ports", free_ports, "containers take the ports of harness.yaml"),
            ("--record", record, "containers have the contracts read-only, so nothing can be recorded there"),
            ("--stub", stubs, "stubs run as processes, and containers run the domains themselves"),
        ):
            if given:
                raise InputError([Problem(option, 0, f"{why}: leave it out")])
        ready = show_ready(chosen, file, detach=detach)
        raise typer.Exit(containers.compose_up(file, names, detach=detach, ready=ready))
    from harness.local.lifecycle import UpRequest

    request = UpRequest(
        file,
        chosen.state_folder(),
        names,
        free_ports,
        background,
        parent,
        stubs=tuple(stubs or ()),
        only_stubs=only_stubs,
        seed=seed,
        workbench=workbench,
        record=record,
    )
    start(chosen, request, detach=detach)


def start(chosen: Options, request: "UpRequest", *, detach: bool) -> None:
    """Runs what was asked for until its end, or leaves it in the background."""
    from harness.local import lifecycle

    ready = show_ready(chosen, request.manifest, detach=detach)
    if detach:
        ready(lifecycle.up_detached(request, progress=_progress()))
        return
    raise typer.Exit(lifecycle.up(request, ready=(lambda state: None) if request.background else ready))


def show_ready(chosen: Options, file: Path, *, detach: bool) -> "Callable[[LandscapeState], None]":
    """Shows what runs and what to do next."""
    stop = chosen.command_line(["down"]) if detach else "Ctrl-C"

    def show(state: "LandscapeState") -> None:
        from harness import manifest
        from harness.local.example import example_call

        print_table(state)
        example = example_call(manifest.load(file), [process.name for process in state.processes])
        print(f"\ntry: {chosen.command_line(example)}", file=sys.stderr)
        print(f"stop: {stop}", file=sys.stderr, flush=True)

    return show


def _progress() -> "Callable[[LandscapeState], None]":
    """One line for each process that becomes healthy."""
    told: set[str] = set()

    def show(state: "LandscapeState") -> None:
        for process in state.processes:
            if process.healthy and process.name not in told:
                told.add(process.name)
                print(f"{process.name} is ready ({len(told)}/{len(state.processes)})", file=sys.stderr)

    return show


def down(context: typer.Context) -> None:
    """Stop the landscape; its data stays for the next `up`."""
    chosen = options(context)
    state = chosen.state_folder()
    if running.status(state) is None:
        code = docker.down(chosen.manifest().parent)
        if code is not None:
            raise typer.Exit(code)
    running.down(state, say=lambda line: print(f"harness: {line}", file=sys.stderr))
    print("stopped; data is kept", file=sys.stderr)


def status(
    context: typer.Context, as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False
) -> None:
    """What runs, where, how healthy it is and what it keeps. Exit code 1 when something is not, or nothing runs."""
    chosen = options(context)
    folder = chosen.state_folder()
    state = running.status(folder) or docker.status(chosen.manifest().parent)
    storage = None if state is None else disk_use(state, folder)
    if as_json:
        print(running.as_json(state, storage))
    elif state is None:
        print(f"nothing runs here; start it with: {chosen.command_line(['up'])}", file=sys.stderr)
    else:
        print_table(state)
        print(f"storage    {storage}")
    if state is None or not state.healthy:
        raise typer.Exit(1)


def print_table(state: "LandscapeState") -> None:
    """What runs, as lines of columns, and where it can be reached."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, show_edge=False, header_style="")
    for heading in ("NAME", "KIND", "HEALTH", "PID", "RESTARTS", "ADDRESS"):
        table.add_column(heading, no_wrap=True)
    for process in state.processes:
        health = "healthy" if process.healthy else process.detail or "starting"
        ports = ", ".join(f"127.0.0.1:{port}" for port in process.ports.values())
        table.add_row(
            process.name, process.kind, health, str(process.pid or "-"), str(process.restarts), process.url or ports
        )
    console = Console(highlight=False, soft_wrap=True, markup=False, emoji=False)
    console.print(table)
    console.print()
    for name, about in (("workbench", "your own VPC endpoint"), ("public", "the public internet")):
        if name in state.ports:
            console.print(f"{name:<9}  http://localhost:{state.ports[name]}  {about}")


def logs(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="one process; all when left out")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="keep printing as lines come, until down")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="how many of the last lines")] = 50,
) -> None:
    """What the processes printed."""
    chosen = options(context)
    state = chosen.state_folder()
    if running.status(state) is None:
        code = docker.logs(chosen.manifest().parent, name, follow=follow, lines=lines)
        if code is not None:
            raise typer.Exit(code)
    if not running.show_logs(state, name, follow=follow, lines=lines, sink=lambda line: print(line, flush=follow)):
        print(f"nothing has run here yet; start it with: {chosen.command_line(['up'])}", file=sys.stderr)
