"""The platform's side of a landscape: accounts, network, buses, and the roles of every account.

Each function puts down the mistakes it finds and builds what it can, so that whoever refers to it makes no second one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.identity import role_id
from harness.identity.model import Role
from harness.manifest.endpoint_file import EndpointEntry, SharedEndpointEntry
from harness.manifest.fields import At, Where
from harness.manifest.model import Account, Workbench
from harness.manifest.policies import PolicyFiles
from harness.manifest.references import Claim, known, once
from harness.manifest.roles import RoleEntry
from harness.manifest.throttle_file import limit_of
from harness.manifest.written import Written
from harness.policy.document import Document
from harness.policy.model import PolicyKind

RESERVED: Final = ("workbench", "public", "credentials", "bus")
"""Names of the harness's own listeners and networks; each account has one beside them, called as the account."""


def link_accounts(written: Written) -> Mapping[str, Account]:
    for name, at in written.entry.accounts.items():
        if name in RESERVED:
            text = f'"{name}" is the name of a network place of the harness: choose another for the account'
            written.where.problem(at.line, text)
    _check_network(written)
    found = {}
    for name, at in written.entry.accounts.items():
        entry = at.value
        endpoint, vpc = _endpoint(name, written)
        throttle = limit_of(entry.throttle)
        found[name] = Account(name, entry.id.value, entry.vpc, endpoint, vpc, entry.port.value, throttle)
    return found


def _endpoint(name: str, written: Written) -> tuple[str, str]:
    """The VPC endpoint that an account's calls go through, and the VPC that it is in."""
    entries = written.entry.accounts
    own = entries[name].value.endpoint.value
    if isinstance(own, EndpointEntry):
        return own.id.value, entries[name].value.vpc
    shared = own.shared
    owner = known("account", shared, entries, written.where)
    if owner is None:
        return "", ""
    owned = owner.value.endpoint.value
    if isinstance(owned, SharedEndpointEntry):
        text = f'the account "{shared.value}" has no endpoint of its own: name the account that owns it'
        written.where.problem(shared.line, f"accounts.{name}.endpoint.shared: {text}")
        return "", ""
    return owned.id.value, owner.value.vpc


def link_endpoint_policies(written: Written, policies: PolicyFiles) -> Mapping[str, Document]:
    """By the id of the VPC endpoint."""
    found = {}
    for entry in _own_endpoints(written).values():
        if entry.policy is not None:
            document = policies.read(entry.policy, PolicyKind.ENDPOINT, written.folder, written.where)
            if document is not None:
                found[entry.id.value] = document
    return found


def _own_endpoints(written: Written) -> Mapping[str, EndpointEntry]:
    """Of the workbench and of every account that has one of its own."""
    workbench = written.entry.workbench
    named = {"workbench": workbench.endpoint} if workbench else {}
    accounts = {name: at.value.endpoint.value for name, at in written.entry.accounts.items()}
    return named | {name: entry for name, entry in accounts.items() if isinstance(entry, EndpointEntry)}


def _check_network(written: Written) -> None:
    where = written.where
    entries = {name: at.value for name, at in written.entry.accounts.items()}
    ports = written.entry.ports
    ids = [(name, entry.id) for name, entry in entries.items()]
    endpoints = [(name, entry.id) for name, entry in _own_endpoints(written).items()]
    # Any number of listeners may ask for a free port.
    listeners = [("workbench", ports.workbench), ("public", ports.public)]
    listeners += [(name, entry.port) for name, entry in entries.items()]
    numbers = [(name, At(str(port.value or ""), port.line)) for name, port in listeners]
    for what, having in (("account id", ids), ("VPC endpoint", endpoints), ("port", numbers)):
        once(
            f'the {what} {{key}} is already that of "{{owner}}"',
            (Claim(at.value, name, where, at.line) for name, at in having),
        )


def link_workbench(written: Written, accounts: Mapping[str, Account]) -> Workbench | None:
    entry = written.entry.workbench
    if entry is None:
        return None
    owner = known("account", entry.account, accounts, written.where) if entry.account else None
    return Workbench(entry.vpc, entry.endpoint.id.value, owner.id if owner else "")


@dataclass(frozen=True, slots=True)
class Roles:
    """By account and name: where each role is declared, and those that could be built."""

    declared: Mapping[str, Mapping[str, Where]]
    built: Mapping[str, Mapping[str, Role]]


def link_roles(written: Written, accounts: Mapping[str, Account], policies: PolicyFiles) -> Roles:
    claims: list[Claim] = []
    declared: dict[str, dict[str, Where]] = {name: {} for name in accounts}
    built: dict[str, dict[str, Role]] = {name: {} for name in accounts}
    for account, name, at, folder, where in _declarations(written):
        if account not in accounts:
            continue  # told where the account is named
        # IAM does not tell the names of roles apart by case.
        claims.append(Claim(f"{account}/{name.lower()}", f'the role "{name}" of "{account}"', where, at.line))
        declared[account][name] = where
        role = _role(accounts[account], name, at.value, _Files(folder, where, policies))
        if role is not None:
            built[account][name] = role
    once("{owner} is declared already", claims)
    return Roles(declared, built)


_Declaration = tuple[str, str, At[RoleEntry], Path, Where]


def _declarations(written: Written) -> list[_Declaration]:
    """Account, name, role, and the folder and file that it is declared in."""
    platform: list[_Declaration] = [
        (account, name, role, written.folder, written.where)
        for account, at in written.entry.accounts.items()
        for name, role in at.value.roles.items()
    ]
    return platform + [
        (source.entry.account.value, name, role, source.folder, source.where)
        for source in written.domains
        for name, role in source.entry.roles.items()
    ]


@dataclass(frozen=True, slots=True)
class _Files:
    folder: Path
    where: Where
    policies: PolicyFiles


def _role(account: Account, name: str, entry: RoleEntry, files: _Files) -> Role | None:
    def read(named: At[Path], kind: PolicyKind) -> Document | None:
        return files.policies.read(named, kind, files.folder, files.where)

    trust = read(entry.trust, PolicyKind.TRUST) if entry.trust else None
    identity = [read(named, PolicyKind.IDENTITY) for named in entry.policies]
    boundary = read(entry.boundary, PolicyKind.BOUNDARY) if entry.boundary else None
    if trust is None or not account.id:
        return None
    return Role(
        account=account.id,
        name=name,
        role_id=role_id(account.id, name),
        trust=trust,
        policies=tuple(document for document in identity if document is not None),
        boundary=boundary,
        path=entry.path,
        tags=entry.tags,
        max_session_seconds=entry.max_session_seconds,
    )
