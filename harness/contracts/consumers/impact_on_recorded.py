"""What a change of an API does to what was recorded of its use."""

from collections.abc import Iterator

from harness.contracts.consumers.change import ApiChange
from harness.contracts.consumers.hurt import Hurt
from harness.contracts.consumers.newly_needed import newly_needed, newly_required
from harness.contracts.consumers.places import first_within, shown
from harness.contracts.consumers.provider import Operation
from harness.contracts.consumers.uses import RecordedUse
from harness.contracts.field_path import show_field_path
from harness.contracts.finding import Place
from harness.contracts.usage import Seen


def of_recorded(use: RecordedUse, place: Place, change: ApiChange, *, told: bool) -> Iterator[Hurt]:
    usage = use.usage
    old, new = change.of(usage.call)
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
    if newly_required((where, name), old, new):
        without = use.usage.seen.count - (seen.count if seen else 0)
        if without > 0:
            yield Hurt(use.said, True, f"{_times(use.usage.seen)}, {without} of them without {name}")
    elif seen is not None:
        gone = new.parameter(where, name) is None
        yield Hurt(use.said, gone, f"{where} parameter {name} {_times(seen)}")


def _recorded_body(use: RecordedUse, place: Place, old: Operation | None, new: Operation) -> Iterator[Hurt]:
    sent = use.usage.request_fields
    field = first_within(sent, place.field)
    if newly_needed(place, old, new):
        without = use.usage.seen.count - (sent[field].count if field is not None else 0)
        if without > 0:
            yield Hurt(use.said, True, f"{_times(use.usage.seen)}, {without} of them without {shown(place.field)}")
    elif field is not None:
        yield Hurt(use.said, False, f"{show_field_path(field)} {_times(sent[field])}")
    elif not place.field and (sent or new.body is None or new.body.required):
        yield Hurt(use.said, False, _times(use.usage.seen))


def _recorded_response(use: RecordedUse, place: Place) -> Iterator[Hurt]:
    if not _was_answered(use, place.status):
        return
    fields = use.usage.response_fields
    chosen = first_within((path for path in fields if path), place.field)
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
