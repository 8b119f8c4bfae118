"""Rules on what an event says of itself: its name, its source, its metadata, its version."""

import re
from collections.abc import Iterator
from typing import Final

from harness.contracts.lint.subjects import Event, Hit
from harness.contracts.schemas import Location, Role

_NAME: Final = re.compile(r"[A-Z][A-Za-z0-9]*\.v([1-9][0-9]*)")
METADATA: Final = ("eventId", "correlationId", "causationId", "schemaVersion", "occurredAt", "domain")


def event_name(event: Event) -> Iterator[Hit]:
    if not _NAME.fullmatch(event.detail_type):
        text = f'the file\'s name "{event.file.name}" is not of the form SomethingHappened.v1.json'
        yield event.hit(event.root.at, text)


def event_says_itself(event: Event) -> Iterator[Hit]:
    said = event.root.raw.get("x-event")
    if not isinstance(said, dict):
        yield event.hit(event.root.at, 'has no "x-event" with source and detail-type')
        return
    if said.get("detail-type") != event.detail_type:
        text = f'x-event.detail-type is "{said.get("detail-type")}", the file is "{event.detail_type}"'
        yield event.hit(event.root.below("x-event", "detail-type"), text)
    if event.root.raw.get("title", event.detail_type) != event.detail_type:
        text = f'title is "{event.root.raw["title"]}", the file is "{event.detail_type}"'
        yield event.hit(event.root.below("title"), text)


def event_source(event: Event) -> Iterator[Hit]:
    said = event.root.raw.get("x-event")
    source = said.get("source") if isinstance(said, dict) else None
    if not isinstance(source, str) or not source:
        yield event.hit(event.root.at, "x-event.source is missing")
    elif source.startswith("aws."):  # PutEvents refuses it
        yield event.hit(event.root.below("x-event", "source"), f'the source "{source}" is one of AWS\'s')
    elif source.rpartition(".")[2] != event.file.parent.parent.name and event.file.parent.name == "events":
        text = f'the source "{source}" does not end with the domain of the folder, {event.file.parent.parent.name}'
        yield event.hit(event.root.below("x-event", "source"), text)


def event_metadata(event: Event) -> Iterator[Hit]:
    root = event.root.at
    for name in ("metadata", "data"):
        if name not in event.required(root) or name not in event.properties(root):
            yield event.hit(root, f'"{name}" is not a required member of the detail', name)
    place = event.properties(root).get("metadata")
    if place is None:
        return
    known, required = event.properties(place), event.required(place)
    missing = [name for name in METADATA if name not in known or name not in required]
    if missing:
        yield event.hit(event.part(place).at, f"metadata does not require {', '.join(missing)}", "metadata")


def event_version(event: Event) -> Iterator[Hit]:
    """`schemaVersion` takes this major version (1.0.0, 1.4.2) and no other."""
    name = _NAME.fullmatch(event.detail_type)
    place = _metadata(event, "schemaVersion")
    if name is None or place is None:
        return
    major = int(name[1])
    if event.fits(place, f"{major}.0.0", Role.EVENT) or event.fits(place, f"{major}.4.2", Role.EVENT):
        yield event.hit(place, f"schemaVersion does not take {major}.0.0 and {major}.4.2", "metadata", "schemaVersion")
    if not event.fits(place, f"{major + 1}.0.0", Role.EVENT):
        yield event.hit(
            place, f"schemaVersion takes {major + 1}.0.0 in {event.detail_type}", "metadata", "schemaVersion"
        )


def event_domain(event: Event) -> Iterator[Hit]:
    place = _metadata(event, "domain")
    if place is None or event.file.parent.name != "events":
        return
    folder = event.file.parent.parent.name
    if event.part(place).raw != {**event.part(place).raw, "const": folder}:
        yield event.hit(
            place, f'metadata.domain is not the constant "{folder}", the domain of the folder', "metadata", "domain"
        )


def _metadata(event: Event, name: str) -> Location | None:
    metadata = event.properties(event.root.at).get("metadata")
    return event.properties(metadata).get(name) if metadata is not None else None
