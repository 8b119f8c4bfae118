"""The members of each operation, and how both protocols write them.

Source: botocore's model of sqs 2012-11-05; the names in the query protocol from the Amazon SQS API Reference.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from harness.query_protocol.answers import Flat, Members
from harness.query_protocol.calls import Parameters
from harness.queues.refusals import Refusal


@dataclass(frozen=True, slots=True)
class Text:
    """Blobs too: base64 in both protocols."""


@dataclass(frozen=True, slots=True)
class Whole:
    pass


@dataclass(frozen=True, slots=True)
class Many:
    """`query`: the name that each item has, numbered, in the query protocol."""

    query: str
    item: "Shape"


@dataclass(frozen=True, slots=True)
class Pairs:
    """A map from text; `key` and `value` are their names in the query protocol."""

    query: str
    item: "Shape"
    key: str = "Name"
    value: str = "Value"


@dataclass(frozen=True, slots=True)
class Parts:
    members: "Mapping[str, Shape]"


Shape: TypeAlias = "Text | Whole | Many | Pairs | Parts"

TEXT, WHOLE = Text(), Whole()
_ATTRIBUTE = Parts({"StringValue": TEXT, "BinaryValue": TEXT, "DataType": TEXT})
_QUEUE: Mapping[str, Shape] = {"QueueUrl": TEXT}
_ATTRIBUTES: Mapping[str, Shape] = {"Attributes": Pairs("Attribute", TEXT)}
_TAGS = Pairs("Tag", TEXT, "Key", "Value")
_MESSAGE: Mapping[str, Shape] = {
    "MessageBody": TEXT,
    "DelaySeconds": WHOLE,
    "MessageAttributes": Pairs("MessageAttribute", _ATTRIBUTE),
    "MessageSystemAttributes": Pairs("MessageSystemAttribute", _ATTRIBUTE),
    "MessageDeduplicationId": TEXT,
    "MessageGroupId": TEXT,
}
_RECEIPT: Mapping[str, Shape] = {"ReceiptHandle": TEXT}
_VISIBILITY: Mapping[str, Shape] = {**_RECEIPT, "VisibilityTimeout": WHOLE}


def _entries(operation: str, members: Mapping[str, Shape]) -> Mapping[str, Shape]:
    return {**_QUEUE, "Entries": Many(f"{operation}RequestEntry", Parts({"Id": TEXT, **members}))}


INPUTS: Mapping[str, Mapping[str, Shape]] = {
    "AddPermission": {
        **_QUEUE,
        "Label": TEXT,
        "AWSAccountIds": Many("AWSAccountId", TEXT),
        "Actions": Many("ActionName", TEXT),
    },
    "CancelMessageMoveTask": {"TaskHandle": TEXT},
    "ChangeMessageVisibility": {**_QUEUE, **_VISIBILITY},
    "ChangeMessageVisibilityBatch": _entries("ChangeMessageVisibilityBatch", _VISIBILITY),
    "CreateQueue": {"QueueName": TEXT, **_ATTRIBUTES, "tags": _TAGS},
    "DeleteMessage": {**_QUEUE, **_RECEIPT},
    "DeleteMessageBatch": _entries("DeleteMessageBatch", _RECEIPT),
    "DeleteQueue": _QUEUE,
    "GetQueueAttributes": {**_QUEUE, "AttributeNames": Many("AttributeName", TEXT)},
    "GetQueueUrl": {"QueueName": TEXT, "QueueOwnerAWSAccountId": TEXT},
    "ListDeadLetterSourceQueues": {**_QUEUE, "NextToken": TEXT, "MaxResults": WHOLE},
    "ListMessageMoveTasks": {"SourceArn": TEXT, "MaxResults": WHOLE},
    "ListQueues": {"QueueNamePrefix": TEXT, "NextToken": TEXT, "MaxResults": WHOLE},
    "ListQueueTags": _QUEUE,
    "PurgeQueue": _QUEUE,
    "ReceiveMessage": {
        **_QUEUE,
        "AttributeNames": Many("AttributeName", TEXT),
        "MessageSystemAttributeNames": Many("MessageSystemAttributeName", TEXT),
        "MessageAttributeNames": Many("MessageAttributeName", TEXT),
        "MaxNumberOfMessages": WHOLE,
        "VisibilityTimeout": WHOLE,
        "WaitTimeSeconds": WHOLE,
        "ReceiveRequestAttemptId": TEXT,
    },
    "RemovePermission": {**_QUEUE, "Label": TEXT},
    "SendMessage": {**_QUEUE, **_MESSAGE},
    "SendMessageBatch": _entries("SendMessageBatch", _MESSAGE),
    "SetQueueAttributes": {**_QUEUE, **_ATTRIBUTES},
    "StartMessageMoveTask": {"SourceArn": TEXT, "DestinationArn": TEXT, "MaxNumberOfMessagesPerSecond": WHOLE},
    "TagQueue": {**_QUEUE, "Tags": _TAGS},
    "UntagQueue": {**_QUEUE, "TagKeys": Many("TagKey", TEXT)},
}

MOST_NUMBER = 20
"""Numbered lists are read so far; what more there is, is one too many for any operation but those with names."""
_MOST_NAMES = 100
# `SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.StringValue` is the deepest name.
_MOST_PARTS = 6


def from_json(members: Mapping[str, Shape], content: object) -> dict[str, Any] | Refusal:
    """The members that the operation knows; null counts as left out."""
    if not isinstance(content, dict):
        return _unexpected("the request")
    found: dict[str, Any] = {}
    for name, shape in members.items():
        if content.get(name) is None:
            continue
        value = _json_value(shape, content[name], name)
        if isinstance(value, Refusal):
            return value
        found[name] = value
    return found


def _json_value(shape: Shape, value: object, where: str) -> Any:
    match shape:
        case Text() if isinstance(value, str):
            return value
        case Whole() if isinstance(value, int) and not isinstance(value, bool):
            return value
        case Parts():
            return from_json(shape.members, value)
        case Many() if isinstance(value, list):
            items = [_json_value(shape.item, item, where) for item in value]
            return next((item for item in items if isinstance(item, Refusal)), items)
        case Pairs() if isinstance(value, dict):
            pairs = {key: _json_value(shape.item, item, where) for key, item in value.items()}
            return next((item for item in pairs.values() if isinstance(item, Refusal)), pairs)
        case _:
            return _unexpected(where)


def _unexpected(where: str) -> Refusal:
    return Refusal("SerializationException", f"Unexpected field type: {where}")


@dataclass(frozen=True, slots=True)
class _Form:
    """`named`: the beginnings of all names, by which a list is known to go on without a look at each name."""

    parameters: Parameters
    named: frozenset[str]


def from_query(members: Mapping[str, Shape], parameters: Parameters) -> dict[str, Any] | Refusal:
    named = {beginning for name in parameters for beginning in _beginnings(name)}
    return _from_form(members, _Form(parameters, frozenset(named)), "")


def _beginnings(name: str) -> list[str]:
    """`a.1.b` has `a`, `a.1`, `a.1.b`; what is deeper than any member has no more."""
    parts = name.split(".", _MOST_PARTS)
    return [".".join(parts[:count]) for count in range(1, len(parts) + 1)]


def _from_form(members: Mapping[str, Shape], form: _Form, prefix: str) -> dict[str, Any] | Refusal:
    found: dict[str, Any] = {}
    for name, shape in members.items():
        value = _query_value(shape, form, prefix + name, prefix)
        if isinstance(value, Refusal):
            return value
        if value is not None:
            found[name] = value
    return found


def _query_value(shape: Shape, form: _Form, name: str, prefix: str) -> Any:
    match shape:
        case Text():
            return form.parameters.get(name)
        case Whole():
            return _whole(form.parameters.get(name), name)
        case Parts():
            return _from_form(shape.members, form, f"{name}.")
        case Many():
            values = [
                _query_value(shape.item, form, numbered, prefix) for numbered in _numbered(form, prefix + shape.query)
            ]
            return next((value for value in values if isinstance(value, Refusal)), values) if values else None
        case Pairs():
            pairs: dict[str, Any] = {}
            for numbered in _numbered(form, prefix + shape.query):
                value = _query_value(shape.item, form, f"{numbered}.{shape.value}", prefix)
                if isinstance(value, Refusal):
                    return value
                pairs[form.parameters.get(f"{numbered}.{shape.key}", "")] = "" if value is None else value
            return pairs or None


def _numbered(form: _Form, name: str) -> list[str]:
    """`Tag.1`, `Tag.2`, … as long as there is one."""
    found = []
    for number in range(1, _MOST_NAMES):
        numbered = f"{name}.{number}"
        if numbered not in form.named:
            break
        found.append(numbered)
    return found


def _whole(text: str | None, name: str) -> int | Refusal | None:
    if text is None:
        return None
    try:
        return int(text) if len(text) < 12 else _not_whole(text, name)
    except ValueError:
        return _not_whole(text, name)


def _not_whole(text: str, name: str) -> Refusal:
    return Refusal(
        "InvalidParameterValue", f"Value {text} for parameter {name} is invalid. Reason: Must be an integer."
    )


_LISTS = {
    "QueueUrls": "QueueUrl",
    "queueUrls": "QueueUrl",
    "Messages": "Message",
    "Failed": "BatchResultErrorEntry",
    "Results": "ListMessageMoveTasksResult",
}
_PAIRS = {
    "Attributes": ("Attribute", "Name"),
    "MessageAttributes": ("MessageAttribute", "Name"),
    "Tags": ("Tag", "Key"),
}


def to_query(operation: str, content: Mapping[str, Any]) -> Members:
    """An answer of the JSON protocol with the query protocol's names."""
    found: dict[str, Any] = {}
    for name, value in content.items():
        if name == "Successful":
            found[f"{operation}ResultEntry"] = Flat([to_query(operation, item) for item in value])
        elif name in _LISTS:
            found[_LISTS[name]] = Flat(
                [to_query(operation, item) if isinstance(item, dict) else item for item in value]
            )
        elif name in _PAIRS:
            element, key = _PAIRS[name]
            found[element] = Flat([{key: each, "Value": item} for each, item in value.items()])
        else:
            found[name] = value
    return found
