"""A schema by itself, such as an event's, ready to be compared."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from harness.contracts.finding import Source
from harness.contracts.schemas.dialects import Schema
from harness.contracts.schemas.documents import Library, Location
from harness.contracts.schemas.schema import Compiled, Role, Schemas


@dataclass(frozen=True, slots=True)
class Subject:
    """One schema, and the contract that it is part of."""

    schemas: Schemas
    schema: Schema

    @property
    def compiled(self) -> Compiled:
        return self.schemas.compiled(self.schema)

    def source(self, location: Location | None) -> Source | None:
        """The line of a `Difference`'s place in this contract."""
        return self.schemas.library.source(location) if location else None


def load_schema(file: str, value: Any, read: Callable[[str], str] | None = None, role: Role = Role.EVENT) -> Subject:
    """From a decoded document (no lines), or, when `value` is text, from what a file says (YAML or JSON).

    `read` answers the text of the files that `$ref`s lead to, by their path relative to `file`'s folder. Raises
    `InputError` for what is no schema.
    """
    import json

    text = value if isinstance(value, str) else json.dumps(value)
    library = Library(file, lambda name: text if name == file else _other(read, name, library))
    schemas = Schemas(library, role)
    return Subject(schemas, schemas.schema(Location(file, ())))


def _other(read: Callable[[str], str] | None, name: str, library: Library) -> str:
    if read is None:
        raise library.mistake(Location(library.root.file, ()), f"leads to another file, {name}, which was not given")
    return read(name)
