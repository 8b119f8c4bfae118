"""Who may assume a role."""

import pytest

from harness.policy import PolicyKind, evaluate_trust
from tests.policy.samples import OWNER, Case, cases, compiled, policy_set, request


@pytest.mark.parametrize("case", cases("trust.json"))
def test_trust(case: Case) -> None:
    role = case.get("role", f"arn:aws:iam::{OWNER}:role/target")
    asked = request(case["caller"], resource=role, context=case["context"])._replace(action=case["action"])
    decision = evaluate_trust(asked, compiled(case["trust"], PolicyKind.TRUST), policy_set(case))
    deciding = decision.deciding.value if decision.deciding else None
    assert (decision.outcome.value, deciding) == (case["outcome"], case.get("deciding"))
