"""A contract as the rules look at it: its operations or its schema, every part with the place where it is written."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

from harness.contracts import contract as read
from harness.contracts.contract import GATEWAY, Contract, Part, contract_of, read_operations
from harness.contracts.finding import Place
from harness.contracts.schemas import Library, Location, Role, Schemas
from harness.contracts.schemas.dialects import LIST_KEYWORDS, MAP_KEYWORDS, SCHEMA_KEYWORDS


@dataclass(frozen=True, slots=True)
class Hit:
    """Where a rule is broken, and how; `text` says the mend where the rule does not."""

    location: Location
    place: Place
    text: str


class Operation(read.Operation):
    """An operation as the rules speak of it; its responses are those of the gateway as well."""

    def place(self, part: str = "operation", **more: Any) -> Place:
        return Place("api", part, self.method, self.path, **more)

    def hit(self, location: Location, text: str, part: str = "operation", **more: Any) -> Hit:
        return Hit(location, self.place(part, **more), text)

    def answers(self) -> Iterator[tuple[str, Part]]:
        """Those of the domain itself."""
        return ((status, each) for status, each in self.responses.items() if each.get("x-answered-by") != GATEWAY)

    def successes(self) -> Iterator[tuple[str, Part]]:
        return ((status, each) for status, each in self.answers() if status.startswith("2"))

    def failures(self) -> Iterator[tuple[str, Part]]:
        return ((status, each) for status, each in self.answers() if status[0] in "45" or status == "default")

    @property
    def ends_with_parameter(self) -> bool:
        return self.path.rstrip("/").endswith("}")


class Subject:
    """`file` is the contract's name as it was given, with its folders."""

    def __init__(self, library: Library) -> None:
        self.library = library
        root = Location(library.root.file, ())
        self.root = Part(root, library.root.value, root)
        self._schemas: dict[Role, Schemas] = {}

    @property
    def file(self) -> PurePosixPath:
        return PurePosixPath(self.library.root.file)

    def part(self, location: Location) -> Part:
        return Part(*self.library.followed(location), location)

    def fits(self, location: Location, value: Any, role: Role) -> str:
        """Why `value` breaks the schema that is written there; empty when it does not."""
        if role not in self._schemas:
            self._schemas[role] = Schemas(self.library, role)
        schemas = self._schemas[role]
        error = next(schemas.compiled(schemas.schema(location)).validator.iter_errors(value), None)
        if error is None:
            return ""
        place = "".join(f"/{part}" for part in error.instance_path)
        return f"{place}: {error.message}" if place else error.message

    def schemas_from(self, location: Location, seen: set[Location]) -> Iterator[Part]:
        """The schema that is written there and every one inside or referred to; each once for a set `seen`."""
        part = self.part(location)
        if part.at in seen or not isinstance(part.raw, dict):
            return
        seen.add(part.at)
        yield part
        for keyword, value in part.raw.items():
            if keyword in SCHEMA_KEYWORDS and isinstance(value, dict):
                yield from self.schemas_from(part.below(keyword), seen)
            elif keyword in LIST_KEYWORDS and isinstance(value, list):
                for index in range(len(value)):
                    yield from self.schemas_from(part.below(keyword, index), seen)
            elif keyword in MAP_KEYWORDS and isinstance(value, dict):
                for name in value:
                    yield from self.schemas_from(part.below(keyword, name), seen)

    def properties(self, location: Location) -> dict[str, Location]:
        """The members of an object, also those that `allOf` brings in."""
        found: dict[str, Location] = {}
        part = self.part(location)
        if isinstance(part.raw, dict):
            for index in range(len(part.raw.get("allOf", ()))):
                found |= self.properties(part.below("allOf", index))
            found |= {name: part.below("properties", name) for name in part.raw.get("properties", {})}
        return found

    def required(self, location: Location) -> set[str]:
        part = self.part(location)
        found: set[str] = set()
        if isinstance(part.raw, dict):
            for index in range(len(part.raw.get("allOf", ()))):
                found |= self.required(part.below("allOf", index))
            found |= set(part.raw.get("required", ()))
        return found


class Api(Subject):
    """An OpenAPI document that is valid as such."""

    @cached_property
    def contract(self) -> Contract:
        return contract_of(self.library)

    @cached_property
    def operations(self) -> tuple[Operation, ...]:
        contract = self.contract
        return tuple(read_operations(contract, contract.entries(self.root, "paths"), Operation))

    def contents(self, part: Part) -> Iterator[tuple[str, Part]]:
        """Media types of a body or an answer."""
        yield from self.contract.entries(part, "content").items()

    def headers(self, response: Part) -> dict[str, Part]:
        """By name in lower case."""
        return {name.lower(): part for name, part in self.contract.entries(response, "headers").items()}

    def inputs(self) -> Iterator[tuple[Operation, Part]]:
        """The media types of request bodies."""
        for operation in self.operations:
            if operation.body is not None:
                for _, content in self.contents(operation.body):
                    yield operation, content

    def outputs(self) -> Iterator[tuple[Operation, str, Part]]:
        """The media types of the domain's own answers."""
        for operation in self.operations:
            for status, response in operation.answers():
                for _, content in self.contents(response):
                    yield operation, status, content


class Event(Subject):
    """A JSON Schema of an event's `detail`, valid as such."""

    @property
    def detail_type(self) -> str:
        return self.file.stem

    def hit(self, location: Location, text: str, *steps: str) -> Hit:
        place = Place("event", "event-detail" if steps else "event", field=steps, detail_type=self.detail_type)
        return Hit(location, place, text)
