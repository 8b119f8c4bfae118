"""Rules of consumers, held against the schemas of the events that are published.

A rule that no event can match, or that reads what the contract does not have, waits for ever and nobody notices.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.contracts.consumers.declared import beginning_at, names_at
from harness.contracts.consumers.patterns import (
    Clause,
    beginning,
    clauses_of,
    event_schema_of,
    paths_read,
    wants_presence,
)
from harness.contracts.consumers.provider import EventContractFile
from harness.contracts.consumers.reading import Given, presence
from harness.contracts.consumers.uses import Subscription
from harness.contracts.field_path import ELEMENT, FieldPath, show_field_path
from harness.contracts.finding import Finding, Level, Place
from harness.contracts.schemas import Subject, load_schema
from harness.errors import did_you_mean

_TEXT = {"type": "string"}
# EventBridge adds these; `resources` is what the publisher names.
_ENVELOPE = {
    "version": _TEXT,
    "id": _TEXT,
    "account": {"type": "string", "pattern": "^[0-9]{12}$"},
    "time": _TEXT,
    "region": _TEXT,
    "resources": {"type": "array", "items": _TEXT},
    "replay-name": _TEXT,
}
_ALWAYS = ["version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"]


def envelope(event: EventContractFile) -> Subject:
    """The whole event as a rule sees it, from the schema of its detail."""
    detail = event.detail.compiled.closed
    definitions = detail.get("$defs", {}) if isinstance(detail, dict) else {}
    inner = {key: value for key, value in detail.items() if key != "$defs"} if isinstance(detail, dict) else detail
    if isinstance(inner, dict):
        inner.setdefault("type", "object")  # PutEvents takes no other detail
    source = {"const": event.source} if event.source else _TEXT
    return load_schema(
        event.file,
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "required": _ALWAYS,
            "properties": {**_ENVELOPE, "source": source, "detail-type": {"const": event.detail_type}, "detail": inner},
            "$defs": definitions,
        },
    )


@dataclass(frozen=True, slots=True)
class Published:
    """An event of the landscape with its envelope."""

    contract: EventContractFile
    event: Given

    @property
    def detail_type(self) -> str:
        return self.contract.detail_type


def published(events: Sequence[EventContractFile]) -> tuple[Published, ...]:
    return tuple(Published(event, Given(envelope(event))) for event in events)


def addressed(pattern: Mapping[str, Any], events: Sequence[Published]) -> tuple[Published, ...]:
    """The events that a pattern is about, by source and detail-type alone."""
    clauses = [_of_names(clause) for clause in clauses_of(pattern)]
    return tuple(event for event in events if _can_match(event.event, clauses))


def _of_names(clause: Clause) -> Clause:
    return {path: said for path, said in clause.items() if path in (("source",), ("detail-type",))}


def _can_match(event: Given, clauses: Sequence[Clause]) -> bool:
    """Whether no proof speaks against it."""
    return not all(_never(event, clause) for clause in clauses)


def _never(event: Given, clause: Clause) -> bool:
    return event.never(event_schema_of(clause)) or any(_begins_otherwise(event, *each) for each in clause.items())


def _begins_otherwise(event: Given, path: tuple[str, ...], alternatives: list[Any]) -> bool:
    """Whether the field's pattern and all alternatives ask for different beginnings: containment cannot tell."""
    places = _through_arrays(event, path)
    if len(places) != 1 or not wants_presence(alternatives):
        return False
    given = beginning_at(event.subject.compiled.closed, places[0])
    return all(_differ(given, beginning(alternative)) for alternative in alternatives)


def _differ(one: str, other: str) -> bool:
    return not one.startswith(other) and not other.startswith(one)


def can_match(pattern: Mapping[str, Any], event: Given) -> bool:
    return _can_match(event, clauses_of(pattern))


def subscription_findings(rule: Subscription, events: Sequence[Published]) -> tuple[Finding, ...]:
    """`events`: all that the landscape publishes."""
    about = addressed(rule.pattern, events)
    return (*_nobody(rule, about, events), *_pattern(rule, about), *_reads(rule, about))


def _finding(rule: Subscription, name: str, level: Level, detail_type: str, field: FieldPath, text: str) -> Finding:
    part = "event-detail" if field else "event"
    steps = tuple("*" if step is ELEMENT else str(step) for step in field)
    place = Place("event", part, detail_type=detail_type, field=steps)
    return Finding(name, level, place, f'{rule.consumer} (rule "{rule.rule}") {text}', new=rule.source)


