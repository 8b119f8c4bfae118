"""`Principal` and `NotPrincipal`: which callers a statement of a resource, trust or endpoint policy is about.

Source: IAM User Guide, "AWS JSON policy elements: Principal". How a caller is named matters: see `Reach`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from harness.policy.model import Principal, PrincipalType


class Reach:
    """How a statement names a caller; several bits when it does so in several ways, 0 when it does not."""

    NONE = 0
    ACCOUNT = 1  # delegates to the caller's account: its identity policies must allow as well
    ROLE = 2  # by role ARN: a grant, capped by boundary and session policies
    CALLER = 4  # by user, session or service itself: a grant that those caps do not touch
    EVERYONE = 8  # `*`: likewise
    DIRECT = CALLER | EVERYONE


_ACCOUNT = re.compile(r"\d{12}")
_ROOT = re.compile(r"arn:aws[\w-]*:iam::(\d{12}):root")
_IAM_ARN = re.compile(
    r"arn:aws[\w-]*:(iam::\d{12}:(role|user)/[\w+=,.@/-]+"
    r"|sts::\d{12}:(assumed-role/[\w+=,.@-]+/[\w+=,.@-]+|federated-user/[\w+=,.@-]+))"
)
_UNIQUE_ID = re.compile(r"A(RO|ID)A[A-Z0-9]{16,}")
_SERVICE = re.compile(r"[a-z0-9][a-z0-9.-]*\.amazonaws\.com(\.cn)?")
_PROVIDER = re.compile(r"arn:aws[\w-]*:iam::\d{12}:(oidc-provider|saml-provider)/\S+|[a-z0-9-]+(\.[a-z0-9-]+)+")

EVERYONE = "*"
TYPES = ("AWS", "Service", "Federated", "CanonicalUser")


@dataclass(frozen=True, slots=True)
class Principals:
    """`any_aws` is `{"AWS": "*"}`: every AWS identity and the anonymous caller. `anyone` is the bare `"*"`."""

    anyone: bool = False
    any_aws: bool = False
    arns: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()
    unique_ids: frozenset[str] = frozenset()
    services: frozenset[str] = frozenset()
    providers: frozenset[str] = frozenset()
    inverted: bool = False

    def reach(self, principal: Principal) -> int:
        """Bits of `Reach`."""
        if self.inverted:
            return Reach.NONE if self._exempts(principal) else Reach.EVERYONE
        return self._names(principal)

    @property
    def everyone(self) -> bool:
        """Whether no caller at all is left out."""
        return self.anyone and not self.inverted

    def _names(self, principal: Principal) -> int:
        reach = Reach.EVERYONE if self.anyone else 0
        if not principal.account:
            return reach | self._names_outsider(principal)
        if self.any_aws:
            reach = Reach.EVERYONE
        arns = self.arns
        if principal.role_arn in arns:
            reach |= Reach.ROLE
        if principal.arn in arns:
            reach |= Reach.CALLER
        if principal.account in self.accounts:
            reach |= Reach.ACCOUNT
        if self.unique_ids and principal.user_id.partition(":")[0] in self.unique_ids:
            reach |= Reach.ROLE if principal.role_arn else Reach.CALLER
        return reach

    def _names_outsider(self, principal: Principal) -> int:
        match principal.type:
            case PrincipalType.SERVICE:
                return Reach.CALLER if principal.arn in self.services else Reach.NONE
            case PrincipalType.WEB_IDENTITY:
                return Reach.CALLER if principal.arn in self.providers else Reach.NONE
            case PrincipalType.ANONYMOUS:
                return Reach.EVERYONE if self.any_aws else Reach.NONE
            case _:
                return Reach.NONE

    def _exempts(self, principal: Principal) -> bool:
        """A session is several principals at once: exempt only when account, role and session are all listed."""
        reach = self._names(principal)
        if not principal.account or reach & Reach.EVERYONE:
            return reach != Reach.NONE
        wanted = Reach.ACCOUNT
        if principal.type is not PrincipalType.ACCOUNT:
            wanted |= Reach.CALLER
        if principal.role_arn:
            wanted |= Reach.ROLE
        return reach & wanted == wanted


def compile_principals(named: Iterable[tuple[str, str]], *, inverted: bool = False) -> Principals:
    """`named`: pairs of a name of TYPES (`*` for the bare form) and a value, each without `principal_fault`."""
    by_type: dict[str, set[str]] = {}
    accounts, arns, ids = set(), set(), set()
    for kind, value in named:
        by_type.setdefault(kind, set()).add(value)
        if kind != "AWS":
            continue
        root = _ROOT.fullmatch(value)
        if root or _ACCOUNT.fullmatch(value):
            accounts.add(root.group(1) if root else value)
        elif _UNIQUE_ID.fullmatch(value):
            ids.add(value)
        else:
            arns.add(value)
    return Principals(
        anyone=EVERYONE in by_type,
        any_aws=EVERYONE in by_type.get("AWS", ()),
        arns=frozenset(arns - {EVERYONE}),
        accounts=frozenset(accounts),
        unique_ids=frozenset(ids),
        services=frozenset(by_type.get("Service", ())),
        providers=frozenset(by_type.get("Federated", ())),
        inverted=inverted,
    )


def principal_fault(kind: str, value: str) -> str | None:
    """What AWS would call `Invalid principal in policy`, with the mend; None when the value is well-formed."""
    if kind == "AWS" and value == EVERYONE:
        return None
    if "*" in value or "?" in value:
        return (
            f'a principal takes no partial wildcard: "{value}"; name it in full, or write "*" with a condition '
            "ArnLike on aws:PrincipalArn"
        )
    match kind:
        case "AWS" if not any(form.fullmatch(value) for form in (_ACCOUNT, _ROOT, _IAM_ARN, _UNIQUE_ID)):
            return (
                f'"{value}" is no AWS principal; write "*", an account of twelve digits or the ARN of an account '
                "root, role, user, assumed-role session or federated user"
            )
        case "Service" if not _SERVICE.fullmatch(value):
            return f'"{value}" is no service principal; write for example "events.amazonaws.com"'
        case "Federated" if not _PROVIDER.fullmatch(value):
            return f'"{value}" is no identity provider; write the ARN of an OIDC or SAML provider'
        case _:
            return None
