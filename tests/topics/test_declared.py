"""Topics of manifests: made once, kept as the manifest says, changed and deleted by it alone."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from harness.topics.declared import Declared, DeclaredSubscription, declare
from harness.topics.model import Subscription, Topic
from tests.access.landscape import ORDERS, REGION, STOCK
from tests.topics.endpoint import Landscape, landscape
from tests.topics.test_delivery import OPEN

FILE = "domains/orders/domain.yaml"
ARN = f"arn:aws:sns:{REGION}:{ORDERS}:news"
QUEUE, OTHER = f"arn:aws:sqs:{REGION}:{ORDERS}:work", f"arn:aws:sqs:{REGION}:{STOCK}:heard"
ADDRESSES = {ORDERS: "orders.example:1", STOCK: "stock.example:2"}
SUBSCRIPTIONS = (
    DeclaredSubscription(QUEUE, {"FilterPolicy": json.dumps({"kind": ["placed"]})}),
    DeclaredSubscription(OTHER, {"RawMessageDelivery": "true"}),
)
NEWS = Declared(ORDERS, "news", {"SignatureVersion": "2", "Policy": OPEN}, SUBSCRIPTIONS, FILE)


@pytest.fixture
def running() -> Iterator[Landscape]:
    with landscape() as found:
        yield found


@pytest.fixture
def sns(running: Landscape) -> Any:
    return running.client("owner", "Publish")


def declared(running: Landscape, *topics: Declared, addresses: Mapping[str, str] = ADDRESSES) -> None:
    running.loop.run(declare(running.registry, REGION, topics, addresses))


def the_topic(running: Landscape) -> Topic:
    found = running.loop.run(running.registry.topic(ARN))
    assert found is not None
    return found[0]


def subscriptions(running: Landscape) -> dict[str, Subscription]:
    return {each.endpoint: each for each in running.registry.subscriptions(ARN)}


def refused(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as raised:
        call(**arguments)
    error = raised.value.response["Error"]
    assert error["Code"] == "InvalidState"
    return str(error["Message"])


def test_a_topic_is_made_with_its_subscriptions(running: Landscape, sns: Any) -> None:
    declared(running, NEWS)
    attributes = sns.get_topic_attributes(TopicArn=ARN)["Attributes"]
    assert (attributes["SignatureVersion"], attributes["Policy"]) == ("2", OPEN)
    assert (attributes["SubscriptionsConfirmed"], attributes["SubscriptionsPending"]) == ("2", "0")
    found = subscriptions(running)
    assert found[QUEUE].filter == {"kind": ["placed"]}
    assert found[OTHER].raw
    assert {each.owner for each in found.values()} == {ORDERS}
    assert (found[QUEUE].address, found[OTHER].address) == (ADDRESSES[ORDERS], ADDRESSES[STOCK])


def test_made_again_it_is_the_same(running: Landscape) -> None:
    declared(running, NEWS)
    before = the_topic(running), subscriptions(running)
    declared(running, NEWS)
    assert (the_topic(running), subscriptions(running)) == before


def test_an_edge_at_another_address_is_what_subscribers_are_told_of(running: Landscape) -> None:
    declared(running, NEWS)
    before = subscriptions(running)
    declared(running, NEWS, addresses={**ADDRESSES, STOCK: "stock.example:3"})
    assert subscriptions(running)[OTHER] == replace(before[OTHER], address="stock.example:3")
    assert subscriptions(running)[QUEUE] == before[QUEUE]


def test_what_another_manifest_says_takes_the_place_of_what_the_last_one_said(running: Landscape, sns: Any) -> None:
    declared(running, NEWS)
    sns.set_topic_attributes(TopicArn=ARN, AttributeName="DisplayName", AttributeValue="News")
    id = the_topic(running).id
    declared(running, replace(NEWS, given={}, subscriptions=SUBSCRIPTIONS[:1]))
    topic = the_topic(running)
    assert (topic.id, topic.given, topic.fixed) == (id, {"DisplayName": "News"}, ())
    assert list(subscriptions(running)) == [QUEUE]


def test_a_topic_that_is_declared_no_more_is_the_apis(running: Landscape, sns: Any) -> None:
    declared(running, NEWS)
    declared(running)
    assert (the_topic(running).fixed, the_topic(running).declared_in) == ((), "")
    assert subscriptions(running) == {}
    sns.delete_topic(TopicArn=ARN)
    assert running.loop.run(running.registry.topic(ARN)) is None


def test_what_the_api_made_before_is_kept(running: Landscape, sns: Any) -> None:
    sns.create_topic(Name="news", Attributes={"DisplayName": "News"})
    sns.subscribe(TopicArn=ARN, Protocol="sqs", Endpoint=QUEUE, Attributes={"RawMessageDelivery": "true"})
    other = sns.subscribe(TopicArn=ARN, Protocol="sqs", Endpoint=QUEUE + "-too")["SubscriptionArn"]
    before = subscriptions(running)[QUEUE]
    declared(running, NEWS)
    assert the_topic(running).given["DisplayName"] == "News"
    found = subscriptions(running)
    assert set(found) == {QUEUE, QUEUE + "-too", OTHER}
    assert (found[QUEUE].arn, found[QUEUE].raw) == (before.arn, True)
    declared(running)
    assert [each.arn for each in subscriptions(running).values()] == [other]


def test_the_api_does_not_delete_what_a_manifest_declares(running: Landscape, sns: Any) -> None:
    declared(running, NEWS)
    told = refused(sns.delete_topic, TopicArn=ARN)
    assert told == f"The topic {ARN} is declared in {FILE}, which alone may delete it."
    subscription = subscriptions(running)[QUEUE].arn
    told = refused(sns.unsubscribe, SubscriptionArn=subscription)
    assert told == f"The subscription {subscription} is declared in {FILE}, which alone may end it."
    assert set(subscriptions(running)) == {QUEUE, OTHER}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("SignatureVersion", "1", id="the version of signatures"),
        pytest.param("SignatureVersion", "", id="nothing in its place"),
        pytest.param("Policy", json.dumps({**json.loads(OPEN), "Id": "another"}), id="the policy"),
    ],
)
def test_the_api_does_not_change_what_a_manifest_says_of_a_topic(
    running: Landscape, sns: Any, name: str, value: str
) -> None:
    declared(running, NEWS)
    told = refused(sns.set_topic_attributes, TopicArn=ARN, AttributeName=name, AttributeValue=value)
    assert told.endswith(f"declared in {FILE}, which alone may change its {name}.")


def test_the_api_sets_what_a_manifest_says_to_what_it_is(running: Landscape, sns: Any) -> None:
    declared(running, NEWS)
    for name, value in (("SignatureVersion", "2"), ("Policy", json.dumps(json.loads(OPEN), indent=1))):
        sns.set_topic_attributes(TopicArn=ARN, AttributeName=name, AttributeValue=value)
    sns.create_topic(Name="news", Attributes={"SignatureVersion": "2"})
    sns.subscribe(TopicArn=ARN, Protocol="sqs", Endpoint=QUEUE)


def test_permissions_do_not_change_a_declared_policy(running: Landscape, sns: Any) -> None:
    declared(running, NEWS)
    refused(sns.add_permission, TopicArn=ARN, Label="x", AWSAccountId=[STOCK], ActionName=["Publish"])
    refused(sns.remove_permission, TopicArn=ARN, Label="x")
    declared(running, replace(NEWS, given={}))
    sns.add_permission(TopicArn=ARN, Label="x", AWSAccountId=[STOCK], ActionName=["Publish"])


def test_the_api_does_not_change_what_a_manifest_says_of_a_subscription(running: Landscape, sns: Any) -> None:
    declared(running, NEWS)
    arn = subscriptions(running)[QUEUE].arn
    for value in ("{}", "", json.dumps({"kind": ["cancelled"]})):
        refused(
            sns.set_subscription_attributes, SubscriptionArn=arn, AttributeName="FilterPolicy", AttributeValue=value
        )
    sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName="RawMessageDelivery", AttributeValue="true")
    assert subscriptions(running)[QUEUE].raw


def test_topics_and_subscriptions_are_read_as_they_are_kept() -> None:
    topic = Topic(REGION, ORDERS, "news", "1", {"Policy": OPEN}, fixed=("Policy",), declared_in=FILE)
    subscription = Subscription(ARN, "1", "sqs", QUEUE, ORDERS, fixed=("FilterPolicy",), declared_in=FILE)
    assert Topic.from_bytes(topic.to_bytes()) == topic
    assert Subscription.from_bytes(subscription.to_bytes()) == subscription


def test_what_was_kept_before_there_were_declared_topics_is_read() -> None:
    topic = json.dumps({"region": REGION, "account": ORDERS, "name": "news", "id": "1", "given": {}, "tags": {}})
    assert Topic.from_bytes(topic.encode()) == Topic(REGION, ORDERS, "news", "1")
