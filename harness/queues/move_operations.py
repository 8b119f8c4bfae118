"""StartMessageMoveTask, ListMessageMoveTasks, CancelMessageMoveTask. Source: Amazon SQS API Reference."""

import uuid
from base64 import b64decode, b64encode
from binascii import Error as BinasciiError

import orjson

from harness.queues import access
from harness.queues.asked import Answer, Asked, Counter
from harness.queues.model import Queue, arn_parts
from harness.queues.moves import RUNNING, Moves, Task
from harness.queues.refusals import Refusal, invalid, missing

MOST_RATE = 500
MOST_LISTED = 10
_GONE = "The resource that you specified for the {name} parameter doesn't exist."
_BUSY = "There is already a task running. Only one active task is allowed for a source queue arn at a given time."


class MoveOperations:
    def __init__(self, counter: Counter, moves: Moves) -> None:
        self._counter = counter
        self._moves = moves
        self._registry = counter.broker.registry

    async def start_message_move_task(self, asked: Asked) -> Answer | Refusal:
        arn, rate = asked.parameters.get("SourceArn"), asked.parameters.get("MaxNumberOfMessagesPerSecond")
        destination = asked.parameters.get("DestinationArn") or ""
        if rate is not None and not 1 <= rate <= MOST_RATE:
            reason = f"MaxNumberOfMessagesPerSecond must be an integer between 1 and {MOST_RATE}."
            return invalid("MaxNumberOfMessagesPerSecond", rate, reason)
        source = await self._allowed(asked, arn, "SourceArn", "ReceiveMessage", "DeleteMessage")
        if isinstance(source, Refusal):
            return source
        target = await self._allowed(asked, destination, "DestinationArn", "SendMessage") if destination else None
        if isinstance(target, Refusal):
            return target
        buried = [each for each in self._registry.all() if each.redrive is not None and each.redrive[0] == source.arn]
        if not buried:
            return Refusal("InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.")
        if target is None:  # each message goes to where it came from
            for each in buried:
                refused = self._refused(asked, "SendMessage", each.arn, each)
                if refused is not None:
                    return refused
        if target is not None and target.fifo != source.fifo:
            return Refusal("InvalidParameterValue", "The destination must be of the same type as the source.")
        if any(task.active for task in self._moves.tasks(source.arn)):
            return Refusal("UnsupportedOperation", _BUSY)
        counts = await self._counter.broker.counts(source)
        task = Task(str(uuid.uuid4()), source.arn, destination, rate or 0, self._counter.milliseconds(), counts.visible)
        await self._moves.start(task)
        return {"TaskHandle": _handle(task)}

    async def list_message_move_tasks(self, asked: Asked) -> Answer | Refusal:
        most = asked.parameters.get("MaxResults", 1)
        if not 1 <= most <= MOST_LISTED:
            return invalid("MaxResults", most, f"Value for parameter MaxResults must be between 1 and {MOST_LISTED}.")
        source = await self._allowed(asked, asked.parameters.get("SourceArn"), "SourceArn")
        if isinstance(source, Refusal):
            return source
        return {"Results": [_told(task) for task in self._moves.tasks(source.arn)[:most]]}

    async def cancel_message_move_task(self, asked: Asked) -> Answer | Refusal:
        text = asked.parameters.get("TaskHandle")
        if not text:
            return missing("TaskHandle")
        named = _read_handle(text)
        if named is None:
            return Refusal("InvalidParameterValue", "Value for parameter TaskHandle is invalid.")
        task_id, arn = named
        source = await self._allowed(asked, arn, "SourceArn")
        if isinstance(source, Refusal):
            return source
        task = next((each for each in self._moves.tasks(arn) if each.id == task_id), None)
        cancelled = await self._moves.cancel(task) if task is not None else None
        if cancelled is None:
            return Refusal("ResourceNotFoundException", "Task does not exist, or is not running any more.")
        return {"ApproximateNumberOfMessagesMoved": cancelled.moved}

    async def _allowed(self, asked: Asked, arn: str | None, name: str, *also: str) -> Queue | Refusal:
        """The queue of that ARN, for a caller who may do the operation and `also` these with it."""
        if not arn:
            return missing(name)
        if arn_parts(arn) is None:
            return invalid(name, arn[:256], "it is no ARN of a queue.")
        queue = await self._registry.by_arn(arn)
        for operation in also if name == "DestinationArn" else (asked.operation, *also):
            refused = self._refused(asked, operation, arn, queue)
            if refused is not None:
                return refused
        return queue or Refusal("ResourceNotFoundException", _GONE.format(name=name))

    def _refused(self, asked: Asked, operation: str, arn: str, queue: Queue | None) -> Refusal | None:
        return access.refusal(self._counter.authority, asked.caller, operation, arn, queue, asked.context)


def _told(task: Task) -> Answer:
    told: Answer = {
        "Status": task.status,
        "SourceArn": task.source,
        "ApproximateNumberOfMessagesMoved": task.moved,
        "ApproximateNumberOfMessagesToMove": task.to_move,
        "StartedTimestamp": task.started,
    }
    if task.status == RUNNING:
        told["TaskHandle"] = _handle(task)
    if task.destination:
        told["DestinationArn"] = task.destination
    if task.rate:
        told["MaxNumberOfMessagesPerSecond"] = task.rate
    if task.reason:
        told["FailureReason"] = task.reason
    return told


def _handle(task: Task) -> str:
    return b64encode(orjson.dumps({"taskId": task.id, "sourceArn": task.source})).decode()


def _read_handle(text: str) -> tuple[str, str] | None:
    try:
        content = orjson.loads(b64decode(text, validate=True))
    except (BinasciiError, ValueError):
        return None
    if not isinstance(content, dict):
        return None
    task_id, arn = content.get("taskId"), content.get("sourceArn")
    return (task_id, arn) if isinstance(task_id, str) and isinstance(arn, str) else None
