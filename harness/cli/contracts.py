"""Commands about contract files: diff."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from harness.clock import utc_now
from harness.errors import InputError, Problem

RULES_FILE = "rules.yaml"
_MOST_BYTES = 64 * 1024 * 1024  # any API's contract may be compared, not a landscape's own alone


def add_to(app: typer.Typer) -> None:
    app.command()(diff)


def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="a contract file, or REVISION:FILE of this git repository")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="the same contract as it is to become")],
    rules: Annotated[
        Path | None,
        typer.Option("--rules", metavar="FILE", help="levels and ignores (default: rules.yaml beside NEW or above)"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """What changed between two versions of a contract, and what that breaks. Exit code 1 when something breaks."""
    from harness.contracts.diff import Settings, read_settings
    from harness.contracts.diff.files import diff_files
    from harness.contracts.diff.render import as_json as json_of
    from harness.contracts.diff.render import as_text

    for argument, named in (("OLD", old), ("NEW", new)):
        _check_names_a_file(argument, named)
    found = rules or _rules_beside(new)
    settings = read_settings(str(found), _text(str(found))) if found else Settings()
    result = diff_files(_name(old), _name(new), _reader(old), _reader(new), today=utc_now().date(), settings=settings)
    print(json.dumps(json_of(result, old, new), indent=2, ensure_ascii=False) if as_json else as_text(result, old, new))
    if result.breaking:
        raise typer.Exit(1)


def _check_names_a_file(argument: str, named: str) -> None:
    revision, colon, file = named.partition(":")
    if colon and not (revision and file) and not Path(named).exists():
        missing = "file" if revision else "revision"
        text = f'"{named}" has no {missing} {"after" if revision else "before"} the colon: write REVISION:FILE'
        raise InputError([Problem(argument, 0, text)])
    if not named:
        raise InputError([Problem(argument, 0, "is empty: name a contract file, or REVISION:FILE")])


def _revision(named: str) -> str | None:
    """`main` of `main:contracts/orders/v2/openapi.yaml`; a file of that very name goes first."""
    revision, colon, file = named.partition(":")
    return revision if colon and file and not Path(named).exists() else None


def _name(named: str) -> str:
    return named if _revision(named) is None else named.partition(":")[2]


def _reader(named: str) -> Callable[[str], str]:
    """Reads the contract and the files that it refers to, all of the working tree or all of one revision."""
    from harness.local.revisions import find_revision, text_at

    name = _revision(named)
    if name is None:
        return _text
    folder = Path.cwd()
    revision = find_revision(name, folder, asked=named, instead="file")

    def read(file: str) -> str:
        text = text_at(revision.commit, folder / file, revision.repository)
        if text is None:
            raise InputError(
                [Problem(f"{name}:{file}", 0, f"is no file of {revision.shown}: mind the path and the case")]
            )
        return text.removeprefix("\ufeff")

    return read


def _text(file: str) -> str:
    from harness.local.contract_files import contract_text

    return contract_text(file, limit=_MOST_BYTES)


def _rules_beside(named: str) -> Path | None:
    """In the folder of the contract, or above it up to the one called `contracts`."""
    folder = Path(_name(named)).parent
    folders = [folder, *folder.parents]
    names = [each.name for each in folders]
    within = folders[: names.index("contracts") + 1] if "contracts" in names else folders[:1]
    return next((each / RULES_FILE for each in within if (each / RULES_FILE).is_file()), None)
