"""An OpenAPI document of version 3.0 or 3.1 as diff, lint and recording read it: each part and where it is written.

One file a major version, paths below `servers[0].url` (`/v2`). References are followed, also to other files; schemas
are left where they are written, and made comparable by `schemas` when they are asked for.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from harness.contracts.finding import Source
from harness.contracts.openapi import METHODS
from harness.contracts.schemas import Library, Location, Role, Schemas, Subject
from harness.errors import InputError, Problem

STYLES: Final = {"path": "simple", "query": "form", "header": "simple", "cookie": "form"}
"""How a parameter is written when nothing is said, by where it is (OpenAPI 3.1, 4.8.12.2)."""
GATEWAY: Final = "gateway"
"""Of `x-answered-by`, which is ours: the gateway gives this answer by itself, in AWS's form."""

_OPENAPI_3: Final = re.compile(r"3\.[01](\.[0-9]+)?(-.*)?")
_TEMPLATE: Final = re.compile(r"\{([^{}]*)\}")
# OpenAPI 3.1, 4.8.12.2: parameters of these names are ignored.
_NOT_PARAMETERS: Final = (("header", "accept"), ("header", "content-type"), ("header", "authorization"))
# The objects of names that may also hold extensions (OpenAPI 3.1, 4.9); a header may well be called x-request-id.
_EXTENSIBLE: Final = ("paths", "responses")

Alternative = Mapping[str, frozenset[str]]
"""Of a security requirement: the name of each scheme that is needed -> scopes."""


@dataclass(frozen=True, slots=True)
class Part:
    """One object of the document, past its references. `named` is where it is referred to or written first."""

    at: Location
    raw: Mapping[str, Any] = field(hash=False)
    named: Location

    def get(self, key: str) -> Any:
        return self.raw.get(key)

    def below(self, *steps: str | int) -> Location:
        return Location(self.at.file, (*self.at.path, *steps))


@dataclass(frozen=True, eq=False)
class Operation:
    """`path` is the template below the server's base path, `method` in upper case. Each part is read when it is asked
    for, which raises `InputError` for one that is none."""

    contract: "Contract" = field(repr=False)
    method: str
    path: str
    part: Part = field(repr=False)
    item: Part = field(repr=False)

    @property
    def label(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def shape(self) -> str:
        """The path without the names of its parameters, which are not on the wire."""
        return _TEMPLATE.sub("{}", self.path)

    @property
    def names(self) -> list[str]:
        """The path's parameters in order."""
        return _TEMPLATE.findall(self.path)

    @property
    def key(self) -> tuple[str, str]:
        return self.method, self.shape

    @cached_property
    def parameters(self) -> Mapping[tuple[str, str], Part]:
        """By location and name (of headers in lower case); an operation's own replace those of its path."""
        found: dict[tuple[str, str], Part] = {}
        for owner in (self.item, self.part):
            for part in self.contract.items(owner, "parameters"):
                location, name = part.get("in"), part.get("name")
                if not isinstance(location, str) or not isinstance(name, str):
                    raise self.contract.library.mistake(
                        part.at, "a parameter must have a name and say where it is (`in`)"
                    )
                key = location, name.lower() if location == "header" else name
                if key not in _NOT_PARAMETERS:
                    found[key] = part
        return found

    @cached_property
    def body(self) -> Part | None:
        return self.contract.part(self.part.below("requestBody")) if "requestBody" in self.part.raw else None

    @cached_property
    def responses(self) -> Mapping[str, Part]:
        """By status as it is written: `200`, `4XX`, `default`."""
        return self.contract.entries(self.part, "responses")

    @cached_property
    def callbacks(self) -> Sequence[tuple[str, "Operation"]]:
        """Each callback by its name, with the requests that the provider makes."""
        return [
            (name, inner)
            for name, callback in self.contract.entries(self.part, "callbacks").items()
            for inner in read_operations(self.contract, _callback_items(self.contract, callback), Operation)
        ]

    @property
    def security(self) -> tuple[Sequence[Alternative], Location]:
        """Those of the operation, else of the document; none at all is one alternative that needs nothing."""
        raw, at = self.part.get("security"), self.part.below("security")
        if raw is None:
            raw, at = self.contract.raw.get("security"), self.contract.root("security")
        if not raw:
            return [{}], at if raw is not None else self.part.at
        alternatives = [
            {str(name): frozenset(map(str, scopes or ())) for name, scopes in alternative.items()}
            for alternative in raw
            if isinstance(alternative, dict)
        ]
        return alternatives, at


@dataclass(frozen=True, eq=False)
class Contract:
    """One document, its schemas by who writes the value."""

    library: Library
    schemas: Mapping[Role, Schemas]

    @property
    def raw(self) -> Mapping[str, Any]:
        value: Mapping[str, Any] = self.library.root.value
        return value

    @cached_property
    def operations(self) -> tuple[Operation, ...]:
        """In the order of the document."""
        return tuple(read_operations(self, self.entries(self.part(self.root()), "paths"), Operation))

    @cached_property
    def webhooks(self) -> tuple[Operation, ...]:
        return tuple(read_operations(self, self.entries(self.part(self.root()), "webhooks"), Operation))

    @property
    def servers(self) -> dict[str, Location]:
        """Normalised addresses of the API."""
        return self.servers_of(Part(self.root(), self.raw, self.root())) or {"/": self.root()}

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
        names = (name for name in value if key not in _EXTENSIBLE or not name.startswith("x-"))
        return {name: self.part(part.below(key, name)) for name in names}

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


def base_path(address: str) -> str:
    return urlsplit(address).path.rstrip("/")


def is_openapi(value: Any) -> bool:
    return isinstance(value, dict) and "openapi" in value


def read_contract(file: str, read: Callable[[str], str]) -> Contract:
    """The OpenAPI document of `file`. `read` answers the text of a file by name. Raises `InputError`."""
    return contract_of(Library(file, read))


def contract_of(library: Library) -> Contract:
    """Raises `InputError` when the file is no OpenAPI document of version 3.0 or 3.1, or a path is no object."""
    file, raw = library.root.file, library.root.value
    if not isinstance(raw, dict) or not _OPENAPI_3.fullmatch(str(raw.get("openapi", ""))):
        line = library.source(Location(file, ("openapi",))).line if is_openapi(raw) else 0
        said = raw.get("openapi") or raw.get("swagger") if isinstance(raw, dict) else None
        found = f", not {said}" if said else ': the key "openapi" is missing'
        raise InputError([Problem(file, line, f"must be an OpenAPI document of version 3.0 or 3.1{found}")])
    contract = Contract(library, {role: Schemas(library, role) for role in (Role.REQUEST, Role.RESPONSE)})
    _ = contract.operations, contract.webhooks
    return contract


_Read = TypeVar("_Read", bound=Operation)


def read_operations(contract: Contract, items: Mapping[str, Part], kind: type[_Read]) -> Iterator[_Read]:
    """Of Path Item Objects by path."""
    for path, item in items.items():
        for method in METHODS:
            if method in item.raw:
                yield kind(contract, method.upper(), path, contract.part(item.below(method)), item)


def _callback_items(contract: Contract, callback: Part) -> dict[str, Part]:
    return {
        expression: contract.part(callback.below(expression))
        for expression in callback.raw
        if not expression.startswith("x-")
    }


def _address(part: Part) -> str:
    variables = part.get("variables") or {}
    url = str(part.get("url"))
    for name, variable in variables.items() if isinstance(variables, dict) else ():
        if isinstance(variable, dict):
            url = url.replace(f"{{{name}}}", str(variable.get("default", "")))
    return url.rstrip("/") or "/"
