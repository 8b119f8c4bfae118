"""The texts AWS answers a refusal with.

Source: IAM User Guide, "Troubleshoot access denied error messages".
"""

import re

from harness.policy.model import Decision, Outcome, PolicyKind, Principal

_METHOD_ARN_ACCOUNT = re.compile(r"(arn:[^:]*:execute-api:[^:]*:)\d{8}(\d{4}:)")


def denial_message(principal: Principal, action: str, resource: str, decision: Decision, *, reason: bool = True) -> str:
    """`User: … is not authorized to perform: … on resource: …` and why. `resource` is shown as given (`mask_account`).

    Without `reason` the text is the same whatever refused; STS answers so where a reason would tell a caller of
    another account which roles exist.
    """
    text = f"User: {principal.arn} is not authorized to perform: {action} on resource: {resource}"
    kind = decision.deciding
    if kind is None or not reason:
        return text
    if decision.outcome is Outcome.EXPLICIT_DENY:
        # A role has one trust policy, hence the article of AWS's text.
        where = f"the {kind.value}" if kind is PolicyKind.TRUST else kind.with_article
        return f"{text} with an explicit deny in {where}"
    return f"{text} because no {kind.value} allows the {action} action"


def mask_account(arn: str) -> str:
    """API Gateway shows only the last four digits of the API owner's account: `…:eu-west-1:********1633:orders/…`."""
    return _METHOD_ARN_ACCOUNT.sub(r"\1********\2", arn, count=1)
