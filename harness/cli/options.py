"""What every command takes: which landscape, and where its state lies."""

import os
from dataclasses import dataclass
from pathlib import Path

import typer

from harness.local.folders import find_manifest, state_folder
from harness.local.handle import Harness
from harness.manifest.settings import read_settings


@dataclass(frozen=True, slots=True)
class Options:
    file: Path | None
    state: Path | None

    def manifest(self) -> Path:
        """The harness.yaml meant. Raises `InputError` when there is none."""
        return find_manifest(self.file)

    def state_folder(self) -> Path:
        return state_folder(self.manifest(), self.state or read_settings(os.environ).state)

    def harness(self) -> Harness:
        """The running landscape. Raises `NotRunning` or `InputError`."""
        return Harness.attach(self.manifest(), self.state_folder())


def options(context: typer.Context) -> Options:
    chosen = context.obj
    assert isinstance(chosen, Options)
    return chosen
