"""`harness stub API`: providers made from their contracts, behind the same gateway."""

from typing import Annotated

import typer

from harness.cli.landscape import start
from harness.cli.options import options


def add_to(app: typer.Typer) -> None:
    app.command()(stub)


def stub(
    context: typer.Context,
    apis: Annotated[list[str], typer.Argument(metavar="API", help="the APIs to serve")],
    port: Annotated[
        int | None,
        typer.Option("--port", min=0, max=65_535, help="of the workbench; every other listener takes a free one then"),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="the same seed makes up the same data")] = 1,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="return when all is healthy")] = False,
) -> None:
    """Serve APIs from their contracts alone: signed calls, policies and limits as ever, no domain behind them."""
    from harness.local.lifecycle import UpRequest

    chosen = options(context)
    request = UpRequest(
        chosen.manifest(),
        chosen.state_folder(),
        free_ports=port is not None,
        stubs=tuple(dict.fromkeys(apis)),
        only_stubs=True,
        seed=seed,
        workbench=port,
    )
    start(chosen, request, detach=detach)
