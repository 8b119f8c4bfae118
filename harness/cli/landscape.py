"""Commands that start, stop and show a landscape: up, down, status, logs."""

import json
import sys
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from harness import local
from harness.cli.options import options


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
    engine: Annotated[Engine, typer.Option(help="processes needs Python alone; docker uses docker compose")] = (
        Engine.PROCESSES
    ),
    free_ports: Annotated[
        bool, typer.Option("--free-ports", help="any free ports instead of the manifest's (several landscapes at once)")
    ] = False,
) -> None:
    """Start the landscape of harness.yaml and stay with it until Ctrl-C (or --detach)."""
    chosen = options(context)
    request = local.UpRequest(
        manifest=chosen.manifest(),
        state=chosen.state_folder(),
        domains=tuple(domains or ()),
        free_ports=free_ports,
    )
    if engine is Engine.DOCKER:
        raise typer.Exit(local.compose_up(request, detach=detach))
    if detach:
        local.up_detached(request)
        _show(local.status(request.state), as_json=False)
        return
    code = local.up(request, announce=lambda: _announce(request))
    raise typer.Exit(code)


def _announce(request: local.UpRequest) -> None:
    _show(local.status(request.state), as_json=False)
    print(f"\ntry: {local.example_call(request)}\nCtrl-C stops everything.", file=sys.stderr)


def down(context: typer.Context) -> None:
    """Stop the landscape; its data stays for the next `up`."""
    local.down(options(context).state_folder())


def status(
    context: typer.Context, as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False
) -> None:
    """What runs, where, and whether it is healthy. Exit code 1 when something is not, or nothing runs."""
    report = local.status(options(context).state_folder())
    _show(report, as_json=as_json)
    if not report.healthy:
        raise typer.Exit(1)


def _show(report: local.Status, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(report.as_dict(), indent=2))
        return
    if not report.running:
        print("nothing runs here; start it with: harness up", file=sys.stderr)
        return
    table = Table(box=None, pad_edge=False, show_edge=False)
    for heading in ("NAME", "KIND", "HEALTH", "PID", "RESTARTS", "ADDRESS"):
        table.add_column(heading)
    for process in report.processes:
        health = "healthy" if process.healthy else process.state
        table.add_row(
            process.name, process.kind, health, str(process.pid or "-"), str(process.restarts), process.address
        )
    console = Console(highlight=False, soft_wrap=True)
    console.print(table)
    for name, url in report.listeners.items():
        console.print(f"{name}: {url}")


def logs(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="one process; all when left out")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-F", "-f", help="keep printing as lines come")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="how many of the last lines of each")] = 50,
) -> None:
    """What the processes printed."""
    local.print_logs(options(context).state_folder(), name, follow=follow, lines=lines, sink=print)
