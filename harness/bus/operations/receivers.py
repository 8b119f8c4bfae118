"""Whether the event bus that a target names takes events from the rule's account: asked when the target is put.

An event that does not exist yet has no source and no detail type, so conditions on those are left for its delivery; a
statement that all else is right about counts.
"""

from collections.abc import Mapping
from typing import Any

from harness.bus.operations.call import Call
from harness.bus.operations.places import account_of
from harness.bus.put_events import RequestError
from harness.policy import AccessRequest, ContextValue, Decision, Document, Outcome, PolicyKind, denial_message
from harness.policy.model import Principal, PrincipalType
from harness.policy.statement import Statement
from harness.wire import PARTITION, session_arn

PUT_EVENTS = "events:PutEvents"
_OF_THE_EVENT = frozenset({"events:source", "events:detail-type"})


def receiver_refused(call: Call, target: Mapping[str, Any], rule: str) -> RequestError | None:
    """A bus of the rule's account needs no policy; of another account it must be there and allow."""
    arn: str = target["Arn"]
    if ":event-bus/" not in arn or account_of(arn) == account_of(rule):
        return None
    bus = call.desk.catalogue.bus(arn)
    sender = _sender(account_of(rule), target.get("RoleArn"))
    request = AccessRequest(sender, PUT_EVENTS, arn, account_of(arn), _context(call, sender, rule))
    if bus is not None and bus.policy is not None and _admits(bus.policy, request):
        return None
    decision = Decision(Outcome.IMPLICIT_DENY, PolicyKind.RESOURCE)
    return RequestError("AccessDeniedException", denial_message(request.principal, PUT_EVENTS, arn, decision))


def _sender(account: str, role: str | None) -> Principal:
    """The role's session that EventBridge will send as, else the rule's account."""
    if not role:
        return Principal(PrincipalType.ACCOUNT, f"arn:{PARTITION}:iam::{account}:root", account, user_id=account)
    session = session_arn(account, role.rpartition("/")[2], "events")
    return Principal(PrincipalType.ASSUMED_ROLE, session, account, role)


def _context(call: Call, sender: Principal, rule: str) -> dict[str, ContextValue]:
    directory, account = call.desk.authority.directory, sender.account
    context: dict[str, ContextValue] = {
        "aws:principalaccount": account,
        "aws:principaltype": sender.type.value,
        "aws:sourcearn": rule,
        "aws:sourceaccount": account,
        "events:eventbusinvocation": "true",
    }
    if account in directory.accounts:
        context["aws:principalorgid"] = directory.organisation
    if account in directory.memberships:
        context["aws:principalorgpaths"] = (directory.memberships[account].path,)
    return context


def _admits(policy: Document, request: AccessRequest) -> bool:
    about = [
        statement
        for statement in policy.statements
        if statement.matches_action(request.action)
        and statement.names(request.principal)
        and statement.matches_resource(request.resource, request.context)
    ]
    denied = any(not each.allows and _holds(each, request, open_counts=False) for each in about)
    return not denied and any(each.allows and _holds(each, request, open_counts=True) for each in about)


def _holds(statement: Statement, request: AccessRequest, *, open_counts: bool) -> bool:
    """`open_counts`: what a condition on the event counts as."""
    return all(
        open_counts if condition.lookup in _OF_THE_EVENT else condition.holds(request.context)
        for condition in statement.conditions
    )
