"""`harness compose`: docker-compose.yml from the manifests."""

import sys
from typing import Annotated

import typer

from harness.cli.options import options


def add_to(app: typer.Typer) -> None:
    app.command()(compose)


def compose(
    context: typer.Context,
    check: Annotated[
        bool, typer.Option("--check", help="write nothing; exit code 1 when the file is not what the manifests say")
    ] = False,
) -> None:
    """Write docker-compose.yml beside harness.yaml."""
    from harness.local.containers import write_compose

    chosen = options(context)
    written = write_compose(chosen.manifest(), check=check)
    if check and not written.current:
        mend = chosen.command_line(["compose"])
        print(f"{written.path} is not what the manifests say; write it with: {mend}", file=sys.stderr)
        raise typer.Exit(1)
    if not check:
        print(f"{written.path}: {'unchanged' if written.current else 'written'}", file=sys.stderr)
