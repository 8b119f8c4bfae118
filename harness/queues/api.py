"""SQS's endpoint: the JSON protocol by `X-Amz-Target`, the query protocol by `Action`, the same operations behind both.

Source: Amazon SQS API Reference 2012-11-05, "Making Query API requests" and "Making API requests using the AWS JSON
protocol".
"""

import logging
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import orjson

from harness.access import Authority, network_context
from harness.clock import Clock, utc_now
from harness.query_protocol import answers
from harness.query_protocol.calls import read_call
from harness.queues.asked import Asked, Counter, Operation
from harness.queues.broker import Broker
from harness.queues.message_operations import MessageOperations
from harness.queues.move_operations import MoveOperations
from harness.queues.moves import Moves
from harness.queues.permissions import Permissions
from harness.queues.queue_operations import RECENT_SECONDS, QueueOperations
from harness.queues.receipts import Receipts
from harness.queues.refusals import FAULTS, SHARE_USED, THROTTLED, UNAVAILABLE, Refusal
from harness.queues.shapes import INPUTS, from_json, from_query, to_query
from harness.sigv4 import Fault
from harness.storage.held import ShareUsed, StoreFull, StoreUnavailable
from harness.wire import HttpRequest, HttpResponse, NetworkPlace

log = logging.getLogger(__name__)

SERVICE = "sqs"
VERSION = "2012-11-05"
NAMESPACE = "http://queue.amazonaws.com/doc/2012-11-05/"
TARGET_PREFIX = "AmazonSQS."
CONTENT_TYPE = b"application/x-amz-json-1.0"
SKEW_SECONDS = 900
# A message of 1 MiB, percent-encoded, and ten entries with all their attributes.
_MOST_FORM_BYTES = 4 * 1_048_576
_MOST_PARAMETERS = 2000


class QueuesApi:
    """A `wire.Handler`. `recent_seconds`: how long the name of a deleted queue stays taken. `moves`: works on
    message move tasks; without it they are taken down here, and done by another process.
    """

    def __init__(
        self,
        authority: Authority,
        broker: Broker,
        receipts: Receipts,
        *,
        region: str,
        clock: Clock = utc_now,
        recent_seconds: float = RECENT_SECONDS,
        moves: Moves | None = None,
    ) -> None:
        self._authority = authority
        self._region = region
        self._clock = clock
        counter = Counter(authority, broker, receipts, region, clock)
        queues = QueueOperations(counter, recent_seconds=recent_seconds)
        messages = MessageOperations(counter)
        permissions = Permissions(queues)
        tasks = MoveOperations(counter, moves or Moves(broker, clock=clock))
        self._operations: Mapping[str, Operation] = {
            "AddPermission": permissions.add_permission,
            "CancelMessageMoveTask": tasks.cancel_message_move_task,
            "ChangeMessageVisibility": messages.change_message_visibility,
            "ChangeMessageVisibilityBatch": messages.change_message_visibility_batch,
            "CreateQueue": queues.create_queue,
            "DeleteMessage": messages.delete_message,
            "DeleteMessageBatch": messages.delete_message_batch,
            "DeleteQueue": queues.delete_queue,
            "GetQueueAttributes": queues.get_queue_attributes,
            "GetQueueUrl": queues.get_queue_url,
            "ListDeadLetterSourceQueues": queues.list_dead_letter_source_queues,
            "ListMessageMoveTasks": tasks.list_message_move_tasks,
            "ListQueues": queues.list_queues,
            "ListQueueTags": queues.list_queue_tags,
            "PurgeQueue": queues.purge_queue,
            "ReceiveMessage": messages.receive_message,
            "RemovePermission": permissions.remove_permission,
            "SendMessage": messages.send_message,
            "SendMessageBatch": messages.send_message_batch,
            "SetQueueAttributes": queues.set_queue_attributes,
            "StartMessageMoveTask": tasks.start_message_move_task,
            "TagQueue": queues.tag_queue,
            "UntagQueue": queues.untag_queue,
        }

    async def __call__(self, request: HttpRequest, place: NetworkPlace) -> HttpResponse:
        target = request.header(b"x-amz-target")
        if target is not None:
            name = target.decode("latin-1").removeprefix(TARGET_PREFIX)
            answer = await self._answer(request, place, name)
            return _json_refusal(answer) if isinstance(answer, Refusal) else _json(200, answer)
        request_id = request.request_id or str(uuid.uuid4())
        named = await self._answer(request, place, None)
        if isinstance(named, Refusal):
            row = named.row
            return answers.error(NAMESPACE, answers.Refusal(row.query, named.message, row.status), request_id)
        return answers.result(NAMESPACE, named["operation"], to_query(named["operation"], named["answer"]), request_id)

    async def _answer(self, request: HttpRequest, place: NetworkPlace, name: str | None) -> dict[str, Any] | Refusal:
        """`name` None: the query protocol, whose answers need the operation's name."""
        caller = self._authority.authenticate(request, service=SERVICE, skew_seconds=SKEW_SECONDS)
        if isinstance(caller, Fault):
            return Refusal(FAULTS[caller.kind], caller.message)
        read = _read_query(request) if name is None else _read_json(request, name)
        if isinstance(read, Refusal):
            return read
        operation, parameters = read
        asked = Asked(
            caller,
            operation,
            parameters,
            network_context(request, place, now=self._clock(), region=self._region),
            host=(request.header(b"host") or b"localhost").decode("latin-1"),
        )
        try:
            answer = await self._operations[operation](asked)
        except ShareUsed as error:
            log.warning("%s: %s", operation, error)
            return SHARE_USED
        except StoreFull as error:
            log.warning("%s: %s", operation, error)
            return THROTTLED
        except StoreUnavailable as error:
            log.error("%s: %s", operation, error)
            return UNAVAILABLE
        if isinstance(answer, Refusal) or name is not None:
            return answer
        return {"operation": operation, "answer": answer}


