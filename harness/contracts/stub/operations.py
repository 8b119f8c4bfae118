"""What a contract says of each operation, ready to be asked: its parameters, its body, its answers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from harness.contracts.openapi import METHODS
from harness.contracts.stub.document import Direction, Document
from harness.contracts.stub.generate import NOTHING, Generator, Shape, Unmakeable, examples, resolved
from harness.errors import InputError, Problem

# RFC 9110 sections 8.3 and 12.5.1; OpenAPI 3.1, 4.8.12.1: such header parameters are ignored.
_IGNORED_HEADERS: Final = frozenset({"accept", "authorization", "content-type"})
_STYLES: Final = {"path": "simple", "query": "form", "header": "simple", "cookie": "form"}
_SEPARATORS: Final = {"spaceDelimited": " ", "pipeDelimited": "|"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """`types`: what its text may stand for. `separator`: between the items of a list; empty: each has a pair.

    `json`: its text is JSON. An object in another form is taken as it comes.
    """

    name: str
    place: str
    required: bool
    types: frozenset[str]
    item_types: frozenset[str]
    separator: str
    json: bool
    shape: Shape
    examples: Mapping[str, Any]

    def example(self, name: str = "") -> Any:
        """The one called `name`, else the first. KeyError when there is none."""
        return self.examples[name if name in self.examples else next(iter(self.examples), "")]


@dataclass(frozen=True, slots=True)
class Body:
    required: bool
    media: Mapping[str, Shape | None]


@dataclass(frozen=True, slots=True)
class Header:
    name: str
    required: bool
    shape: Shape
    value: Any


@dataclass(frozen=True, slots=True)
class Response:
    """`key` as in the contract (`200`, `4XX`, `default`). `media` empty: no body. `examples` are valid, by name, the
    first one is what is answered unless asked otherwise; made where the contract gives none."""

    key: str
    media: str
    shape: Shape | None
    examples: Mapping[str, Any]
    headers: Sequence[Header]

    def example(self, name: str = "") -> Any:
        return self.examples[name if name in self.examples else next(iter(self.examples))]

    def names(self, name: str) -> bool:
        """Whether the answer has that header."""
        return any(header.name.lower() == name for header in self.headers)


@dataclass(frozen=True, slots=True)
class Operation:
    """`segments` of the template below the base path; a parameter's has braces."""

    method: str
    template: str
    segments: tuple[str, ...]
    parameters: Sequence[Parameter]
    body: Body | None
    responses: Mapping[str, Response]

    def of_place(self, place: str) -> Iterator[Parameter]:
        return (each for each in self.parameters if each.place == place)

    def response(self, status: int) -> Response | None:
        """The one documented for a status; OpenAPI 3.1, 4.8.16: a code beats a range, that beats the default."""
        for key in (str(status), f"{status // 100}XX", "default"):
            if key in self.responses:
                return self.responses[key]
        return None

    def documents(self, status: int) -> bool:
        """By its code or its range: a default says nothing of one status."""
        return str(status) in self.responses or f"{status // 100}XX" in self.responses


@dataclass(frozen=True, slots=True)
class Version:
    """One contract. `base` is the path of its first server (`/v2`). `remarks`: examples that are not used, and why."""

    document: Document
    base: str
    operations: Mapping[tuple[str, str], Operation]
    remarks: Sequence[str] = field(default_factory=tuple)


def read_version(name: str, content: Mapping[str, Any], generator: Generator, *, file: str) -> Version:
    """Raises `InputError`, also where no answer could be made for an operation."""
    reader = _Reader(Document(content, file=file), generator)
    try:
        found = reader.operations()
        servers = content.get("servers") or [{}]
        base = urlsplit(str(servers[0].get("url", ""))).path.rstrip("/") or f"/{name}"
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        text = f"is no OpenAPI document that a stub can be made from ({error!r}): harness lint says what is wrong"
        raise InputError([Problem(file, 0, text)]) from error
    if reader.problems:
        raise InputError(reader.problems)
    return Version(reader.document, base, found, tuple(reader.remarks))


