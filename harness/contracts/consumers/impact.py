"""Whom a change hurts: a finding of a diff crossed with what every consumer uses, by containment and not by name alone.

`certain`: what the consumer says it relies on is no longer kept. Otherwise it uses what changes, and nothing that it
said rules out that the change hurts it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from harness.contracts.consumers.expectation import Expected
from harness.contracts.consumers.patterns import paths_read, wants_presence
from harness.contracts.consumers.provider import ApiContract, Operation
from harness.contracts.consumers.reading import Given, harm, presence
from harness.contracts.consumers.requests import Fault, request_faults
from harness.contracts.consumers.subscriptions import Published, addressed, can_match
from harness.contracts.consumers.templates import shape
from harness.contracts.consumers.uses import Footprint, MessageUse, PactUse, RecordedUse, Said, Subscription
from harness.contracts.field_path import ELEMENT, MEMBER, FieldPath, Step, show_field_path
from harness.contracts.finding import Finding, Place
from harness.contracts.usage import Call, Seen


@dataclass(frozen=True, slots=True)
class Hurt:
    """`said`: whose use it is. `how`: what of it is touched, for people: `field $.total`."""

    said: Said
    certain: bool
    how: str

    @property
    def consumer(self) -> str:
        return self.said.consumer

    def __str__(self) -> str:
        return f"{self.said.text}{', ' if self.how else ''}{self.how}"


@dataclass(frozen=True, slots=True)
class ApiChange:
    """One version of an API before and after; None where it is not there."""

    version: str
    old: ApiContract | None
    new: ApiContract | None


@dataclass(frozen=True, slots=True)
class EventChange:
    """One event before and after; None where nobody publishes it."""

    detail_type: str
    old: Published | None
    new: Published | None


def hurt_by_api(finding: Finding, change: ApiChange, footprints: Iterable[Footprint]) -> tuple[Hurt, ...]:
    """Of each consumer the uses that the finding touches; those that are hurt for certain first."""
    place = finding.place
    found: list[Hurt] = []
    for footprint in footprints:
        known = _told_fields(footprint)
        for use in footprint.uses:
            if use.said.pending:
                continue
            if isinstance(use, PactUse):
                for call in use.calls:
                    if _concerns(place, call, change):
                        found += _of_pact(use, call, place, change)
            elif isinstance(use, RecordedUse) and _concerns(place, use.usage.call, change):
                found += _of_recorded(use, place, change, told=_key(use.usage.call) in known)
    return _sorted(found)


def _sorted(found: Iterable[Hurt]) -> tuple[Hurt, ...]:
    return tuple(sorted(dict.fromkeys(found), key=lambda hurt: (not hurt.certain, hurt.consumer)))


def _key(call: Call) -> Call:
    """Without the names of path parameters, which may have changed since."""
    return Call(call.version, call.method, shape(call.path))


def _told_fields(footprint: Footprint) -> set[Call]:
    """Operations of which a pact of the same consumer says what it reads: recorded usage need not be guessed at."""
    return {
        _key(call)
        for use in footprint.uses
        if isinstance(use, PactUse) and use.expected is not None and not use.said.pending
        for call in use.calls
    }


def _concerns(place: Place, call: Call, change: ApiChange) -> bool:
    """Whether a place speaks of an operation; places without a path speak of all of a version."""
    if call.version != change.version:
        return False
    if place.path and shape(place.path) != shape(call.path):
        return False
    return not place.method or place.method == call.method


def _operation(contract: ApiContract | None, call: Call) -> Operation | None:
    return contract.operation(call.method, call.path) if contract else None


# Pacts


def _of_pact(use: PactUse, call: Call, place: Place, change: ApiChange) -> Iterator[Hurt]:
    judge = _PACT.get(place.part, _every_call)
    yield from judge(use, place, _operation(change.old, call), _operation(change.new, call))


def _every_call(use: PactUse, place: Place, old: Operation | None, new: Operation | None) -> Iterator[Hurt]:
    yield Hurt(use.said, new is None or place.part == "security", "")


def _sent(use: PactUse, place: Place, old: Operation | None, new: Operation | None) -> Iterator[Hurt]:
    """The request that the pact shows is tried; whoever sends what changed may send other values too."""
    if new is None:
        yield Hurt(use.said, True, "")
        return
    before = set(request_faults(old, use.http)) if old else set()
    if before and use.http.status >= 400:
        return  # it is meant to be refused
    touching = [fault for fault in request_faults(new, use.http) if fault not in before and _about(fault, place)]
    if touching:
        yield Hurt(use.said, True, touching[0].text)
    elif place.parameter is not None:
        if _sends_parameter(use, place.parameter) and not _is_required_now(place.parameter, old, new):
            yield Hurt(use.said, False, f"{place.parameter[0]} parameter {place.parameter[1]}")
    elif (field := _first(use.request_fields, place.field)) is not None and not _needs_now(place, old, new):
        yield Hurt(use.said, False, f"sends {show_field_path(field)}")


def _is_required_now(parameter: tuple[str, str], old: Operation | None, new: Operation) -> bool:
    """Required, and was not: no harm to whoever sends it."""
    was = old.parameter(*parameter) if old else None
    now = new.parameter(*parameter)
    return now is not None and now.required and not (was is not None and was.required)


def _about(fault: Fault, place: Place) -> bool:
    if place.parameter is not None or fault.parameter is not None:
        return fault.parameter == place.parameter
    return place.part == "request-body" and (
        _touches(place.field, fault.field) or _touches(_steps(fault.field), _path(place.field))
    )


def _sends_parameter(use: PactUse, parameter: tuple[str, str]) -> bool:
    where, name = parameter
    if where == "query":
        return name in use.http.query
    if where == "header":
        return name.lower() in use.http.request.headers
    return where == "path"


def _read(use: PactUse, place: Place, old: Operation | None, new: Operation | None) -> Iterator[Hurt]:
    before = old.answer(use.http.status) if old else None
    after = new.answer(use.http.status) if new else None
    if before is not None and place.status and before.status != place.status:
        return
    if before is None and place.status not in ("", str(use.http.status)):
        return
    if after is None:
        yield Hurt(use.said, True, f"status {use.http.status}")
        return
    media_type = use.http.response.media_type or "application/json"
    was = before.content.of(media_type) if before else None
    now = after.content.of(media_type)
    if use.expected is None or (place.media_type and was is not None and was[0] != place.media_type):
        if now is None and use.http.response.media_type and was is not None:
            yield Hurt(use.said, True, media_type)
        return
    if now is None:
        yield Hurt(use.said, True, media_type)
        return
    if now[1] is None:
        return
    given = Given(was[1]) if was and was[1] is not None else None
    yield from _reading(use.said, use.expected, place.field, given, Given(now[1]))


def _reading(
    said: Said, expected: Expected, field: tuple[str, ...], old: Given | None, new: Given | None
) -> Iterator[Hurt]:
    at = _first((path for path in expected.fields()), field)
    if at is None:
        return
    found = harm(expected, at[: len(field)], old, new)
    if found is not None:
        yield Hurt(said, found.certain, f"field {show_field_path(found.field)}")


def _header(use: PactUse, place: Place, old: Operation | None, new: Operation | None) -> Iterator[Hurt]:
    name = (place.parameter[1] if place.parameter else "").lower()
    if name in use.http.response.headers and place.status in ("", str(use.http.status)):
        answer = new.answer(use.http.status) if new else None
        yield Hurt(use.said, answer is None or name not in answer.headers, f"header {name}")


_Judge = Callable[[PactUse, Place, Operation | None, Operation | None], Iterator[Hurt]]
_PACT: Mapping[str, _Judge] = {
    "parameter": _sent,
    "request-body": _sent,
    "response": _read,
    "response-header": _header,
}


# Recorded usage


def _of_recorded(use: RecordedUse, place: Place, change: ApiChange, *, told: bool) -> Iterator[Hurt]:
    usage = use.usage
    new = _operation(change.new, usage.call)
    old = _operation(change.old, usage.call)
    if new is None:
        yield Hurt(use.said, True, _times(usage.seen))
        return
    match place.part:
        case "parameter":
            yield from _recorded_parameter(use, place, old, new)
        case "request-body":
            yield from _recorded_body(use, place, old, new)
        case "response":
            if not told:
                yield from _recorded_response(use, place)
        case "response-header":
            if not told and _was_answered(use, place.status):
                yield Hurt(use.said, False, f"{_times(usage.seen)}; which headers it reads is not known")
        case _:
            yield Hurt(use.said, place.part == "security", _times(usage.seen))


def _recorded_parameter(use: RecordedUse, place: Place, old: Operation | None, new: Operation) -> Iterator[Hurt]:
    assert place.parameter is not None
    where, name = place.parameter
    name = name.lower() if where == "header" else name
    seen = use.usage.parameters.get(where, {}).get(name)
    if _is_required_now((where, name), old, new):
        without = use.usage.seen.count - (seen.count if seen else 0)
        if without > 0:
            yield Hurt(use.said, True, f"{_times(use.usage.seen)}, {without} of them without {name}")
    elif seen is not None:
        gone = new.parameter(where, name) is None
        yield Hurt(use.said, gone, f"{where} parameter {name} {_times(seen)}")


def _recorded_body(use: RecordedUse, place: Place, old: Operation | None, new: Operation) -> Iterator[Hurt]:
    sent = use.usage.request_fields
    field = _first(sent, place.field)
    if _needs_now(place, old, new):
        without = use.usage.seen.count - (sent[field].count if field is not None else 0)
        if without > 0:
            yield Hurt(use.said, True, f"{_times(use.usage.seen)}, {without} of them without {_shown(place.field)}")
    elif field is not None:
        yield Hurt(use.said, False, f"{show_field_path(field)} {_times(sent[field])}")
    elif not place.field and (sent or new.body is None or new.body.required):
        yield Hurt(use.said, False, _times(use.usage.seen))


def _needs_now(place: Place, old: Operation | None, new: Operation) -> bool:
    """Whether a field of the body must be there now and need not have been before."""
    if not place.field or new.body is None:
        return False
    needed = presence(_path(place.field))

    def always(operation: Operation | None) -> bool:
        found = operation.body.of(place.media_type or "application/json") if operation and operation.body else None
        return found is not None and found[1] is not None and Given(found[1]).is_within(needed)

    return always(new) and not always(old)


def _recorded_response(use: RecordedUse, place: Place) -> Iterator[Hurt]:
    if not _was_answered(use, place.status):
        return
    fields = use.usage.response_fields
    chosen = _first((path for path in fields if path), place.field)
    if not place.field:
        yield Hurt(use.said, False, _times(use.usage.seen))
    elif chosen is not None:
        yield Hurt(use.said, True, f"field {show_field_path(chosen)} {_times(fields[chosen])}")
    elif not fields or () in fields:
        seen = fields.get((), use.usage.seen)
        yield Hurt(use.said, False, f"{_times(seen)}; which fields it reads is not known")


def _was_answered(use: RecordedUse, status: str) -> bool:
    """Whether a status of the place was among the answers. A refusal is read by whoever got it, too."""
    if not use.usage.statuses or status in ("", "default"):
        return True
    return any(str(seen) == status or f"{seen // 100}XX" == status.upper() for seen in use.usage.statuses)


def _times(seen: Seen) -> str:
    times = "once" if seen.count == 1 else f"{seen.count} times"
    return f"{times}, last seen {seen.last}"


# Events


def hurt_by_event(finding: Finding, change: EventChange, footprints: Iterable[Footprint]) -> tuple[Hurt, ...]:
    """`change.old` and `change.new` are what the event's schema was and is."""
    found: list[Hurt] = []
    for footprint in footprints:
        messages = [
            use
            for use in footprint.uses
            if isinstance(use, MessageUse) and use.detail_type == change.detail_type and not use.said.pending
        ]
        for use in messages:
            found += _of_message(use, finding.place, change)
        told = any(use.expected is not None for use in messages)
        for rule in footprint.subscriptions:
            found += _of_rule(rule, finding.place, change, footprint, told=told)
    return _sorted(found)


