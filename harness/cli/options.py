"""What every command takes: which landscape, and where its state lies. What takes long to import is imported late."""

import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from harness.local.folders import find_manifest, state_folder

if TYPE_CHECKING:
    from harness.local.handle import Harness


@dataclass(frozen=True, slots=True)
class Options:
    """`file` and `state` as given on the command line."""

    file: Path | None
    state: Path | None

    def manifest(self) -> Path:
        """The harness.yaml meant. Raises `InputError` when there is none."""
        return find_manifest(self.file)

    def state_folder(self) -> Path:
        return state_folder(self.manifest(), self.state or _state_of_environment())

    def harness(self) -> "Harness":
        """The running landscape. Raises `NotRunning` or `InputError`."""
        from harness.local.handle import Harness

        return Harness.attach(self.manifest(), self.state_folder())

    def command_line(self, arguments: Sequence[str]) -> str:
        """A command about the same landscape, as the user would type it here."""
        file = ["--file", str(self.file)] if self.file else []
        state = ["--state", str(self.state)] if self.state else []
        return shlex.join([*_program(), *file, *state, *arguments])


def options(context: typer.Context) -> Options:
    chosen = context.obj
    assert isinstance(chosen, Options)
    return chosen


def _state_of_environment() -> Path | None:
    """HARNESS_STATE. The settings come with the manifests' types, so they are read only where one is made."""
    if not any(name.startswith("HARNESS_") for name in os.environ):
        return None
    from harness.manifest.settings import read_settings

    return read_settings(os.environ).state


def _program() -> list[str]:
    """`harness` where the search path leads to this one, else its path: `.venv/bin/harness`."""
    called = Path(sys.argv[0])
    if called.name != "harness":
        return ["harness"]
    found = shutil.which("harness")
    return ["harness"] if found and Path(found).samefile(called) else [os.path.relpath(called)]
