"""AssumeRole: what a caller may ask for, who must allow it, and the session that follows.

Order of the checks: form of the parameters, form of the session policies, tag rules, then the decisions of the
policies, and only then what would tell something about the role (its duration limit). A role that does not exist
reads as one that trusts nobody. Source: STS API Reference, AssumeRole; IAM User Guide, "Pass session tags in AWS
STS", "Methods to assume a role".
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from harness.access import Authority, Caller
from harness.identity import Role, Session, inherited_tags, start_session
from harness.policy import ContextValue
from harness.query_protocol.answers import Refusal
from harness.query_protocol.calls import Parameters, members
from harness.sts import constraints
from harness.sts.session_policies import read_session_policies, too_large
from harness.wire import PARTITION

_ROLE_ARN = re.compile(rf"arn:{PARTITION}:iam::[0-9]{{12}}:role/[\x21-\x7e]+")

DEFAULT_SECONDS = 3600
CHAINED_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Ask:
    """The parameters of one AssumeRole, checked for form."""

    role_arn: str
    session_name: str
    seconds: int
    external_id: str | None
    source_identity: str
    tags: Mapping[str, str]
    transitive: tuple[str, ...]
    policies: tuple[str, ...] | None


def read_ask(parameters: Parameters) -> Ask | Refusal:
    tags = [(tag.get("Key"), tag.get("Value")) for tag in members(parameters, "Tags")]
    transitive = tuple(key[""] for key in members(parameters, "TransitiveTagKeys") if "" in key)
    refusal = constraints.check(
        parameters,
        required=("RoleArn", "RoleSessionName"),
        optional=("DurationSeconds", "Policy", "ExternalId", "SourceIdentity", "SerialNumber", "TokenCode"),
        more=[*constraints.check_tags(tags), *constraints.check_tag_keys(transitive)],
    )
    refusal = refusal or check_role_arn(parameters["RoleArn"]) or _what_is_not_there(parameters)
    if refusal is not None:
        return refusal
    policies = read_session_policies(parameters)
    if isinstance(policies, Refusal):
        return policies
    return _tag_rules(tags, transitive) or Ask(
        role_arn=parameters["RoleArn"],
        session_name=parameters["RoleSessionName"],
        seconds=int(parameters.get("DurationSeconds", DEFAULT_SECONDS)),
        external_id=parameters.get("ExternalId"),
        source_identity=parameters.get("SourceIdentity", ""),
        tags={key: value for key, value in tags if key is not None and value is not None},
        transitive=transitive,
        policies=policies,
    )


def start(
    ask: Ask, caller: Caller, authority: Authority, *, context: Mapping[str, ContextValue], now: datetime
) -> tuple[Role, Session] | Refusal:
    """`context`: the keys of the request and the network. A refusal is AWS's."""
    inherited = inherited_tags(caller.session)
    refusal = _chain_rules(ask, caller.session, inherited)
    if refusal is not None:
        return refusal
    role = authority.directory.roles.get(ask.role_arn)
    context = {**context, **_context(ask, caller.session, inherited, role)}
    for action in _actions(ask, caller.session, inherited):
        if role is None or not authority.authorize_trust(caller, role, action=action, context=context).allowed:
            return denied(caller, action, ask.role_arn)
    assert role is not None  # the first action was refused otherwise
    refusal = _duration_rules(ask, caller.session, role) or too_large(ask.policies, {**ask.tags, **inherited})
    return refusal or (
        role,
        start_session(
            role,
            ask.session_name,
            now=now,
            seconds=ask.seconds,
            tags=ask.tags,
            transitive_tag_keys=ask.transitive,
            source_identity=ask.source_identity,
            policies=ask.policies,
            caller=caller.session,
        ),
    )


def denied(caller: Caller, action: str, role_arn: str) -> Refusal:
    """One text for a missing role, a silent trust policy and a wrong external id: no answer tells which it was."""
    return Refusal(
        "AccessDenied",
        f"User: {caller.principal.arn} is not authorized to perform: {action} on resource: {role_arn}",
        403,
    )


def check_role_arn(arn: str) -> Refusal | None:
    return None if _ROLE_ARN.fullmatch(arn) else Refusal("ValidationError", f"{arn} is invalid")


def exceeds_role_limit(seconds: int, role: Role) -> Refusal | None:
    if seconds <= role.max_session_seconds:
        return None
    return Refusal("ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")


def _what_is_not_there(parameters: Parameters) -> Refusal | None:
    """A landscape has no MFA devices and no context providers: whoever names one is refused, not half heard."""
    if "SerialNumber" in parameters or "TokenCode" in parameters:
        return Refusal("AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code. ", 403)
    if members(parameters, "ProvidedContexts"):
        return Refusal("ValidationError", "The requested context provider does not exist.")
    return None


def _tag_rules(tags: list[tuple[str | None, str | None]], transitive: tuple[str, ...]) -> Refusal | None:
    keys = {key.lower() for key, _ in tags if key is not None}
    if len(keys) < len(tags):
        return _invalid("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
    if any(key.startswith("aws:") for key in keys):
        return _invalid("Tag keys starting with 'aws:' are reserved for internal use.")
    if not {key.lower() for key in transitive} <= keys:
        return _invalid("The specified transitive tag key must be included in the requested tags.")
    return None


def _chain_rules(ask: Ask, session: Session | None, inherited: Mapping[str, str]) -> Refusal | None:
    if session is None:
        return None
    kept = {key.lower() for key in inherited}
    if any(key.lower() in kept for key in ask.tags):
        return _invalid(
            "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key"
            " from the calling session."
        )
    if ask.source_identity and session.source_identity not in ("", ask.source_identity):
        return Refusal("ValidationError", "The source identity is already set for this assume role session")
    return None


def _duration_rules(ask: Ask, session: Session | None, role: Role) -> Refusal | None:
    if session is not None and ask.seconds > CHAINED_SECONDS:
        return Refusal(
            "ValidationError",
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
        )
    return exceeds_role_limit(ask.seconds, role)


def _actions(ask: Ask, session: Session | None, inherited: Mapping[str, str]) -> list[str]:
    """What both sides must allow. Tags and a source identity that a chain hands on need it as new ones do."""
    actions = ["sts:AssumeRole"]
    if ask.tags or inherited:
        actions.append("sts:TagSession")
    if ask.source_identity or (session is not None and session.source_identity):
        actions.append("sts:SetSourceIdentity")
    return actions


def _context(
    ask: Ask, session: Session | None, inherited: Mapping[str, str], role: Role | None
) -> dict[str, ContextValue]:
    context: dict[str, ContextValue] = {"sts:rolesessionname": ask.session_name}
    if ask.external_id is not None:
        context["sts:externalid"] = ask.external_id
    source_identity = (session.source_identity if session is not None else "") or ask.source_identity
    if source_identity:
        context["sts:sourceidentity"] = source_identity
    tags = {**ask.tags, **inherited}
    if tags:
        context["aws:tagkeys"] = tuple(tags)
        context.update({f"aws:requesttag/{key.lower()}": value for key, value in tags.items()})
    if ask.transitive:
        context["sts:transitivetagkeys"] = ask.transitive
    for key, value in (role.tags if role is not None else {}).items():
        context[f"aws:resourcetag/{key.lower()}"] = value
        context[f"iam:resourcetag/{key.lower()}"] = value
    return context


def _invalid(message: str) -> Refusal:
    return Refusal("InvalidParameterValue", message)
