"""May a role be assumed: the role's trust policy together with the caller's own policies.

Source: IAM User Guide, "Update a role trust policy", "Methods to assume a role", and the change of 2022 by which a role
no longer trusts itself. A trust policy never lets its account's identity policies alone suffice, as other resource
policies do: it must allow.
"""

from dataclasses import replace

from harness.policy.document import Document
from harness.policy.evaluate import (
    ALLOWED,
    EXPLICIT_DENY,
    IMPLICIT_DENY,
    any_denies,
    limits,
    reach_of,
    same_account,
    silent_caller_policy,
)
from harness.policy.explain import outcomes
from harness.policy.model import AccessRequest, Decision, PolicyKind, PrincipalType
from harness.policy.policy_set import PolicySet
from harness.policy.principals import Reach


def evaluate_trust(request: AccessRequest, trust: Document, policies: PolicySet) -> Decision:
    """`request.resource` is the role's ARN. Ask once for each action that a call needs: `sts:AssumeRole`, and
    `sts:TagSession` or `sts:SetSourceIdentity` when it passes tags or a source identity.

    The parameters of the call are context keys (`sts:externalid`, `sts:rolesessionname`, `aws:requesttag/…`).
    `policies.resource` stays None: the trust policy is the resource's policy. All statements are explained; roles are
    assumed seldom enough.
    """
    decision = _decide(request, trust, policies)
    return replace(decision, statements=tuple(outcomes(request, policies, trust)))


def _decide(request: AccessRequest, trust: Document, policies: PolicySet) -> Decision:
    if any_denies(request, (trust,)):
        return EXPLICIT_DENY[PolicyKind.TRUST]
    chosen = policies.applicable(request.principal, request.action)
    limited = limits(request, chosen)
    if limited is not None:
        return limited
    principal = request.principal
    reach = reach_of(request, trust)
    if not reach or principal.type is PrincipalType.ACCOUNT:
        return IMPLICIT_DENY[PolicyKind.TRUST]  # a root user can assume no role, whatever the policies say
    if principal.role_arn == request.resource and not reach & (Reach.ROLE | Reach.CALLER):
        return IMPLICIT_DENY[PolicyKind.TRUST]  # a role must list itself by name to assume itself
    if not principal.account:
        return ALLOWED  # a service or a web identity: nobody's identity policies
    if principal.account == request.resource_account:
        return same_account(request, chosen, reach)
    silent = silent_caller_policy(request, chosen)
    return ALLOWED if silent is None else IMPLICIT_DENY[silent]
