"""The diff of two contract files of either kind: OpenAPI documents, or schemas of an event."""

from collections.abc import Callable
from datetime import date
from pathlib import PurePosixPath
from typing import Any

from harness.contracts.contract import contract_of, is_openapi
from harness.contracts.diff.document import Diff, diff_contracts, of_findings
from harness.contracts.diff.settings import Settings
from harness.contracts.release.compatibility import ReleasedSchema, incompatibilities, mode_of
from harness.contracts.schemas import Library, Location, Role, Schemas, Subject
from harness.errors import InputError, Problem

Read = Callable[[str], str]


def diff_files(old: str, new: str, read_old: Read, read_new: Read, *, today: date, settings: Settings) -> Diff:
    """Raises `InputError` when a file is no contract, or the two are of different kinds."""
    before, after = Library(old, read_old), Library(new, read_new)
    kinds = [_kind(library) for library in (before, after)]
    if kinds[0] != kinds[1]:
        raise InputError([Problem(new, 0, f"is {kinds[1]}, and {old} is {kinds[0]}: name two of one kind")])
    if kinds[0] == _OPENAPI:
        return diff_contracts(contract_of(before), contract_of(after), today=today, settings=settings)
    return _events(before, after, today, settings)


_OPENAPI = "an OpenAPI document"
_EVENT = "the schema of an event"


def _kind(library: Library) -> str:
    value, file = library.root.value, library.root.file
    if is_openapi(value) or (isinstance(value, dict) and "swagger" in value):
        return _OPENAPI
    if isinstance(value, dict) and any(key in value for key in ("$schema", "type", "properties", "$ref", "allOf")):
        return _EVENT
    raise InputError(
        [Problem(file, 0, 'neither an OpenAPI document ("openapi: 3.1.0") nor a JSON Schema ("type: object")')]
    )


def _events(old: Library, new: Library, today: date, settings: Settings) -> Diff:
    """In the mode that the new schema names."""
    value, file = new.root.value, new.root.file
    try:
        mode = mode_of(value)
    except ValueError as error:
        raise new.mistake(Location(file, ("x-event", "compatibility")), str(error)) from error
    released = ReleasedSchema("old schema", _subject(old))
    found = incompatibilities(_detail_type(value, file), [released], _subject(new), mode)
    return of_findings(found, today=today, settings=settings)


def _subject(library: Library) -> Subject:
    schemas = Schemas(library, Role.EVENT)
    return Subject(schemas, schemas.schema(Location(library.root.file, ())))


def _detail_type(value: dict[str, Any], file: str) -> str:
    event = value.get("x-event")
    named = event.get("detail-type") if isinstance(event, dict) else None
    return named if isinstance(named, str) else PurePosixPath(file).stem