class _Reader:
    def __init__(self, document: Document, generator: Generator) -> None:
        self.document = document
        self.generator = generator
        self.problems: list[Problem] = []
        self.remarks: list[str] = []

    def operations(self) -> dict[tuple[str, str], Operation]:
        found: dict[tuple[str, str], Operation] = {}
        for template, written in self.document.content.get("paths", {}).items():
            item = self.document.inline(written)
            for method in METHODS:
                if method in item:
                    operation = self.operation(method, template, item)
                    found[operation.method, template] = operation
        return found

    def operation(self, method: str, template: str, item: Mapping[str, Any]) -> Operation:
        written = item[method]
        where = f"{method.upper()} {template}"
        parameters: dict[tuple[str, str], Parameter] = {}
        for each in (*item.get("parameters", ()), *written.get("parameters", ())):
            parameter = self._parameter(self.document.inline(each))
            if parameter is not None:
                parameters[parameter.place, parameter.name] = parameter
        responses = {}
        for key, response in written.get("responses", {}).items():
            made = self._response(str(key), self.document.inline(response), f"{where} {key}")
            if made is not None:
                responses[made.key] = made
        return Operation(
            method.upper(),
            template,
            tuple(template.rstrip("/").split("/")[1:]),
            tuple(parameters.values()),
            self._body(self.document.inline(written.get("requestBody"))),
            responses,
        )

    def _parameter(self, written: Mapping[str, Any]) -> Parameter | None:
        place, name = written["in"], written["name"]
        if place == "header" and name.lower() in _IGNORED_HEADERS:
            return None
        schema, separator = written.get("schema", {}), ""
        style = written.get("style", _STYLES[place])
        exploded = written.get("explode", style == "form")
        if "content" in written:  # one media type, whose text is the value
            schema = next(iter(written["content"].values())).get("schema", {})
        elif not exploded or style == "simple":
            separator = _SEPARATORS.get(style, ",")
        shape = Shape(self.document, schema, Direction.REQUEST)
        flat = self.generator.flat(shape.schema, shape.schema)
        return Parameter(
            name,
            place,
            bool(written.get("required")),
            _types(shape.schema, shape.schema),
            _types(flat.get("items", {}), shape.schema),
            separator,
            "content" in written,
            shape,
            {key: value for key, value in self._examples(written, flat).items() if shape.fits(value)},
        )

    def _body(self, written: Mapping[str, Any] | None) -> Body | None:
        if written is None:
            return None
        media = {
            name.lower(): Shape(self.document, each["schema"], Direction.REQUEST) if "schema" in each else None
            for name, each in written.get("content", {}).items()
        }
        return Body(bool(written.get("required")), media)

    def _response(self, key: str, written: Mapping[str, Any], where: str) -> Response | None:
        headers = []
        for name, each in written.get("headers", {}).items():
            header = self._header(name, self.document.inline(each), where)
            if header is not None:
                headers.append(header)
        media, content = _chosen(written.get("content", {}))
        if not media:
            return Response(key.upper() if key != "default" else key, "", None, {"": b""}, headers)
        shape = Shape(self.document, content.get("schema", {}), Direction.RESPONSE)
        found = {}
        for name, value in self._examples(content, self.generator.flat(shape.schema, shape.schema)).items():
            if shape.fits(value):
                found[name] = value
            else:
                self.remarks.append(f"{where}: the example {name or value!r} breaks its schema and is not used")
        if not found:
            try:
                found[""] = self.generator.value(shape)
            except Unmakeable as error:
                self.problems.append(Problem(self.document.file, 0, f"{where}: {error}; give an example"))
                return None
        return Response(key.upper() if key != "default" else key, media, shape, found, headers)

    def _header(self, name: str, written: Mapping[str, Any], where: str) -> Header | None:
        if name.lower() == "content-type":
            return None
        schema = written.get("schema", {})
        shape = Shape(self.document, schema, Direction.RESPONSE)
        given = self._examples(written, self.generator.flat(shape.schema, shape.schema))
        value = next((each for each in given.values() if shape.fits(each)), None)
        if value is None:
            try:
                value = self.generator.value(shape)
            except Unmakeable as error:
                if written.get("required"):
                    self.problems.append(Problem(self.document.file, 0, f"{where} {name}: {error}; give an example"))
                return None
        return Header(name, bool(written.get("required")), shape, value)

    def _examples(self, written: Mapping[str, Any], flat: Mapping[str, Any]) -> dict[str, Any]:
        """By name; a single `example`, and those of the schema, have none."""
        named = written.get("examples")
        if isinstance(named, Mapping):
            inlined = {name: self.document.inline(each) for name, each in named.items()}
            return {name: each["value"] for name, each in inlined.items() if "value" in each}
        if "example" in written:
            return {"": written["example"]}
        found = next(examples(flat), NOTHING)
        return {} if found is NOTHING else {"": found}


def _chosen(content: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """JSON where there is any, else the first; nothing where a response has no content."""
    for name, each in content.items():
        if is_json(name):
            return name, each
    return next(iter(content.items()), ("", {}))


def is_json(media: str) -> bool:
    """`application/json`, or a type with the suffix (RFC 6839)."""
    essence = media.partition(";")[0].strip().lower()
    return essence == "application/json" or essence.endswith("+json")


def _types(schema: Any, root: Mapping[str, Any], depth: int = 0) -> frozenset[str]:
    """All types that a value may have as far as the schema says so; empty: any."""
    if not isinstance(schema, Mapping) or depth > 20:
        return frozenset()
    written = schema.get("type")
    found = {written} if isinstance(written, str) else set(written or ())
    if "$ref" in schema:
        found |= _types(resolved(root, schema["$ref"]), root, depth + 1)
    for key in ("allOf", "anyOf", "oneOf"):
        for each in schema.get(key, ()):
            found |= _types(each, root, depth + 1)
    return frozenset(found)
