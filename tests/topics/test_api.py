"""SNS as boto3 sees it, with SQS behind it: each case is a conversation, step by step."""

import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.access.landscape import ORDERS, REGION, STOCK
from tests.queues.conversations import conversations, hold
from tests.topics.endpoint import Landscape, landscape

CASES = Path(__file__).parent / "cases"


@pytest.fixture(scope="module")
def running() -> Iterator[Landscape]:
    with landscape() as found:
        yield found


@pytest.mark.parametrize("steps", conversations(CASES, "topics.yaml", "subscriptions.yaml", "publishing.yaml"))
def test_a_conversation(running: Landscape, steps: list[Mapping[str, Any]]) -> None:
    unique = uuid.uuid4().hex[:10]
    names: dict[str, Any] = {
        "t": f"t-{unique}",
        "topic": f"arn:aws:sns:{REGION}:{ORDERS}:t-{unique}",
        "q": f"q-{unique}",
        "url": f"{running.queues.url}/{ORDERS}/q-{unique}",
        "queue": f"arn:aws:sqs:{REGION}:{ORDERS}:q-{unique}",
        "ORDERS": ORDERS,
        "STOCK": STOCK,
        "open": {
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Allow",
                "Principal": {"Service": "sns.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": "*",
                "Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:sns:{REGION}:{ORDERS}:t-{unique}*"}},
            },
        },
    }
    hold(steps, running.client, names)
