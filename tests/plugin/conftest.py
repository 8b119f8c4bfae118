"""A folder with contracts, and pytest run in it with the landscape of `fakes`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

# Once, here: the runs below forget what they import themselves.
from harness.pytest_plugin import files as files
from tests.plugin import fakes

EVENT = {"type": "object", "properties": {"orderId": {"type": "string"}}}

# Whatever else is installed: the order of a run is its own.
QUIET = ("-p", "no:cacheprovider", "-p", "no:randomly")

Contracts = Callable[..., Path]
Checked = Callable[..., pytest.RunResult]


def openapi(**operations: str) -> str:
    """`openapi(orders="get_orders")`: paths and the ids of their GET operations, as JSON, which is YAML too."""
    paths = {
        f"/{path}": {"get": {"operationId": operation, "responses": {"200": {"description": "found"}}}}
        for path, operation in operations.items()
    }
    return json.dumps({"openapi": "3.1.0", "info": {}, "servers": [{"url": "/v2"}], "paths": paths}, indent=1)


def pact(*interactions: str | dict[str, Any]) -> str:
    entries = [each if isinstance(each, dict) else {"description": each} for each in interactions]
    return json.dumps({"consumer": {"name": "storefront"}, "provider": {"name": "orders"}, "interactions": entries})


@pytest.fixture
def contracts(pytester: pytest.Pytester) -> Contracts:
    """`contracts({"orders/v2/openapi.yaml": text})` writes files below contracts/."""
    (pytester.path / "harness.yaml").touch()

    def write(files: dict[str, str]) -> Path:
        for name, text in files.items():
            file = pytester.path / "contracts" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return pytester.path

    return write


@pytest.fixture
def checked(pytester: pytest.Pytester) -> Checked:
    """Runs pytest in this process; the result as it ended."""

    def run(*arguments: str) -> pytest.RunResult:
        return pytester.runpytest_inprocess(*QUIET, *arguments, plugins=[fakes])

    return run
