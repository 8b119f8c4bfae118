"""The smallest change of policies, or of the call, that would allow a request that was refused.

Found one policy at a time: the first that refuses is changed, then the decision is taken again, until it allows. So
what is proposed has been tried. A slip of the pen (`near`) or a condition is mended in its statement; what nobody
thought of gets a statement of its own that allows this call and no other.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from harness.audit.conditions import Mend, mends
from harness.audit.near import Near, near_principal, near_resource
from harness.audit.slots import Documents, Slot, one_or_list, statements_of, texts
from harness.errors import InputError
from harness.policy import AccessRequest, Decision, Outcome, PolicyKind, Principal, PrincipalType
from harness.policy.statement import Statement

MOST_CHANGES = 8
_RESOURCE_SIDE = frozenset({PolicyKind.RESOURCE, PolicyKind.TRUST, PolicyKind.ENDPOINT})
_LIMITING_CALLER = frozenset({PolicyKind.IDENTITY, PolicyKind.BOUNDARY, PolicyKind.SESSION})


@dataclass(frozen=True, slots=True)
class Change:
    """`kind` names the cause (`condition-value`); `statement` is the one to write at `file:line`, None to remove it.

    `file` is empty where a policy is in no file, or there is none yet. `call` are condition keys that the caller
    should send instead of a change of the policy.
    """

    kind: str
    text: str
    policy: PolicyKind
    file: str = ""
    line: int = 0
    statement: Mapping[str, Any] | None = None
    call: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class _Step:
    change: Change
    documents: Documents
    request: AccessRequest


def smallest_changes(request: AccessRequest, documents: Documents) -> tuple[tuple[Change, ...], bool]:
    """The changes in order, and whether they suffice (they were tried)."""
    changes: list[Change] = []
    while len(changes) < MOST_CHANGES:
        decision = documents.decide(request)
        if decision.allowed:
            return tuple(changes), True
        step = _step(request, documents, decision)
        if step is None:
            break
        changes.append(step.change)
        request, documents = step.request, step.documents
    return tuple(changes), documents.decide(request).allowed


def _step(request: AccessRequest, documents: Documents, decision: Decision) -> _Step | None:
    kind = decision.deciding
    assert kind is not None  # every refusal has its kind
    slots = [slot for slot in documents.slots() if slot.kind is kind]
    if decision.outcome is Outcome.EXPLICIT_DENY:
        for slot in slots:
            for statement in slot.document.statements:
                if not statement.allows and _applies(statement, request):
                    return _lifted(request, documents, slot, statement)
        slots = _silent_level(request, slots)
    if not slots:
        return _attached(request, documents, kind)
    return _mended(request, documents, slots) or _granted(request, documents, slots[-1])


def _applies(statement: Statement, request: AccessRequest) -> bool:
    return statement.matches_action(request.action) and bool(statement.reach(request)) and statement.covers(request)


def _silent_level(request: AccessRequest, slots: list[Slot]) -> list[Slot]:
    """The service control policies of the first level at which none allows."""
    for level in sorted({slot.level for slot in slots}):
        at_level = [slot for slot in slots if slot.level == level]
        allows = (each for slot in at_level for each in slot.document.statements if each.allows)
        if not any(_applies(each, request) for each in allows):
            return at_level
    return slots


# Denials


def _lifted(request: AccessRequest, documents: Documents, slot: Slot, statement: Statement) -> _Step | None:
    """The Deny made narrower by this call."""
    written = statements_of(slot.document)
    for mend in _exceptions(request, slot, statement, written[statement.index]):
        step = _tried(request, documents, slot, statement.index, mend)
        if step is not None and not _still_denies(step, slot, statement.index):
            return step
    changed = [each for index, each in enumerate(written) if index != statement.index]
    text = f"remove {_named(statement)}: it denies this call to everybody whom the policy is about"
    change = Change("explicit-deny", text, slot.kind, slot.document.file, statement.line, None)
    return _Step(change, documents.with_statements(slot, changed), request) if changed else None


def _exceptions(request: AccessRequest, slot: Slot, statement: Statement, written: Mapping[str, Any]) -> Iterator[Mend]:
    name = _named(statement)
    for mend in mends(statement, request, written, to_hold=False):
        yield replace(mend, text=f"{mend.text}, so that {name} no longer denies this call")
    if slot.kind in _LIMITING_CALLER:
        yield from _narrowed(request, written, name)
        return
    role = request.principal.role_arn
    if not role:
        return
    condition = {key: dict(value) for key, value in written.get("Condition", {}).items()}
    excepted = condition.setdefault("ArnNotEquals", {})
    excepted["aws:PrincipalArn"] = one_or_list([*texts(excepted.get("aws:PrincipalArn")), role])
    changed = {**written, "Condition": condition}
    kind = "explicit-deny"
    if "NotPrincipal" in changed:
        kind = "not-principal"
        spared = texts(dict(changed.pop("NotPrincipal")).get("AWS"))
        changed["Principal"] = "*"
        excepted["aws:PrincipalArn"] = one_or_list([*[each for each in spared if ":role/" in each], role])
    yield Mend(kind, f"except {role} from {name}", changed)


def _narrowed(request: AccessRequest, written: Mapping[str, Any], name: str) -> Iterator[Mend]:
    resources = texts(written.get("Resource"))
    for at, pattern in enumerate(resources):
        others = [*resources[:at], *resources[at + 1 :]]
        if others:
            text = f"take {pattern} out of the Resource of {name}"
            yield Mend("explicit-deny", text, {**written, "Resource": one_or_list(others)})


def _still_denies(step: _Step, slot: Slot, index: int) -> bool:
    for each in step.documents.slots():
        if (each.kind, each.level, each.at) == (slot.kind, slot.level, slot.at):
            statement = each.document.statements[index]
            return not statement.allows and _applies(statement, step.request)
    return False


# Silence


def _mended(request: AccessRequest, documents: Documents, slots: list[Slot]) -> _Step | None:
    """An Allow that was meant for this call and misses it by one thing."""
    found: list[tuple[int, _Step]] = []
    for slot in slots:
        written = statements_of(slot.document)
        for statement in slot.document.statements:
            if not statement.allows:
                continue
            for rank, mend in _misses(request, documents, slot, statement, written[statement.index]):
                step = _tried(request, documents, slot, statement.index, mend)
                if step is not None and _now_allows(step, slot, statement.index):
                    found.append((rank, step))
                    break
    return min(found, key=lambda ranked: ranked[0])[1] if found else None


def _misses(
    request: AccessRequest, documents: Documents, slot: Slot, statement: Statement, written: Mapping[str, Any]
) -> Iterator[tuple[int, Mend]]:
    """What to mend, when exactly one of principal, resource and conditions fails."""
    if not statement.matches_action(request.action):
        return
    principal = bool(statement.reach(request))
    resource = statement.matches_resource(request.resource, request.context)
    holding = all(condition.holds(request.context) for condition in statement.conditions)
    name = _named(statement)
    if principal and resource and not holding:
        for mend in mends(statement, request, written, to_hold=True):
            yield 1, replace(mend, text=f"{mend.text} in {name}")
    elif principal and holding and not resource:
        for pattern, near in _near_resources(request, documents, written):
            better = _short(near.better, documents.api_arn) if pattern.startswith("execute-api:/") else near.better
            patterns = [better if each == pattern else each for each in texts(written["Resource"])]
            if near.kind in ("path-itself", "path-below", "method", "stage", "trailing-slash"):
                patterns = [*texts(written["Resource"]), better]
            yield (
                0,
                Mend(
                    near.kind, f"{near.text}: write {better} in {name}", {**written, "Resource": one_or_list(patterns)}
                ),
            )
    elif resource and holding and not principal:
        for value, near in _near_principals(request.principal, written):
            names = [near.better if each == value else each for each in texts(written["Principal"]["AWS"])]
            changed = {**written, "Principal": {**written["Principal"], "AWS": one_or_list(names)}}
            yield 0, Mend(near.kind, f"{near.text}: write {near.better} in {name}", changed)


def _near_resources(
    request: AccessRequest, documents: Documents, written: Mapping[str, Any]
) -> Iterator[tuple[str, Near]]:
    for pattern in texts(written.get("Resource")):
        whole = pattern
        if pattern.startswith("execute-api:/"):
            whole = f"{documents.api_arn}/{pattern.removeprefix('execute-api:/')}"
        near = near_resource(whole, request.resource)
        if near is not None:
            yield pattern, near


def _near_principals(principal: Principal, written: Mapping[str, Any]) -> Iterator[tuple[str, Near]]:
    named = written.get("Principal")
    for value in texts(named.get("AWS")) if isinstance(named, dict) else ():
        near = near_principal(value, principal)
        if near is not None:
            yield value, near


def _now_allows(step: _Step, slot: Slot, index: int) -> bool:
    for each in step.documents.slots():
        if (each.kind, each.level, each.at) == (slot.kind, slot.level, slot.at):
            return _applies(each.document.statements[index], step.request)
    return False


def _granted(request: AccessRequest, documents: Documents, slot: Slot) -> _Step | None:
    statement = exact_statement(request, slot.kind)
    written = statements_of(slot.document)
    line = slot.document.statements[-1].line if slot.document.statements else 0
    where = (
        f"session policy {slot.at + 1}" if slot.kind is PolicyKind.SESSION else slot.document.file or slot.document.name
    )
    text = f"add a statement to the {slot.kind.value} {where}"
    change = Change(f"{_short_kind(slot.kind)}-silent", text, slot.kind, slot.document.file, line, statement)
    try:
        return _Step(change, documents.with_statements(slot, [*written, statement]), request)
    except InputError:
        return None


def _attached(request: AccessRequest, documents: Documents, kind: PolicyKind) -> _Step:
    """There is no policy of the kind: what the first one would say."""
    statement = exact_statement(request, kind)
    to = {
        PolicyKind.IDENTITY: f"the role {request.principal.role_arn or request.principal.arn}",
        PolicyKind.SESSION: "the call that starts the session",
    }.get(kind, request.resource)
    text = f"attach to {to} {kind.with_article} with this statement"
    change = Change(f"no-{_short_kind(kind)}-policy", text, kind, statement=statement)
    return _Step(change, documents.with_policy(kind, statement), request)


def exact_statement(request: AccessRequest, kind: PolicyKind) -> dict[str, Any]:
    """An Allow of this action on this resource, for this caller where the grammar has a principal."""
    statement: dict[str, Any] = {"Effect": "Allow"}
    principal = request.principal
    if kind is PolicyKind.ENDPOINT:
        statement["Principal"] = "*"
    elif kind in _RESOURCE_SIDE:
        names = {PrincipalType.SERVICE: "Service", PrincipalType.WEB_IDENTITY: "Federated"}
        statement["Principal"] = {names.get(principal.type, "AWS"): principal.role_arn or principal.arn}
    statement["Action"] = request.action
    if kind is not PolicyKind.TRUST:
        statement["Resource"] = request.resource
    return statement


def _tried(request: AccessRequest, documents: Documents, slot: Slot, index: int, mend: Mend) -> _Step | None:
    statement = slot.document.statements[index]
    if mend.call is not None:
        context = {**request.context, **{key.lower(): value for key, value in mend.call.items()}}
        change = Change(mend.kind, mend.text, slot.kind, slot.document.file, statement.line, None, mend.call)
        return _Step(change, documents, request._replace(context=context))
    assert mend.statement is not None
    written = statements_of(slot.document)
    written[index] = dict(mend.statement)
    change = Change(mend.kind, mend.text, slot.kind, slot.document.file, statement.line, mend.statement)
    try:
        return _Step(change, documents.with_statements(slot, written), request)
    except InputError:
        return None


def _named(statement: Statement) -> str:
    return f'statement "{statement.sid}"' if statement.sid else f"statement {statement.index + 1}"


def _short(arn: str, api_arn: str) -> str:
    return f"execute-api:{arn.removeprefix(api_arn)}"


def _short_kind(kind: PolicyKind) -> str:
    return kind.name.lower()
