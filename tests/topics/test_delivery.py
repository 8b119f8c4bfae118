"""What subscribers get: the forms of a message, the handshake with HTTP endpoints, retries and their end."""

import json
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from harness.topics import filtering, notifier, writing
from harness.topics.model import DELIVERY, Delivery, Subscription, subscriptions_key
from harness.topics.notifier import retry_delay
from harness.wire import HttpRequest
from tests.access.landscape import ORDERS, REGION, STOCK, WORKBENCH
from tests.topics.endpoint import Landscape, Subscriber, landscape

OPEN = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": "*",
        },
    }
)


@pytest.fixture(scope="module")
def running() -> Iterator[Landscape]:
    with landscape() as found:
        yield found


@pytest.fixture
def subscriber() -> Iterator[Subscriber]:
    found = Subscriber()
    yield found
    found.close()


@pytest.fixture
def sns(running: Landscape) -> Any:
    return running.client("owner", "Publish")


@pytest.fixture
def sqs(running: Landscape) -> Any:
    return running.client("owner", "CreateQueue")


@pytest.fixture
def topic(sns: Any) -> str:
    arn: str = sns.create_topic(Name=f"t-{uuid.uuid4().hex[:10]}")["TopicArn"]
    return arn


def a_queue(sqs: Any) -> tuple[str, str]:
    """ARN and URL."""
    name = f"q-{uuid.uuid4().hex[:10]}"
    url = sqs.create_queue(QueueName=name, Attributes={"Policy": OPEN})["QueueUrl"]
    return f"arn:aws:sqs:{REGION}:{ORDERS}:{name}", url


def the_message(sqs: Any, url: str) -> dict[str, Any]:
    """The one that comes; a busy machine may take its time."""
    for _ in range(4):
        found = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20).get("Messages")
        if found:
            [message] = found
            return dict(message)
    raise AssertionError("no message came")


def visit(running: Landscape, url: str) -> int:
    """Without a signature, as whoever got the address would."""
    parts = urlsplit(url)
    request = HttpRequest("GET", b"/", parts.query.encode(), [(b"host", parts.netloc.encode())], b"")

    async def answer() -> int:
        return (await running.api(request, WORKBENCH)).status

    return running.loop.run(answer())


def passed_by(sns: Any, sqs: Any, topic: str, text: str) -> None:
    """Publishes, and returns when it has been shared out: a queue that was subscribed for it has it."""
    queue, url = a_queue(sqs)
    arn = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)["SubscriptionArn"]
    sns.publish(TopicArn=topic, Message=text)
    the_message(sqs, url)
    sns.unsubscribe(SubscriptionArn=arn)


def confirmed(running: Landscape, sns: Any, topic: str, subscriber: Subscriber, **attributes: str) -> str:
    """The subscription of an HTTP endpoint that has answered the question."""
    arn = sns.subscribe(
        TopicArn=topic,
        Protocol="http",
        Endpoint=subscriber.url,
        Attributes=attributes,
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]
    [(_, body)] = subscriber.wait_for(1)
    assert visit(running, json.loads(body)["SubscribeURL"]) == 200
    return str(arn)


def test_a_queue_gets_the_message_wrapped_in_json(running: Landscape, sns: Any, sqs: Any, topic: str) -> None:
    queue, url = a_queue(sqs)
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    attributes = {"size": {"DataType": "Number", "StringValue": "7"}}
    sent = sns.publish(TopicArn=topic, Message="grüße", Subject="s", MessageAttributes=attributes)
    message = the_message(sqs, url)
    body = json.loads(message["Body"])
    assert body.pop("Timestamp").endswith("Z")
    assert body.pop("Signature")
    assert body.pop("SigningCertURL").startswith(running.url)
    assert body.pop("UnsubscribeURL").startswith(f"{running.url}/?Action=Unsubscribe&SubscriptionArn=arn%3Aaws%3Asns")
    assert body == {
        "Type": "Notification",
        "MessageId": sent["MessageId"],
        "TopicArn": topic,
        "Subject": "s",
        "Message": "grüße",
        "SignatureVersion": "1",
        "MessageAttributes": {"size": {"Type": "Number", "Value": "7"}},
    }


