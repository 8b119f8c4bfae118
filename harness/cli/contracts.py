"""Commands about contract files: diff."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from harness.clock import utc_now
from harness.errors import InputError, Problem

RULES_FILE = "rules.yaml"


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

    found = rules or _rules_beside(new)
    settings = read_settings(str(found), _text(str(found))) if found else Settings()
    result = diff_files(_name(old), _name(new), _reader(old), _reader(new), today=utc_now().date(), settings=settings)
    print(json.dumps(json_of(result, old, new), indent=2, ensure_ascii=False) if as_json else as_text(result, old, new))
    if result.breaking:
        raise typer.Exit(1)


def _revision(named: str) -> str | None:
    """`main` of `main:contracts/orders/v2/openapi.yaml`; a file of that very name goes first."""
    revision, colon, file = named.partition(":")
    return revision if colon and file and not Path(named).exists() else None


def _name(named: str) -> str:
    return named if _revision(named) is None else named.partition(":")[2]


def _reader(named: str) -> Callable[[str], str]:
    """Reads the contract and the files that it refers to, all of the working tree or all of one revision."""
    revision = _revision(named)
    return _text if revision is None else lambda file: _text_at(revision, file)


def _text(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise InputError([Problem(file, 0, f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise InputError([Problem(file, 0, "is not UTF-8 text")]) from error


def _text_at(revision: str, file: str) -> str:
    # "./": relative to the current folder, as the names of files are. No option can come of a revision after "--end-…".
    command = ["git", "show", "--end-of-options", f"{revision}:./{file}"]
    try:
        shown = subprocess.run(command, capture_output=True, check=True)
    except FileNotFoundError as error:
        raise InputError(
            [Problem(f"{revision}:{file}", 0, "git is needed to read a revision, and is missing")]
        ) from error
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip().removeprefix("fatal: ")
        raise InputError([Problem(f"{revision}:{file}", 0, said or "git cannot show it")]) from error
    return shown.stdout.decode("utf-8", errors="strict")


def _rules_beside(named: str) -> Path | None:
    """In the folder of the contract, or above it up to the one called `contracts`."""
    folder = Path(_name(named)).parent
    folders = [folder, *folder.parents]
    names = [each.name for each in folders]
    within = folders[: names.index("contracts") + 1] if "contracts" in names else folders[:1]
    return next((each / RULES_FILE for each in within if (each / RULES_FILE).is_file()), None)
