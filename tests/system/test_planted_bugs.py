"""A checker must be able to fail: bugs are planted in a copy of the sample, and `pytest contracts` names each.

One run finds them all. The operations and events beside them are as they were, and pass.
"""

import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.system.walkthrough import ROOT

pytestmark = pytest.mark.slow

COPIED = ("harness.yaml", "pyproject.toml", "contracts", "domains", "policies")
PLANTED = {
    "domains/orders/orders/v2.py": {
        # A status that the contract does not have.
        '@routes.get("/orders", operation_id="listOrders",': '@routes.get("/orders", operation_id="listOrders", '
        "status_code=202,",
        # A number where the contract says text.
        "OrderV2.of(order).model_dump_json()": "OrderV2.of(order).model_dump_json()"
        """.replace('"status":"pending"', '"status":7')""",
    },
    "domains/stock/stock/reserving.py": {
        # Text where the event's contract says a number.
        '{"sku": sku, "quantity": quantity} for sku': '{"sku": sku, "quantity": str(quantity)} for sku',
    },
}
AFFECTED = "(orders and v2) or StockReserved or OrderPlaced"


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the run in the copy printed."""
    folder = tmp_path_factory.mktemp("planted") / "landscape"
    listed = subprocess.run(["git", "ls-files", "-z", *COPIED], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    for name, changes in PLANTED.items():
        text = (folder / name).read_text()
        for good, bad in changes.items():
            assert text.count(good) == 1, (
                f"{name} has changed: plant the bug in what stands there now instead of {good}"
            )
            text = text.replace(good, bad)
        (folder / name).write_text(text)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("HARNESS_", "PYTEST_"))}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "contracts", "-k", AFFECTED, "--harness-max-examples", "5"],
        cwd=folder,
        env=environment,
        text=True,
        capture_output=True,
        timeout=800,
    )
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout + done.stderr
    return done.stdout


def section(output: str, item: str) -> str:
    """What was told of one item that failed."""
    found = re.search(rf"^_+ {re.escape(item)} _+$\n(.*?)(?=^[_=]{{3,}} )", output, re.MULTILINE | re.DOTALL)
    assert found, output
    return found[1]


def test_an_undocumented_status_is_found_at_its_operation(output: str) -> None:
    told = section(output, "GET /orders")

    assert "status_code_conformance" in told
    assert "Received: 202" in told
    assert "sent:\n    GET http://localhost:" in told


def test_a_wrong_type_is_found_at_its_operation_and_field(output: str) -> None:
    told = section(output, "POST /orders")

    assert "Response violates schema at /status (response_schema_conformance)" in told
    assert '7 is not of type "string"' in told


def test_an_events_wrong_type_is_found_at_its_field(output: str) -> None:
    told = section(output, "StockReserved.v1")

    assert re.search(
        r"event [0-9a-f-]{36} from acme\.stock: /data/lines/0/quantity: \"1\" is not of type \"integer\"", told
    )


def test_nothing_else_is_found(output: str) -> None:
    failed = re.findall(r"^FAILED (\S+::.+?)(?: - .*)?$", output, re.MULTILINE)

    assert set(failed) == {
        "contracts/orders/v2/openapi.yaml::GET /orders",
        "contracts/orders/v2/openapi.yaml::POST /orders",
        "contracts/stock/events/StockReserved.v1.json::StockReserved.v1",
    }
    assert "Traceback" not in output


def test_no_signature_is_shown(output: str) -> None:
    assert "Authorization: (masked)" in output or "authorization: (masked)" in output
    assert "Signature=" not in output
