"""Why was a call refused: explain."""

import json
from typing import Annotated

import typer

from harness.cli.options import options


def add_to(app: typer.Typer) -> None:
    app.command()(explain)


def explain(
    context: typer.Context,
    request_id: Annotated[
        str, typer.Argument(metavar="REQUEST_ID", help="x-amzn-RequestId of the answer, or the id in the edge's log")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="the whole explanation as one JSON object")] = False,
) -> None:
    """Why a call was answered as it was, and the smallest change that would allow it."""
    told = options(context).harness().explain(request_id)
    if as_json:
        print(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        from harness.audit.tree import tree

        print(tree(told))
