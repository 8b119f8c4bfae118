"""Whom a change hurts: a finding of a diff crossed with what every consumer uses, by containment and not by name alone.

`certain`: what the consumer says it relies on is no longer kept. Otherwise it uses what changes, and nothing that it
said rules out that the change hurts it.
"""

from collections.abc import Iterable

from harness.contracts.consumers.change import ApiChange, EventChange
from harness.contracts.consumers.hurt import Hurt, worst_first
from harness.contracts.consumers.impact_on_events import of_message, of_rule
from harness.contracts.consumers.impact_on_pacts import of_pact
from harness.contracts.consumers.impact_on_recorded import of_recorded
from harness.contracts.consumers.provider import ApiContract, Operation
from harness.contracts.consumers.templates import shape
from harness.contracts.consumers.uses import Footprint, MessageUse, PactUse, RecordedUse
from harness.contracts.finding import Finding, Place
from harness.contracts.usage import Call


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
                        found += of_pact(use, call, place, change)
            elif isinstance(use, RecordedUse) and _concerns(place, use.usage.call, change):
                found += of_recorded(use, place, change, told=_key(use.usage.call) in known)
    return worst_first(found)


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
            found += of_message(use, finding.place, change)
        told = any(use.expected is not None for use in messages)
        for rule in footprint.subscriptions:
            found += of_rule(rule, finding.place, change, footprint, told=told)
    return worst_first(found)
