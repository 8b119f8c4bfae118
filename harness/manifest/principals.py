"""Roles that policies name. AWS refuses to save a policy with a principal that does not exist, and so it is here.

Only roles of the landscape's own accounts are looked at: nobody here knows what other accounts have.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from harness.errors import Problem, did_you_mean
from harness.manifest.model import Account
from harness.manifest.organisation import Roles
from harness.policy.document import Document

_ROLE_ARN: Final = re.compile(r"arn:[\w-]+:iam::(\d{12}):role/(?:.*/)?([^/]+)")
_SESSION_ARN: Final = re.compile(r"arn:[\w-]+:sts::(\d{12}):assumed-role/([^/]+)/[^/]+")


def unknown_roles(documents: Iterable[Document], accounts: Mapping[str, Account], roles: Roles) -> list[Problem]:
    names = {account.id: name for name, account in accounts.items()}
    problems = []
    for document in documents:
        for statement in document.statements:
            for arn in sorted(statement.principals.arns) if statement.principals else ():
                found = _ROLE_ARN.fullmatch(arn) or _SESSION_ARN.fullmatch(arn)
                account = names.get(found[1]) if found else None
                if found is None or account is None or found[2] in roles.declared[account]:
                    continue
                hint = did_you_mean(found[2], list(roles.declared[account])) or ": declare it, or name another"
                text = f'the account "{account}" has no role "{found[2]}"{hint}'
                problems.append(Problem(document.file, _line(document, arn, statement.line), text))
    return problems


def _line(document: Document, arn: str, statement_line: int) -> int:
    """Where the statement names the principal; the statement's own line when it is spelled with escapes."""
    start = 0
    for _ in range(statement_line - 1):
        start = document.text.index("\n", start) + 1
    at = document.text.find(f'"{arn}"', start)
    return document.text.count("\n", 0, at) + 1 if at >= 0 else statement_line
