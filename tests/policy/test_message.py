"""The texts of AWS's refusals."""

import pytest

from harness.policy import ANONYMOUS, Decision, Outcome, PolicyKind, denial_message, mask_account
from tests.policy.samples import ACTION, CALLERS, METHOD_ARN, Case, cases

CALLER = CALLERS["session of another account"]
BEGINNING = (
    "User: arn:aws:sts::222222222222:assumed-role/app/s1 is not authorized to perform: execute-api:Invoke "
    "on resource: arn:aws:execute-api:eu-west-1:111111111111:orders/v1/GET/orders/17"
)


@pytest.mark.parametrize("case", cases("messages.json"))
def test_message(case: Case) -> None:
    decision = Decision(Outcome(case["outcome"]), PolicyKind(case["deciding"]))
    assert denial_message(CALLER, ACTION, METHOD_ARN, decision) == BEGINNING + case["ending"]


@pytest.mark.parametrize("outcome", [Outcome.EXPLICIT_DENY, Outcome.IMPLICIT_DENY])
@pytest.mark.parametrize("kind", PolicyKind)
def test_without_a_reason_every_refusal_reads_the_same(kind: PolicyKind, outcome: Outcome) -> None:
    assert denial_message(CALLER, ACTION, METHOD_ARN, Decision(outcome, kind), reason=False) == BEGINNING


def test_an_unsigned_caller_is_called_anonymous() -> None:
    decision = Decision(Outcome.IMPLICIT_DENY, PolicyKind.RESOURCE)
    assert denial_message(ANONYMOUS, ACTION, METHOD_ARN, decision).startswith("User: anonymous is not authorized")


@pytest.mark.parametrize(
    ("arn", "masked"),
    [
        (
            "arn:aws:execute-api:eu-west-1:123456781633:abc/prod/POST/orders",
            "arn:aws:execute-api:eu-west-1:********1633:abc/prod/POST/orders",
        ),
        (
            "arn:aws:execute-api:eu-west-1:123456781633:abc/prod/GET/arn:aws:execute-api:x:123456781633:y",
            "arn:aws:execute-api:eu-west-1:********1633:abc/prod/GET/arn:aws:execute-api:x:123456781633:y",
        ),
        ("arn:aws:iam::123456781633:role/app", "arn:aws:iam::123456781633:role/app"),
        ("*", "*"),
    ],
    ids=["a method's ARN", "an ARN in the path stays", "no ARN of an API stays", "no ARN stays"],
)
def test_the_account_of_an_api_is_masked(arn: str, masked: str) -> None:
    assert mask_account(arn) == masked