_Read = tuple[str, dict[str, Any]]


def _read_json(request: HttpRequest, name: str) -> _Read | Refusal:
    members = INPUTS.get(name)
    if members is None:
        return Refusal("InvalidAction", f"The operation {name[:80]} is not one of this endpoint.")
    try:
        content = orjson.loads(request.body or b"{}")
    except orjson.JSONDecodeError:
        return Refusal("SerializationException", "The request body is not valid JSON.")
    parameters = from_json(members, content)
    return parameters if isinstance(parameters, Refusal) else (name, parameters)


def _read_query(request: HttpRequest) -> _Read | Refusal:
    call = read_call(request, VERSION, most=_MOST_PARAMETERS, longest=_MOST_FORM_BYTES)
    if isinstance(call, answers.Refusal):
        return Refusal(call.code, call.message)
    members = INPUTS.get(call.action)
    if members is None:
        text = f"The action {call.action[:80]} is not valid for this endpoint."
        return Refusal("InvalidAction", text)
    parameters = from_query(members, call.parameters)
    if isinstance(parameters, Refusal):
        return parameters
    if "QueueUrl" in members and "QueueUrl" not in parameters:  # the queue's own address was called
        parameters["QueueUrl"] = quote(request.raw_path.decode("ascii", "replace"), safe="/%")
    return call.action, parameters


def _json_refusal(refusal: Refusal) -> HttpResponse:
    row = refusal.row
    fault = "Sender" if row.status < 500 else "Receiver"
    headers = [(b"content-type", CONTENT_TYPE), (b"x-amzn-query-error", f"{row.query};{fault}".encode())]
    content = orjson.dumps({"__type": row.json, "message": refusal.message})
    return HttpResponse(row.status, headers, content)


def _json(status: int, content: Mapping[str, Any]) -> HttpResponse:
    return HttpResponse(status, [(b"content-type", CONTENT_TYPE)], orjson.dumps(content))
