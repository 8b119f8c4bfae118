"""The diff of two contract files of either kind: OpenAPI documents, or schemas of an event."""

from collections.abc import Callable
from datetime import date
from typing import Any

from harness.contracts.diff.document import Diff, diff_contracts
from harness.contracts.diff.model import contract_of, is_openapi
from harness.contracts.diff.settings import Settings
from harness.contracts.schemas import Library
from harness.errors import InputError, Problem

Read = Callable[[str], str]


def diff_files(old: str, new: str, read_old: Read, read_new: Read, *, today: date, settings: Settings) -> Diff:
    """Raises `InputError` when a file is no contract, or the two are of different kinds."""
    libraries = Library(old, read_old), Library(new, read_new)
    before, after = (library.root.value for library in libraries)
    for file, value, other in ((old, before, after), (new, after, before)):
        if not is_openapi(value) and (is_openapi(other) or not _is_schema(value)):
            raise InputError([Problem(file, 0, 'not an OpenAPI document: the key "openapi" is missing')])
    return diff_contracts(*map(contract_of, libraries), today=today, settings=settings)


def _is_schema(value: Any) -> bool:
    return isinstance(value, dict) and any(key in value for key in ("$schema", "type", "properties", "$ref", "allOf"))
