"""Who calls in a simulation: a user or role by its ARN, and the condition keys that follow from that.

A role of the landscape brings its tags, and its account's place in the organisation. What only a session has (its
name, its time of issue) is left to the context entries. Source: IAM API Reference, SimulateCustomPolicy, CallerArn.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from harness.access import Authority, Caller
from harness.identity import start_session
from harness.policy import ContextValue, PolicySet, Principal, PrincipalType
from harness.wire import PARTITION, session_arn

_ENTITY = re.compile(rf"arn:{PARTITION}:iam::([0-9]{{12}}):(user|role|group)/(?:[\x21-\x7e]+/)?([\w+=,.@-]+)", re.ASCII)
_OF_A_SESSION = frozenset(
    {
        "aws:userid",
        "aws:tokenissuetime",
        "aws:multifactorauthpresent",
        "aws:sourceidentity",
        "aws:federatedprovider",
    }
)
# No policy can name it: a session's name has at least two characters.
_NO_SESSION = ""


@dataclass(frozen=True, slots=True)
class Entity:
    """An ARN of IAM taken apart; `kind` is `user`, `role` or `group`, `name` is without the path."""

    arn: str
    account: str
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Simulated:
    """`own`: what is attached to the role in the landscape; empty for everybody else."""

    principal: Principal
    context: Mapping[str, ContextValue] = field(default_factory=dict)
    own: PolicySet = field(default_factory=PolicySet)


def read_entity(arn: str) -> Entity | None:
    found = _ENTITY.fullmatch(arn)
    return Entity(arn, found[1], found[2], found[3]) if found else None


def nobody(account: str) -> Simulated:
    """Somebody of the account, whom no policy names."""
    return Simulated(Principal(PrincipalType.USER, "", account, user_id=""), {"aws:principalaccount": account})


def simulated(entity: Entity, authority: Authority, now: datetime) -> Simulated:
    known = _caller_of_role(entity, authority, now) if entity.kind == "role" else None
    if known is not None:
        context = {key: value for key, value in known.context.items() if key not in _OF_A_SESSION}
        return Simulated(_role(entity), context, known.own)
    context = {"aws:principalarn": entity.arn, "aws:principalaccount": entity.account}
    if entity.account in authority.directory.accounts:
        context["aws:principalorgid"] = authority.directory.organisation
    if entity.kind == "role":
        return Simulated(_role(entity), {**context, "aws:principaltype": PrincipalType.ASSUMED_ROLE.value})
    context["aws:principaltype"] = PrincipalType.USER.value
    if entity.kind == "user":
        context["aws:username"] = entity.name
    return Simulated(Principal(PrincipalType.USER, entity.arn, entity.account, user_id=""), context)


def _role(entity: Entity) -> Principal:
    return Principal(
        PrincipalType.ASSUMED_ROLE,
        session_arn(entity.account, entity.name, _NO_SESSION),
        entity.account,
        role_arn=entity.arn,
        user_id="",
    )


def _caller_of_role(entity: Entity, authority: Authority, now: datetime) -> Caller | None:
    role = authority.directory.roles.get(entity.arn)
    if role is None:
        return None
    return authority.caller_of(start_session(role, "simulation", now=now, seconds=900))


def as_caller(who: Simulated, policies: PolicySet, context: Mapping[str, ContextValue]) -> Caller:
    """The caller that `Authority` decides about. `context` stands before what follows from who it is."""
    return Caller(
        who.principal,
        access_key_id="",
        session=None,
        role=None,
        context={**who.context, **context},
        own=policies,
    )