def test_an_http_endpoint_is_asked_before_it_gets_anything(
    running: Landscape, sns: Any, sqs: Any, topic: str, subscriber: Subscriber
) -> None:
    pending = sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=subscriber.url)
    assert pending["SubscriptionArn"] == "pending confirmation"
    [(headers, body)] = subscriber.wait_for(1)
    asked = json.loads(body)
    assert headers["x-amz-sns-message-type"] == asked["Type"] == "SubscriptionConfirmation"
    passed_by(sns, sqs, topic, "too early")
    assert visit(running, asked["SubscribeURL"].replace(asked["Token"], "0" * 64)) == 400
    answer = sns.confirm_subscription(TopicArn=topic, Token=asked["Token"])
    sent = sns.publish(TopicArn=topic, Message="hello")
    _, (headers, body) = subscriber.wait_for(2)
    assert json.loads(body)["Message"] == "hello"
    assert headers["x-amz-sns-message-id"] == sent["MessageId"]
    assert headers["x-amz-sns-subscription-arn"] == answer["SubscriptionArn"]
    assert headers["content-type"] == "text/plain; charset=UTF-8"


def test_the_address_in_the_question_confirms_without_a_signature(
    running: Landscape, sns: Any, topic: str, subscriber: Subscriber
) -> None:
    arn = confirmed(running, sns, topic, subscriber, RawMessageDelivery="true")
    assert sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]["PendingConfirmation"] == "false"
    sns.publish(TopicArn=topic, Message="as it is")
    _, (headers, body) = subscriber.wait_for(2)
    assert (body, headers["x-amz-sns-rawdelivery"]) == ("as it is", "true")


def test_nothing_else_is_done_without_a_signature(running: Landscape, topic: str) -> None:
    assert visit(running, f"http://x/?Action=DeleteTopic&Version=2010-03-31&TopicArn={topic}") == 403


def test_the_address_in_a_message_ends_the_subscription_and_that_in_the_answer_restores_it(
    running: Landscape, sns: Any, sqs: Any, topic: str, subscriber: Subscriber
) -> None:
    arn = confirmed(running, sns, topic, subscriber)

    def attributes() -> tuple[str, str]:
        found = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
        return found["PendingConfirmation"], found["ConfirmationWasAuthenticated"]

    assert attributes() == ("false", "false")
    sns.publish(TopicArn=topic, Message="one")
    _, (_, body) = subscriber.wait_for(2)
    leave = json.loads(body)["UnsubscribeURL"]
    assert visit(running, leave) == 200
    headers, body = subscriber.wait_for(3)[2]
    farewell = json.loads(body)
    assert headers["x-amz-sns-message-type"] == farewell["Type"] == "UnsubscribeConfirmation"
    assert headers["x-amz-sns-subscription-arn"] == arn
    assert farewell["Message"].startswith(f"You have chosen to deactivate subscription {arn}.\n")
    assert attributes() == ("true", "false")
    assert visit(running, leave) == 403
    passed_by(sns, sqs, topic, "not for those who left")
    assert visit(running, farewell["SubscribeURL"]) == 200
    sns.publish(TopicArn=topic, Message="three")
    assert json.loads(subscriber.wait_for(4)[3][1])["Message"] == "three"
    assert attributes() == ("false", "false")


def test_a_token_is_good_for_one_word(running: Landscape, sns: Any, topic: str, subscriber: Subscriber) -> None:
    """Whoever has the first confirmation's address does not bring an endpoint back that has left."""
    confirmed(running, sns, topic, subscriber)
    first = json.loads(subscriber.got[0][1])["SubscribeURL"]
    sns.publish(TopicArn=topic, Message="one")
    assert visit(running, json.loads(subscriber.wait_for(2)[1][1])["UnsubscribeURL"]) == 200
    assert visit(running, first) == 400


def test_a_subscription_that_wants_a_signature_is_not_ended_without(
    running: Landscape, sns: Any, topic: str, subscriber: Subscriber
) -> None:
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=subscriber.url)
    question = json.loads(subscriber.wait_for(1)[0][1])
    arn = sns.confirm_subscription(TopicArn=topic, Token=question["Token"], AuthenticateOnUnsubscribe="true")[
        "SubscriptionArn"
    ]
    sns.publish(TopicArn=topic, Message="one")
    leave = json.loads(subscriber.wait_for(2)[1][1])["UnsubscribeURL"]
    assert visit(running, leave) == 403
    found = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    assert (found["PendingConfirmation"], found["ConfirmationWasAuthenticated"]) == ("false", "true")
    sns.unsubscribe(SubscriptionArn=arn)