def _of_message(use: MessageUse, place: Place, change: EventChange) -> Iterator[Hurt]:
    if change.new is None:
        yield Hurt(use.said, True, "")
    elif use.expected is not None:
        old = Given(change.old.contract.detail) if change.old else None
        yield from _reading(use.said, use.expected, place.field, old, Given(change.new.contract.detail))


def _of_rule(
    rule: Subscription, place: Place, change: EventChange, footprint: Footprint, *, told: bool
) -> Iterator[Hurt]:
    """A rule is hurt where it stops matching, and where its target reads what changes."""
    if change.old is None or not addressed(rule.pattern, [change.old]):
        return
    said = Said(rule.consumer, footprint.provider, f'rule "{rule.rule}"', rule.source)
    if change.new is None:
        yield Hurt(said, True, "")
        return
    if can_match(rule.pattern, change.old.event) and not can_match(rule.pattern, change.new.event):
        yield Hurt(said, True, f"no longer matches any {change.detail_type}")
        return
    lost = _lost_path(rule, place, change.old.event, change.new.event)
    if lost is not None:
        yield Hurt(said, False, f"its pattern reads {lost}")
    if rule.reads is not None:
        yield from _taken(rule, said, place, change.old.event, change.new.event)
    elif not told and lost is None:
        yield Hurt(said, False, "which fields its target reads is not known")


