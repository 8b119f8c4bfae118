"""Do references lead somewhere, and is it a JSON Schema? Asked before any other rule, which then may rely on it."""

from collections.abc import Iterator
from typing import Any, Final

import jsonschema_rs

from harness.contracts.finding import Place
from harness.contracts.lint.openapi_validity import expanded, is_data
from harness.contracts.lint.subjects import Hit, Subject
from harness.contracts.schemas import Location
from harness.errors import InputError

_LONGEST: Final = 200


def references(subject: Subject) -> Iterator[Hit]:
    """Every `$ref` that leads nowhere, to itself, or to the network."""
    event = Place("event", "document", detail_type=subject.file.stem)
    place = Place("api", "document") if "openapi" in subject.root.raw else event
    seen: set[str] = set()
    pending = [subject.root.at.file]
    while pending:
        file = pending.pop()
        if file in seen:
            continue
        seen.add(file)
        for location in _references(subject.library.document(file).value, Location(file, ())):
            try:
                target, _ = subject.library.followed(location)
            except InputError as error:
                first = error.problems[0]
                yield Hit(location, place, first.text if first.file == location.file else f"{first.file}: {first.text}")
                continue
            pending.append(target.file)


def _references(value: Any, location: Location) -> Iterator[Location]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield location
        for key, item in value.items():
            if not is_data(key, location):
                yield from _references(item, Location(location.file, (*location.path, key)))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _references(item, Location(location.file, (*location.path, index)))


def json_schema(subject: Subject) -> Iterator[Hit]:
    """What the dialect's own schema finds, else what the compiler does."""
    place = Place("event", "document", detail_type=subject.file.stem)
    try:
        jsonschema_rs.meta.validate(subject.library.root.value)
        jsonschema_rs.validator_for(expanded(subject), offline=True)
    except jsonschema_rs.ValidationError as error:
        yield Hit(subject.root.below(*error.instance_path), place, error.message[:_LONGEST])
    except (ValueError, jsonschema_rs.ReferencingError) as error:
        yield Hit(subject.root.at, place, str(error)[:_LONGEST])