def test_a_word_without_a_signature_guards_nothing(
    running: Landscape, sns: Any, topic: str, subscriber: Subscriber
) -> None:
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=subscriber.url)
    question = json.loads(subscriber.wait_for(1)[0][1])
    assert visit(running, question["SubscribeURL"] + "&AuthenticateOnUnsubscribe=true") == 200
    sns.publish(TopicArn=topic, Message="one")
    assert visit(running, json.loads(subscriber.wait_for(2)[1][1])["UnsubscribeURL"]) == 200


def test_a_queues_subscription_is_ended_with_a_signature_only(
    running: Landscape, sns: Any, sqs: Any, topic: str
) -> None:
    queue, url = a_queue(sqs)
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    for _ in range(2):
        sns.publish(TopicArn=topic, Message="hello")
        message = the_message(sqs, url)
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        assert visit(running, json.loads(message["Body"])["UnsubscribeURL"]) == 403


@pytest.mark.parametrize("arn", ["", "x", "arn:aws:sns:eu-west-1:111111111111:none:1", "a:b:sns:d:e:f:g"])
def test_what_is_no_subscription_is_refused_as_one_that_may_not_be_ended(running: Landscape, arn: str) -> None:
    assert visit(running, f"http://x/?Action=Unsubscribe&Version=2010-03-31&SubscriptionArn={arn}") == 403


def test_whoever_subscribes_again_is_asked_again(sns: Any, topic: str, subscriber: Subscriber) -> None:
    for _ in range(2):
        sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=subscriber.url)
    one, other = (json.loads(body) for _, body in subscriber.wait_for(2))
    assert one["Token"] == other["Token"]
    assert len(sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]) == 1


@pytest.mark.parametrize("statuses", [[500, 503], [429]], ids=["a server's error", "too many requests"])
def test_an_endpoint_that_fails_is_asked_again(
    running: Landscape, sns: Any, topic: str, subscriber: Subscriber, statuses: list[int]
) -> None:
    confirmed(running, sns, topic, subscriber)
    subscriber.statuses = list(statuses)
    sent = sns.publish(TopicArn=topic, Message="hello")
    got = subscriber.wait_for(2 + len(statuses))
    assert {headers["x-amz-sns-message-id"] for headers, _ in got[1:]} == {sent["MessageId"]}


@pytest.mark.parametrize(
    ("statuses", "attempts"), [([404], 1), ([500] * 4, 4)], ids=["refused for good", "tried as often as it may be"]
)
def test_what_an_endpoint_does_not_take_is_a_dead_letter(
    running: Landscape, sns: Any, sqs: Any, topic: str, subscriber: Subscriber, statuses: list[int], attempts: int
) -> None:
    queue, url = a_queue(sqs)
    confirmed(running, sns, topic, subscriber, RedrivePolicy=json.dumps({"deadLetterTargetArn": queue}))
    subscriber.statuses = list(statuses)
    sns.publish(TopicArn=topic, Message="hello")
    letter = the_message(sqs, url)
    assert json.loads(letter["Body"])["Message"] == "hello"
    assert len(subscriber.got) == 1 + attempts


def test_an_address_that_no_dns_holds_is_given_up(running: Landscape, sns: Any, sqs: Any, topic: str) -> None:
    queue, url = a_queue(sqs)
    redrive = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": queue})}
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=f"http://{'a' * 70}.example/", Attributes=redrive)
    letter = the_message(sqs, url)
    assert json.loads(letter["Body"])["Type"] == "SubscriptionConfirmation"


def test_an_endpoint_that_has_left_gets_nothing(
    running: Landscape, sns: Any, topic: str, subscriber: Subscriber
) -> None:
    arn = confirmed(running, sns, topic, subscriber)
    sns.unsubscribe(SubscriptionArn=arn)
    other = Subscriber()
    confirmed(running, sns, topic, other)
    sns.publish(TopicArn=topic, Message="hello")
    other.wait_for(2)
    other.close()
    assert len(subscriber.got) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "2130706433"])
def test_the_container_of_another_account_is_out_of_reach(
    running: Landscape, sns: Any, sqs: Any, topic: str, subscriber: Subscriber, host: str
) -> None:
    base = subscriber.url.removesuffix("/notified")
    running.containers[base] = STOCK
    queue, url = a_queue(sqs)
    sns.subscribe(
        TopicArn=topic,
        Protocol="http",
        Endpoint=subscriber.url.replace("127.0.0.1", host),
        Attributes={"RedrivePolicy": json.dumps({"deadLetterTargetArn": queue})},
    )
    letter = the_message(sqs, url)
    assert json.loads(letter["Body"])["Type"] == "SubscriptionConfirmation"
    assert subscriber.got == []
    running.containers[base] = ORDERS
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=subscriber.url + "/own")
    subscriber.wait_for(1)


