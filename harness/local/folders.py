"""Where a landscape's manifest and its state are."""

from pathlib import Path

from harness.errors import InputError, Problem

MANIFEST = "harness.yaml"
STATE = ".harness"


def find_manifest(named: Path | None, *, start: Path | None = None) -> Path:
    """The harness.yaml that is meant: the one named, else the nearest from `start` (the current folder) upwards."""
    if named is not None:
        found = named / MANIFEST if named.is_dir() else named
        if not found.is_file():
            raise InputError([Problem(str(found), 0, f"no such file: name a {MANIFEST} or a folder that has one")])
        return found.resolve()
    origin = (start or Path.cwd()).resolve()
    for folder in (origin, *origin.parents):
        if (folder / MANIFEST).is_file():
            return folder / MANIFEST
    raise InputError([Problem(str(origin), 0, f"no {MANIFEST} here or in a folder above; name one with --file")])


def state_folder(manifest: Path, named: Path | None) -> Path:
    """`.harness` beside the manifest unless another folder is named, which need not be there yet."""
    if named is None:
        return manifest.parent / STATE
    if named.exists() and not named.is_dir():
        raise InputError([Problem(str(named), 0, "is not a folder: name one, or one that can be made")])
    return named.resolve()
