"""Whatever a signed caller sends to SQS or SNS, it is answered or refused: never a fault of ours."""

import json
import random
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.exceptions import ClientError

from harness.clock import utc_now
from harness.queues.shapes import INPUTS, Many, Pairs, Parts, Shape, Text, Whole
from harness.wire import Handler, HttpResponse
from tests.access.landscape import ORDERS, REGION, WORKBENCH, a_sealer, a_session, signed
from tests.queues.endpoint import OWNER
from tests.topics.endpoint import Landscape, landscape

QUEUE, TOPIC = f"arn:aws:sqs:{REGION}:{ORDERS}:q", f"arn:aws:sns:{REGION}:{ORDERS}:t"
REQUESTS = 400
TEXTS = [
    "", "x", "q", "q.fifo", "t", "ü", "\x00", "\ud800", "9" * 400, "-1", "0", "10", "true", "All", ".*", "{}", "[]",
    "null", "[[", "*", "a" * 300, "[" * 3000, "AAAA", QUEUE, TOPIC, "arn:::::", f"http://localhost/{ORDERS}/q",
    "http://[/", "http://x:99999/", "//", "String", "Number", "Binary", "Number.x", "String.Array", "json",
    "sqs", "http", "http://127.0.0.1:1/", "FilterPolicy", "FilterPolicyScope", "MessageBody", "RedrivePolicy",
    "DeliveryPolicy", "Policy", "Publish", ORDERS, '{"default": 1}', '{"default": "x"}',
    '{"Version": "2012-10-17", "Statement": []}', '{"Statement": 1}', '{"a": [{"numeric": [">", "x"]}]}',
    '{"$or": [{"a": ["x"]}, {"b": ["y"]}]}', '{"a": [[1]]}', '{"healthyRetryPolicy": {"numRetries": "a"}}',
    '{"healthyRetryPolicy": []}', f'{{"deadLetterTargetArn": "{QUEUE}", "maxReceiveCount": "1"}}',
    '{"deadLetterTargetArn": 1, "maxReceiveCount": []}', '{"redrivePermission": "byQueue", "sourceQueueArns": [1]}',
]  # fmt: skip
MISFITS = [None, 1, 1.5, True, "x", [], {}, [None], {"a": None}, -5, 10**30]
NUMBERS = [0, 1, -1, 10, 11, 20, 43_200, 2**31, 10**18]
ATTRIBUTES = [
    "Policy",
    "RedrivePolicy",
    "RedriveAllowPolicy",
    "VisibilityTimeout",
    "FifoQueue",
    "AWSTraceHeader",
    "a",
    "",
]
SNS_OPERATIONS = (
    "CreateTopic ListTopics GetTopicAttributes SetTopicAttributes Subscribe ConfirmSubscription Unsubscribe "
    "ListSubscriptions ListSubscriptionsByTopic GetSubscriptionAttributes SetSubscriptionAttributes Publish "
    "PublishBatch TagResource UntagResource ListTagsForResource AddPermission RemovePermission"
)
SNS_PARAMETERS = (
    "Name TopicArn Protocol Endpoint Token SubscriptionArn AttributeName AttributeValue Message Subject "
    "MessageStructure MessageGroupId MessageDeduplicationId ResourceArn NextToken Label Attributes.entry.1.key "
    "Attributes.entry.1.value Tags.member.1.Key Tags.member.1.Value TagKeys.member.1 AWSAccountId.member.1 "
    "ActionName.member.1 PublishBatchRequestEntries.member.1.Id PublishBatchRequestEntries.member.1.Message "
    "MessageAttributes.entry.1.Name MessageAttributes.entry.1.Value.DataType "
    "MessageAttributes.entry.1.Value.StringValue"
)


@pytest.fixture(scope="module")
def running() -> Iterator[Landscape]:
    with landscape() as found:
        sqs, sns = found.client("owner", "CreateQueue"), found.client("owner", "CreateTopic")
        sqs.create_queue(QueueName="q")
        sqs.create_queue(QueueName="q.fifo", Attributes={"FifoQueue": "true"})
        sns.create_topic(Name="t")
        yield found


def ask(running: Landscape, api: Handler, service: str, header: tuple[bytes, bytes], body: bytes) -> HttpResponse:
    now = utc_now().replace(microsecond=0)
    credentials = a_sealer().issue(a_session(OWNER, now=now))
    request = signed(credentials, service=service, now=now, method="POST", path=b"/", body=body, headers=[header])

    async def answer() -> HttpResponse:
        return await api(request, WORKBENCH)

    return running.loop.run(answer())


def some(shape: Shape, chance: random.Random) -> Any:
    if chance.random() < 0.12:
        return chance.choice(MISFITS)
    match shape:
        case Text():
            return chance.choice(TEXTS)
        case Whole():
            return chance.choice(NUMBERS)
        case Many():
            return [some(shape.item, chance) for _ in range(chance.randrange(4))]
        case Pairs():
            return {chance.choice(ATTRIBUTES): some(shape.item, chance) for _ in range(chance.randrange(3))}
        case Parts():
            return {name: some(each, chance) for name, each in shape.members.items() if chance.random() < 0.8}


