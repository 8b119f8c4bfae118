"""An explanation names every statement, what of it matched, and never differs from the decision."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from harness.policy import (
    AccessRequest,
    ConditionOutcome,
    Outcome,
    PolicyKind,
    PolicySet,
    StatementOutcome,
    compile_document,
    evaluate,
    evaluate_trust,
    explain,
)
from tests.policy.samples import CALLERS, METHOD_ARN, OTHER, OWNER, compiled, request

ALL = {"Action": "*", "Resource": "*"}
ROLE = f"arn:aws:iam::{OWNER}:role/app"


def explained(statement: dict[str, Any], **asked: Any) -> StatementOutcome:
    decision = explain(request(**asked), PolicySet(resource=compiled([statement], PolicyKind.RESOURCE)))
    (outcome,) = decision.statements
    return outcome


def parts(outcome: StatementOutcome) -> tuple[bool | None, bool | None, bool | None, int, bool]:
    matches = (outcome.principal_matches, outcome.action_matches, outcome.resource_matches)
    return (*matches, len(outcome.conditions), outcome.applies)


CONDITION = {"StringEquals": {"aws:SourceVpce": ["vpce-1", "vpce-2"]}}


def statement(**elements: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": {"AWS": OWNER}, **ALL, "Condition": CONDITION} | elements


def test_a_statement_that_applies_has_every_part_matched() -> None:
    assert parts(explained(statement(), context={"aws:SourceVpce": "vpce-1"})) == (True, True, True, 1, True)


def test_after_another_principal_nothing_more_is_reached() -> None:
    assert parts(explained(statement(Principal={"AWS": OTHER}))) == (False, None, None, 0, False)


def test_after_another_action_nothing_more_is_reached() -> None:
    assert parts(explained(statement(Action="sts:*"))) == (True, False, None, 0, False)


def test_after_another_resource_no_condition_is_reached() -> None:
    assert parts(explained(statement(Resource="execute-api:/v2/*"))) == (True, True, False, 0, False)


def test_a_condition_that_fails_shows_what_it_wants_and_what_the_request_has() -> None:
    outcome = explained(statement(), context={"aws:SourceVpce": "vpce-3"})
    assert not outcome.applies
    assert outcome.conditions == (
        ConditionOutcome("StringEquals", "aws:SourceVpce", ("vpce-1", "vpce-2"), "vpce-3", False),
    )


def test_a_condition_on_a_missing_key_shows_that_it_is_missing() -> None:
    (condition,) = explained(statement()).conditions
    assert (condition.found, condition.holds) == (None, False)


def test_every_condition_is_shown_after_one_that_fails() -> None:
    both = CONDITION | {"Bool": {"aws:SecureTransport": "true"}}
    outcome = explained(statement(Condition=both), context={"aws:SecureTransport": "true"})
    assert [condition.holds for condition in outcome.conditions] == [False, True]


def test_a_statement_is_named_by_policy_sid_place_and_line() -> None:
    text = '{"Statement": [\n{"Effect": "Allow", "Action": "sts:*", "Resource": "*"},\n'
    text += '{"Sid": "NoCalls", "Effect": "Deny", "Action": "*", "Resource": "*"}]}'
    policy = compile_document(text, kind=PolicyKind.IDENTITY, name="orders-app")
    decision = explain(request(), PolicySet(identity=(policy,)))
    outcome = decision.statements[1]
    assert (outcome.policy, outcome.kind, outcome.index) == ("orders-app", PolicyKind.IDENTITY, 1)
    assert (outcome.sid, outcome.effect, outcome.line) == ("NoCalls", "Deny", 3)


def test_every_attached_document_is_explained_even_after_a_deny() -> None:
    allow = compiled([{"Effect": "Allow", **ALL}], PolicyKind.IDENTITY)
    deny = compiled([{"Effect": "Deny", "Principal": "*", **ALL}], PolicyKind.RESOURCE)
    everyone = compiled([{"Effect": "Allow", "Principal": "*", **ALL}], PolicyKind.ENDPOINT)
    policies = PolicySet((allow,), deny, allow, (allow,), ((allow,), (allow,)), everyone)
    decision = explain(request(), policies)
    assert decision.outcome is Outcome.EXPLICIT_DENY
    assert [outcome.kind for outcome in decision.statements] == [
        PolicyKind.SCP,
        PolicyKind.SCP,
        PolicyKind.ENDPOINT,
        PolicyKind.RESOURCE,
        PolicyKind.IDENTITY,
        PolicyKind.BOUNDARY,
        PolicyKind.SESSION,
    ]


def test_the_trust_policy_is_explained_first() -> None:
    trust = compiled([{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}], PolicyKind.TRUST)
    asked = request(resource=f"arn:aws:iam::{OWNER}:role/target")._replace(action="sts:AssumeRole")
    identity = compiled([{"Effect": "Allow", **ALL}], PolicyKind.IDENTITY)
    decision = evaluate_trust(asked, trust, PolicySet(identity=(identity,)))
    assert [outcome.kind for outcome in decision.statements] == [PolicyKind.TRUST, PolicyKind.IDENTITY]


statements = st.fixed_dictionaries(
    {
        "Effect": st.sampled_from(["Allow", "Deny"]),
        "Principal": st.sampled_from(["*", {"AWS": OWNER}, {"AWS": ROLE}, {"AWS": OTHER}]),
        "Action": st.sampled_from(["*", "execute-api:Invoke", "sts:*"]),
        "Resource": st.sampled_from(["*", "execute-api:/v1/*", "execute-api:/v2/*", f"{METHOD_ARN}/${{aws:username}}"]),
    },
    optional={
        "Condition": st.sampled_from(
            [
                CONDITION,
                {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}},
                {"Null": {"aws:username": "true"}},
                {"StringEquals": {"aws:SourceVpce": "${aws:username}"}},
            ]
        )
    },
)
contexts = st.dictionaries(
    st.sampled_from(["aws:sourcevpce", "aws:username"]), st.sampled_from(["vpce-1", "vpce-3", "ann"])
)


@given(st.lists(statements, min_size=1, max_size=5), st.sampled_from(sorted(CALLERS)), contexts)
def test_what_the_statements_say_agrees_with_the_decision(
    rows: list[dict[str, Any]], caller: str, context: dict[str, str]
) -> None:
    asked = AccessRequest(CALLERS[caller], "execute-api:Invoke", METHOD_ARN, OWNER, context)
    policy = compile_document(
        json.dumps({"Version": "2012-10-17", "Statement": rows}),
        kind=PolicyKind.RESOURCE,
        name="orders",
        api_arn=f"arn:aws:execute-api:eu-west-1:{OWNER}:orders",
    )
    decision = explain(asked, PolicySet(resource=policy))
    assert decision.outcome is evaluate(asked, PolicySet(resource=policy)).outcome
    applying = {outcome.effect for outcome in decision.statements if outcome.applies}
    assert (decision.outcome is Outcome.EXPLICIT_DENY) == ("Deny" in applying)
    if decision.allowed and caller != "root of the owner":
        assert applying == {"Allow"}
