"""The role that EventBridge takes up for a rule or a target: who names it must be allowed to pass it.

Source: IAM User Guide, "Granting a user permissions to pass a role to an AWS service".
"""

import re

from harness.bus.operations.call import Call, invalid
from harness.bus.operations.places import account_of
from harness.bus.put_events import RequestError

SERVICE = "events.amazonaws.com"
_ROLE = re.compile(r"arn:aws[\w-]*:iam::\d{12}:role/[\w+=,.@/-]+", re.ASCII)


def may_pass(call: Call, role: str | None, rule: str) -> RequestError | None:
    if not role:
        return None
    if _ROLE.fullmatch(role) is None:
        return invalid(f"Parameter {role} is not valid. Reason: Provided Arn is not in correct format.")
    # Who makes a rule on another account's bus has no role of that account to pass.
    if account_of(role) != call.account or account_of(rule) != call.account:
        return invalid("Cross-account pass role is not allowed.")
    context = {"iam:passedtoservice": SERVICE, "iam:associatedresourcearn": rule}
    return call.authorize(action="iam:PassRole", resource=role, account=call.account, context=context)
