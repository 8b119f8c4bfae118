"""The tree of the organisation, followed: where each account is, and which policies limit it there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from harness.identity.model import Membership
from harness.manifest.fields import At
from harness.manifest.model import Account
from harness.manifest.organisation_file import RootEntry, UnitEntry
from harness.manifest.policies import PolicyFiles
from harness.manifest.references import Claim, known, once
from harness.manifest.written import Written
from harness.policy.document import Document, compile_document
from harness.policy.model import PolicyKind

FULL_ACCESS: Final = "FullAWSAccess"
"""AWS's own policy, attached everywhere until it is replaced. Named like a file, without being one."""
MOST_LEVELS: Final = 5  # AWS Organizations quota: units below the root

_FULL_ACCESS_TEXT: Final = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"

Levels = tuple[tuple[Document, ...], ...]


@dataclass(frozen=True, slots=True)
class _Branch:
    """A root or unit: `title` in messages, `path` and `levels` from the root down to it."""

    title: str
    path: str
    levels: Levels
    entry: RootEntry | UnitEntry


def link_memberships(
    written: Written, accounts: Mapping[str, Account], policies: PolicyFiles
) -> Mapping[str, Membership]:
    """By account id. An account that no unit names is in the root."""
    return _Tree(written, accounts, policies).memberships()


@dataclass(frozen=True, slots=True)
class _Tree:
    written: Written
    accounts: Mapping[str, Account]
    policies: PolicyFiles

    def memberships(self) -> Mapping[str, Membership]:
        where, entry = self.written.where, self.written.entry.organisation
        root, *units = branches = list(self._branches())
        claims, found = [], {account.name: root for account in self.accounts.values()}
        for branch in branches:
            for named in branch.entry.accounts:
                account = known("account", named, self.accounts, where)
                if account is not None:
                    claims.append(Claim(account.name, branch.title, where, named.line))
                    found[account.name] = branch
        once('the account "{key}" is in one place only, and that is {owner}', claims)
        management = known("account", entry.management, self.accounts, where) if entry.management else None
        self._check_ids(root, units)
        return {
            self.accounts[name].id: Membership(
                branch.path,
                () if management and management.name == name else (*branch.levels, *self._own(name)),
            )
            for name, branch in found.items()
        }

    def _own(self, account: str) -> Levels:
        return self._level(self.written.entry.accounts[account].value.service_control_policies)

    def _branches(self) -> Iterator[_Branch]:
        entry = self.written.entry.organisation
        root_id = entry.root.id.value if entry.root.id else f"r-{_made_up(entry.id, 4)}"
        root = _Branch("the root", f"{entry.id}/{root_id}/", self._level(entry.root.policies), entry.root)
        yield root
        yield from self._below(root, root_id, depth=1)

    def _below(self, above: _Branch, root_id: str, depth: int) -> Iterator[_Branch]:
        for name, at in above.entry.units.items():
            if depth > MOST_LEVELS:
                text = f'the unit "{name}" is below {MOST_LEVELS} others: AWS nests no deeper'
                self.written.where.problem(at.line, text)
                continue
            unit_id = at.value.id.value if at.value.id else _unit_id(root_id, above.path + name)
            levels = (*above.levels, *self._level(at.value.policies))
            unit = _Branch(f'the unit "{name}"', f"{above.path}{unit_id}/", levels, at.value)
            yield unit
            yield from self._below(unit, root_id, depth + 1)

    def _level(self, named: tuple[At[Path], ...]) -> Levels:
        """No level at all where only FullAWSAccess is attached: it limits nothing."""
        found = [self._policy(each) for each in named if each.value.as_posix() != FULL_ACCESS]
        documents = [document for document in found if document is not None]
        if not found:
            return ()
        if len(found) < len(named):
            documents.append(compile_document(_FULL_ACCESS_TEXT, kind=PolicyKind.SCP, name=FULL_ACCESS))
        return (tuple(documents),)

    def _policy(self, named: At[Path]) -> Document | None:
        return self.policies.read(named, PolicyKind.SCP, self.written.folder, self.written.where)

    def _check_ids(self, root: _Branch, units: list[_Branch]) -> None:
        where = self.written.where
        once(
            "the id {key} is already that of {owner}",
            (
                Claim(branch.entry.id.value, branch.title, where, branch.entry.id.line)
                for branch in (root, *units)
                if branch.entry.id
            ),
        )


def _unit_id(root_id: str, path: str) -> str:
    return f"ou-{root_id.removeprefix('r-')}-{_made_up(path, 8)}"


def _made_up(name: str, length: int) -> str:
    """Small letters and digits, the same for the same name."""
    number = int.from_bytes(sha256(name.encode()).digest()[:8], "big")
    digits = []
    for _ in range(length):
        number, digit = divmod(number, 36)
        digits.append(_DIGITS[digit])
    return "".join(digits)
