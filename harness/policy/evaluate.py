"""The decision on one request, by the evaluation logic of the IAM User Guide ("Policy evaluation logic") and API
Gateway's tables for resource policies ("How resource policies affect authorization workflow").

An explicit deny anywhere ends it; then the limits (service control policies, endpoint policy), then the grants.
"""

from collections.abc import Iterable

from harness.policy.document import Document
from harness.policy.model import AccessRequest, Decision, Outcome, PolicyKind, PrincipalType
from harness.policy.policy_set import Applicable, PolicySet
from harness.policy.principals import Reach
from harness.policy.statement import Statement

ALLOWED = Decision(Outcome.ALLOWED)
EXPLICIT_DENY = {kind: Decision(Outcome.EXPLICIT_DENY, kind) for kind in PolicyKind}
IMPLICIT_DENY = {kind: Decision(Outcome.IMPLICIT_DENY, kind) for kind in PolicyKind}
_ROOT = PrincipalType.ACCOUNT


def evaluate(request: AccessRequest, policies: PolicySet) -> Decision:
    """`statements` of the decision stay empty; `explain` fills them."""
    chosen = policies.applicable(request.principal, request.action)
    return limits(request, chosen) or _grants(request, chosen)


def limits(request: AccessRequest, chosen: Applicable) -> Decision | None:
    """The refusal by a Deny, or by a service control or endpoint policy that does not allow; None without one."""
    for statement, kind in chosen.denies:
        if statement.covers(request):
            return EXPLICIT_DENY[kind]
    for level in chosen.scps:
        if not _any_covers(level, request):
            return EXPLICIT_DENY[PolicyKind.SCP]  # reported as explicit, though no statement denies
    if chosen.endpoint is not None and not _any_covers(chosen.endpoint, request):
        return IMPLICIT_DENY[PolicyKind.ENDPOINT]
    return None


def attached(policies: PolicySet) -> Iterable[tuple[PolicyKind, tuple[Document, ...]]]:
    """Every document with the place it is attached to, in the order in which a refusal names them."""
    return policies.attached()


def _grants(request: AccessRequest, chosen: Applicable) -> Decision:
    principal = request.principal
    reach = 0
    for statement, names in chosen.resource:
        if names & ~reach and statement.covers(request):
            reach |= names
    if not principal.account:
        # Anonymous callers and services have no policies of their own: the resource's must allow.
        return ALLOWED if reach else IMPLICIT_DENY[PolicyKind.RESOURCE]
    if principal.account != request.resource_account:
        silent = silent_caller_policy(request, chosen)
        if silent is None and not reach:
            silent = PolicyKind.RESOURCE
        return ALLOWED if silent is None else IMPLICIT_DENY[silent]
    return same_account(request, chosen, reach)


def same_account(request: AccessRequest, chosen: Applicable, reach: int) -> Decision:
    """`reach`: how the resource's Allow statements name a caller of the resource's own account."""
    if reach & Reach.DIRECT:
        return ALLOWED
    granted = bool(reach & Reach.ROLE)
    silent = silent_caller_policy(request, chosen, granted=granted)
    return ALLOWED if silent is None else IMPLICIT_DENY[silent]


def silent_caller_policy(request: AccessRequest, chosen: Applicable, *, granted: bool = False) -> PolicyKind | None:
    """The first of the caller's own policies without an Allow; the identity policies are not asked when `granted`.

    The account's root user may do everything without a policy.
    """
    if not granted and request.principal.type is not _ROOT and not _any_covers(chosen.identity, request):
        return PolicyKind.IDENTITY
    if chosen.boundary is not None and not _any_covers(chosen.boundary, request):
        return PolicyKind.BOUNDARY
    if chosen.sessions is not None and not _any_covers(chosen.sessions, request):
        return PolicyKind.SESSION
    return None


def _any_covers(statements: tuple[Statement, ...], request: AccessRequest) -> bool:
    for statement in statements:  # noqa: SIM110 (a generator costs more than most statements)
        if statement.covers(request):
            return True
    return False


def any_denies(request: AccessRequest, documents: Iterable[Document]) -> bool:
    for document in documents:
        if not document.has_deny:
            continue
        for statement in document.select(request.action).denies:
            if (statement.names_all or statement.reach(request)) and statement.covers(request):
                return True
    return False


def any_allows(request: AccessRequest, documents: Iterable[Document]) -> bool:
    action = request.action
    for document in documents:
        for statement in document.select(action).allows:
            if (statement.names_all or statement.reach(request)) and statement.covers(request):
                return True
    return False


def reach_of(request: AccessRequest, document: Document | None) -> int:
    """How the Allow statements that apply name the caller, together; 0 when none applies."""
    together = 0
    if document is None:
        return together
    for statement in document.select(request.action).allows:
        reach = statement.reach(request)
        if reach & ~together and statement.covers(request):
            together |= reach
    return together
