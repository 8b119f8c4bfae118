"""Who may do what with a queue: the caller's own policies and the queue's meet, as at every AWS service.

Source: Amazon SQS Developer Guide, "Overview of managing access in Amazon SQS"; API Reference for what is not open to
other accounts.
"""

from collections.abc import Mapping
from typing import Final

from harness.access import Assumed, Authority, Caller
from harness.policy import ContextValue, denial_message
from harness.queues.model import Queue
from harness.queues.refusals import NO_SUCH_QUEUE, Refusal

OWNER_ONLY = frozenset(
    {
        "AddPermission", "CancelMessageMoveTask", "CreateQueue", "DeleteQueue", "ListMessageMoveTasks", "ListQueues",
        "ListQueueTags", "RemovePermission", "SetQueueAttributes", "StartMessageMoveTask", "TagQueue", "UntagQueue",
    }
)  # fmt: skip
"""No queue policy opens these to another account."""
_BATCH = "Batch"

NO_ACCESS: Final = Refusal(NO_SUCH_QUEUE.name, "The specified queue does not exist or you do not have access to it.")

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


def send_refusal(
    authority: Authority, arn: str, queue: Queue | None, *, service: str, source_arn: str, assumed: Assumed | None
) -> Refusal | None:
    """Why an AWS service (`events.amazonaws.com`) may not send to the queue on behalf of a resource (a rule).

    The service itself is asked for by the queue's policy alone, and told in one sentence that there is no such queue or
    that it is closed, as SQS does. A role is asked for as any caller is.
    """
    if assumed is not None:
        refused = refusal(authority, assumed.caller, "SendMessage", arn, queue, assumed.context)
        return refused or (NO_ACCESS if queue is None else None)
    if queue is None:
        return NO_ACCESS
    caller = authority.service_caller(service, source_arn=source_arn)
    context: Context = {"aws:securetransport": "true", "aws:requestedregion": queue.region}
    refused = refusal(authority, caller, "SendMessage", queue.arn, queue, context)
    return None if refused is None else NO_ACCESS
