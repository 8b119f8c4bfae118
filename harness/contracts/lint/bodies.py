"""Rules on what is sent and answered: schemas and examples, of APIs and of events."""

import re
from collections.abc import Iterator
from typing import Any, Final

from harness.contracts.contract import Part
from harness.contracts.finding import Place
from harness.contracts.lint.subjects import Api, Event, Hit, Operation
from harness.contracts.schemas import Role

_CAMEL: Final = re.compile(r"[a-z][a-zA-Z0-9]*")


def example_present(api: Api) -> Iterator[Hit]:
    for operation, content in api.inputs():
        if not _has_example(api, content):
            yield operation.hit(content.at, "the body has no example", "request-body")
    for operation, status, content in api.outputs():
        if status.startswith("2") and not _has_example(api, content):
            yield operation.hit(content.at, f"{status} has no example", "response", status=status)


def example_valid(api: Api) -> Iterator[Hit]:
    seen: set[Any] = set()
    for operation, content in api.inputs():
        yield from _examples(api, content, Role.REQUEST, operation, seen, part="request-body")
    for operation in api.operations:
        for parameter in operation.parameters.values():
            named = (parameter.raw["in"], parameter.raw["name"])
            yield from _examples(api, parameter, Role.REQUEST, operation, seen, part="parameter", parameter=named)
        for status, response in operation.responses.items():
            for _, content in api.contents(response):
                yield from _examples(api, content, Role.RESPONSE, operation, seen, part="response", status=status)
            for header in api.headers(response).values():
                yield from _examples(api, header, Role.RESPONSE, operation, seen, part="response-header", status=status)


def _examples(api: Api, content: Part, role: Role, operation: Operation, seen: set[Any], **place: Any) -> Iterator[Hit]:
    """Those that stand beside a schema; each once, however many operations share it."""
    if "schema" not in content.raw or (content.at, role) in seen:
        return
    seen.add((content.at, role))
    found = [(content.below("example"), content.raw["example"])] if "example" in content.raw else []
    for name in content.raw.get("examples", {}):
        example = api.part(content.below("examples", name))
        if "value" in example.raw:
            found.append((example.below("value"), example.raw["value"]))
    for location, value in found:
        trouble = api.fits(content.below("schema"), value, role)
        if trouble:
            yield operation.hit(location, f"the example breaks its schema: {trouble}", **place)


def _has_example(api: Api, content: Part) -> bool:
    if "example" in content.raw or content.raw.get("examples") or "schema" not in content.raw:
        return True
    schema = api.part(content.below("schema")).raw
    return isinstance(schema, dict) and ("example" in schema or bool(schema.get("examples")))


def answer_open(api: Api) -> Iterator[Hit]:
    seen: set[Any] = set()
    for operation, status, content in api.outputs():
        if "schema" not in content.raw:
            continue
        for schema in api.schemas_from(content.below("schema"), seen):
            closed = _closed_by(schema)
            if closed:
                text = "an answer's object is closed: no member can be added without breaking whoever validates it"
                yield operation.hit(schema.below(closed), text, "response", status=status)


def _closed_by(schema: Part) -> str:
    keywords = ("additionalProperties", "unevaluatedProperties")
    return next((keyword for keyword in keywords if schema.raw.get(keyword) is False), "")


def input_closed(api: Api) -> Iterator[Hit]:
    seen: set[Any] = set()
    for operation, content in api.inputs():
        if "schema" not in content.raw:
            continue
        found = list(api.schemas_from(content.below("schema"), seen))
        branches = {
            api.part(each.below("allOf", index)).at for each in found for index in range(len(each.raw.get("allOf", ())))
        }
        for schema in found:
            parts = [
                schema.raw,
                *(api.part(schema.below("allOf", n)).raw for n in range(len(schema.raw.get("allOf", ())))),
            ]
            closed = any(key in part for part in parts for key in ("additionalProperties", "unevaluatedProperties"))
            if schema.at not in branches and api.properties(schema.at) and not closed:
                text = "a body's object takes members that nobody reads: a misspelt one goes unnoticed"
                yield operation.hit(schema.at, text, "request-body")


def property_form(api: Api) -> Iterator[Hit]:
    seen: set[Any] = set()
    for operation, content in api.inputs():
        yield from _names(api, operation.place("request-body"), content, seen)
    for operation, status, content in api.outputs():
        yield from _names(api, operation.place("response", status=status), content, seen)


def _names(api: Api, place: Place, content: Part, seen: set[Any]) -> Iterator[Hit]:
    if "schema" in content.raw:
        for schema in api.schemas_from(content.below("schema"), seen):
            yield from _misnamed(schema, place)


def _misnamed(schema: Part, place: Place) -> Iterator[Hit]:
    for name in schema.raw.get("properties", {}):
        if not _CAMEL.fullmatch(name):
            yield Hit(schema.below("properties", name), place, f'the member "{name}" is not lowerCamelCase')


def event_property_form(event: Event) -> Iterator[Hit]:
    for schema in event.schemas_from(event.root.at, set()):
        yield from _misnamed(schema, Place("event", "event-detail", detail_type=event.detail_type))


def event_open(event: Event) -> Iterator[Hit]:
    for schema in event.schemas_from(event.root.at, set()):
        closed = _closed_by(schema)
        if closed:
            text = "an event's object is closed: no member can be added without breaking whoever validates it"
            yield event.hit(schema.below(closed), text, "*")


def event_example_present(event: Event) -> Iterator[Hit]:
    if not event.root.raw.get("examples"):
        yield event.hit(event.root.at, "the event has no example (examples)")


def event_example_valid(event: Event) -> Iterator[Hit]:
    for index, value in enumerate(event.root.raw.get("examples", ())):
        trouble = event.fits(event.root.at, value, Role.EVENT)
        if trouble:
            yield event.hit(event.root.below("examples", index), f"the example breaks its schema: {trouble}")
