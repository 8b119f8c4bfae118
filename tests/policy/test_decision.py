"""Who decides when several policies apply: IAM's evaluation logic and API Gateway's two tables."""

import pytest

from harness.policy import evaluate, explain
from tests.policy.samples import Case, cases, policy_set, request


@pytest.mark.parametrize("case", cases("decisions.json"))
def test_decision(case: Case) -> None:
    decision = evaluate(request(case["caller"]), policy_set(case))
    deciding = decision.deciding.value if decision.deciding else None
    assert (decision.outcome.value, deciding) == (case["outcome"], case.get("deciding"))


@pytest.mark.parametrize("case", cases("decisions.json"))
def test_an_explained_decision_is_the_same_decision(case: Case) -> None:
    asked, policies = request(case["caller"]), policy_set(case)
    quick, explained = evaluate(asked, policies), explain(asked, policies)
    assert (quick.outcome, quick.deciding) == (explained.outcome, explained.deciding)