@pytest.mark.parametrize("seed", range(3))
def test_sqs_has_an_answer_to_everything(running: Landscape, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(REQUESTS):
        operation = chance.choice([name for name in INPUTS if name != "DeleteQueue"])
        sent = {name: some(shape, chance) for name, shape in INPUTS[operation].items() if chance.random() < 0.85}
        if "QueueUrl" in sent and chance.random() < 0.8:
            sent["QueueUrl"] = chance.choice([f"/{ORDERS}/q", f"/{ORDERS}/q.fifo"])
        if sent.get("WaitTimeSeconds"):
            sent["WaitTimeSeconds"] = 21
        target = (b"x-amz-target", f"AmazonSQS.{operation}".encode())
        answer = ask(running, running.queues.api, "sqs", target, json.dumps(sent).encode())
        assert answer.status < 500, (operation, sent)


@pytest.mark.parametrize("seed", range(3))
def test_sns_has_an_answer_to_everything(running: Landscape, seed: int) -> None:
    chance = random.Random(seed)
    sns = running.client("owner", "Subscribe")
    subscription = sns.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=f"{QUEUE}-{seed}")["SubscriptionArn"]
    for _ in range(REQUESTS):
        operation = chance.choice(SNS_OPERATIONS.split())
        sent = {name: chance.choice([*TEXTS, subscription]) for name in SNS_PARAMETERS.split() if chance.random() < 0.4}
        for name, good in (("TopicArn", TOPIC), ("SubscriptionArn", subscription)):
            if chance.random() < 0.7:
                sent[name] = good
        form = urlencode({"Action": operation, "Version": "2010-03-31", **sent}, errors="surrogatepass").encode()
        header = (b"content-type", b"application/x-www-form-urlencoded")
        answer = ask(running, running.api, "sns", header, form)
        assert answer.status < 500, (operation, sent)


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        pytest.param(
            "subscribe",
            {"Protocol": "sqs", "Endpoint": QUEUE, "Attributes": {"FilterPolicy": '{"a": ["\\ud800"]}'}},
            id="a filter policy",
        ),
        pytest.param("publish", {"MessageStructure": "json", "Message": '{"default": "\\ud800"}'}, id="a message"),
    ],
)
def test_half_a_character_is_refused(running: Landscape, operation: str, parameters: dict[str, Any]) -> None:
    sns = running.client("owner", "Publish")
    with pytest.raises(ClientError, match="failed to parse"):
        getattr(sns, operation)(TopicArn=TOPIC, **parameters)


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        pytest.param(
            "create_topic",
            {"Name": "long", "Attributes": {"KmsMasterKeyId": "k" * 10_241}},
            id="an attribute of a topic",
        ),
        pytest.param(
            "subscribe",
            {
                "TopicArn": TOPIC,
                "Protocol": "sqs",
                "Endpoint": QUEUE,
                "Attributes": {"DeliveryPolicy": json.dumps({"x": "y" * 10_240})},
            },
            id="an attribute of a subscription",
        ),
    ],
)
def test_what_is_kept_for_good_has_a_bound(running: Landscape, operation: str, parameters: dict[str, Any]) -> None:
    with pytest.raises(ClientError, match="long"):
        getattr(running.client("owner", "Publish"), operation)(**parameters)


def test_statements_are_added_to_a_policy_until_it_is_as_long_as_one_may_be(running: Landscape) -> None:
    sqs, sns = running.client("owner", "CreateQueue"), running.client("owner", "CreateTopic")
    url, topic = sqs.create_queue(QueueName="much")["QueueUrl"], sns.create_topic(Name="much")["TopicArn"]
    accounts = [f"{number:012d}" for number in range(100)]
    sqs.add_permission(QueueUrl=url, Label="a", AWSAccountIds=accounts, Actions=["SendMessage"])
    sns.add_permission(TopicArn=topic, Label="a", AWSAccountId=accounts, ActionName=["Publish"])
    sqs.add_permission(QueueUrl=url, Label="b", AWSAccountIds=accounts, Actions=["SendMessage"])
    sns.add_permission(TopicArn=topic, Label="b", AWSAccountId=accounts, ActionName=["Publish"])
    with pytest.raises(sqs.exceptions.OverLimit):
        sqs.add_permission(QueueUrl=url, Label="c", AWSAccountIds=accounts, Actions=["SendMessage"])
    with pytest.raises(ClientError, match="10,240 in"):
        sns.add_permission(TopicArn=topic, Label="c", AWSAccountId=accounts, ActionName=["Publish"])


def test_nothing_is_remembered_of_topics_that_are_gone() -> None:
    with landscape() as alone:  # where no other test's messages are still under way
        sns = alone.client("owner", "CreateTopic")
        for number in range(5):
            arn = sns.create_topic(Name=f"gone-{number}")["TopicArn"]
            sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=QUEUE)
            sns.get_topic_attributes(TopicArn=arn)
            assert alone.registry.known
            sns.delete_topic(TopicArn=arn)
        assert alone.registry.known == {}


@pytest.mark.parametrize("levels", [255, 400, 900, 5000])
def test_a_filter_policy_that_is_too_deep_is_refused(running: Landscape, levels: int) -> None:
    policy = '{"a":' * levels + '["x"]' + "}" * levels
    attributes = {"FilterPolicyScope": "MessageBody", "FilterPolicy": policy}
    with pytest.raises(ClientError, match="FilterPolicy"):
        running.client("owner", "Subscribe").subscribe(
            TopicArn=TOPIC, Protocol="sqs", Endpoint=f"{QUEUE}-{levels}", Attributes=attributes
        )
