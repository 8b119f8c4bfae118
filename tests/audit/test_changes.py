"""The smallest change for each kind of refusal by a policy; each has been tried by the code under test and is tried
here once more from what it says."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.audit.changes import Change, smallest_changes
from harness.audit.slots import Documents
from harness.policy import AccessRequest, Document, PolicyKind, PolicySet, Principal, PrincipalType, compile_document

CASES: list[dict[str, Any]] = yaml.load(
    (Path(__file__).parent / "cases" / "policies.yaml").read_text(), yaml.CSafeLoader
)
API_ARN = "arn:aws:execute-api:eu-west-1:111111111111:orders"
ROLE = "arn:aws:iam::111111111111:role/support"
CALLER = Principal(
    PrincipalType.ASSUMED_ROLE,
    "arn:aws:sts::333333333333:assumed-role/storefront/session",
    "333333333333",
    "arn:aws:iam::333333333333:role/apps/storefront",
    "AROAEXAMPLE:session",
)
PROVIDER = Principal(PrincipalType.WEB_IDENTITY, "arn:aws:iam::111111111111:oidc-provider/oidc.example/x")
CONTEXT = {
    "aws:sourcevpce": "vpce-0a1b",
    "aws:sourcevpc": "vpc-0a1b",
    "aws:vpcsourceip": "10.0.0.7",
    "aws:principalorgid": "o-example",
    "aws:principalarn": "arn:aws:iam::333333333333:role/apps/storefront",
    "aws:currenttime": "2026-01-15T12:00:00Z",
}
KINDS = {
    "identity": PolicyKind.IDENTITY,
    "resource": PolicyKind.RESOURCE,
    "boundary": PolicyKind.BOUNDARY,
    "session": PolicyKind.SESSION,
    "scp": PolicyKind.SCP,
    "endpoint": PolicyKind.ENDPOINT,
    "trust": PolicyKind.TRUST,
}


def compiled(name: str, statements: list[dict[str, Any]]) -> Document:
    text = json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=1)
    return compile_document(text, kind=KINDS[name], name=name, file=f"{name}.json", api_arn=API_ARN)


def documents(policies: dict[str, Any]) -> Documents:
    def one(name: str) -> Document | None:
        return compiled(name, policies[name]) if name in policies else None

    own = [compiled("identity", [{"Effect": "Allow", "Action": "*", "Resource": "*"}])] if policies.get("own") else []
    identity = one("identity")
    if identity is not None:
        own = [identity]
    session, scp = one("session"), one("scp")
    return Documents(
        PolicySet(
            identity=tuple(own),
            resource=one("resource"),
            boundary=one("boundary"),
            sessions=None if session is None else (session,),
            scps=() if scp is None else ((scp,),),
            endpoint=one("endpoint"),
        ),
        trust=one("trust"),
        api_arn=API_ARN,
    )


def asked(case: dict[str, Any]) -> AccessRequest:
    action = case.get("action", "execute-api:Invoke")
    resource = ROLE if "trust" in case["policies"] else f"{API_ARN}/v2/GET{case.get('path', '/orders')}"
    principal = PROVIDER if case.get("web-identity") else CALLER
    return AccessRequest(
        principal, action, case.get("resource", resource), "111111111111", {**CONTEXT, **case.get("context", {})}
    )


def explained(case: dict[str, Any]) -> tuple[Change, ...]:
    changes, suffices = smallest_changes(asked(case), documents(case["policies"]))
    assert suffices
    return changes


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CASES])
def test_a_refusal_is_told_with_the_change_that_allows_the_call(case: dict[str, Any]) -> None:
    assert not documents(case["policies"]).decide(asked(case)).allowed

    changes = explained(case)

    assert changes[0].kind == case["kind"]
    assert case.get("says", "") in changes[0].text
    assert len(changes) == case.get("changes", 1)
    if not changes[0].kind.startswith("no-"):
        assert changes[0].file.endswith(".json")
        assert changes[0].line > 0


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CASES])
def test_what_is_changed_grants_nothing_to_a_stranger(case: dict[str, Any]) -> None:
    """A statement that is added names the caller and what was asked for, and nothing more."""
    added = [change for change in explained(case) if change.kind.endswith(("-silent", "-policy"))]
    for change in added:
        assert change.statement is not None
        assert change.statement["Action"] == asked(case).action
        assert change.statement.get("Resource", ROLE) == asked(case).resource
        principal = change.statement.get("Principal", "*")
        assert principal == "*" or list(principal.values()) == [CALLER.role_arn]


def test_at_least_thirty_kinds_are_told_apart() -> None:
    assert len({case["kind"] for case in CASES}) >= 30
