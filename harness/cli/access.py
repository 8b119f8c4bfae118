"""What roles may do and what they did: access."""

import json
from typing import Annotated

import typer

from harness.cli.options import options


def add_to(app: typer.Typer) -> None:
    app.command()(access)


def access(
    context: typer.Context,
    role: Annotated[
        str | None, typer.Argument(metavar="[ROLE]", help="NAME, ACCOUNT/NAME or ARN (default: every role)")
    ] = None,
    since: Annotated[str | None, typer.Option("--since", metavar="TIME", help="such as 2026-01-15T12:00:00Z")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON array")] = False,
) -> None:
    """Permissions that recorded calls never used, and calls that were refused, by role."""
    from harness.audit.usage import shown, usage

    harness = options(context).harness()
    named = harness.landscape.role(role) if role else None
    roles = {named.arn: named} if named else harness.landscape.roles
    rows = usage(harness.records(since=since), roles)
    print(json.dumps(rows, indent=2) if as_json else shown(rows))
