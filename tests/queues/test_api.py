"""SQS as boto3 sees it: each case is a conversation, step by step."""

import re
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError

from tests.access.landscape import ORDERS, REGION, STOCK, WORKBENCH
from tests.bus.endpoint import Loop, serving
from tests.queues.endpoint import Endpoint, contains, dig, filled

CASES = Path(__file__).parent / "cases"
FILES = ("queues.yaml", "messages.yaml", "fifo.yaml", "access.yaml", "moves.yaml")
PATIENCE_SECONDS = 20


def conversations(*files: str) -> list[Any]:
    found = []
    for file in files:
        for case in yaml.safe_load((CASES / file).read_text()):
            found.append(pytest.param(case["steps"], id=case["name"]))
    return found


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    loop = Loop()
    endpoint = Endpoint(loop)
    with serving(endpoint.api, WORKBENCH, loop) as url:
        endpoint.url = url
        yield endpoint
    endpoint.close()
    loop.close()


@pytest.mark.parametrize("steps", conversations(*FILES))
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
    for number, step in enumerate(steps, start=1):
        [operation] = [key for key in step if key[0].isupper()]
        call = getattr(endpoint.client(step.get("as", "owner")), _snake(operation))
        wanted = filled(step.get("gives", {}), names)
        if "error" in step:
            wanted = {"Error": filled(step["error"], names)}
        deadline = time.monotonic() + (PATIENCE_SECONDS if "soon" in step else 0)
        while True:
            try:
                found = call(**filled(step[operation] or {}, names))
            except ClientError as error:
                found = error.response
            found.pop("ResponseMetadata")
            as_wanted = ("Error" in found) == ("error" in step) and contains(found, wanted)
            if as_wanted or time.monotonic() > deadline:
                break
        assert as_wanted, f"step {number}, {operation}:\n  found  {found}\n  wanted {wanted}"
        for name, path in step.get("save", {}).items():
            names[name] = dig(found, path)


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
