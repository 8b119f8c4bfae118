"""The text of contract files, as the checks ask for it: by name, the file's own or that of one beside it."""

from pathlib import Path

from harness.errors import InputError, Problem
from harness.manifest.files import MAX_CONTRACT_BYTES, UnreadableError, read_text
from harness.runtime.folder import shown


def contract_text(name: str, *, limit: int = MAX_CONTRACT_BYTES) -> str:
    """Raises `InputError`."""
    try:
        return read_text(Path(name), limit=limit)
    except UnreadableError as error:
        text = "is a folder: name a contract in it" if Path(name).is_dir() else error.text
        raise InputError([Problem(shown(Path(name)), error.line, text)]) from error
