"""The environment variables that the harness itself reads, all of them in one table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from harness.errors import InputError, Problem, did_you_mean
from harness.manifest.model import Ports

PREFIX: Final = "HARNESS_"
MOST_CLOCK_FACTOR: Final = 100_000


@dataclass(frozen=True, slots=True)
class Settings:
    """None: not set, so the manifest or the built-in default holds. A port of 0 means any free one.

    `state` is the folder for all that a run leaves on disk, relative to the working folder or absolute.
    `clock_factor`: how many times faster than the clock the retries of events run, and events grow old.
    """

    workbench_port: int | None = None
    public_port: int | None = None
    state: Path | None = None
    clock_factor: float | None = None

    def ports(self, of_manifest: Ports) -> Ports:
        """The manifest's ports with what the environment says instead."""
        chosen = of_manifest
        if self.workbench_port is not None:
            chosen = replace(chosen, workbench=self.workbench_port)
        if self.public_port is not None:
            chosen = replace(chosen, public=self.public_port)
        return chosen


@dataclass(frozen=True, slots=True)
class Variable:
    """`read` raises ValueError with what is wrong and the mend; `about` is for the documentation."""

    field: str
    read: Callable[[str], Any]
    about: str


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 5 or int(text) > 65_535:
        raise ValueError(f'"{text}" is not a port: a whole number from 0 to 65535, 0 takes a free one')
    return int(text)


def _folder(text: str) -> Path:
    path = Path(text)
    if "\0" in text or (path.exists() and not path.is_dir()):
        raise ValueError(f'"{text}" is not a folder: name one, or one that can be made')
    return path


def _factor(text: str) -> float:
    try:
        factor = float(text)
    except ValueError:
        factor = 0.0
    if not 1 <= factor <= MOST_CLOCK_FACTOR:
        raise ValueError(f'"{text}" is not a clock factor: a number from 1 to {MOST_CLOCK_FACTOR:,}')
    return factor


VARIABLES: Final[Mapping[str, Variable]] = {
    "HARNESS_WORKBENCH_PORT": Variable("workbench_port", _port, "port of your own VPC endpoint, instead of `4566`"),
    "HARNESS_PUBLIC_PORT": Variable("public_port", _port, "port of the public internet, instead of `4567`"),
    "HARNESS_CLOCK_FACTOR": Variable(
        "clock_factor", _factor, "for tests: retries of events, and their age, run so many times faster"
    ),
    "HARNESS_STATE": Variable("state", _folder, "folder of state, data, logs and keys, instead of `.harness`"),
}


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Raises InputError with every mistake; the variable's name stands where a file's does. Empty means not set."""
    problems: list[Problem] = []
    found: dict[str, Any] = {}
    for name, text in sorted(environment.items()):
        variable = VARIABLES.get(name)
        if variable is None:
            # Other programs may use the prefix; what is spelled almost like ours is ours, mistyped.
            known = [each.removeprefix(PREFIX) for each in VARIABLES]
            hint = did_you_mean(name.removeprefix(PREFIX), known) if name.startswith(PREFIX) else ""
            if hint:
                hint = hint.replace('"', f'"{PREFIX}', 1)
                problems.append(Problem(name, 0, f"unknown setting{hint}"))
        elif text:
            try:
                found[variable.field] = variable.read(text)
            except ValueError as error:
                problems.append(Problem(name, 0, str(error)))
    workbench, public = found.get("workbench_port"), found.get("public_port")
    if workbench and workbench == public:
        problems.append(Problem("HARNESS_PUBLIC_PORT", 0, f"port {public} is already that of HARNESS_WORKBENCH_PORT"))
    if problems:
        raise InputError(problems)
    return Settings(**found)
