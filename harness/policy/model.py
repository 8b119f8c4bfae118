"""The values of IAM's policy language: who asks for what, which documents apply, and the decision with its reasons."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple


class PolicyKind(StrEnum):
    """Where a document is attached; decides its grammar (Principal or not) and whether it can grant or only limit.

    The values are AWS's words in "because no … policy allows" and "with an explicit deny in a … policy".
    """

    IDENTITY = "identity-based policy"
    RESOURCE = "resource-based policy"
    TRUST = "role trust policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"
    SCP = "service control policy"
    ENDPOINT = "VPC endpoint policy"

    @property
    def with_article(self) -> str:
        """`an identity-based policy`"""
        return f"{'an' if self is PolicyKind.IDENTITY else 'a'} {self.value}"


class PrincipalType(StrEnum):
    """The values of `aws:PrincipalType`, plus the two kinds that only trust and resource policies meet."""

    ACCOUNT = "Account"
    USER = "User"
    ASSUMED_ROLE = "AssumedRole"
    FEDERATED_USER = "FederatedUser"
    ANONYMOUS = "Anonymous"
    SERVICE = "Service"
    WEB_IDENTITY = "WebIdentity"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks.

    `arn`: the caller's own ARN (for a role session the `sts` form); for SERVICE the service's host name
    (`ecs-tasks.amazonaws.com`), for WEB_IDENTITY the ARN of the OIDC provider. `role_arn`: the IAM role behind a
    session (with its path), else empty. `account` is empty for ANONYMOUS, SERVICE and WEB_IDENTITY.
    """

    type: PrincipalType
    arn: str
    account: str = ""
    role_arn: str = ""
    user_id: str = "anonymous"


ANONYMOUS = Principal(PrincipalType.ANONYMOUS, "anonymous")

ContextValue = str | tuple[str, ...]
"""One value, or a tuple for a multi-valued key. Booleans are "true"/"false", numbers and dates their text."""


_NO_CONTEXT: Mapping[str, ContextValue] = MappingProxyType({})


class AccessRequest(NamedTuple):
    """`context` has every key present in this request, names in lower case; a missing key is an absent entry.

    A tuple, because one is made for every call and a frozen dataclass takes four times as long.
    """

    principal: Principal
    action: str
    resource: str
    resource_account: str
    context: Mapping[str, ContextValue] = _NO_CONTEXT


class Outcome(StrEnum):
    ALLOWED = "allowed"
    EXPLICIT_DENY = "explicitDeny"
    IMPLICIT_DENY = "implicitDeny"


_ALLOWED = Outcome.ALLOWED  # a member is looked up in its class by several steps


@dataclass(frozen=True, slots=True)
class ConditionOutcome:
    """One key of one operator: what the policy wants, what the request has (None: key absent), and whether it holds."""

    operator: str
    key: str
    wanted: tuple[str, ...]
    found: ContextValue | None
    holds: bool


@dataclass(frozen=True, slots=True)
class StatementOutcome:
    """One statement that was looked at. A part that was not reached because an earlier one failed is None."""

    policy: str
    kind: PolicyKind
    index: int
    sid: str
    effect: str
    line: int
    principal_matches: bool | None
    action_matches: bool | None
    resource_matches: bool | None
    conditions: tuple[ConditionOutcome, ...]
    applies: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """`deciding` is the kind of policy that denied, or whose silence denied; None when allowed."""

    outcome: Outcome
    deciding: PolicyKind | None = None
    statements: tuple[StatementOutcome, ...] = ()

    @property
    def allowed(self) -> bool:
        return self.outcome is _ALLOWED
