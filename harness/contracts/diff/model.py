"""An OpenAPI document as what is compared: operations with parameters, bodies and answers, each with its place."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from harness.contracts.finding import Source
from harness.contracts.openapi import METHODS
from harness.contracts.schemas import Library, Location, Role, Schemas, Subject
from harness.errors import InputError, Problem

_OPENAPI_3: Final = re.compile(r"3\.[01](\.[0-9]+)?(-.*)?")
_TEMPLATE: Final = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Part:
    """One object of the document, past its references. `named` is where it is referred to or written first."""

    at: Location
    raw: Mapping[str, Any]
    named: Location

    def get(self, key: str) -> Any:
        return self.raw.get(key)

    def below(self, *steps: str | int) -> Location:
        return Location(self.at.file, (*self.at.path, *steps))


@dataclass(frozen=True, slots=True)
class Operation:
    """`names` are the path's parameters in order; `shape` is the path without their names."""

    method: str
    path: str
    part: Part
    item: Part

    @property
    def shape(self) -> str:
        return _TEMPLATE.sub("{}", self.path)

    @property
    def names(self) -> list[str]:
        return _TEMPLATE.findall(self.path)

    @property
    def label(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def key(self) -> tuple[str, str]:
        return self.method, self.shape


@dataclass(frozen=True)
class Contract:
    """One side of a diff."""

    library: Library
    schemas: Mapping[Role, Schemas]
    operations: tuple[Operation, ...]
    webhooks: tuple[Operation, ...] = field(default=())

    @property
    def raw(self) -> Mapping[str, Any]:
        value: Mapping[str, Any] = self.library.root.value
        return value

    def source(self, location: Location | None) -> Source | None:
        return self.library.source(location) if location else None

    def root(self, *steps: str | int) -> Location:
        return Location(self.library.root.file, steps)

    def part(self, location: Location) -> Part:
        """Past its references. Raises `InputError` for what is no object."""
        at, raw = self.library.followed(location)
        if not isinstance(raw, dict):
            raise self.library.mistake(at, f"{at.path[-1] if at.path else 'the document'}: must be an object")
        return Part(at, raw, location)

    def entries(self, part: Part, key: str) -> dict[str, Part]:
        """The objects below a key of names."""
        value = part.get(key)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise self.library.mistake(part.below(key), f"{key}: must be an object")
        return {str(name): self.part(part.below(key, name)) for name in value if not str(name).startswith("x-")}

    def items(self, part: Part, key: str) -> list[Part]:
        """The objects of a list below a key."""
        value = part.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.library.mistake(part.below(key), f"{key}: must be a list")
        return [self.part(part.below(key, index)) for index in range(len(value))]

    def subject(self, part: Part, role: Role) -> Subject | None:
        """The schema of a parameter, header or media type."""
        if "schema" not in part.raw:
            return None
        schemas = self.schemas[role]
        return Subject(schemas, schemas.schema(part.below("schema")))

    def value_of(self, part: Part, role: Role) -> Subject | None:
        """The schema of a parameter or header, also when it is written as a media type."""
        if "content" not in part.raw:
            return self.subject(part, role)
        media = next(iter(self.entries(part, "content").values()), None)
        return self.subject(media, role) if media else None

    def servers_of(self, part: Part) -> dict[str, Location]:
        """Normalised addresses that an object with `servers` names."""
        return {_address(server): server.named for server in self.items(part, "servers") if "url" in server.raw}

    def parameters(self, operation: Operation) -> dict[tuple[str, str], Part]:
        """By location and name (of headers in lower case); those of the operation before those of its path."""
        found: dict[tuple[str, str], Part] = {}
        for owner in (operation.item, operation.part):
            for part in self.items(owner, "parameters"):
                location, name = part.get("in"), part.get("name")
                if not isinstance(location, str) or not isinstance(name, str):
                    raise self.library.mistake(part.at, "a parameter must have a name and say where it is (`in`)")
                key = location, name.lower() if location == "header" else name
                if key not in _NOT_PARAMETERS:
                    found[key] = part
        return found

    @property
    def servers(self) -> dict[str, Location]:
        """Normalised addresses of the API."""
        return self.servers_of(Part(self.root(), self.raw, self.root())) or {"/": self.root()}


# OpenAPI 3.1, 4.8.12.2: parameters of these names are ignored.
_NOT_PARAMETERS: Final = (("header", "accept"), ("header", "content-type"), ("header", "authorization"))


def _address(part: Part) -> str:
    variables = part.get("variables") or {}
    url = str(part.get("url"))
    for name, variable in variables.items() if isinstance(variables, dict) else ():
        if isinstance(variable, dict):
            url = url.replace(f"{{{name}}}", str(variable.get("default", "")))
    return url.rstrip("/") or "/"


def base_path(address: str) -> str:
    return urlsplit(address).path.rstrip("/")


def is_openapi(value: Any) -> bool:
    return isinstance(value, dict) and "openapi" in value


def read_contract(file: str, read: Callable[[str], str]) -> Contract:
    """The OpenAPI document of `file`. `read` answers the text of a file by name. Raises `InputError`."""
    return contract_of(Library(file, read))


def contract_of(library: Library) -> Contract:
    """Raises `InputError` when the file is no OpenAPI document of version 3.0 or 3.1."""
    file, raw = library.root.file, library.root.value
    if not isinstance(raw, dict) or not _OPENAPI_3.fullmatch(str(raw.get("openapi", ""))):
        line = library.source(Location(file, ("openapi",))).line if is_openapi(raw) else 0
        said = raw.get("openapi") or raw.get("swagger") if isinstance(raw, dict) else None
        found = f", not {said}" if said else ': the key "openapi" is missing'
        raise InputError([Problem(file, line, f"must be an OpenAPI document of version 3.0 or 3.1{found}")])
    schemas = {role: Schemas(library, role) for role in (Role.REQUEST, Role.RESPONSE)}
    contract = Contract(library, schemas, (), ())
    root = contract.part(contract.root())
    operations = tuple(_operations(contract, contract.entries(root, "paths")))
    webhooks = tuple(_operations(contract, contract.entries(root, "webhooks")))
    return Contract(library, schemas, operations, webhooks)


def _operations(contract: Contract, items: Mapping[str, Part]) -> Iterator[Operation]:
    for path, item in items.items():
        for method in METHODS:
            if method in item.raw:
                yield Operation(method.upper(), path, contract.part(item.below(method)), item)


def callbacks(contract: Contract, operation: Operation) -> Iterator[tuple[str, Operation]]:
    """Each callback of an operation by its name, with the requests that the provider makes."""
    for name, callback in contract.entries(operation.part, "callbacks").items():
        items = {
            expression: contract.part(callback.below(expression))
            for expression in callback.raw
            if not expression.startswith("x-")
        }
        for inner in _operations(contract, items):
            yield name, inner
