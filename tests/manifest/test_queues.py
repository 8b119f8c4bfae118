"""The queues of a landscape: those that a manifest describes, and those that its rules name for dead letters."""

import json
from pathlib import Path

from harness.manifest import Landscape, load
from harness.queues.declared import Declared
from tests.manifest import landscape

ACCOUNT = "011111111111"
RULE = "rule/enterprise/orders-on-stock"
QUEUES = """queues:
  work:
    visibility-seconds: 60
    redrive: {queue: work-dead, receives: 3}
  work-dead: {retention-seconds: 1209600}
  in-order.fifo: {content-based-deduplication: true}
"""


def queues(folder: Path, text: str) -> tuple[Landscape, dict[str, Declared]]:
    harness_yaml = landscape.copy(folder)
    landscape.edit(folder, {"domains/orders/domain.yaml": {"subscribes:": f"{text}subscribes:"}})
    read = load(harness_yaml)
    return read, {each.name: each for each in read.queues()}


def test_queues_have_sqs_own_attributes(tmp_path: Path) -> None:
    _, found = queues(tmp_path, QUEUES)
    redrive = {"deadLetterTargetArn": f"arn:aws:sqs:eu-west-1:{ACCOUNT}:work-dead", "maxReceiveCount": 3}
    assert json.loads(found["work"].given["RedrivePolicy"]) == redrive
    assert found["work"].given["VisibilityTimeout"] == "60"
    assert found["work-dead"].given == {"MessageRetentionPeriod": "1209600"}
    assert found["in-order.fifo"].given == {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
    assert {each.account for each in found.values()} == {ACCOUNT}
    assert {each.declared_in for each in found.values()} == {"domains/orders/domain.yaml"}


def test_a_queue_for_dead_letters_is_there_without_being_declared(tmp_path: Path) -> None:
    _, found = queues(tmp_path, "")
    policy = json.loads(found["orders-undelivered"].given["Policy"])
    [statement] = policy["Statement"]
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    [rule] = statement["Condition"]["ArnEquals"]["aws:SourceArn"]
    assert rule.endswith(RULE)


def test_a_declared_queue_for_dead_letters_lets_its_rules_in(tmp_path: Path) -> None:
    _, found = queues(tmp_path, "queues: {orders-undelivered: {retention-seconds: 60}}\n")
    assert found["orders-undelivered"].given["MessageRetentionPeriod"] == "60"
    assert RULE in found["orders-undelivered"].given["Policy"]


def test_a_queue_with_a_policy_of_its_own_has_that_one(tmp_path: Path) -> None:
    (tmp_path / "domains/orders/policies").mkdir(parents=True)
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
    text = json.dumps({"Version": "2012-10-17", "Statement": statement})
    path = tmp_path / "domains/orders/policies/queue.json"
    path.write_text(text)
    read, found = queues(tmp_path, "queues: {orders-undelivered: {policy: policies/queue.json}}\n")
    assert found["orders-undelivered"].given["Policy"] == text
    assert path in read.files()
