"""What every command takes: which landscape, and where its state lies."""

from dataclasses import dataclass
from pathlib import Path

import typer

from harness import local


@dataclass(frozen=True, slots=True)
class Options:
    file: Path | None
    state: Path | None

    def manifest(self) -> Path:
        """The harness.yaml meant. Raises `InputError` when there is none."""
        return local.find_manifest(self.file)

    def state_folder(self) -> Path:
        return local.state_folder(self.manifest(), self.state)

    def harness(self) -> local.Harness:
        """The running landscape. Raises `NotRunning` or `InputError`."""
        return local.Harness.attach(self.manifest(), self.state_folder())


def options(context: typer.Context) -> Options:
    chosen = context.obj
    assert isinstance(chosen, Options)
    return chosen
