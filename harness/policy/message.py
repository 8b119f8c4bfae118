"""The texts AWS answers a refusal with."""

from harness.policy.model import Decision, Principal


def denial_message(
    principal: Principal, action: str, resource: str, decision: Decision, *, reason: bool = True
) -> str:
    raise NotImplementedError


def mask_account(arn: str) -> str:
    raise NotImplementedError
