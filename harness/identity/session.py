"""How a role becomes a session, and who that session is in a policy decision.

What a caller may ask for (duration limits, tag rules) is checked by STS before it comes here; what a session
inherits from the one that started it is decided here.
"""

import os
from collections.abc import Mapping
from datetime import datetime, timedelta

from harness import wire
from harness.clock import extended_iso
from harness.identity.ids import ENTROPY_BYTES, new_access_key_id
from harness.identity.model import Role, Session
from harness.policy.model import ContextValue, Principal, PrincipalType

NO_TAGS: Mapping[str, str] = {}


def start_session(
    role: Role,
    session_name: str,
    *,
    now: datetime,
    seconds: int,
    tags: Mapping[str, str] = NO_TAGS,
    transitive_tag_keys: tuple[str, ...] = (),
    source_identity: str = "",
    policies: tuple[str, ...] | None = None,
    provider: str = "",
    caller: Session | None = None,
    entropy: bytes | None = None,
) -> Session:
    """`caller` is the session whose credentials ask for the new one (role chaining). `entropy`: 5 bytes for the key
    id.

    Source: IAM User Guide, "Pass session tags in AWS STS" and "Monitor and control actions taken with assumed roles".
    """
    if seconds <= 0:
        raise ValueError("a session lasts at least a second")
    issued = now.replace(microsecond=0)
    return Session(
        role_arn=role.arn,
        session_name=session_name,
        access_key_id=new_access_key_id(role.account, entropy or os.urandom(ENTROPY_BYTES)),
        issued=issued,
        expires=issued + timedelta(seconds=seconds),
        # A source identity, once set, stays for the whole chain.
        source_identity=(caller.source_identity if caller else "") or source_identity,
        # Transitive tags of the calling session cannot be overridden.
        tags={**tags, **inherited_tags(caller)},
        transitive_tag_keys=(*(caller.transitive_tag_keys if caller else ()), *transitive_tag_keys),
        policies=policies,
        chained=caller is not None,
        provider=provider,
    )


def inherited_tags(caller: Session | None) -> dict[str, str]:
    """The tags that a session started by `caller` has without asking: its transitive ones, keys as first written."""
    if caller is None:
        return {}
    transitive = {key.lower() for key in caller.transitive_tag_keys}
    return {key: value for key, value in caller.tags.items() if key.lower() in transitive}


def principal_of(session: Session, role: Role) -> Principal:
    return Principal(
        PrincipalType.ASSUMED_ROLE,
        arn=wire.session_arn(role.account, role.name, session.session_name),
        account=role.account,
        role_arn=role.arn,
        user_id=f"{role.role_id}:{session.session_name}",
    )


def session_context(
    session: Session, role: Role, *, organisation: str, organisation_path: str = ""
) -> dict[str, ContextValue]:
    """The condition keys that say who calls, names in lower case (IAM User Guide, "AWS global condition context
    keys").

    `organisation` empty: the account is in none; `organisation_path` is its place there.
    `aws:PrincipalArn` is the role's ARN, never the session's.
    """
    context: dict[str, ContextValue] = {
        "aws:principalarn": role.arn,
        "aws:principalaccount": role.account,
        "aws:principaltype": PrincipalType.ASSUMED_ROLE.value,
        "aws:principalisawsservice": "false",
        "aws:userid": f"{role.role_id}:{session.session_name}",
        "aws:tokenissuetime": extended_iso(session.issued),
        "aws:multifactorauthpresent": "false",
    }
    if organisation:
        context["aws:principalorgid"] = organisation
    if organisation_path:
        context["aws:principalorgpaths"] = (organisation_path,)
    if session.source_identity:
        context["aws:sourceidentity"] = session.source_identity
    if session.provider:
        context["aws:federatedprovider"] = session.provider
    # Tag keys are not case-sensitive; a session tag stands before the role's tag of the same key.
    for tags in (role.tags, session.tags):
        context.update({f"aws:principaltag/{key.lower()}": value for key, value in tags.items()})
    return context
