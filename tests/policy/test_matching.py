"""When a statement is about a caller, an action, a resource."""

import pytest

from harness.policy import PolicyKind
from tests.policy.samples import CALLERS, METHOD_ARN, Case, cases, compiled, request


def statement(**elements: object) -> Case:
    return {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"} | elements


def without(case: Case, name: str) -> Case:
    return {key: value for key, value in case.items() if key != name}


@pytest.mark.parametrize("case", cases("principals.json"))
def test_principal(case: Case) -> None:
    policy = without(statement(), "Principal") | {case["element"]: case["value"]}
    (compiled_statement,) = compiled([policy], PolicyKind.RESOURCE).statements
    assert bool(compiled_statement.reach(request(case["caller"]))) is case["matches"]


@pytest.mark.parametrize("case", cases("actions.json"))
def test_action(case: Case) -> None:
    policy = without(statement(), "Action") | {case["element"]: case["value"]}
    (compiled_statement,) = compiled([policy], PolicyKind.RESOURCE).statements
    assert compiled_statement.matches_action(case["action"]) is case["matches"]


@pytest.mark.parametrize("case", cases("resources.json"))
def test_resource(case: Case) -> None:
    policy = without(statement(), "Resource") | {case["element"]: case["pattern"]}
    (compiled_statement,) = compiled([policy], PolicyKind.RESOURCE).statements
    assert compiled_statement.covers(request(resource=case["arn"])) is case["matches"]


@pytest.mark.parametrize("short", ["arn:aws:execute-api", "arn:aws:execute-api:eu-west-1"])
def test_a_short_arn_of_an_identity_policy_is_completed_with_stars(short: str) -> None:
    policy = without(statement(Resource=short), "Principal")
    (compiled_statement,) = compiled([policy], PolicyKind.IDENTITY).statements
    assert compiled_statement.covers(request(resource=METHOD_ARN))
    assert not compiled_statement.covers(request(resource="arn:aws:sqs:eu-west-1:111111111111:jobs"))


def test_a_long_path_against_many_stars_is_decided_at_once() -> None:
    # 20 stars against 1,500 characters: a backtracking expression would not come back.
    pattern = "execute-api:/" + "*a" * 20 + "*b"
    (compiled_statement,) = compiled([statement(Resource=pattern)], PolicyKind.RESOURCE).statements
    assert not compiled_statement.covers(request(resource=METHOD_ARN + "a" * 1500))


def test_a_document_remembers_a_bounded_number_of_actions() -> None:
    document = compiled([statement()], PolicyKind.RESOURCE)
    selections = [document.select(f"sts:Action{number}") for number in range(1000)]
    assert all(len(selection.denies) == 1 for selection in selections)
    assert len(document._selections) <= 64


def test_every_sample_caller_is_met_by_a_case() -> None:
    named = {row.values[0]["caller"] for file in ("principals.json", "decisions.json") for row in cases(file)}
    assert named == set(CALLERS)
