"""Both protocols, byte by byte: what a client sends that is no SDK, and what it gets."""

import json
import re
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from harness.clock import utc_now
from harness.queues.declared import Declared, declare
from harness.wire import HttpRequest, HttpResponse
from tests.access.landscape import ORDERS, REGION, WORKBENCH, a_sealer, a_session, signed
from tests.bus.endpoint import Loop
from tests.queues.endpoint import OWNER, Endpoint

FORM = (b"content-type", b"application/x-www-form-urlencoded")


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    loop = Loop()
    endpoint = Endpoint(loop, recent_seconds=0, most=5)
    yield endpoint
    endpoint.close()
    loop.close()


def a_request(body: bytes, *, path: bytes = b"/", target: bytes = b"") -> HttpRequest:
    now = utc_now().replace(microsecond=0)
    credentials = a_sealer().issue(a_session(OWNER, now=now))
    headers = [(b"x-amz-target", target)] if target else [FORM]
    return signed(credentials, service="sqs", now=now, method="POST", path=path, body=body, headers=headers)


def ask(endpoint: Endpoint, request: HttpRequest) -> HttpResponse:
    async def answer() -> HttpResponse:
        return await endpoint.api(request, WORKBENCH)

    return endpoint.loop.run(answer())


def query(endpoint: Endpoint, action: str, parameters: dict[str, str] | None = None, path: bytes = b"/") -> str:
    form = {"Action": action, "Version": "2012-11-05", **(parameters or {})}
    return ask(endpoint, a_request(urlencode(form).encode(), path=path)).body.decode()


def code(xml: str) -> str:
    found = re.search(r"<Code>(.*)</Code>", xml)
    return found[1] if found else ""


def test_a_conversation_in_the_query_protocol(endpoint: Endpoint) -> None:
    made = query(
        endpoint,
        "CreateQueue",
        {"QueueName": "form", "Attribute.1.Name": "VisibilityTimeout", "Attribute.1.Value": "7", "Tag.1.Key": "a",
         "Tag.1.Value": "b"},
    )  # fmt: skip
    assert f"<QueueUrl>http://localhost:4566/{ORDERS}/form</QueueUrl>" in made
    assert '<CreateQueueResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/">' in made
    path = f"/{ORDERS}/form".encode()
    sent = query(
        endpoint,
        "SendMessage",
        {"MessageBody": "a<b>&", "MessageAttribute.1.Name": "n", "MessageAttribute.1.Value.DataType": "String",
         "MessageAttribute.1.Value.StringValue": "v"},
        path,
    )  # fmt: skip
    assert "<MD5OfMessageBody>" in sent
    assert "<MD5OfMessageAttributes>" in sent
    got = query(
        endpoint,
        "ReceiveMessage",
        {"AttributeName.1": "All", "MessageAttributeName.1": "All", "VisibilityTimeout": "0"},
        path,
    )
    assert "<Body>a&lt;b&gt;&amp;</Body>" in got
    flat = re.sub(r"\s+", "", got)
    assert "<Attribute><Name>ApproximateReceiveCount</Name><Value>1</Value></Attribute>" in flat
    assert (
        "<MessageAttribute><Name>n</Name><Value><StringValue>v</StringValue><DataType>String</DataType></Value>"
        "</MessageAttribute>" in flat
    )
    handle = re.search(r"<ReceiptHandle>(.*)</ReceiptHandle>", got)
    assert handle
    batch = query(
        endpoint,
        "DeleteMessageBatch",
        {"DeleteMessageBatchRequestEntry.1.Id": "a", "DeleteMessageBatchRequestEntry.1.ReceiptHandle": handle[1],
         "DeleteMessageBatchRequestEntry.2.Id": "b", "DeleteMessageBatchRequestEntry.2.ReceiptHandle": "forged"},
        path,
    )  # fmt: skip
    flat = re.sub(r"\s+", "", batch)
    assert "<DeleteMessageBatchResultEntry><Id>a</Id></DeleteMessageBatchResultEntry>" in flat
    assert "<BatchResultErrorEntry><Id>b</Id><SenderFault>true</SenderFault><Code>ReceiptHandleIsInvalid</Code>" in flat
    told = query(endpoint, "GetQueueAttributes", {"AttributeName.1": "VisibilityTimeout"}, path)
    assert "<Name>VisibilityTimeout</Name>" in told
    assert "<Value>7</Value>" in told
    tags = re.sub(r"\s+", "", query(endpoint, "ListQueueTags", {}, path))
    assert "<Tag><Key>a</Key><Value>b</Value></Tag>" in tags


