"""The decision on one request, by the evaluation logic of the IAM User Guide ("Policy evaluation logic") and API
Gateway's tables for resource policies ("How resource policies affect authorization workflow").

An explicit deny anywhere ends it; then the limits (service control policies, endpoint policy), then the grants.
"""

from collections.abc import Iterable

from harness.policy.document import Document
from harness.policy.model import AccessRequest, Decision, Outcome, PolicyKind, PrincipalType
from harness.policy.policy_set import PolicySet
from harness.policy.principals import Reach

ALLOWED = Decision(Outcome.ALLOWED)
EXPLICIT_DENY = {kind: Decision(Outcome.EXPLICIT_DENY, kind) for kind in PolicyKind}
IMPLICIT_DENY = {kind: Decision(Outcome.IMPLICIT_DENY, kind) for kind in PolicyKind}


def evaluate(request: AccessRequest, policies: PolicySet) -> Decision:
    """`statements` of the decision stay empty; `explain` fills them."""
    return limits(request, policies) or _grants(request, policies)


def limits(request: AccessRequest, policies: PolicySet) -> Decision | None:
    """The refusal by a Deny, or by a service control or endpoint policy that does not allow; None without one."""
    for kind, documents in attached(policies):
        if any_denies(request, documents):
            return EXPLICIT_DENY[kind]
    for level in policies.scps:
        if not any_allows(request, level):
            return EXPLICIT_DENY[PolicyKind.SCP]  # reported as explicit, though no statement denies
    if policies.endpoint is not None and not any_allows(request, (policies.endpoint,)):
        return IMPLICIT_DENY[PolicyKind.ENDPOINT]
    return None


def attached(policies: PolicySet) -> Iterable[tuple[PolicyKind, tuple[Document, ...]]]:
    """Every document with the place it is attached to, in the order in which a refusal names them."""
    for level in policies.scps:
        yield PolicyKind.SCP, level
    if policies.endpoint is not None:
        yield PolicyKind.ENDPOINT, (policies.endpoint,)
    if policies.resource is not None:
        yield PolicyKind.RESOURCE, (policies.resource,)
    yield PolicyKind.IDENTITY, policies.identity
    if policies.boundary is not None:
        yield PolicyKind.BOUNDARY, (policies.boundary,)
    if policies.sessions is not None:
        yield PolicyKind.SESSION, policies.sessions


def _grants(request: AccessRequest, policies: PolicySet) -> Decision:
    principal = request.principal
    reach = reach_of(request, policies.resource)
    if not principal.account:
        # Anonymous callers and services have no policies of their own: the resource's must allow.
        return ALLOWED if reach else IMPLICIT_DENY[PolicyKind.RESOURCE]
    if principal.account != request.resource_account:
        silent = silent_caller_policy(request, policies)
        if silent is None and not reach:
            silent = PolicyKind.RESOURCE
        return ALLOWED if silent is None else IMPLICIT_DENY[silent]
    return same_account(request, policies, reach)


def same_account(request: AccessRequest, policies: PolicySet, reach: int) -> Decision:
    """`reach`: how the resource's Allow statements name a caller of the resource's own account."""
    if reach & Reach.DIRECT:
        return ALLOWED
    granted = bool(reach & Reach.ROLE)
    silent = silent_caller_policy(request, policies, granted=granted)
    return ALLOWED if silent is None else IMPLICIT_DENY[silent]


def silent_caller_policy(request: AccessRequest, policies: PolicySet, *, granted: bool = False) -> PolicyKind | None:
    """The first of the caller's own policies without an Allow; the identity policies are not asked when `granted`.

    The account's root user may do everything without a policy.
    """
    is_root = request.principal.type is PrincipalType.ACCOUNT
    if not granted and not is_root and not any_allows(request, policies.identity):
        return PolicyKind.IDENTITY
    if policies.boundary is not None and not any_allows(request, (policies.boundary,)):
        return PolicyKind.BOUNDARY
    if policies.sessions is not None and not any_allows(request, policies.sessions):
        return PolicyKind.SESSION
    return None


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
