"""Contract files as values with lines, and `$ref` from one to another.

Nothing here reads a file: `Library` is given `read`, which answers the text of a name or raises `InputError`.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from posixpath import dirname, join, normpath
from typing import Any
from urllib.parse import unquote

from harness.contracts.finding import Source
from harness.errors import InputError, Problem
from harness.yaml_source import Node, line_of, parse_yaml, plain

MAX_NODES = 2_000_000
"""Of one file, aliases followed; the largest public OpenAPI files have about half of it."""

Path = tuple[str | int, ...]

# JSON writes a character beyond the basic plane as two escapes (RFC 8259 section 7), YAML as one.
_SURROGATES = re.compile(r"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")


@dataclass(frozen=True, slots=True)
class Document:
    """`value` is the file as JSON; `node` the same with lines."""

    file: str
    value: Any
    node: Node

    def source(self, path: Path) -> Source:
        return Source(self.file, line_of(self.node, path))


@dataclass(frozen=True, slots=True)
class Location:
    """Where something is written: a file, and the keys and indexes that lead to it."""

    file: str
    path: Path


def read_document(file: str, text: str) -> Document:
    """YAML or JSON. Raises `InputError` with every flaw of the text."""
    if text.lstrip().startswith(("{", "[")):
        text = _SURROGATES.sub(_joined, text)
    node, flaws = parse_yaml(text, max_nodes=MAX_NODES)
    if flaws or node is None:
        raise InputError([Problem(file, flaw.line, flaw.text) for flaw in flaws] or [Problem(file, 0, "is empty")])
    try:
        return Document(file, plain(node), node)
    except ValueError as error:
        raise InputError([Problem(file, 0, str(error))]) from error


def _joined(found: re.Match[str]) -> str:
    high, low = (int(half, 16) for half in found.groups())
    return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))


class Library:
    """The files that one contract is made of, each read once."""

    def __init__(self, root: str, read: Callable[[str], str]) -> None:
        self._read = read
        self._documents: dict[str, Document] = {}
        self._resolved: dict[tuple[str, str], Location] = {}
        self._names: dict[str, str] = {}
        """`$id` of a document -> its file."""
        self.root = self.document(root)

    def document(self, file: str) -> Document:
        if file not in self._documents:
            document = read_document(file, self._read(file))
            self._documents[file] = document
            name = document.value.get("$id") if isinstance(document.value, dict) else None
            if isinstance(name, str):
                self._names[name.rstrip("#")] = file
        return self._documents[file]

    def files(self) -> tuple[str, ...]:
        return tuple(self._documents)

    def source(self, location: Location) -> Source:
        return self.document(location.file).source(location.path)

    def at(self, location: Location) -> Any:
        value = self.document(location.file).value
        for step in location.path:
            value = value[step]
        return value

    def resolve(self, reference: str, written: Location) -> Location:
        """What `$ref: reference` leads to, itself no reference of the same kind necessarily.

        Raises `InputError` at the line of the reference when it leads nowhere.
        """
        key = reference, written.file
        if key not in self._resolved:
            self._resolved[key] = self._lookup(reference, written)
        return self._resolved[key]

    def _lookup(self, reference: str, written: Location) -> Location:
        address, _, fragment = reference.partition("#")
        file = self._file(address, written) if address else written.file
        document = self.document(file)
        if fragment and not fragment.startswith("/"):
            found = next(_anchored(document.value, fragment, ()), None)
            if found is None:
                raise self.mistake(written, f'"$ref: {reference}" leads nowhere: no "$anchor: {fragment}" in {file}')
            return Location(file, found)
        return Location(file, self._path(document, fragment, reference, written))

    def followed(self, location: Location) -> tuple[Location, Any]:
        """Past every Reference Object from `location` on; for the parts of OpenAPI that are not schemas."""
        seen = {location}
        value = self.at(location)
        while isinstance(value, dict) and isinstance(value.get("$ref"), str):
            location = self.resolve(value["$ref"], location)
            if location in seen:
                raise self.mistake(location, f'"$ref: {value["$ref"]}" leads to itself')
            seen.add(location)
            value = self.at(location)
        return location, value

    def mistake(self, location: Location, text: str) -> InputError:
        return InputError([Problem(location.file, self.source(location).line, text)])

    def _file(self, address: str, written: Location) -> str:
        if address in self._names:
            return self._names[address]
        if "://" in address:
            base = next((name for name, file in self._names.items() if file == written.file), None)
            if base is None or dirname(base) != dirname(address):
                raise self.mistake(written, f'"$ref: {address}" is on the network: keep a copy beside the contract')
            return normpath(join(dirname(written.file), address.rsplit("/", 1)[1]))
        return normpath(join(dirname(written.file), unquote(address)))

    def _path(self, document: Document, fragment: str, reference: str, written: Location) -> Path:
        """RFC 6901, in a URI fragment (section 6)."""
        steps: list[str | int] = []
        value = document.value
        for part in unquote(fragment).split("/")[1:]:
            step: str | int = part.replace("~1", "/").replace("~0", "~")
            if isinstance(value, list) and part.isdigit() and int(part) < len(value):
                step = int(part)
            elif not isinstance(value, dict) or step not in value:
                raise self.mistake(written, f'"$ref: {reference}" leads nowhere: {document.file} has no "{fragment}"')
            value = value[step]
            steps.append(step)
        return tuple(steps)


def _anchored(value: Any, name: str, path: Path) -> Iterator[Path]:
    if isinstance(value, dict):
        if value.get("$anchor") == name or value.get("$id") == f"#{name}":
            yield path
        for key, item in value.items():
            yield from _anchored(item, name, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _anchored(item, name, (*path, index))
