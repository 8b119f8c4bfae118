"""A small landscape in a folder of the test's own, changed as a case says."""

import shutil
from collections.abc import Mapping
from pathlib import Path

CASES = Path(__file__).parent / "cases"


def copy(folder: Path) -> Path:
    """The harness.yaml of a landscape without a mistake."""
    shutil.copytree(CASES / "landscape", folder, dirs_exist_ok=True)
    return folder / "harness.yaml"


def edit(folder: Path, changes: Mapping[str, Mapping[str, str]]) -> None:
    """Replaces text in files; a text that is not there is a mistake of the case."""
    for file, replacements in changes.items():
        path = folder / file
        text = path.read_text()
        for old, new in replacements.items():
            assert old in text, f"{file} has no {old!r}"
            text = text.replace(old, new)
        path.write_text(text)