@pytest.mark.parametrize(
    ("action", "parameters", "expected"),
    [
        pytest.param("Fly", {}, "InvalidAction", id="an action that there is not"),
        pytest.param("SendMessage", {"QueueUrl": f"/{ORDERS}/none", "MessageBody": "x"},
                     "AWS.SimpleQueueService.NonExistentQueue", id="a queue that there is not"),
        pytest.param("SendMessage", {}, "InvalidAddress", id="no queue named at all"),
        pytest.param("ReceiveMessage", {"QueueUrl": "/x/y", "MaxNumberOfMessages": "ten"}, "InvalidParameterValue",
                     id="a number that is none"),
        pytest.param("ReceiveMessage", {"QueueUrl": "/x/y", "MaxNumberOfMessages": "9" * 5000},
                     "InvalidParameterValue", id="a number longer than any"),
        pytest.param("ListQueues", {"Version": "2009-02-01"}, "InvalidAction", id="an old version"),
    ],
)  # fmt: skip
def test_refusals_of_the_query_protocol(
    endpoint: Endpoint, action: str, parameters: dict[str, str], expected: str
) -> None:
    assert code(query(endpoint, action, parameters)) == expected


@pytest.mark.parametrize(
    ("target", "body", "type_", "query_error"),
    [
        pytest.param(b"AmazonSQS.Fly", b"{}", "com.amazon.coral.service#UnknownOperationException",
                     "InvalidAction;Sender", id="an operation that there is not"),
        pytest.param(b"AmazonSQS.SendMessage", b"{", "com.amazon.coral.service#SerializationException",
                     "MalformedInput;Sender", id="no JSON"),
        pytest.param(b"AmazonSQS.SendMessage", b"[]", "com.amazon.coral.service#SerializationException",
                     "MalformedInput;Sender", id="a list"),
        pytest.param(b"AmazonSQS.SendMessage", b'{"QueueUrl": "/111111111111/none", "MessageBody": "x"}',
                     "com.amazonaws.sqs#QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue;Sender",
                     id="a queue that there is not"),
        pytest.param(b"AmazonSQS.SendMessageBatch", b'{"QueueUrl": "/111111111111/none", "Entries": [1]}',
                     "com.amazon.coral.service#SerializationException", "MalformedInput;Sender",
                     id="an entry that is no structure"),
        pytest.param(b"AmazonSQS.TagQueue", b'{"QueueUrl": "/111111111111/none", "Tags": {"a": null}}',
                     "com.amazon.coral.service#SerializationException", "MalformedInput;Sender",
                     id="null as a tag's value"),
    ],
)  # fmt: skip
def test_refusals_of_the_json_protocol(
    endpoint: Endpoint, target: bytes, body: bytes, type_: str, query_error: str
) -> None:
    answer = ask(endpoint, a_request(body, target=target))
    assert answer.status == 400
    assert json.loads(answer.body)["__type"] == type_
    assert dict(answer.headers)[b"x-amzn-query-error"].decode() == query_error


def test_whoever_does_not_sign_is_refused_in_both(endpoint: Endpoint) -> None:
    bare = HttpRequest("POST", b"/", b"", [(b"host", b"localhost:4566"), FORM], b"Action=ListQueues")
    assert code(ask(endpoint, bare).body.decode()) == "MissingAuthenticationToken"
    target = (b"x-amz-target", b"AmazonSQS.ListQueues")
    answer = ask(endpoint, HttpRequest("POST", b"/", b"", [(b"host", b"localhost:4566"), target], b"{}"))
    assert (answer.status, json.loads(answer.body)["__type"]) == (
        403,
        "com.amazon.coral.service#MissingAuthenticationTokenException",
    )


def test_a_full_queue_refuses_and_keeps_what_it_has(endpoint: Endpoint) -> None:
    query(endpoint, "CreateQueue", {"QueueName": "full"})
    path = f"/{ORDERS}/full".encode()
    answers = [code(query(endpoint, "SendMessage", {"MessageBody": str(number)}, path)) for number in range(6)]
    assert answers == ["", "", "", "", "", "RequestThrottled"]
    told = query(endpoint, "GetQueueAttributes", {"AttributeName.1": "ApproximateNumberOfMessages"}, path)
    assert "<Value>5</Value>" in told


def test_a_declared_queue_is_changed_and_deleted_by_its_manifest_alone(endpoint: Endpoint) -> None:
    declared = Declared(ORDERS, "declared", {"VisibilityTimeout": "60"}, "domains/orders/domain.yaml")
    endpoint.loop.run(declare(endpoint.broker, REGION, [declared]))
    path = f"/{ORDERS}/declared".encode()
    deleted = query(endpoint, "DeleteQueue", {}, path)
    assert code(deleted) == "AWS.SimpleQueueService.UnsupportedOperation"
    assert "declared in domains/orders/domain.yaml, which alone may delete it" in deleted

    def set_(name: str, value: str) -> str:
        return query(endpoint, "SetQueueAttributes", {"Attribute.1.Name": name, "Attribute.1.Value": value}, path)

    assert "which alone may change its VisibilityTimeout" in set_("VisibilityTimeout", "61")
    assert code(set_("VisibilityTimeout", "60")) == ""
    assert code(set_("DelaySeconds", "1")) == ""
    endpoint.loop.run(declare(endpoint.broker, REGION, []))
    assert code(query(endpoint, "DeleteQueue", {}, path)) == ""
