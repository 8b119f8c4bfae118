"""AssumeRoleWithWebIdentity: an unsigned call that proves itself by a token of a registered OpenID Connect provider.

Source: STS API Reference, AssumeRoleWithWebIdentity; IAM User Guide, "Available keys for AWS web identity
federation".
"""

from collections.abc import Mapping
from datetime import datetime

from joserfc.jwk import KeySet

from harness.access import Authority, Caller
from harness.identity import Role, Session, start_session
from harness.policy import ContextValue, Principal, PrincipalType
from harness.query_protocol.answers import Refusal
from harness.query_protocol.calls import Parameters
from harness.sts import constraints
from harness.sts.assume_role import DEFAULT_SECONDS, check_role_arn, exceeds_role_limit
from harness.sts.session_policies import read_session_policies, too_large
from harness.sts.web_identity import WebIdentity, read_token

ACTION = "sts:AssumeRoleWithWebIdentity"


def start(
    parameters: Parameters,
    authority: Authority,
    keys: KeySet | None,
    *,
    context: Mapping[str, ContextValue],
    now: datetime,
) -> tuple[Role, Session, WebIdentity] | Refusal:
    refusal = constraints.check(
        parameters,
        required=("RoleArn", "RoleSessionName", "WebIdentityToken"),
        optional=("DurationSeconds", "Policy", "ProviderId"),
    )
    refusal = refusal or check_role_arn(parameters["RoleArn"])
    if refusal is not None:
        return refusal
    policies = read_session_policies(parameters)
    if isinstance(policies, Refusal):
        return policies
    identity = read_token(parameters["WebIdentityToken"], provider=authority.directory.oidc, keys=keys, now=now)
    if isinstance(identity, Refusal):
        return identity
    role = authority.directory.roles.get(parameters["RoleArn"])
    name = parameters["RoleSessionName"]
    if role is None or not _trusted(identity, role, name, authority, context):
        return Refusal("AccessDenied", f"Not authorized to perform {ACTION}", 403)
    seconds = int(parameters.get("DurationSeconds", DEFAULT_SECONDS))
    refusal = exceeds_role_limit(seconds, role) or too_large(policies, {})
    if refusal is not None:
        return refusal
    provider = identity.provider.arn(role.account)
    return (
        role,
        start_session(role, name, now=now, seconds=seconds, policies=policies, provider=provider),
        identity,
    )


def _trusted(
    identity: WebIdentity,
    role: Role,
    session_name: str,
    authority: Authority,
    context: Mapping[str, ContextValue],
) -> bool:
    provider = identity.provider.arn(role.account)
    caller = Caller(
        Principal(PrincipalType.WEB_IDENTITY, provider, user_id=f"{provider}:{identity.audience}:{identity.subject}"),
        access_key_id="",
        session=None,
        role=None,
        context=identity.context(role.account),
    )
    return authority.authorize_trust(
        caller, role, action=ACTION, context={**context, "sts:rolesessionname": session_name}
    ).allowed
