"""Commands that start, stop and show a landscape: up, down, status, logs."""

import sys
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from harness import manifest
from harness.cli.options import options
from harness.local import containers, lifecycle
from harness.local.example import example_call
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
        list[str] | None, typer.Argument(metavar="[DOMAIN]...", help="only these, and the domains they call")
    ] = None,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="return when all is healthy")] = False,
    engine: Annotated[
        Engine, typer.Option(help="processes needs Python alone; docker uses docker compose")
    ] = Engine.PROCESSES,
    free_ports: Annotated[
        bool, typer.Option("--free-ports", help="any free ports instead of the manifest's (several landscapes at once)")
    ] = False,
    background: Annotated[bool, typer.Option("--background", hidden=True)] = False,
) -> None:
    """Start the landscape of harness.yaml and stay with it until Ctrl-C, or return when all is healthy (--detach)."""
    chosen = options(context)
    file = chosen.manifest()
    if engine is Engine.DOCKER:
        raise typer.Exit(containers.compose_up(file, detach=detach))
    request = UpRequest(file, chosen.state_folder(), tuple(domains or ()), free_ports, background)

    def ready(state: LandscapeState) -> None:
        if background:
            return
        _table(state)
        print(f"\ntry: {example_call(manifest.load(file))}", file=sys.stderr)
        print("stop: harness down" if detach else "stop: Ctrl-C", file=sys.stderr, flush=True)

    if detach:
        ready(lifecycle.up_detached(request, progress=_progress()))
        return
    raise typer.Exit(lifecycle.up(request, ready=ready))


def _progress() -> "lifecycle.Progress":
    """One line for each process that becomes healthy."""
    told: set[str] = set()

    def show(state: LandscapeState) -> None:
        for process in state.processes:
            if process.healthy and process.name not in told:
                told.add(process.name)
                print(f"{process.name} is ready ({len(told)}/{len(state.processes)})", file=sys.stderr)

    return show


def down(context: typer.Context) -> None:
    """Stop the landscape; its data stays for the next `up`."""
    chosen = options(context)
    if lifecycle.status(chosen.state_folder()) is None and containers.compose_down(chosen.manifest()):
        return
    lifecycle.down(chosen.state_folder())
    print("stopped; data is kept", file=sys.stderr)


def status(
    context: typer.Context, as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False
) -> None:
    """What runs, where, and whether it is healthy. Exit code 1 when something is not, or nothing runs."""
    chosen = options(context)
    state = lifecycle.status(chosen.state_folder()) or containers.status(chosen.manifest())
    if as_json:
        print(lifecycle.as_json(state))
    elif state is None:
        print("nothing runs here; start it with: harness up", file=sys.stderr)
    else:
        _table(state)
    if state is None or not state.healthy:
        raise typer.Exit(1)


def _table(state: LandscapeState) -> None:
    table = Table(box=None, pad_edge=False, show_edge=False, header_style="")
    for heading in ("NAME", "KIND", "HEALTH", "PID", "RESTARTS", "ADDRESS"):
        table.add_column(heading, no_wrap=True)
    for process in state.processes:
        health = "healthy" if process.healthy else process.detail or "starting"
        ports = ", ".join(f"127.0.0.1:{port}" for port in process.ports.values())
        table.add_row(
            process.name, process.kind, health, str(process.pid or "-"), str(process.restarts), process.url or ports
        )
    console = Console(highlight=False, soft_wrap=True)
    console.print(table)
    for name, port in state.ports.items():
        if name in ("workbench", "public"):
            console.print(f"{name}: http://localhost:{port}")


def logs(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="one process; all when left out")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="keep printing as lines come")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="how many of the last lines of each")] = 50,
) -> None:
    """What the processes printed."""
    lifecycle.show_logs(options(context).state_folder(), name, follow=follow, lines=lines, sink=print)
