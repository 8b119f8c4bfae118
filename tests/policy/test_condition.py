"""Condition operators, set operators and policy variables."""

import pytest

from harness.policy import PolicyKind
from harness.policy.operators import OPERATORS
from tests.policy.samples import Case, cases, compiled, request

ALLOW = {"Effect": "Allow", "Action": "*", "Resource": "*"}


@pytest.mark.parametrize("case", cases("conditions.json"))
def test_condition(case: Case) -> None:
    (statement,) = compiled([ALLOW | {"Condition": case["condition"]}], PolicyKind.IDENTITY).statements
    assert statement.covers(request(context=case["context"])) is case["holds"]


@pytest.mark.parametrize("case", cases("variables.json"))
def test_variables(case: Case) -> None:
    (statement,) = compiled([case["statement"]], PolicyKind.IDENTITY, case["version"]).statements
    asked = (
        request(resource=case["arn"], context=case["context"]) if "arn" in case else request(context=case["context"])
    )
    assert statement.covers(asked) is case["applies"]


def test_every_operator_has_a_case_that_holds_and_one_that_does_not() -> None:
    rows = [row.values[0] for row in cases("conditions.json")]
    seen = {(operator.lower(), row["holds"]) for row in rows for operator in row["condition"]}
    assert {(name, holds) for name in OPERATORS for holds in (True, False)} <= seen
