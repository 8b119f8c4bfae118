"""Who may do what with a queue: the caller's own policies and the queue's meet, as at every AWS service.

Source: Amazon SQS Developer Guide, "Overview of managing access in Amazon SQS"; API Reference for what is not open to
other accounts.
"""

from collections.abc import Mapping

from harness.access import Authority, Caller
from harness.policy import ContextValue, denial_message
from harness.queues.model import Queue
from harness.queues.refusals import Refusal

OWNER_ONLY = frozenset(
    {
        "AddPermission", "CancelMessageMoveTask", "CreateQueue", "DeleteQueue", "ListMessageMoveTasks", "ListQueues",
        "ListQueueTags", "RemovePermission", "SetQueueAttributes", "StartMessageMoveTask", "TagQueue", "UntagQueue",
    }
)  # fmt: skip
"""No queue policy opens these to another account."""
_BATCH = "Batch"

Context = Mapping[str, ContextValue]


def refusal(
    authority: Authority, caller: Caller, operation: str, arn: str, queue: Queue | None, context: Context
) -> Refusal | None:
    """`queue` None: there is none of that ARN. Another account cannot tell that from a queue that it may not use."""
    action = operation.removesuffix(_BATCH)
    account = arn.split(":")[4]
    policy = queue.policy if queue is not None else None
    if action in OWNER_ONLY and caller.account != account:
        policy = None
    decision = authority.authorize(
        caller,
        action=f"sqs:{action}",
        resource=arn,
        resource_account=account,
        resource_policy=policy,
        context=context,
    )
    if decision.allowed:
        return None
    return Refusal("AccessDenied", denial_message(caller.principal, f"sqs:{action.lower()}", arn, decision))


def may_send(authority: Authority, queue: Queue, service: str, source_arn: str) -> bool:
    """Whether an AWS service (`events.amazonaws.com`) may send to the queue on behalf of a resource (a rule)."""
    caller = authority.service_caller(service, source_arn=source_arn)
    context: Context = {"aws:securetransport": "true", "aws:requestedregion": queue.region}
    return refusal(authority, caller, "SendMessage", queue.arn, queue, context) is None
