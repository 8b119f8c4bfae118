"""Would the provider's contract take a consumer's request? Every fault, with the part of the request that it is in."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from harness.contracts.consumers.pact_file import ABSENT, HttpExpectation
from harness.contracts.consumers.provider import Operation, Parameter
from harness.contracts.consumers.sent import refused, refused_segment
from harness.contracts.consumers.templates import path_value, path_values
from harness.contracts.field_path import ELEMENT, FieldPath, show_field_path

# OpenAPI 3.1, 4.8.12.1: such parameters are described elsewhere; API Gateway takes the signature's away.
_NOT_PARAMETERS = frozenset({"accept", "content-type", "authorization"})
_SEPARATORS = {"spaceDelimited": " ", "pipeDelimited": "|"}


@dataclass(frozen=True, slots=True)
class Fault:
    """In a `parameter` (place, name) or, at `field`, in the body."""

    rule: str
    text: str
    parameter: tuple[str, str] | None = None
    field: FieldPath = ()
    possible: bool = False
    """Not what the pact shows, and not what it says outright: something that its matchers leave open."""


def request_faults(operation: Operation, http: HttpExpectation) -> tuple[Fault, ...]:
    return (*_parameter_faults(operation, http), *_body_faults(operation, http))


def _parameter_faults(operation: Operation, http: HttpExpectation) -> Iterator[Fault]:
    values = path_values(operation.call.path, http.path)
    for parameter in operation.parameters:
        where = (parameter.place, parameter.name.lower() if parameter.place == "header" else parameter.name)
        if where[0] == "header" and where[1] in _NOT_PARAMETERS:
            continue
        texts = _texts(parameter, http, values)
        if not texts:
            if parameter.required and not _exploded_object(parameter):
                yield Fault("parameter-missing", f"does not send the {_named(where)}, which is required", where)
        elif parameter.value is not None and not _fits(parameter, texts):
            sent = ", ".join(json.dumps(text, ensure_ascii=False) for text in texts)
            yield Fault("parameter-invalid", f"sends {sent} as {_named(where)}, which the contract refuses", where)
        elif parameter.value is not None:
            yield from _matched(operation, parameter, http, texts)
    if any(_exploded_object(parameter) for parameter in operation.parameters):
        return  # its members are names of their own
    for name in http.query:
        if operation.parameter("query", name) is None and operation.parameter("query", name + "[]") is None:
            text = f"sends the query parameter {name}, which the contract does not have"
            yield Fault("parameter-unknown", text, ("query", name))


def _matched(
    operation: Operation, parameter: Parameter, http: HttpExpectation, texts: Sequence[str]
) -> Iterator[Fault]:
    """What the matchers accept beside the example."""
    takes = partial(_fits, parameter)
    name = parameter.name.lower() if parameter.place == "header" else parameter.name
    found = None
    if parameter.place == "path":
        rules = http.request.rules_of("path")
        template = operation.call.path
        found = refused_segment(rules, http.path, lambda path: path_value(template, path, name), parameter, takes)
    elif parameter.place in ("query", "header"):
        found = refused(http.request.rules_of(parameter.place), name, texts, parameter, takes)
    if found is not None:
        where = (parameter.place, name)
        sent = ", ".join(json.dumps(_cut(text), ensure_ascii=False) for text in found.texts[:_SHOWN])
        text = f"may send {found.said} as {_named(where)}, and the contract refuses some of it, such as {sent}"
        yield Fault("parameter-wider", text, where, (), not found.listed)


_SHOWN = 5
_LONGEST_SHOWN = 60


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}… ({len(text)} characters)"


def _named(where: tuple[str, str]) -> str:
    return f"header {where[1]}" if where[0] == "header" else f"{where[0]} parameter {where[1]}"


def _texts(parameter: Parameter, http: HttpExpectation, path: dict[str, str]) -> Sequence[str]:
    match parameter.place:
        case "path":
            return [path[parameter.name]] if parameter.name in path else []
        case "query":
            return http.query.get(parameter.name, ())
        case "header":
            return http.request.headers.get(parameter.name.lower(), ())
    cookies = "; ".join(http.request.headers.get("cookie", ())).split(";")
    return [value for name, _, value in (each.strip().partition("=") for each in cookies) if name == parameter.name]


def _exploded_object(parameter: Parameter) -> bool:
    if parameter.place != "query" or parameter.value is None:
        return False
    schema = parameter.value.schema
    return (parameter.style == "deepObject" or parameter.explode) and (
        isinstance(schema, dict) and schema.get("type") == "object"
    )


def _fits(parameter: Parameter, texts: Sequence[str]) -> bool:
    """One meaning of the text that the schema takes is enough: a text says nothing of its type."""
    assert parameter.value is not None
    separator = _SEPARATORS.get(parameter.style, ",")
    parts = list(texts) if parameter.explode and parameter.place == "query" else texts[0].split(separator)
    candidates = [*(_meanings(texts[0]) if len(texts) == 1 else ()), *_lists(parts)]
    return any(parameter.value.compiled.accepts(candidate) for candidate in candidates)


def _lists(parts: Sequence[str]) -> Iterator[Any]:
    yield list(parts)
    decoded = [next(iter(reversed(list(_meanings(part))))) for part in parts]
    if decoded != list(parts):
        yield decoded


def _meanings(text: str) -> Iterator[Any]:
    yield text
    try:
        yield json.loads(text)
    except (ValueError, RecursionError):
        return


def _body_faults(operation: Operation, http: HttpExpectation) -> Iterator[Fault]:
    body, media_type = http.request.body, http.request.media_type
    if body is ABSENT:
        if operation.body is not None and operation.body.required:
            yield Fault("request-body-missing", "sends no body, which is required")
        return
    if operation.body is None:
        if body is not None and body != "":
            yield Fault("request-body-unknown", "sends a body, and the contract has none")
        return
    found = operation.body.of(media_type or "application/json")
    if found is None:
        known = " or ".join(operation.body.media) or "nothing"
        yield Fault("request-media-type", f"sends {media_type}, and the contract takes {known}")
        return
    subject = found[1]
    if subject is None or (isinstance(body, str) and "json" not in found[0]):
        return
    for error in subject.compiled.validator.iter_errors(body):
        path = tuple(ELEMENT if isinstance(step, int) else step for step in error.instance_path)
        for field in _meant(path, error.kind):
            text = f"sends a body that the contract refuses at {show_field_path(field)}: {error.message}"
            yield Fault("request-body-invalid", text, None, field)


def _meant(path: FieldPath, kind: Any) -> list[FieldPath]:
    """The field that a validator's error is about: what is missing or too much, not the object around it."""
    if kind.name == "required":
        return [(*path, kind.property)]
    if kind.name in ("additionalProperties", "unevaluatedProperties"):
        return [(*path, name) for name in kind.unexpected]
    return [path]
