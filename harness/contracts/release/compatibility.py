"""Compatibility of an event's schema with those that were released, in the modes of schema registries.

BACKWARD: a reader of the new schema takes every event of the old one (consumers move first, a replay can be read).
FORWARD: a reader of the old schema takes every event of the new one (the producer moves first). FULL: both.
`_TRANSITIVE`: with every released version, not the last alone.

An open content model (no `additionalProperties: false`) allows members that it does not name, of any value. So an
optional property that is new, or gone, breaks the letter: an event of the other side may have had that name with
another value. Nobody who publishes by either schema means that, so it is told with such an event, and is risky.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from harness.contracts.finding import Example, Finding, Level, Place
from harness.contracts.schemas import Containment, Difference, Kind, Subject, Verdict, contained
from harness.errors import did_you_mean


class Mode(StrEnum):
    NONE = "NONE"
    BACKWARD = "BACKWARD"
    BACKWARD_TRANSITIVE = "BACKWARD_TRANSITIVE"
    FORWARD = "FORWARD"
    FORWARD_TRANSITIVE = "FORWARD_TRANSITIVE"
    FULL = "FULL"
    FULL_TRANSITIVE = "FULL_TRANSITIVE"

    @property
    def transitive(self) -> bool:
        return self.value.endswith("_TRANSITIVE")

    @property
    def backward(self) -> bool:
        return self.value.startswith(("BACKWARD", "FULL"))

    @property
    def forward(self) -> bool:
        return self.value.startswith(("FORWARD", "FULL"))


DEFAULT_MODE = Mode.FULL_TRANSITIVE
"""Events are archived and replayed, and consumers are deployed when they like: both directions matter, for good."""


def mode_of(schema: object) -> Mode:
    """What an event's schema says in `x-event: {compatibility: …}`. Raises `ValueError` for a mode that is none."""
    event = schema.get("x-event") if isinstance(schema, dict) else None
    said = event.get("compatibility") if isinstance(event, dict) else None
    if said is None:
        return DEFAULT_MODE
    if said not in Mode.__members__:
        known = ", ".join(Mode)
        raise ValueError(f'x-event.compatibility: "{said}" is no mode{did_you_mean(str(said), tuple(Mode))}: {known}')
    return Mode(said)


@dataclass(frozen=True, slots=True)
class ReleasedSchema:
    """`label` names the release for people: `release of 2026-01-15`."""

    label: str
    detail: Subject


def incompatibilities(
    detail_type: str, released: Sequence[ReleasedSchema], new: Subject, mode: Mode
) -> tuple[Finding, ...]:
    """What breaks the mode; `released` oldest first. Empty when the new schema keeps it."""
    versions = released if mode.transitive else released[-1:]
    found: dict[tuple[str, Place], Finding] = {}
    # The newest first: what also breaks an older release is told once.
    for version in reversed(versions):
        for finding in _with(detail_type, version, new, mode):
            found.setdefault((finding.rule, finding.place), finding)
    return tuple(found.values())


def _with(detail_type: str, version: ReleasedSchema, new: Subject, mode: Mode) -> Iterator[Finding]:
    if mode.backward:
        answer = contained(version.detail, new)
        yield from _findings(detail_type, answer, version, new, backward=True)
    if mode.forward:
        answer = contained(new, version.detail)
        yield from _findings(detail_type, answer, version, new, backward=False)


def _findings(
    detail_type: str, answer: Containment, version: ReleasedSchema, new: Subject, *, backward: bool
) -> Iterator[Finding]:
    if answer.verdict is Verdict.YES:
        return
    differences = answer.differences or (Difference(Kind.COMPOSITION, (), None, None, witness=answer.witness),)
    narrow, wide = (version.detail, new) if backward else (new, version.detail)
    for difference in differences:
        witness = difference.witness or (answer.witness if len(differences) == 1 else None)
        source_narrow, source_wide = narrow.source(difference.narrow), wide.source(difference.wide)
        yield Finding(
            "event-not-backward-compatible" if backward else "event-not-forward-compatible",
            _level(difference, proven=witness is not None or answer.verdict is Verdict.NO),
            Place("event", "event-detail", field=difference.path, detail_type=detail_type),
            _text(difference, version.label, backward=backward),
            old=source_narrow if backward else source_wide,
            new=source_wide if backward else source_narrow,
            example=Example(witness.value, "old" if backward else "new", of="the event's detail") if witness else None,
            reason=_reason(difference, backward=backward),
        )


def _level(difference: Difference, *, proven: bool) -> Level:
    return Level.RISKY if difference.kind is Kind.UNDECLARED or not proven else Level.BREAKING


def _text(difference: Difference, label: str, *, backward: bool) -> str:
    what = _WHAT.get(difference.kind, "what is allowed here changed")
    name = f" {difference.name}" if difference.name else ""
    changed = ""
    if difference.keyword and difference.was != difference.now:
        changed = f" ({difference.keyword}: {_shown(difference.was)} against {_shown(difference.now)})"
    if backward:
        return f"a reader of this schema may fail on events of the {label}: {what}{name}{changed}"
    return f"a reader of the {label} may fail on events of this schema: {what}{name}{changed}"


def _shown(value: object) -> str:
    if value is None:
        return "not said"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}…"


_WHAT = {
    Kind.TYPE: "another type",
    Kind.NULL: "null where the reader takes none",
    Kind.ENUM: "a value that the reader does not know",
    Kind.REQUIRED: "the reader needs",
    Kind.REQUIRED_UNKNOWN: "the reader needs",
    Kind.UNDECLARED: "the reader knows the optional property",
    Kind.FORBIDDEN: "the reader refuses the property",
    Kind.CLOSED: "the reader refuses members that it does not know",
    Kind.LENGTH: "a text of a length that the reader refuses",
    Kind.RANGE: "a number out of the reader's range",
    Kind.MULTIPLE: "a number that the reader refuses",
    Kind.PATTERN: "a text that the reader's pattern refuses",
    Kind.FORMAT: "a text that is not of the reader's format",
    Kind.ITEMS: "a number of items that the reader refuses",
    Kind.SIZE: "a number of members that the reader refuses",
    Kind.VARIANT: "a variant that the reader does not know",
    Kind.COMPOSITION: "a value that the reader refuses",
}


def _reason(difference: Difference, *, backward: bool) -> str:
    if difference.kind is Kind.UNDECLARED:
        side = "old" if backward else "new"
        return (
            f"by the letter: the {side} schema is open and does not name it, so an event of it may have it with any "
            "value, as the example has; risky, because who publishes by that schema does not send it at all. With "
            '"additionalProperties": false it could not happen, and a new property would break old readers instead'
        )
    return difference.reason
