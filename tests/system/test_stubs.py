"""A landscape in which a stub stands for a provider: the gateway, its policies and the caller are the real ones."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from harness.contracts import Interaction, Operation, operations, read_pact
from harness.local.handle import Harness
from harness.verify.consumers import verify_interaction
from harness.verify.fuzz import FuzzSettings, fuzz
from harness.verify.provider_states import reach, read_states
from harness.verify.signing_proxy import SigningProxy
from tests.contracts.stub.contracts import FILES
from tests.system.landscapes import harness, status
from tests.system.walkthrough import ROOT

pytestmark = pytest.mark.slow

PACT = ROOT / "contracts/orders/consumers/storefront.pact.json"
# A stub knows the contract, not the catalogue: it takes every item for one that is sold.
OF_THE_CATALOGUE = "a basket with an item that nobody sells is refused"


def up(state: Path, *arguments: str) -> Iterator[Path]:
    started = harness(state, *arguments, "--detach")
    assert started.returncode == 0, started.stderr
    yield state
    harness(state, "down")


@pytest.fixture(scope="module")
def orders_alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield from up(tmp_path_factory.mktemp("named") / "state", "up", "orders", "--free-ports")


@pytest.fixture(scope="module")
def stubbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield from up(tmp_path_factory.mktemp("stub") / "state", "stub", "orders", "--port", "0")


def call(state: Path, *arguments: str) -> tuple[int, dict[str, str], object]:
    done = harness(state, "call", *arguments, "--json")
    told = json.loads(done.stdout)
    return told["status"], told["headers"], told["body"]


class TestADomainWithStubsForWhatItCalls:
    def test_runs_itself_and_the_stub(self, orders_alone: Path) -> None:
        kinds = {each["name"]: each["kind"] for each in status(orders_alone)["processes"]}

        assert (kinds["orders"], kinds["stock"]) == ("domain", "stub")

    def test_calls_the_stub_through_the_gateway(self, orders_alone: Path) -> None:
        basket = '{"lines": [{"sku": "chair-oak", "quantity": 1}]}'

        code, _, order = call(orders_alone, "orders", "POST", "/v2/orders", "--as", "storefront", "--data", basket)

        assert code == 201, order
        assert isinstance(order, dict)
        assert order["lines"][0]["availableAtPlacement"] == 1000000  # of the example in stock's contract

    def test_finds_that_the_stub_does_not_know_every_item(self, orders_alone: Path) -> None:
        basket = '{"lines": [{"sku": "no-such-item", "quantity": 1}]}'

        code, _, _ = call(orders_alone, "orders", "POST", "/v2/orders", "--as", "storefront", "--data", basket)

        assert code == 422


class TestAStubAlone:
    def test_nothing_of_the_domain_runs(self, stubbed: Path) -> None:
        assert [each["name"] for each in status(stubbed)["processes"]] == ["nats", "edge", "router", "orders"]

    def test_is_behind_the_same_policies(self, stubbed: Path) -> None:
        code, headers, _ = call(stubbed, "orders", "GET", "/v2/orders", "--as", "backoffice")

        assert (code, headers["x-amzn-errortype"]) == (403, "AccessDeniedException")

    def test_a_route_that_the_contract_does_not_have_is_unknown_to_the_gateway(self, stubbed: Path) -> None:
        assert call(stubbed, "orders", "GET", "/v2/baskets", "--as", "storefront")[0] == 403

    @pytest.mark.parametrize(
        "interaction", read_pact(PACT.read_text(), file=PACT.name).interactions, ids=lambda each: each.description
    )
    def test_gives_the_storefront_what_it_relies_on(self, interaction: Interaction, stubbed: Path) -> None:
        running = Harness.attach(ROOT / "harness.yaml", stubbed)
        states = read_states((ROOT / "contracts/orders/states.yaml").read_text(), file="states.yaml")

        def enter(state: str) -> dict[str, object]:
            return reach(
                state, states, session_for=lambda api: running.session(api, "tester"), base_url=running.workbench
            )

        session = running.session("orders", "storefront")
        with SigningProxy(session, running.workbench, state=enter) as proxy:
            result = verify_interaction(read_pact(PACT.read_text(), file=PACT.name), PACT, interaction, proxy=proxy)

        assert bool(result.problems) == (interaction.description == OF_THE_CATALOGUE), result.problems


FUZZED = [
    pytest.param(version, operation, id=f"{version} {operation.label}")
    for version, file in FILES["orders"].items()
    for operation in operations(yaml.load(file.read_text(), yaml.CSafeLoader))
]


@pytest.mark.parametrize(("version", "operation"), FUZZED)
def test_what_fuzzes_a_provider_finds_nothing_in_its_stub(version: str, operation: Operation, stubbed: Path) -> None:
    running = Harness.attach(ROOT / "harness.yaml", stubbed)

    report = fuzz(
        yaml.load(FILES["orders"][version].read_text(), yaml.CSafeLoader),
        operation,
        base_url=f"{running.workbench}/{version}",
        auth=running.auth("orders", "tester"),
        settings=FuzzSettings(max_examples=10),
    )

    assert report.sent
    assert report.errors == []
    assert [str(failure) for failure in report.failures] == []