def _nobody(rule: Subscription, about: Sequence[Published], events: Sequence[Published]) -> Iterator[Finding]:
    """Names of events that nobody publishes. What comes from outside of the landscape is not known here."""
    read = paths_read(rule.pattern)
    names = [said for said in read.get(("detail-type",), []) if isinstance(said, str)]
    sources = [said for said in read.get(("source",), []) if isinstance(said, str)]
    known = {event.contract.source: event.contract.provider for event in events}
    ours = [source for source in sources if source in known]
    for name in names:
        if any(event.detail_type == name for event in about):
            continue
        hint = did_you_mean(name, [event.detail_type for event in events])
        if ours or hint:
            text = f'waits for "{name}"{f" of {ours[0]}" if ours else ""}, which nobody publishes{hint}'
            yield _finding(rule, "pattern-event-missing", Level.BREAKING, name, (), text)
    if not names and not about and ours:
        text = f"matches no event that {known[ours[0]]} publishes"
        yield _finding(rule, "pattern-event-missing", Level.BREAKING, "", (), text)


def _pattern(rule: Subscription, about: Sequence[Published]) -> Iterator[Finding]:
    never = [event for event in about if not can_match(rule.pattern, event.event)]
    for event in never:
        level = Level.BREAKING if len(never) == len(about) else Level.RISKY
        text = f"can never match {event.detail_type}{_why(rule, event)}"
        yield _finding(rule, "pattern-never-matches", level, event.detail_type, (), text)
    for path, alternatives in paths_read(rule.pattern).items():
        if path[0] != "detail":
            continue
        yield from _field(rule, path, alternatives, [event for event in about if event not in never], about)


def _field(
    rule: Subscription,
    path: tuple[str, ...],
    alternatives: list[Any],
    alive: Sequence[Published],
    about: Sequence[Published],
) -> Iterator[Finding]:
    shown = show_field_path(path)
    if not wants_presence(alternatives):
        return
    lacking = [event for event in about if not _declared(event.event, path)]
    if about and len(lacking) == len(about):
        event = about[0]
        hint = did_you_mean(path[-1], _names_around(event.event, path[:-1]))
        text = f"reads {shown}, which {event.detail_type} does not have{hint}"
        yield _finding(rule, "pattern-field-unknown", Level.BREAKING, event.detail_type, path[1:], text)
        return
    for event in alive:
        if event in lacking or len(alternatives) < 2:
            continue
        for alternative in alternatives:
            if _never(event.event, {path: [alternative]}):
                said = json.dumps(alternative, ensure_ascii=False)
                text = f"waits for {said} in {shown}, which {event.detail_type} never has there"
                yield _finding(rule, "pattern-value-impossible", Level.RISKY, event.detail_type, path[1:], text)


def _why(rule: Subscription, event: Published) -> str:
    """The field that is in the way, where one alone is."""
    for clause in clauses_of(rule.pattern):
        for path, alternatives in clause.items():
            if path[0] == "detail" and _never(event.event, {path: alternatives}):
                said = json.dumps(alternatives, ensure_ascii=False)
                return f": {show_field_path(path)} is never one of {said}"
    return ""


def _through_arrays(event: Given, path: tuple[str, ...]) -> list[FieldPath]:
    """The paths that a pattern's path may mean: patterns step into arrays without saying so."""
    found: list[FieldPath] = [()]
    for step in path:
        reached = []
        for start in found:
            place = start
            for _ in range(3):  # itself, an element, an element's element
                if event.declares((*place, step)):
                    reached.append((*place, step))
                place = (*place, ELEMENT)
        found = reached
    return found


def _declared(event: Given, path: tuple[str, ...]) -> bool:
    return bool(_through_arrays(event, path))


def _names_around(event: Given, path: tuple[str, ...]) -> list[str]:
    document = event.subject.compiled.closed
    around = [place for start in _through_arrays(event, path) for place in (start, (*start, ELEMENT))]
    return [name for place in around for name in names_at(document, place)]


def _reads(rule: Subscription, about: Sequence[Published]) -> Iterator[Finding]:
    """What an input path or an input transformer takes out of the event."""
    for name, path in (rule.reads or {}).items():
        shown = f"{show_field_path(path)} for <{name}>" if name else f"{show_field_path(path)} as its input"
        for event in about:
            if not event.event.declares(path):
                hint = _hint(event.event, path)
                text = f"takes {shown}, which {event.detail_type} does not have{hint}"
                yield _finding(rule, "input-path-unknown", Level.BREAKING, event.detail_type, path[1:], text)
            elif not event.event.is_within(presence(path)):
                text = f"takes {shown}, which {event.detail_type} does not promise: without it the place stays empty"
                yield _finding(rule, "input-path-optional", Level.RISKY, event.detail_type, path[1:], text)


def _hint(event: Given, path: FieldPath) -> str:
    last = path[-1] if path else None
    return did_you_mean(last, names_at(event.subject.compiled.closed, path[:-1])) if isinstance(last, str) else ""
