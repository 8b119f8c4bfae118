"""Accounts, roles and sessions as STS knows them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from harness import wire
from harness.policy.document import Document


@dataclass(frozen=True, slots=True)
class Role:
    """`account` is twelve digits; `path` begins and ends with `/`; `role_id` is `AROA` + 17, see `ids.role_id`."""

    account: str
    name: str
    role_id: str
    trust: Document
    policies: tuple[Document, ...] = ()
    boundary: Document | None = None
    path: str = "/"
    tags: Mapping[str, str] = field(default_factory=dict)
    max_session_seconds: int = 3600

    @property
    def arn(self) -> str:
        return wire.role_arn(self.account, self.name, self.path)


@dataclass(frozen=True, slots=True)
class Session:
    """What a session token carries, sealed. Times are aware and in UTC, whole seconds.

    `policies`: the JSON texts of session policies, None without any. `provider`: `aws:FederatedProvider` of a
    session that began with a web identity, else empty. `chained`: the session was started with the credentials of
    another one.
    """

    role_arn: str
    session_name: str
    access_key_id: str
    issued: datetime
    expires: datetime
    source_identity: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    transitive_tag_keys: tuple[str, ...] = ()
    policies: tuple[str, ...] | None = None
    chained: bool = False
    provider: str = ""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Temporary credentials as STS hands them out. Its `repr` hides the secret and the token."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)
    expiration: datetime


@dataclass(frozen=True, slots=True)
class OidcProvider:
    """An OpenID Connect provider registered in every account of the landscape. `url` without scheme, as in its ARN."""

    url: str
    client_ids: tuple[str, ...]

    def arn(self, account: str) -> str:
        return f"arn:{wire.PARTITION}:iam::{account}:oidc-provider/{self.url}"


@dataclass(frozen=True, slots=True)
class Membership:
    """An account's place in the tree of its organisation.

    `path` is the account's value of `aws:PrincipalOrgPaths` (`o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/`). `scps`: the
    service control policies of each level from the root down to the account, without levels that have only
    FullAWSAccess; empty for the management account, which none limits.
    """

    path: str
    scps: tuple[tuple[Document, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Directory:
    """Everything STS and the gateways know of the organisation; immutable, any number of processes can hold it.

    `memberships`: by account, twelve digits. `endpoint_policies`: by the VPC endpoint's id; an endpoint that is not in
    it lets everything through, as AWS's default policy does.
    """

    region: str
    organisation: str
    accounts: Mapping[str, str]  # twelve digits -> the account's name
    roles: Mapping[str, Role]  # by ARN
    oidc: OidcProvider | None = None
    memberships: Mapping[str, Membership] = field(default_factory=dict)
    endpoint_policies: Mapping[str, Document] = field(default_factory=dict)