@pytest.mark.parametrize("host", ["a..b", f"{'a' * 64}.example", ".example"])
def test_an_address_that_no_dns_can_hold_stops_nobody_elses_messages(sns: Any, sqs: Any, topic: str, host: str) -> None:
    queue, url = a_queue(sqs)
    dead_letters = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": queue})}
    no_retries = {"DeliveryPolicy": json.dumps({"healthyRetryPolicy": {"numRetries": 0}})}
    sns.subscribe(
        TopicArn=topic, Protocol="http", Endpoint=f"http://{host}/", Attributes={**dead_letters, **no_retries}
    )
    letter = the_message(sqs, url)
    assert json.loads(letter["Body"])["Type"] == "SubscriptionConfirmation"


def test_a_fault_of_ours_about_one_message_stops_no_other(
    monkeypatch: pytest.MonkeyPatch, sns: Any, sqs: Any, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    def faulty(delivery: Delivery, *arguments: Any) -> str:
        if delivery.publication.message == "poison":
            raise RuntimeError("a fault of ours")
        return wrapped(delivery, *arguments)

    wrapped = writing.wrapped
    monkeypatch.setattr(writing, "wrapped", faulty)
    queue, url = a_queue(sqs)
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    sns.publish(TopicArn=topic, Message="poison")
    sns.publish(TopicArn=topic, Message="good")
    message = the_message(sqs, url)
    assert json.loads(message["Body"])["Message"] == "good"
    assert "a fault of ours" in caplog.text


@pytest.mark.parametrize("text", [b"no JSON", b"{}", b"[1]", b"17"])
def test_a_subscription_that_cannot_be_read_holds_up_no_other(
    running: Landscape, sns: Any, sqs: Any, topic: str, text: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    queue, url = a_queue(sqs)
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    key = (*subscriptions_key(topic), "0-broken")
    running.loop.run(running.queues.copy.put(key, text))
    sns.publish(TopicArn=topic, Message="good")
    [message] = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"]
    assert json.loads(message["Body"])["Message"] == "good"
    assert f"{'/'.join(key)} cannot be read" in caplog.text
    running.loop.run(running.queues.copy.delete(key))


def test_an_account_that_has_used_its_share_makes_no_topic(running: Landscape, sns: Any, topic: str) -> None:
    running.queues.copy.shares.bound = 1
    try:
        with pytest.raises(ClientError, match="has used its share") as refused:
            sns.create_topic(Name="one-too-many")
        assert refused.value.response["Error"]["Code"] == "Throttled"
        sns.delete_topic(TopicArn=topic)
    finally:
        running.queues.copy.shares.bound = 0


def test_a_filter_policy_that_cannot_be_decided_holds_up_no_other(
    monkeypatch: pytest.MonkeyPatch, sns: Any, sqs: Any, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    def faulty(subscription: Subscription, *more: Any) -> bool:
        if subscription.filter:
            raise RuntimeError("a fault of ours")
        return wants(subscription, *more)

    wants = filtering.wants
    monkeypatch.setattr(notifier, "wants", faulty)
    urls = []
    for attributes in ({"FilterPolicy": '{"a": ["b"]}'}, {}):
        queue, url = a_queue(sqs)
        urls.append(url)
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue, Attributes=attributes)
    sns.publish(TopicArn=topic, Message="good")
    assert len(sqs.receive_message(QueueUrl=urls[1], WaitTimeSeconds=20)["Messages"]) == 1
    assert "Messages" not in sqs.receive_message(QueueUrl=urls[0])
    assert "cannot be decided" in caplog.text


@pytest.mark.parametrize(
    ("policy", "delays"),
    [
        pytest.param(None, [20, 20, 20, None], id="three times after twenty seconds by default"),
        pytest.param({"numRetries": 0}, [None], id="never"),
        pytest.param({"numRetries": 3, "minDelayTarget": 1, "maxDelayTarget": 5}, [1, 3, 5, None], id="ever later"),
    ],
)
def test_when_the_next_attempt_is(policy: dict[str, int] | None, delays: list[float | None]) -> None:
    given = {} if policy is None else {DELIVERY: json.dumps({"healthyRetryPolicy": policy})}
    subscription = Subscription("arn:aws:sns:eu-west-1:111111111111:t", "1", "http", "http://x/", "1", given)
    assert [retry_delay(subscription, attempt) for attempt in range(1, len(delays) + 1)] == delays
