"""`harness`: exit code 0 good, 1 findings or a failure, 2 misuse. Data goes to stdout, everything else to stderr."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from harness.cli import access, bus, calls, containers, contracts, explain, landscape, lint, release, stub
from harness.cli.options import Options
from harness.errors import HarnessError, InputError

app = typer.Typer(
    name="harness",
    help="Your AWS domain layer on one machine: calls signed and authorised, events delivered, contracts checked.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def settings(
    context: typer.Context,
    file: Annotated[
        Path | None,
        typer.Option("--file", "-f", help="harness.yaml (default: here or in a folder above)"),
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option("--state", help="where a run keeps its state (default: .harness, or HARNESS_STATE)"),
    ] = None,
) -> None:
    context.obj = Options(file=file, state=state)


landscape.add_to(app)
calls.add_to(app)
explain.add_to(app)
access.add_to(app)
bus.add_to(app)
containers.add_to(app)
contracts.add_to(app)
stub.add_to(app)
lint.add_to(app)
release.add_to(app)


def main() -> None:
    """The console script. Errors that a user can act on are printed without a traceback."""
    try:
        app(prog_name="harness")
    except InputError as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None
    except HarnessError as error:
        print(f"harness: {error}", file=sys.stderr)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
