"""Callers and policies that the cases name: the API orders belongs to account 111111111111."""

import json
from pathlib import Path
from typing import Any

import pytest

from harness.policy import (
    ANONYMOUS,
    AccessRequest,
    Document,
    PolicyKind,
    PolicySet,
    Principal,
    PrincipalType,
    compile_document,
)

OWNER, OTHER = "111111111111", "222222222222"
API_ARN = f"arn:aws:execute-api:eu-west-1:{OWNER}:orders"
METHOD_ARN = f"{API_ARN}/v1/GET/orders/17"
ACTION = "execute-api:Invoke"

Case = dict[str, Any]


def session(account: str, role: str = "app", path: str = "/", name: str = "s1") -> Principal:
    return Principal(
        PrincipalType.ASSUMED_ROLE,
        f"arn:aws:sts::{account}:assumed-role/{role}/{name}",
        account,
        f"arn:aws:iam::{account}:role{path}{role}",
        f"AROAEXAMPLEEXAMPLE111:{name}",
    )


def user(account: str) -> Principal:
    arn = f"arn:aws:iam::{account}:user/ann"
    return Principal(PrincipalType.USER, arn, account, user_id="AIDAEXAMPLEEXAMPLE111")


CALLERS = {
    "session of the owner": session(OWNER),
    "session of another account": session(OTHER),
    "session of a role with a path": session(OTHER, path="/team/shop/"),
    "user of the owner": user(OWNER),
    "user of another account": user(OTHER),
    "root of the owner": Principal(PrincipalType.ACCOUNT, f"arn:aws:iam::{OWNER}:root", OWNER, user_id=OWNER),
    "root of another account": Principal(PrincipalType.ACCOUNT, f"arn:aws:iam::{OTHER}:root", OTHER, user_id=OTHER),
    "federated user": Principal(
        PrincipalType.FEDERATED_USER, f"arn:aws:sts::{OWNER}:federated-user/ann", OWNER, user_id=f"{OWNER}:ann"
    ),
    "anonymous": ANONYMOUS,
    "service events": Principal(PrincipalType.SERVICE, "events.amazonaws.com"),
    "web identity": Principal(PrincipalType.WEB_IDENTITY, f"arn:aws:iam::{OWNER}:oidc-provider/oidc.example.com"),
}

_EFFECTS = {
    "allow": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
    "deny": [{"Effect": "Deny", "Action": "*", "Resource": "*"}],
    "silent": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}],
}


def cases(file: str) -> list[Any]:
    rows: list[Case] = json.loads((Path(__file__).parent / "cases" / file).read_text())
    return [pytest.param(row, id=row["name"]) for row in rows]


def compiled(statements: list[Case], kind: PolicyKind, version: str = "2012-10-17") -> Document:
    text = json.dumps({"Version": version, "Statement": statements})
    return compile_document(text, kind=kind, name=kind.value, api_arn=API_ARN)


def own(effect: str, kind: PolicyKind) -> Document:
    """A policy attached to the caller that allows, denies or does not speak of the call."""
    return compiled(_EFFECTS[effect], kind)


def about(effects: Case, kind: PolicyKind) -> Document:
    """A resource or endpoint policy from `{"Allow": principal, "Deny": principal}`; the whole API."""
    rest = {"Action": "*", "Resource": "*"}
    return compiled([{"Effect": e, "Principal": p, **rest} for e, p in effects.items()], kind)


def policy_set(case: Case) -> PolicySet:
    """The documents of a case; what it does not name is not attached."""
    return PolicySet(
        identity=tuple(own(effect, PolicyKind.IDENTITY) for effect in case.get("identity", [])),
        resource=about(case["resource"], PolicyKind.RESOURCE) if "resource" in case else None,
        boundary=own(case["boundary"], PolicyKind.BOUNDARY) if "boundary" in case else None,
        sessions=(
            tuple(own(effect, PolicyKind.SESSION) for effect in case["sessions"]) if "sessions" in case else None
        ),
        scps=tuple(tuple(own(effect, PolicyKind.SCP) for effect in level) for level in case.get("scps", [])),
        endpoint=about(case["endpoint"], PolicyKind.ENDPOINT) if "endpoint" in case else None,
    )


def request(
    caller: str = "session of the owner", *, resource: str = METHOD_ARN, context: Case | None = None
) -> AccessRequest:
    values = {key.lower(): tuple(value) if isinstance(value, list) else value for key, value in (context or {}).items()}
    return AccessRequest(CALLERS[caller], ACTION, resource, OWNER, values)
