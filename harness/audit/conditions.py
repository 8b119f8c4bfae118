"""How a condition that stands in the way could be met: by another value in the policy, or by another call."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.audit.slots import one_or_list
from harness.policy import AccessRequest, ConditionOutcome, ContextValue
from harness.policy.statement import Statement

# What the caller says in the call itself; a policy that asks for it means that it be said.
_OF_THE_CALL = ("sts:externalid", "sts:rolesessionname", "sts:sourceidentity", "aws:requesttag/")
_ADDRESS = "aws:sourceip"
_ORGANISATION = "aws:principalorgid"


@dataclass(frozen=True, slots=True)
class Mend:
    """`statement` as it would be, or `call`: condition keys that the call should carry."""

    kind: str
    text: str
    statement: Mapping[str, Any] | None = None
    call: Mapping[str, str] | None = None


def mends(statement: Statement, request: AccessRequest, written: Mapping[str, Any], *, to_hold: bool) -> Iterator[Mend]:
    """`to_hold`: make the conditions of an Allow hold; otherwise make one of a Deny fail. The likeliest first.

    Those of an Allow are mended one by one; each yields only if it is the only one that fails.
    """
    outcomes = [condition.outcome(request.context) for condition in statement.conditions]
    if to_hold:
        failing = [outcome for outcome in outcomes if not outcome.holds]
        if len(failing) == 1:
            yield from _to_hold(failing[0], request, written)
        else:
            keys = " and ".join(outcome.key for outcome in failing)
            changed = written
            for outcome in failing:
                changed = _without(changed, outcome)
            yield Mend("conditions", f"{len(failing)} conditions fail ({keys}): leave them out", changed)
        return
    for outcome in outcomes:
        if _negated(outcome) and isinstance(outcome.found, str):
            value = outcome.found
            yield Mend(
                "deny-condition", f"add {value} to {outcome.key}", _with(written, outcome, [*outcome.wanted, value])
            )
        elif outcome.found is not None and len(outcome.wanted) > 1:
            kept = [each for each in outcome.wanted if each != outcome.found]
            yield Mend(
                "deny-condition", f"take {_shown(outcome.found)} out of {outcome.key}", _with(written, outcome, kept)
            )


def _to_hold(outcome: ConditionOutcome, request: AccessRequest, written: Mapping[str, Any]) -> Iterator[Mend]:
    key, found = outcome.key.lower(), outcome.found
    wanted = " or ".join(outcome.wanted)
    if key.startswith(_OF_THE_CALL) and not _negated(outcome) and "*" not in outcome.wanted[0]:
        said = "sent none" if found is None else f"sent {_shown(found)}"
        text = f"call with {outcome.key} = {wanted} (the call {said}), as asked for"
        yield Mend(_call_kind(key, found), text, call={outcome.key: outcome.wanted[0]})
        return
    if found is None:
        yield from _missing(key, outcome, request, written)
        return
    if _negated(outcome):
        kept = [each for each in outcome.wanted if each != found]
        if kept:
            yield Mend("condition-value", f"take {_shown(found)} out of {outcome.key}", _with(written, outcome, kept))
    else:
        kind = {_ORGANISATION: "organisation"}.get(key, "condition-value")
        kind = "event-source" if key == "events:source" else "subject" if key.endswith(":sub") else kind
        added = [
            f"{each}/32" if "ip" in outcome.operator.lower() and "/" not in each else each for each in texts_of(found)
        ]
        text = f"{outcome.key} is {_shown(found)}, wanted is {wanted}: add {_shown(found)}"
        yield Mend(kind, text, _with(written, outcome, [*outcome.wanted, *added]))
    text = f"{outcome.key} is {_shown(found)}, which {outcome.operator} {wanted} does not take: leave the condition out"
    yield Mend("condition-value", text, _without(written, outcome))


def _missing(key: str, outcome: ConditionOutcome, request: AccessRequest, written: Mapping[str, Any]) -> Iterator[Mend]:
    endpoint = request.context.get("aws:sourcevpce")
    if key == _ADDRESS and isinstance(endpoint, str):
        changed = _without(written, outcome)
        condition = {**changed.get("Condition", {})}
        condition["StringEquals"] = {**condition.get("StringEquals", {}), "aws:SourceVpce": endpoint}
        text = (
            f"a call through a VPC endpoint has no {outcome.key} (only aws:VpcSourceIp): "
            f"ask for aws:SourceVpce {endpoint} instead"
        )
        yield Mend("source-ip-through-endpoint", text, {**changed, "Condition": condition})
    kind = "organisation" if key == _ORGANISATION else "condition-missing"
    text = f"the request has no {outcome.key}, wanted is {' or '.join(outcome.wanted)}: leave the condition out"
    yield Mend(kind, text, _without(written, outcome))


def _call_kind(key: str, found: ContextValue | None) -> str:
    if key == "sts:externalid":
        return "external-id-missing" if found is None else "external-id"
    return "call-parameter"


def _negated(outcome: ConditionOutcome) -> bool:
    return "not" in outcome.operator.lower()


def texts_of(found: ContextValue) -> list[str]:
    return [found] if isinstance(found, str) else list(found)


def _shown(found: ContextValue) -> str:
    return ", ".join(texts_of(found))


def _with(written: Mapping[str, Any], outcome: ConditionOutcome, values: list[str]) -> dict[str, Any]:
    block = written["Condition"]
    keys = {**block[outcome.operator], outcome.key: one_or_list(values)}
    return {**written, "Condition": {**block, outcome.operator: keys}}


def _without(written: Mapping[str, Any], outcome: ConditionOutcome) -> dict[str, Any]:
    block = dict(written["Condition"])
    keys = {key: value for key, value in block[outcome.operator].items() if key != outcome.key}
    if keys:
        block[outcome.operator] = keys
    else:
        del block[outcome.operator]
    changed = {key: value for key, value in written.items() if key != "Condition"}
    if block:
        changed["Condition"] = block
    return changed
