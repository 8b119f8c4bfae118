"""AddPermission and RemovePermission: statements of a queue's policy by their labels.

Source: Amazon SQS API Reference.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from harness.queues.access import OWNER_ONLY
from harness.queues.asked import Answer, Asked
from harness.queues.attributes import POLICY
from harness.queues.model import Queue
from harness.queues.queue_operations import QueueOperations, policy_fault
from harness.queues.refusals import Refusal, invalid, missing
from harness.queues.shapes import INPUTS
from harness.wire import PARTITION

MOST_ACTIONS = 7
_LABEL = re.compile(r"[A-Za-z0-9_-]{1,80}", re.ASCII)
_ACCOUNT = re.compile(r"\d{12}", re.ASCII)


class Permissions:
    def __init__(self, queues: QueueOperations) -> None:
        self._queues = queues

    async def add_permission(self, asked: Asked) -> Answer | Refusal:
        label, accounts = asked.parameters.get("Label") or "", asked.parameters.get("AWSAccountIds") or []
        actions = asked.parameters.get("Actions") or []
        wrong = _fault(label, accounts, actions)
        if wrong is not None:
            return wrong

        def add(queue: Queue) -> Queue | Refusal:
            if POLICY in queue.fixed:
                return _fixed(queue)
            policy = _policy(queue)
            if any(statement.get("Sid") == label for statement in policy["Statement"]):
                return invalid("Label", label, "Already exists.")
            policy["Statement"].append(
                {
                    "Sid": label,
                    "Effect": "Allow",
                    "Principal": {"AWS": _one_or_all([f"arn:{PARTITION}:iam::{account}:root" for account in accounts])},
                    "Action": _one_or_all([f"SQS:{action}" for action in actions]),
                    "Resource": queue.arn,
                }
            )
            text = json.dumps(policy)
            if policy_fault(text) is not None:
                return Refusal("OverLimit", "The policy of the queue would have too many statements.")
            return replace(queue, given={**queue.given, POLICY: text})

        return await self._queues.change(asked, add)

    async def remove_permission(self, asked: Asked) -> Answer | Refusal:
        label = asked.parameters.get("Label") or ""

        def remove(queue: Queue) -> Queue | Refusal:
            if POLICY in queue.fixed:
                return _fixed(queue)
            policy = _policy(queue)
            left = [statement for statement in policy["Statement"] if statement.get("Sid") != label]
            if len(left) == len(policy["Statement"]):
                return invalid("Label", label, "can't find label on existing policy.")
            given = {name: value for name, value in queue.given.items() if name != POLICY}
            if left:
                given[POLICY] = json.dumps({**policy, "Statement": left})
            return replace(queue, given=given)

        return await self._queues.change(asked, remove)


def _fault(label: str, accounts: Sequence[str], actions: Sequence[str]) -> Refusal | None:
    if not label:
        return missing("Label")
    if not _LABEL.fullmatch(label):
        return invalid("Label", label, "Can only include alphanumeric characters, hyphens, or underscores.")
    if not actions:
        return missing("Actions")
    if not accounts:
        return missing("PrincipalId")
    if len(actions) > MOST_ACTIONS:
        return Refusal("OverLimit", f"{len(actions)} Actions were found, maximum allowed is {MOST_ACTIONS}.")
    for action in actions:
        if action in OWNER_ONLY:
            return invalid(f"SQS:{action}", "ActionName", "Only the queue owner is allowed to invoke this action.")
        if action != "*" and (action not in INPUTS or action.endswith("Batch")):
            return invalid("ActionName", f"SQS:{action}", "it is no action that may be shared.")
    stranger = next((account for account in accounts if not _ACCOUNT.fullmatch(account)), None)
    return None if stranger is None else invalid("PrincipalId", stranger, "Unable to verify.")


def _policy(queue: Queue) -> dict[str, Any]:
    text = queue.given.get(POLICY)
    if not text:
        return {"Version": "2012-10-17", "Id": f"{queue.arn}/SQSDefaultPolicy", "Statement": []}
    policy: dict[str, Any] = json.loads(text)
    statements = policy["Statement"]
    return {**policy, "Statement": list(statements) if isinstance(statements, list) else [statements]}


def _one_or_all(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else values


def _fixed(queue: Queue) -> Refusal:
    text = f"The policy of the queue {queue.name} is declared in {queue.declared_in}, which alone may change it."
    return Refusal("UnsupportedOperation", text)
