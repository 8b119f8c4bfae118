"""A provider's contracts as consumers look at them: what may be sent to an operation, what may come back."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from harness.contracts.consumers.templates import shape
from harness.contracts.finding import Source
from harness.contracts.openapi import METHODS
from harness.contracts.schemas import Library, Location, Role, Schemas, Subject
from harness.contracts.usage import Call

PARAMETER_PLACES = ("path", "query", "header", "cookie")


@dataclass(frozen=True, slots=True)
class Parameter:
    """`style` and `explode` as OpenAPI has them, with their defaults; `value` None where there is no schema."""

    place: str
    name: str
    required: bool
    style: str
    explode: bool
    value: Subject | None


@dataclass(frozen=True, slots=True)
class Header:
    required: bool
    value: Subject | None


@dataclass(frozen=True, slots=True)
class Content:
    """A body by media type; None where a media type has no schema, so that anything goes."""

    required: bool
    media: Mapping[str, Subject | None]

    def of(self, media_type: str) -> tuple[str, Subject | None] | None:
        """The entry for a media type: itself, its range (`application/*`), or anything (`*/*`)."""
        media_type = media_type.partition(";")[0].strip().lower()
        kind = media_type.partition("/")[0]
        for name, subject in self.media.items():
            if name.partition(";")[0].strip().lower() == media_type:
                return name, subject
        for name in (f"{kind}/*", "*/*"):
            if name in self.media:
                return name, self.media[name]
        return None


@dataclass(frozen=True, slots=True)
class Answer:
    """A Response Object. `status` as the contract writes it: `200`, `4XX`, `default`."""

    status: str
    content: Content
    headers: Mapping[str, Header]


@dataclass(frozen=True, slots=True)
class Operation:
    call: Call
    source: Source
    parameters: tuple[Parameter, ...]
    body: Content | None
    answers: Mapping[str, Answer]

    def answer(self, status: int) -> Answer | None:
        """The most exact of `404`, `4XX`, `default`."""
        for name in (str(status), f"{status // 100}XX", f"{status // 100}xx", "default"):
            if name in self.answers:
                return self.answers[name]
        return None

    def parameter(self, place: str, name: str) -> Parameter | None:
        for parameter in self.parameters:
            same = parameter.name.lower() == name.lower() if place == "header" else parameter.name == name
            if parameter.place == place and same:
                return parameter
        return None


class ApiContract:
    """One major version. `read` answers the text of a file by its name.

    Raises `InputError` where a `$ref` leads nowhere or a schema is none.
    """

    def __init__(self, version: str, file: str, read: Callable[[str], str]) -> None:
        self.version = version
        self.read = read
        library = self.library = Library(file, read)
        self._requests = Schemas(library, Role.REQUEST)
        self._responses = Schemas(library, Role.RESPONSE)
        self._made: dict[Call, Operation] = {}

    @property
    def file(self) -> str:
        return self.library.root.file

    @cached_property
    def _items(self) -> dict[str, tuple[Location, Mapping[str, Any]]]:
        """Path Item Objects by template."""
        found: dict[str, tuple[Location, Mapping[str, Any]]] = {}
        for template in _mapping(self.library.root.value).get("paths") or {}:
            location, item = self.library.followed(Location(self.file, ("paths", template)))
            if isinstance(item, dict):
                found[template] = (location, item)
        return found

    @cached_property
    def operations(self) -> tuple[tuple[str, str], ...]:
        """(method, path template) of each operation."""
        return tuple(
            (method.upper(), template)
            for template, (_, item) in self._items.items()
            for method in METHODS
            if method in item
        )

    def operation(self, method: str, template: str) -> Operation | None:
        """The template's parameters may have other names here: names are not on the wire."""
        template = next((known for known in self._items if known == template), None) or next(
            (known for known in self._items if shape(known) == shape(template)), template
        )
        call = Call(self.version, method, template)
        if (method, template) not in self.operations:
            return None
        if call not in self._made:
            self._made[call] = self._operation(call)
        return self._made[call]

    def _operation(self, call: Call) -> Operation:
        location, item = self._items[call.path]
        here = _below(location, call.method.lower())
        written = _mapping(self.library.at(here))
        parameters = {
            (parameter.place, parameter.name): parameter
            for owner, value in ((location, item), (here, written))
            for parameter in self._parameters(owner, value)
        }
        return Operation(
            call,
            self.library.source(here),
            tuple(parameters.values()),
            self._body(here, written),
            dict(self._answers(here, written)),
        )

    def _parameters(self, owner: Location, value: Mapping[str, Any]) -> Iterator[Parameter]:
        """An operation's own replace those of its path (OpenAPI 3.1, 4.8.10.1)."""
        for index in range(len(value.get("parameters") or ())):
            location, written = self.library.followed(_below(owner, "parameters", index))
            place = written.get("in") if isinstance(written, dict) else None
            if place not in PARAMETER_PLACES:
                continue
            style = written.get("style") or ("form" if place in ("query", "cookie") else "simple")
            yield Parameter(
                place,
                str(written.get("name", "")),
                written.get("required") is True,
                style,
                bool(written.get("explode", style == "form")),
                self._value(self._requests, location, written),
            )

    def _value(self, schemas: Schemas, location: Location, written: Mapping[str, Any]) -> Subject | None:
        """Of a parameter or header that is described by `schema`; one with `content` is not looked into."""
        return self._subject(schemas, _below(location, "schema")) if "schema" in written else None

    def _subject(self, schemas: Schemas, location: Location) -> Subject:
        return Subject(schemas, schemas.schema(location))

    def _body(self, here: Location, written: Mapping[str, Any]) -> Content | None:
        if "requestBody" not in written:
            return None
        location, body = self.library.followed(_below(here, "requestBody"))
        return self._content(self._requests, location, _mapping(body), required=_mapping(body).get("required") is True)

    def _content(self, schemas: Schemas, owner: Location, written: Mapping[str, Any], *, required: bool) -> Content:
        media: dict[str, Subject | None] = {}
        for name, entry in _mapping(written.get("content")).items():
            described = isinstance(entry, dict) and "schema" in entry
            media[name] = self._subject(schemas, _below(owner, "content", name, "schema")) if described else None
        return Content(required, media)

    def _answers(self, here: Location, written: Mapping[str, Any]) -> Iterator[tuple[str, Answer]]:
        for status in _mapping(written.get("responses")):
            location, answer = self.library.followed(_below(here, "responses", status))
            answer = _mapping(answer)
            headers = {}
            for name in _mapping(answer.get("headers")):
                at, header = self.library.followed(_below(location, "headers", name))
                header = _mapping(header)
                headers[name.lower()] = Header(header.get("required") is True, self._value(self._responses, at, header))
            content = self._content(self._responses, location, answer, required=bool(answer.get("content")))
            yield str(status), Answer(str(status), content, headers)


@dataclass(frozen=True, slots=True)
class EventContractFile:
    """`detail` is the schema of the event's detail; `source` the EventBridge source, empty where it is not said."""

    provider: str
    detail_type: str
    detail: Subject
    source: str = ""

    @property
    def file(self) -> str:
        return self.detail.schemas.library.root.file


@dataclass(frozen=True, slots=True)
class Provider:
    """All that one domain promises: its API's versions by name, its events by detail-type."""

    name: str
    versions: Mapping[str, ApiContract]
    events: Mapping[str, EventContractFile]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _below(location: Location, *steps: str | int) -> Location:
    return Location(location.file, (*location.path, *steps))
