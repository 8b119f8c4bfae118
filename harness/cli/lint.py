"""`harness lint`: rules on contracts, one line a finding."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import options


def add_to(app: typer.Typer) -> None:
    app.command()(lint)


def lint(
    context: typer.Context,
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE", help="OpenAPI documents and event schemas; all of the manifests when left out"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False,
) -> None:
    """Hold contracts against rules: naming, errors, pages, examples, versions, metadata. Exit code 1 on findings."""
    from harness.contracts.lint.lint import as_json as plain
    from harness.local.linting import contracts_of, lint_files

    chosen = files or contracts_of(options(context).manifest())
    findings = lint_files(chosen)
    if as_json:
        print(json.dumps([plain(finding) for finding in findings], indent=2, ensure_ascii=False))
    else:
        for finding in findings:
            print(f"{finding.new}: {finding.place.label}: {finding.text} [{finding.rule}]")
        count = f"{len(findings)} finding{'' if len(findings) == 1 else 's'}" if findings else "nothing found"
        print(f"{count} in {len(chosen)} file{'' if len(chosen) == 1 else 's'}", file=sys.stderr)
    if findings:
        raise typer.Exit(1)
