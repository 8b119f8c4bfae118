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
from harness.wire import session_arn

PUT_EVENTS = "events:PutEvents"
_OF_THE_EVENT = frozenset({"events:source", "events:detail-type"})


def receiver_refused(call: Call, target: Mapping[str, Any], rule: str) -> RequestError | None:
    """A bus of the own account needs no policy; of another account it must be there and allow."""
    arn: str = target["Arn"]
    if ":event-bus/" not in arn or account_of(arn) == call.account:
        return None
    bus = call.desk.catalogue.bus(arn)
    request = AccessRequest(_sender(call, target), PUT_EVENTS, arn, account_of(arn), _context(call, rule))
    if bus is not None and bus.policy is not None and _admits(bus.policy, request):
        return None
    decision = Decision(Outcome.IMPLICIT_DENY, PolicyKind.RESOURCE)
    return RequestError("AccessDeniedException", denial_message(request.principal, PUT_EVENTS, arn, decision))


def _sender(call: Call, target: Mapping[str, Any]) -> Principal:
    """The role's session that EventBridge will send as."""
    role: str = target["RoleArn"]
    session = session_arn(call.account, role.rpartition("/")[2], "events")
    return Principal(PrincipalType.ASSUMED_ROLE, session, call.account, role)


def _context(call: Call, rule: str) -> dict[str, ContextValue]:
    context: dict[str, ContextValue] = {
        "aws:principalaccount": call.account,
        "aws:principaltype": PrincipalType.ASSUMED_ROLE.value,
        "aws:sourcearn": rule,
        "aws:sourceaccount": call.account,
        "events:eventbusinvocation": "true",
    }
    keys = ("aws:principalorgid", "aws:principalorgpaths")
    return context | {key: call.caller.context[key] for key in keys if key in call.caller.context}


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
