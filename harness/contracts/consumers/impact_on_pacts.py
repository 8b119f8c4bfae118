"""What a change of an API does to an interaction of a pact."""

from collections.abc import Callable, Iterator, Mapping

from harness.contracts.consumers.change import ApiChange
from harness.contracts.consumers.hurt import Hurt
from harness.contracts.consumers.impact_on_reading import of_reading
from harness.contracts.consumers.newly_needed import newly_needed, newly_required
from harness.contracts.consumers.places import first_within, path_of, steps_of, touches
from harness.contracts.consumers.provider import Operation
from harness.contracts.consumers.reading import Given
from harness.contracts.consumers.requests import Fault, request_faults
from harness.contracts.consumers.statuses import expects_refusal
from harness.contracts.consumers.uses import PactUse
from harness.contracts.field_path import show_field_path
from harness.contracts.finding import Place
from harness.contracts.usage import Call


def of_pact(use: PactUse, call: Call, place: Place, change: ApiChange) -> Iterator[Hurt]:
    judge = _PACT.get(place.part, _every_call)
    yield from judge(use, place, *change.of(call))


def _every_call(use: PactUse, place: Place, old: Operation | None, new: Operation | None) -> Iterator[Hurt]:
    yield Hurt(use.said, new is None or place.part == "security", "")


def _sent(use: PactUse, place: Place, old: Operation | None, new: Operation | None) -> Iterator[Hurt]:
    """The request that the pact shows is tried; whoever sends what changed may send other values too."""
    if new is None:
        yield Hurt(use.said, True, "")
        return
    before = set(request_faults(old, use.http)) if old else set()
    if before and expects_refusal(use.http):
        return  # it is meant to be refused
    touching = [
        fault
        for fault in request_faults(new, use.http)
        if fault not in before and _about(fault, place) and not fault.possible
    ]
    if touching:
        yield Hurt(use.said, True, touching[0].text)
    elif place.parameter is not None:
        if _sends_parameter(use, place.parameter) and not newly_required(place.parameter, old, new):
            yield Hurt(use.said, False, f"{place.parameter[0]} parameter {place.parameter[1]}")
    elif (field := first_within(use.request_fields, place.field)) is not None and not newly_needed(place, old, new):
        yield Hurt(use.said, False, f"sends {show_field_path(field)}")


def _about(fault: Fault, place: Place) -> bool:
    if place.parameter is not None or fault.parameter is not None:
        return fault.parameter == place.parameter
    return place.part == "request-body" and (
        touches(place.field, fault.field) or touches(steps_of(fault.field), path_of(place.field))
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
    yield from of_reading(use.said, use.expected, place.field, given, Given(now[1]))


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
