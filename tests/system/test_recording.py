"""A landscape that records: what the storefront and orders use of their providers is beside the contracts after it."""

import json
import shutil
from pathlib import Path

import pytest

from harness.contracts.usage import Usage, parse_usage
from tests.system.landscapes import harness
from tests.system.walkthrough import ROOT

pytestmark = pytest.mark.slow

SECRET = "zQ7-not-to-be-written"


@pytest.fixture(scope="module")
def contracts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The contracts of a copy of the sample, after a run in which orders were placed and read."""
    root = tmp_path_factory.mktemp("recorded")
    for name in ("domains", "contracts", "policies"):
        shutil.copytree(ROOT / name, root / name)
    shutil.copy(ROOT / "harness.yaml", root)
    state = root / "state"
    started = harness(state, "up", "--record", "--detach", "--free-ports", cwd=root)
    assert started.returncode == 0, started.stderr
    try:
        basket = {"lines": [{"sku": "chair-oak", "quantity": 1}], "customerReference": SECRET}
        placed = call(root, state, 201, "POST", "/v2/orders", "--data", json.dumps(basket))
        call(root, state, 200, "GET", f"/v2/orders/{placed['id']}")
        call(root, state, 400, "GET", f"/v2/orders?limit=5&{SECRET}=1")
        call(root, state, 400, "POST", "/v2/orders", "--data", json.dumps({SECRET: 1}))
        harness(state, "call", "orders", "GET", "/v2/orders", "--as", "backoffice", cwd=root)
    finally:
        harness(state, "down", cwd=root)
    return root / "contracts"


def call(root: Path, state: Path, status: int, method: str, path: str, *more: str) -> dict[str, str]:
    done = harness(state, "call", "orders", method, path, "--as", "storefront", "--json", *more, cwd=root)
    answer = json.loads(done.stdout)
    assert answer["status"] == status, f"{answer}\n{harness(state, 'logs', cwd=root).stdout}"
    body: dict[str, str] = answer["body"]
    return body


def recorded(contracts: Path, provider: str, consumer: str) -> dict[str, Usage]:
    file = contracts / provider / "consumers" / f"{consumer}.recorded.jsonl"
    return {str(usage.call): usage for usage in parse_usage(file.read_text(), file=file.name)}


def test_an_experience_is_recorded_under_its_roles_name(contracts: Path) -> None:
    found = recorded(contracts, "orders", "storefront")

    assert list(found) == ["GET /v2/orders", "GET /v2/orders/{orderId}", "POST /v2/orders"]
    placed = found["POST /v2/orders"]
    assert {status: seen.count for status, seen in placed.statuses.items()} == {201: 1, 400: 1}
    assert ("lines",) in placed.request_fields
    assert "limit" in found["GET /v2/orders"].parameters["query"]


def test_a_domain_is_recorded_under_its_own(contracts: Path) -> None:
    assert list(recorded(contracts, "stock", "orders")) == ["GET /v1/items/{sku}"]


def test_who_was_refused_used_nothing(contracts: Path) -> None:
    assert not (contracts / "orders/consumers/backoffice.recorded.jsonl").exists()


def test_nothing_that_was_sent_is_in_any_file(contracts: Path) -> None:
    files = list(contracts.rglob("*.recorded.jsonl"))

    assert len(files) == 2
    assert not any(SECRET in file.read_text() or "chair-oak" in file.read_text() for file in files)
