"""What became of one event, put together from the event itself, the notes of its way, and the rules of its bus."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.bus.model import Envelope, Rule
from harness.bus.patterns.mismatch import explain

Json = dict[str, Any]

CORRELATED = ("correlationId", "correlation_id", "correlation-id")
CAUSED = ("causationId", "causation_id", "causation-id")
OWN = ("eventId", "event_id", "event-id")


@dataclass(frozen=True, slots=True)
class Links:
    """The ids in an event's metadata that tie it to others; empty where there is none."""

    event: str
    correlation: str
    causation: str


def links(event: Envelope) -> Links:
    """From `detail.metadata`, or from `detail` itself."""
    detail = event.get("detail") or {}
    metadata = detail.get("metadata")
    places = [place for place in (metadata, detail) if isinstance(place, Mapping)]
    return Links(_first(places, OWN) or str(event.get("id", "")), _first(places, CORRELATED), _first(places, CAUSED))


def story(
    event_id: str,
    event: Envelope | None,
    *,
    bus: str,
    steps: Iterable[Json],
    rules: Sequence[Rule],
    related: Iterable[tuple[str, Envelope]] = (),
) -> Json:
    """`event` None: the bus keeps it no longer. `steps`: the notes of the event, oldest first. `rules`: those that the
    bus has now. `related`: events that share its correlation id, each with its bus.

    `rules` of the answer are the bus's own and those that matched then and are gone now; `matched` is None for a rule
    that was not asked: the event has not been matched yet.
    """
    steps = list(steps)
    related = sorted(related, key=lambda each: each[1]["time"])
    matched = [step for step in steps if step["step"] == "matched"]
    return {
        "id": event_id,
        "event": event,
        "bus": bus,
        "matchedAt": matched[0]["at"] if matched else None,
        "rules": _rules(event, matched, rules),
        "deliveries": _deliveries(steps, matched, rules),
        "related": [_relation(event, where, other) for where, other in related] if event else [],
    }


def _rules(event: Envelope | None, matched: Sequence[Json], rules: Sequence[Rule]) -> list[Json]:
    hits = {arn for step in matched for arn in step["rules"]}
    told = []
    for rule in rules:
        took = rule.arn in hits if matched else None
        told.append({"rule": rule.name, "arn": rule.arn, "matched": took, "why": "" if took else _why_not(rule, event)})
    known = {rule.arn for rule in rules}
    gone = [{"rule": _name(arn), "arn": arn, "matched": True, "why": "is gone now"} for arn in sorted(hits - known)]
    return told + gone


def _why_not(rule: Rule, event: Envelope | None) -> str:
    if not rule.enabled:
        return "is disabled"
    if rule.pattern is None:
        return "is a schedule, it has no pattern"
    if event is None:
        return ""
    mismatch = explain(rule.pattern, event)
    return str(mismatch) if mismatch else "matches as it is now: it was made or changed after the event"


def _deliveries(steps: Sequence[Json], matched: Sequence[Json], rules: Sequence[Rule]) -> list[Json]:
    """One for each target, in the order first heard of."""
    found: dict[tuple[str, str], Json] = {}
    by_arn = {rule.arn: rule for rule in rules}
    for step in matched:
        for arn in step["rules"]:
            for target in by_arn[arn].targets if arn in by_arn else ():
                found[arn, target.id] = _delivery(arn, target.id, target.arn)
    for step in steps:
        if step["step"] == "matched":
            continue
        key = (step["rule"], step["target"])
        delivery = found.setdefault(key, _delivery(*key, step["arn"]))
        if step["step"] == "attempt":
            delivery["attempts"].append({name: step[name] for name in _OF_ATTEMPT if name in step})
            delivery["outcome"] = "retrying" if "next" in step else "failed" if "code" in step else "delivered"
        else:
            delivery["outcome"] = "set aside" if step["reason"] else "dead-lettered" if step["queue"] else "dropped"
            delivery |= {name: step[name] for name in ("queue", "reason", "code") if step[name]}
    return list(found.values())


_OF_ATTEMPT = ("number", "at", "ms", "code", "message", "next")


def _delivery(rule: str, target: str, arn: str) -> Json:
    return {"rule": _name(rule), "target": target, "arn": arn, "outcome": "waiting", "attempts": []}


def _relation(event: Envelope, bus: str, other: Envelope) -> Json:
    mine, theirs = links(event), links(other)
    if theirs.causation and theirs.causation == mine.event:
        relation = "follows from this one"
    elif mine.causation and mine.causation == theirs.event:
        relation = "led to this one"
    else:
        relation = "same correlation id"
    return {
        "id": other["id"],
        "time": other["time"],
        "source": other["source"],
        "detail-type": other["detail-type"],
        "bus": bus,
        "relation": relation,
    }


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]


def _first(places: Iterable[Mapping[str, Any]], names: Iterable[str]) -> str:
    for place in places:
        for name in names:
            value = place.get(name)
            if isinstance(value, str) and value:
                return value
    return ""
