"""The topics of a landscape, and what their queues let in."""

import json
from pathlib import Path
from typing import Any

from harness.manifest import Landscape, load
from harness.queues.declared import Declared as DeclaredQueue
from harness.topics.declared import Declared
from tests.manifest import landscape

ORDERS, STOCK = "011111111111", "222222222222"
NEWS = f"arn:aws:sns:eu-west-1:{ORDERS}:news"
TOPICS = """queues:
  work: {}
  dead: {}
topics:
  news:
    signature-version: 2
    policy: policies/topic.json
    subscriptions:
      - queue: work
        filter: {kind: [placed, {prefix: über}]}
        dead-letter: dead
      - queue: heard
        domain: stock
        filter: {order: {size: [{numeric: [">", 1]}]}}
        filter-scope: MessageBody
        raw: true
  in-order.fifo: {content-based-deduplication: true}
"""
OPEN = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}}


def topics(folder: Path, text: str = TOPICS) -> tuple[Landscape, dict[str, Declared]]:
    harness_yaml = landscape.copy(folder)
    changes = {
        "domains/orders/domain.yaml": {"subscribes:": f"{text}subscribes:"},
        "domains/stock/domain.yaml": {"runs-as:": "queues: {heard: {policy: ../orders/policies/topic.json}}\nruns-as:"},
    }
    landscape.edit(folder, changes)
    (folder / "domains/orders/policies/topic.json").write_text(json.dumps(OPEN))
    read = load(harness_yaml)
    return read, {each.name: each for each in read.topics()}


def queue(read: Landscape, name: str) -> DeclaredQueue:
    [found] = [each for each in read.queues() if each.name == name]
    return found


def statements(declared: DeclaredQueue) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(declared.given["Policy"])["Statement"]
    return found


def test_topics_have_snss_own_attributes(tmp_path: Path) -> None:
    read, found = topics(tmp_path)
    news = found["news"]
    assert (news.account, news.declared_in) == (ORDERS, "domains/orders/domain.yaml")
    assert news.given == {"SignatureVersion": "2", "Policy": json.dumps(OPEN)}
    assert found["in-order.fifo"].given == {"FifoTopic": "true", "ContentBasedDeduplication": "true"}
    assert tmp_path / "domains/orders/policies/topic.json" in read.files()


def test_subscriptions_have_snss_own_attributes(tmp_path: Path) -> None:
    own, other = topics(tmp_path)[1]["news"].subscriptions
    assert own.queue == f"arn:aws:sqs:eu-west-1:{ORDERS}:work"
    assert json.loads(own.given["FilterPolicy"]) == {"kind": ["placed", {"prefix": "über"}]}
    redrive = {"deadLetterTargetArn": f"arn:aws:sqs:eu-west-1:{ORDERS}:dead"}
    assert json.loads(own.given["RedrivePolicy"]) == redrive
    assert other.queue == f"arn:aws:sqs:eu-west-1:{STOCK}:heard"
    assert json.loads(other.given["FilterPolicy"]) == {"order": {"size": [{"numeric": [">", 1]}]}}
    assert {name: other.given[name] for name in other.given if name != "FilterPolicy"} == {
        "FilterPolicyScope": "MessageBody",
        "RawMessageDelivery": "true",
    }


def test_own_queues_let_the_topic_in(tmp_path: Path) -> None:
    read, _ = topics(tmp_path)
    for name in ("work", "dead"):
        [statement] = statements(queue(read, name))
        assert statement["Principal"] == {"Service": "sns.amazonaws.com"}
        assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": [NEWS]}}


def test_a_queue_lets_rules_and_topics_in_each_for_itself(tmp_path: Path) -> None:
    text = "queues: {orders-undelivered: {}}\ntopics: {news: {subscriptions: [{queue: orders-undelivered}]}}\n"
    read, _ = topics(tmp_path, text)
    found = {each["Principal"]["Service"]: each for each in statements(queue(read, "orders-undelivered"))}
    assert set(found) == {"events.amazonaws.com", "sns.amazonaws.com"}
    assert found["sns.amazonaws.com"]["Condition"]["ArnEquals"]["aws:SourceArn"] == [NEWS]
    [rule] = found["events.amazonaws.com"]["Condition"]["ArnEquals"]["aws:SourceArn"]
    assert rule.endswith("rule/enterprise/orders-on-stock")


def test_a_queue_with_a_policy_keeps_it(tmp_path: Path) -> None:
    read, _ = topics(tmp_path)
    assert json.loads(queue(read, "heard").given["Policy"]) == OPEN


def test_a_queue_of_another_account_with_the_same_name_is_not_opened(tmp_path: Path) -> None:
    text = "queues: {heard: {}}\ntopics: {news: {subscriptions: [{queue: heard, domain: stock}]}}\n"
    read, _ = topics(tmp_path, text)
    own, other = (each for each in read.queues() if each.name == "heard")
    assert (own.account, own.given) == (ORDERS, {})
    assert (other.account, json.loads(other.given["Policy"])) == (STOCK, OPEN)
