"""What a provider gives as text, in headers and in what surrounds an event, held against a consumer's matchers."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from harness.contracts.consumers.matchers import Schema
from harness.contracts.consumers.matching_rules import Rules
from harness.contracts.consumers.provider import EventContractFile
from harness.contracts.consumers.reading import expectation_subject
from harness.contracts.consumers.spellings import spelled
from harness.contracts.schemas import Subject


@dataclass(frozen=True, slots=True)
class Unlike:
    """`never`: nothing that is given is of the matchers. Else `such` is given and is not."""

    never: bool
    said: str
    such: str


def unlike(rules: Rules, name: str, example: str, given: Subject) -> Unlike | None:
    """None where all that is looked at is as expected. Without a matcher only the example counts, and only whether
    it can be given: which other values would do is not said."""
    texts = tuple(_text(value) for value in given.schemas.sampler.samples(given.schema))
    possible = any(given.compiled.accepts(meaning) for meaning in meanings(example))
    rule = rules.at((name, 0))
    if rule is None:
        said = json.dumps(example, ensure_ascii=False)
        return None if possible or not texts else Unlike(True, said, texts[0])
    found = spelled(rule, example)
    bad = next((text for text in texts if not found.accepts(text)), None)
    if bad is None:
        return None
    good = possible and found.accepts(example)
    tried = (*texts, *found.texts)
    overlap = good or any(
        found.accepts(text) and any(given.compiled.accepts(meaning) for meaning in meanings(text)) for text in tried
    )
    if overlap and not found.listed and any(matcher.name in _OF_TEXT for matcher in rule.matchers):
        return None  # as of bodies: what a text looks like is no promise that contracts are asked for
    return Unlike(not overlap, found.said, bad)


_OF_TEXT: Final = frozenset({"regex", "include", "semver", "date", "time", "datetime"})


def meanings(text: str) -> Iterator[Any]:
    """What a text may stand for: itself, a number, true or false, or a list of such in the style simple."""
    yield from _plain(text)
    parts = [part.strip() for part in text.split(",")]
    yield parts
    yield [list(_plain(part))[-1] for part in parts]


def _plain(text: str) -> Iterator[Any]:
    yield text
    try:
        yield json.loads(text)
    except (ValueError, RecursionError):
        return


def _text(value: Any) -> str:
    """OpenAPI's style simple: a list is separated by commas."""
    if isinstance(value, list):
        return ",".join(map(_text, value))
    return value if isinstance(value, str) else json.dumps(value)


_PATTERNS: Mapping[str, Schema] = {
    "id": {"type": "string", "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"},
    "time": {"type": "string", "enum": ["2024-02-29T13:05:09Z", "2026-01-01T00:00:00Z"]},
    "account": {"type": "string", "pattern": "^[0-9]{12}$"},
    "region": {"type": "string", "pattern": "^[a-z]{2}-[a-z]{4,9}-[1-9]$"},
    "version": {"const": "0"},
    "contenttype": {"const": "application/json"},
    "content-type": {"const": "application/json"},
}
"""What EventBridge puts around a detail, and what a pact's libraries call the media type of it."""


def around(event: EventContractFile) -> Callable[[str], Subject | None]:
    """The schema of a name in an event's metadata; None where it is not known what it holds."""
    fixed = {"detail-type": event.detail_type, "detailtype": event.detail_type}
    if event.source:
        fixed["source"] = event.source
    known = {**_PATTERNS, **{name: {"const": value} for name, value in fixed.items()}}

    def of(name: str) -> Subject | None:
        return expectation_subject(known[name]) if name in known else None

    return of