def _lost_path(rule: Subscription, place: Place, old: Given, new: Given) -> str | None:
    """A path that the pattern needs, at the place of the change, and that events no longer always have."""
    changed = tuple(step for step in place.field if step != "*")
    for path, alternatives in paths_read(rule.pattern).items():
        if path[0] != "detail" or not wants_presence(alternatives) or path[1 : len(changed) + 1] != changed:
            continue
        whole = _detail_path(place.field, path)
        if old.is_within(presence(whole)) and not new.is_within(presence(whole)):
            return show_field_path(path)
    return None


def _detail_path(field: tuple[str, ...], path: tuple[str, ...]) -> FieldPath:
    """The pattern's path with the arrays that the place of the change steps into."""
    rest = len([step for step in field if step != "*"])
    return ("detail", *_path(field), *path[rest + 1 :])


def _taken(rule: Subscription, said: Said, place: Place, old: Given, new: Given) -> Iterator[Hurt]:
    """What an input path or transformer takes out of the event."""
    where = ("detail", *place.field)
    for name, path in (rule.reads or {}).items():
        if not _touches(where, path) and not _touches(_steps(path), _path(where)):
            continue
        gone = old.declares(path) and not new.declares(path)
        optional = old.is_within(presence(path)) and not new.is_within(presence(path))
        shown = f"takes {show_field_path(path)}{f' for <{name}>' if name else ''}"
        yield Hurt(said, gone or optional, shown)


# Places and paths


def _first(paths: Iterable[FieldPath], field: tuple[str, ...]) -> FieldPath | None:
    """The first path that lies at or below a place's field."""
    return next((path for path in paths if _touches(field, path)), None)


def _touches(field: tuple[str, ...], path: FieldPath) -> bool:
    """Whether `path` lies at or below `field`, whose "*" is an element or any member."""
    return len(path) >= len(field) and all(_same(one, other) for one, other in zip(field, path, strict=False))


def _same(step: str, other: str | Step) -> bool:
    if step == "*":
        return isinstance(other, Step) or other == "*"
    return other is MEMBER or step == other


def _path(field: tuple[str, ...]) -> FieldPath:
    return tuple(ELEMENT if step == "*" else step for step in field)


def _steps(path: FieldPath) -> tuple[str, ...]:
    return tuple("*" if isinstance(step, Step) else step for step in path)


def _shown(field: tuple[str, ...]) -> str:
    return show_field_path(_path(field))
