"""SQS as boto3 sees it: each case is a conversation, step by step."""

import json
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.access.landscape import ORDERS, REGION, STOCK, WORKBENCH
from tests.bus.endpoint import Loop, serving
from tests.queues.conversations import conversations, hold
from tests.queues.endpoint import Endpoint
from tests.queues.queues import a_message

CASES = Path(__file__).parent / "cases"
FILES = ("queues.yaml", "messages.yaml", "fifo.yaml", "access.yaml", "moves.yaml")


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    loop = Loop()
    endpoint = Endpoint(loop)
    with serving(endpoint.api, WORKBENCH, loop) as url:
        endpoint.url = url
        yield endpoint
    endpoint.close()
    loop.close()


@pytest.mark.parametrize("steps", conversations(CASES, *FILES))
def test_a_conversation(endpoint: Endpoint, steps: list[Mapping[str, Any]]) -> None:
    unique = uuid.uuid4().hex[:10]
    names: dict[str, Any] = {
        "q": f"q-{unique}",
        "url": f"{endpoint.url}/{ORDERS}/q-{unique}",
        "arn": f"arn:aws:sqs:{REGION}:{ORDERS}:q-{unique}",
        "base": f"{endpoint.url}/{ORDERS}",
        "arns": f"arn:aws:sqs:{REGION}:{ORDERS}",
        "ORDERS": ORDERS,
        "STOCK": STOCK,
    }
    hold(steps, lambda role, operation: endpoint.client(role), names)


def test_nobody_sees_what_is_kept_beside_a_message(endpoint: Endpoint) -> None:
    sqs, name = endpoint.client(), f"q-{uuid.uuid4().hex[:10]}"
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    queue = endpoint.loop.run(endpoint.broker.registry.by_arn(f"arn:aws:sqs:{REGION}:{ORDERS}:{name}"))
    assert queue is not None
    message = a_message("x", id="m-1", beside={"event": "not for them"})
    endpoint.loop.run(endpoint.broker.send(queue, message, once="1"))
    answer = sqs.receive_message(
        QueueUrl=url, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"], WaitTimeSeconds=20
    )
    ((received),) = answer["Messages"]
    assert received["Body"] == "x"
    assert "MessageAttributes" not in received
    assert "not for them" not in json.dumps(received)


def test_an_account_that_has_used_its_share_makes_nothing_and_deletes_on() -> None:
    loop = Loop()
    endpoint = Endpoint(loop)
    with serving(endpoint.api, WORKBENCH, loop) as url:
        endpoint.url = url
        sqs = endpoint.client()
        made = sqs.create_queue(QueueName="q")["QueueUrl"]
        endpoint.copy.shares.bound = 1
        with pytest.raises(ClientError, match="has used its share") as refused:
            sqs.create_queue(QueueName="q2")
        assert refused.value.response["Error"]["Code"] == "OverLimit"
        sqs.delete_queue(QueueUrl=made)
    assert endpoint.broker.registry.all() == []
    endpoint.close()
    loop.close()


def test_only_the_latest_move_tasks_are_kept(endpoint: Endpoint) -> None:
    sqs, name = endpoint.client(), f"q-{uuid.uuid4().hex[:10]}"
    arn = f"arn:aws:sqs:{REGION}:{ORDERS}:{name}"
    for each, attributes in ((f"{name}-dead", {}), (name, {"RedrivePolicy": redrive_to(f"{arn}-dead")})):
        sqs.create_queue(QueueName=each, Attributes=attributes)
    started: list[str] = []
    deadline = time.monotonic() + 60
    while len(started) < 13:
        assert time.monotonic() < deadline
        try:
            started.append(sqs.start_message_move_task(SourceArn=f"{arn}-dead")["TaskHandle"])
        except sqs.exceptions.UnsupportedOperation:
            continue  # the one before is not at its end
    assert len(endpoint.broker.registry.copy.below(("sqs", "move", ORDERS, f"{name}-dead"))) == 10


def test_names_of_queues_that_are_long_gone_are_forgotten() -> None:
    loop, began = Loop(), 1_768_478_400.0
    endpoint = Endpoint(loop)
    registry = endpoint.broker.registry

    async def noted(names: Sequence[str], at: float) -> list[str]:
        for name in names:
            await registry.note("deleted", ORDERS, name, at)
        return [entry.key[3] for entry in registry.copy.below(("sqs", "deleted", ORDERS))]

    assert loop.run(noted(["a", "b"], began)) == ["a", "b"]
    assert loop.run(noted(["c"], began + 60)) == ["a", "b", "c"]
    assert loop.run(noted(["d"], began + 350)) == ["c", "d"]
    endpoint.close()
    loop.close()


def redrive_to(arn: str) -> str:
    return json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1})
