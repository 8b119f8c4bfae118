"""Findings about the schemas of one place: a body, a parameter or a header."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from harness.contracts.diff.annotations import annotations
from harness.contracts.diff.pairing import Pairing, shown, types_shown
from harness.contracts.diff.renames import renamed
from harness.contracts.diff.rules import RULES
from harness.contracts.diff.rules_of_schemas import BY_KIND, WHOLE_ENUM
from harness.contracts.finding import Example, Finding, Level, Side
from harness.contracts.schemas import Containment, Difference, Kind, Role, Subject, Verdict, contained
from harness.contracts.schemas.closed import identical

UNSEEN: Final = "no value was found that shows it, and no proof that there is none"
# A difference of these kinds says all there is to say about its field.
_WHOLE: Final = (Kind.TYPE, Kind.ENUM, Kind.VARIANT, Kind.REQUIRED_UNKNOWN, Kind.FORBIDDEN, Kind.UNDECLARED)


@dataclass(frozen=True, slots=True)
class Compared:
    """Both directions: `promise` is what must hold, `other` the opposite, which tells what was loosened."""

    promise: Containment
    other: Containment


class SchemaDiffs:
    """Pairs that were compared, so that a schema used in many operations is compared once."""

    def __init__(self) -> None:
        self._compared: dict[tuple[int, int, bool], tuple[object, Compared]] = {}

    def compared(self, old: Subject, new: Subject, written: bool) -> Compared:
        """`written`: the client writes the value, so that the new schema must contain the old one."""
        key = _identity(old), _identity(new), written
        if key not in self._compared:
            promise = contained(old, new) if written else contained(new, old)
            other = contained(new, old, shown=False) if written else contained(old, new, shown=False)
            self._compared[key] = (old, new), Compared(promise, other)
        return self._compared[key][1]


def _identity(subject: Subject) -> int:
    schema = subject.schema
    if isinstance(schema, dict) and schema.keys() == {"$ref"}:
        schema = subject.schemas.target(schema["$ref"])
    return id(schema)


def schema_findings(
    pairing: Pairing, diffs: SchemaDiffs, old: Subject | None, new: Subject | None, role: Role, *, on_wire: bool = False
) -> Iterator[Finding]:
    """`role` says who writes the value. `on_wire`: a parameter or header, where 5 and "5" look the same."""
    if old is None or new is None:
        yield from _described(pairing, old, new)
        return
    if identical(old.compiled.closed, new.compiled.closed):
        return
    written = role is Role.REQUEST
    compared = diffs.compared(old, new, written)
    before = list(_promise(pairing, compared.promise, old, new, written=written, on_wire=on_wire))
    after = list(_loosened(pairing, compared, old, new, written=written))
    notes = list(annotations(pairing, old, new, written=written))
    yield from renamed(pairing, old, new, before, after, written=written)
    yield from notes


def _described(pairing: Pairing, old: Subject | None, new: Subject | None) -> Iterator[Finding]:
    words: dict[str, Any] = {"field": "the value"}
    if old is None and new is not None and new.schema not in (True, {}):
        yield pairing.finding("schema-added", None, new.schemas.at(new.schema), **words)
    elif new is None and old is not None and old.schema not in (True, {}):
        yield pairing.finding("schema-removed", old.schemas.at(old.schema), None, **words)


def _promise(
    pairing: Pairing, answer: Containment, old: Subject, new: Subject, *, written: bool, on_wire: bool
) -> Iterator[Finding]:
    """What breaks: values that only one side accepts, although the other should."""
    if answer.verdict is Verdict.YES:
        return
    accepted_by: Side = "old" if written else "new"
    for difference in answer.differences:
        if difference.kind is Kind.HIDDEN:
            continue
        if on_wire and _same_on_wire(difference, new if written else old):
            continue
        column = 0 if written else 2
        rule = _rule(difference, column)
        if difference.kind is Kind.UNDECLARED and written and not difference.silent:
            rule = "request-open-property-limited"
        level, reason = RULES[rule].level, ""
        witness = difference.witness
        if witness is None and level is Level.BREAKING and not _refuted(answer):
            level, reason = Level.RISKY, difference.reason or UNSEEN
        example = Example(witness.value, accepted_by, _what(pairing)) if witness else None
        yield _finding(
            pairing, rule, difference, old, new, written=written, level=level, example=example, reason=reason
        )


def _refuted(answer: Containment) -> bool:
    """jsonschema-rs proved the one difference that there is, although no value was found."""
    return answer.verdict is Verdict.NO and answer.witness is None and len(answer.differences) == 1


def _loosened(pairing: Pairing, compared: Compared, old: Subject, new: Subject, *, written: bool) -> Iterator[Finding]:
    told = {(difference.path, difference.kind) for difference in compared.promise.differences}
    whole = {difference.path for difference in compared.promise.differences if difference.kind in _WHOLE}
    for difference in compared.other.differences:
        if difference.kind is Kind.HIDDEN or (difference.path, difference.kind) in told or difference.path in whole:
            continue
        rule = _rule(difference, 1 if written else 3)
        yield _finding(pairing, rule, difference, old, new, written=not written)


def _rule(difference: Difference, column: int) -> str:
    if difference.kind is Kind.ENUM and not isinstance(difference.was, list):
        return WHOLE_ENUM[column]
    return BY_KIND[difference.kind][column]


def _finding(
    pairing: Pairing,
    rule: str,
    difference: Difference,
    old: Subject,
    new: Subject,
    *,
    written: bool,
    level: Level | None = None,
    example: Example | None = None,
    reason: str = "",
) -> Finding:
    """`written`: the narrow side of the difference is the old contract."""
    places = (difference.narrow, difference.wide) if written else (difference.wide, difference.narrow)
    was, now = (difference.was, difference.now) if written else (difference.now, difference.was)
    say = types_shown if difference.kind in (Kind.TYPE, Kind.FORMAT) else shown
    inner = pairing.at(field=difference.path)
    return inner.finding(
        rule,
        *places,
        level=level,
        example=example,
        reason=reason,
        field=field_shown(difference.path),
        keyword=difference.keyword,
        name=_name(difference),
        was=say(was),
        now=say(now),
    )


def _name(difference: Difference) -> str:
    if difference.kind in (Kind.ENUM, Kind.NULL):
        return shown(difference.value, otherwise="null")
    return difference.name or "value of that form"


def field_shown(path: tuple[str, ...]) -> str:
    if not path:
        return "the value"
    return ".".join(path).replace(".*", "[]")


def _what(pairing: Pairing) -> str:
    part = pairing.place.part
    return "body" if part in ("request-body", "response", "callback") else "value"


def _same_on_wire(difference: Difference, wide: Subject) -> bool:
    """A number that may now be any text is written as it was; and null cannot be written at all."""
    if difference.kind is Kind.NULL:
        return True
    if difference.kind is not Kind.TYPE or difference.path not in ((), ("*",)):
        return False
    inner = wide.schemas.flat(wide.schema)
    if difference.path and isinstance(inner.get("items"), dict):
        inner = wide.schemas.flat(inner["items"])
    limits = ("enum", "pattern", "format", "minLength", "maxLength", "anyOf", "oneOf", "allOf", "not")
    scalars = {"integer", "number", "boolean", "string"}
    was = difference.was if isinstance(difference.was, list) else [difference.was]
    now = difference.now if isinstance(difference.now, list) else [difference.now]
    return "string" in now and set(was) <= scalars and not any(keyword in inner for keyword in limits)
