"""What a landscape without a mistake is read as."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from harness.bus.model import RetryPolicy
from harness.errors import InputError
from harness.manifest import Landscape, Ports, api_url_variable, load
from harness.policy.model import PolicyKind
from harness.wire import NetworkPlace, PlaceKind
from tests.manifest import landscape


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Landscape:
    return load(landscape.copy(tmp_path_factory.mktemp("landscape")))


def test_the_network(sample: Landscape) -> None:
    assert sample.region == "eu-west-1"
    assert sample.ports == Ports(workbench=4566, public=4567)
    assert sample.accounts["orders"].id == "011111111111"
    assert sample.accounts["platform"].port == 4600
    assert sample.workbench.endpoint == "vpce-0a0a0a0a"


def test_a_domain(sample: Landscape) -> None:
    orders = sample.domains["orders"]
    assert orders.directory == sample.folder / "domains" / "orders"
    assert orders.command == ("python", "-m", "orders")
    assert orders.environment == {"LOG_LEVEL": "info"}
    assert orders.database
    assert orders.runs_as.arn == "arn:aws:iam::011111111111:role/orders-service"
    assert orders.calls == ("stock",)
    assert orders.bus is sample.buses["enterprise"]
    assert [event.name for event in orders.publishes] == ["OrderPlaced.v1"]
    assert orders.publishes[0].schema["required"] == ["orderId"]


def test_the_versions_of_an_api(sample: Landscape) -> None:
    api = sample.apis()["orders"]
    assert api.account == "011111111111"
    assert list(api.versions) == ["v1", "v2"]
    assert api.versions["v1"].deprecated == date(2026, 6, 1)
    assert api.versions["v1"].sunset == date(2027, 6, 30)
    assert api.versions["v2"].sunset is None
    assert list(api.versions["v2"].openapi["paths"]) == ["/things/{thing_id}"]


def test_a_role(sample: Landscape) -> None:
    tester = sample.roles["arn:aws:iam::333333333333:role/quality/tester"]
    assert tester.tags == {"team": "platform"}
    assert tester.max_session_seconds == 7200
    assert tester.role_id.startswith("AROA")
    assert tester.boundary is None
    service = sample.domains["orders"].runs_as
    assert service.trust.kind is PolicyKind.TRUST
    assert [(policy.name, policy.file) for policy in service.policies] == [
        ("service", "domains/orders/policies/service.json")
    ]
    assert service.boundary is not None
    assert service.boundary.kind is PolicyKind.BOUNDARY


def test_a_subscription(sample: Landscape) -> None:
    subscription = sample.domains["orders"].subscriptions[0]
    assert subscription.bus_arn == "arn:aws:events:eu-west-1:333333333333:event-bus/enterprise"
    assert subscription.retry == RetryPolicy(3, 600)
    assert subscription.dead_letter == "orders-undelivered"
    assert subscription.source == {"source": ["acme.stock"], "detail": {"quantity": [{"numeric": [">", 0]}]}}
    assert subscription.pattern.matches({"source": "acme.stock", "detail": {"quantity": 1}})
    assert not subscription.pattern.matches({"source": "acme.stock", "detail": {"quantity": 0}})


def test_what_is_left_out_has_its_default(sample: Landscape) -> None:
    stock = sample.domains["stock"]
    assert not stock.database
    assert stock.image == "registry.example/stock:1"
    assert stock.bus is sample.buses["enterprise"]
    assert stock.subscriptions[0].retry == RetryPolicy(185, 86_400)
    assert stock.subscriptions[0].dead_letter is None


def test_the_directory_has_accounts_roles_and_the_identity_provider(sample: Landscape) -> None:
    directory = sample.directory()
    assert directory.accounts["222222222222"] == "stock"
    assert directory.organisation == "o-a1b2c3d4e5"
    assert set(directory.roles) == {
        "arn:aws:iam::333333333333:role/quality/tester",
        "arn:aws:iam::011111111111:role/orders-service",
        "arn:aws:iam::222222222222:role/stock-service",
    }
    assert directory.oidc is not None
    assert (
        directory.oidc.arn("222222222222") == "arn:aws:iam::222222222222:oidc-provider/oidc.harness.example/landscape"
    )


def test_rules_are_those_of_the_domains_that_run(sample: Landscape) -> None:
    (rule,) = sample.rules({"orders": "http://127.0.0.1:8081"})
    assert rule.arn == "arn:aws:events:eu-west-1:333333333333:rule/enterprise/orders-on-stock"
    (target,) = rule.targets
    assert target.arn == "arn:aws:lambda:eu-west-1:011111111111:function:orders"
    assert target.dead_letter == "arn:aws:sqs:eu-west-1:011111111111:orders-undelivered"
    assert sample.containers({"orders": "http://127.0.0.1:8081"}) == {target.arn: "http://127.0.0.1:8081"}


def test_places_are_one_for_each_listener(sample: Landscape) -> None:
    places = {place.name: place for place in sample.places()}
    assert list(places) == ["workbench", "public", "orders", "stock", "platform", "orders to stock"]
    assert places["public"] == NetworkPlace("public", PlaceKind.PUBLIC)
    assert places["orders to stock"] == NetworkPlace(
        "orders to stock", PlaceKind.ENDPOINT, "011111111111", "vpce-0b0b0b0b", "vpc-0b0b0b0b", "stock"
    )


def test_the_files_it_was_read_from(sample: Landscape) -> None:
    files = {path.relative_to(sample.folder).as_posix() for path in sample.files()}
    expected = {path.relative_to(landscape.CASES / "landscape") for path in _all_files(landscape.CASES / "landscape")}
    assert files == {path.as_posix() for path in expected}


def _all_files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_the_variable_of_an_api_has_no_hyphens() -> None:
    assert api_url_variable("price-lists") == "PRICE_LISTS_API_URL"


FOUND = {
    "by its name": "tester",
    "by account and name": "platform/tester",
    "by its ARN": "arn:aws:iam::333333333333:role/quality/tester",
}


@pytest.mark.parametrize("reference", FOUND.values(), ids=FOUND.keys())
def test_a_role_is_found(reference: str, sample: Landscape) -> None:
    assert sample.role(reference).name == "tester"


def test_a_role_that_nobody_has_is_refused(sample: Landscape) -> None:
    with pytest.raises(InputError, match=r'harness.yaml: unknown role "testr" \(did you mean "tester"\?\)'):
        sample.role("testr")


def test_a_role_name_of_two_accounts_is_ambiguous(sample: Landscape) -> None:
    tester = sample.role("tester")
    twin = replace(tester, account="222222222222")
    doubled = replace(sample, roles={**sample.roles, twin.arn: twin})
    with pytest.raises(InputError, match='"tester" is ambiguous: say platform/tester or stock/tester'):
        doubled.role("tester")
    assert doubled.role("stock/tester") is twin


def test_a_domain_may_keep_its_contracts_elsewhere(tmp_path: Path) -> None:
    harness_yaml = landscape.copy(tmp_path)
    (tmp_path / "contracts" / "orders" / "events").rename(tmp_path / "domains" / "orders" / "events")
    landscape.edit(tmp_path, {"domains/orders/domain.yaml": {"publishes:": "contracts: .\npublishes:"}})
    (event,) = load(harness_yaml).domains["orders"].publishes
    assert event.contract == tmp_path / "domains" / "orders" / "events" / "OrderPlaced.v1.json"


def test_a_landscape_without_buses_and_domains_is_one(tmp_path: Path) -> None:
    harness_yaml = landscape.copy(tmp_path)
    text = harness_yaml.read_text()
    start = text.index("buses:")
    harness_yaml.write_text(text[:start] + "include: []\n")
    read = load(harness_yaml)
    assert (read.buses, read.domains) == ({}, {})
