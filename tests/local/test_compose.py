"""docker-compose.yml of the sample landscape, and what cannot run as containers."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness import manifest
from harness.errors import InputError
from harness.local.containers import compose_plan, write_compose
from harness.runtime.compose import render
from tests.local.conftest import ROOT

ACCOUNTS = {"orders", "stock"}


@pytest.fixture(scope="module")
def document(landscape: manifest.Landscape) -> dict[str, Any]:
    read: dict[str, Any] = yaml.load(render(compose_plan(landscape)), yaml.CSafeLoader)
    return read


class TestFile:
    def test_is_the_one_in_the_repository(self, landscape: manifest.Landscape) -> None:
        assert render(compose_plan(landscape)) == (ROOT / "docker-compose.yml").read_text()

    def test_is_the_same_for_the_same_landscape(self, landscape: manifest.Landscape) -> None:
        again = manifest.load(ROOT / "harness.yaml")

        assert render(compose_plan(again)) == render(compose_plan(landscape))

    def test_can_be_read_by_docker_compose_1_29(self, document: dict[str, Any]) -> None:
        # No `name`, no `configs`; and none of the tags and anchors that its schema cannot check.
        assert set(document) == {"services", "networks", "volumes"}

    def test_has_a_service_for_each_part_and_a_database_for_each_domain(self, document: dict[str, Any]) -> None:
        parts = {"keys", "nats", "edge", "router"}
        assert set(document["services"]) == parts | {"orders", "orders-db", "stock", "stock-db"}


class TestWalls:
    def test_an_accounts_network_leads_nowhere(self, document: dict[str, Any]) -> None:
        for network in (*ACCOUNTS, "bus"):
            assert document["networks"][network] == {"internal": True}

    def test_only_the_edge_is_published_and_on_loopback_alone(self, document: dict[str, Any]) -> None:
        published = {name: service["ports"] for name, service in document["services"].items() if "ports" in service}

        assert published == {"edge": ["127.0.0.1:4566:4566", "127.0.0.1:4567:4567"]}

    def test_no_network_has_two_domains(self, document: dict[str, Any]) -> None:
        members = {
            network: [name for name in ("orders", "stock") if network in document["services"][name]["networks"]]
            for network in document["networks"]
        }

        assert members == {"workbench": [], "bus": [], "orders": ["orders"], "stock": ["stock"]}

    def test_the_event_store_is_met_by_edge_and_router_alone(self, document: dict[str, Any]) -> None:
        on_bus = {name for name, service in document["services"].items() if "bus" in service.get("networks", ())}

        assert on_bus == {"nats", "edge", "router"}

    def test_the_edge_is_each_accounts_vpc_endpoint_and_every_api_that_it_calls(self, document: dict[str, Any]) -> None:
        networks = document["services"]["edge"]["networks"]

        assert networks["orders"] == {"aliases": ["vpce.orders.internal", "stock.execute-api.eu-west-1.amazonaws.com"]}
        assert networks["stock"] == {"aliases": ["vpce.stock.internal"]}

    def test_a_custom_domain_name_leads_to_the_edge_where_its_api_is_called(
        self, landscape: manifest.Landscape
    ) -> None:
        stock = landscape.domains["stock"]
        assert stock.api is not None
        named = replace(stock, api=replace(stock.api, domain_name="stock.internal.example"))
        plan = compose_plan(replace(landscape, domains={**landscape.domains, "stock": named}))

        networks = yaml.load(render(plan), yaml.CSafeLoader)["services"]["edge"]["networks"]

        assert networks["orders"]["aliases"][-1] == "stock.internal.example"
        assert "stock.internal.example" not in networks["stock"]["aliases"]


class TestServices:
    def test_root_is_the_step_alone_that_gives_keys_away_and_it_has_no_network(self, document: dict[str, Any]) -> None:
        as_root = [name for name, service in document["services"].items() if service.get("user", "").startswith("0")]

        assert as_root == ["keys"]
        assert document["services"]["keys"]["network_mode"] == "none"

    @pytest.mark.parametrize(
        "dockerfile", ["docker/edge.Dockerfile", *(f"domains/{n}/Dockerfile" for n in sorted(ACCOUNTS))]
    )
    def test_images_run_as_an_ordinary_user(self, dockerfile: str) -> None:
        users = [line.split()[1] for line in (ROOT / dockerfile).read_text().splitlines() if line.startswith("USER ")]

        assert users
        assert users[-1] not in ("0", "root")

    def test_ours_cannot_write_to_their_images(self, document: dict[str, Any]) -> None:
        for name in ("edge", "router", "orders", "stock"):
            assert document["services"][name]["read_only"] is True

    def test_a_domain_is_told_the_wire_contract(self, document: dict[str, Any]) -> None:
        assert document["services"]["orders"]["environment"] == {
            "PORT": "8080",
            "AWS_LWA_READINESS_CHECK_PATH": "/healthz",
            "AWS_REGION": "eu-west-1",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_ENDPOINT_URL": "http://vpce.orders.internal:4566",
            "AWS_ROLE_ARN": "arn:aws:iam::111111111111:role/orders-service",
            "AWS_ROLE_SESSION_NAME": "orders",
            "AWS_WEB_IDENTITY_TOKEN_FILE": "/var/run/secrets/harness/token",
            "EVENT_BUS_ARN": "arn:aws:events:eu-west-1:333333333333:event-bus/enterprise",
            "DATABASE_URL": "postgresql://orders:${HARNESS_DATABASE_PASSWORD:-local-only}@orders-db:5432/orders",
            "STOCK_API_URL": "http://stock.execute-api.eu-west-1.amazonaws.com:4566",
        }

    def test_a_domain_reads_its_own_token_and_nothing_else(self, document: dict[str, Any]) -> None:
        assert document["services"]["orders"]["volumes"] == ["orders-token:/var/run/secrets/harness:ro"]

    def test_the_edge_reads_what_manifests_name_and_writes_tokens_alone(self, document: dict[str, Any]) -> None:
        volumes = document["services"]["edge"]["volumes"]

        assert [volume for volume in volumes if not volume.endswith(":ro")] == [
            "orders-token:/var/lib/harness/tokens/orders",
            "stock-token:/var/lib/harness/tokens/stock",
        ]
        assert "./harness.yaml:/landscape/harness.yaml:ro" in volumes
        assert "./contracts:/landscape/contracts:ro" in volumes


class TestOtherLandscapes:
    def test_a_manifest_of_another_name_is_mounted_as_the_containers_expect_it(
        self, landscape: manifest.Landscape
    ) -> None:
        named = replace(landscape, file=landscape.folder / "small.yaml")

        services = yaml.load(render(compose_plan(named)), yaml.CSafeLoader)["services"]

        for name in ("keys", "edge", "router"):
            assert "./small.yaml:/landscape/harness.yaml:ro" in services[name]["volumes"]

    def test_an_image_is_used_as_it_is(self, landscape: manifest.Landscape) -> None:
        stock = replace(landscape.domains["stock"], dockerfile=None, image="registry.test/stock:1", database=False)
        plan = compose_plan(replace(landscape, domains={"stock": stock}))

        document = yaml.load(render(plan), yaml.CSafeLoader)

        assert document["services"]["stock"]["image"] == "registry.test/stock:1"
        assert "build" not in document["services"]["stock"]
        assert "stock-db" not in document["services"]
        assert "DATABASE_URL" not in document["services"]["stock"]["environment"]

    def test_every_file_that_a_container_cannot_have_is_told_at_once(self, landscape: manifest.Landscape) -> None:
        orders = replace(landscape.domains["orders"], dockerfile=None)
        stock = replace(
            landscape.domains["stock"],
            name="orders-db",
            file=Path("/elsewhere/domain.yaml"),
            dockerfile=None,
            image="x",
        )

        with pytest.raises(InputError) as refused:
            compose_plan(replace(landscape, domains={"orders": orders, "orders-db": stock}))

        problems = [str(problem) for problem in refused.value.problems]
        assert [problem.partition(": ")[2] for problem in problems] == [
            'there is already a container called "orders-db": choose another name for the domain',
            f"containers see {landscape.folder} alone: move it below that folder",
            "run needs `dockerfile` or `image` to run as a container",
        ]
        assert problems[2].startswith("domains/orders/domain.yaml: ")


class TestWriting:
    @pytest.fixture
    def copy(self, tmp_path: Path) -> Path:
        for name in ("harness.yaml", "domains", "contracts", "policies"):
            source = ROOT / name
            (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
        return tmp_path / "harness.yaml"

    def test_a_check_writes_nothing(self, copy: Path) -> None:
        assert not write_compose(copy, check=True).current
        assert not (copy.parent / "docker-compose.yml").exists()

    def test_what_was_written_is_current(self, copy: Path) -> None:
        first = write_compose(copy, check=False)

        assert not first.current
        assert write_compose(copy, check=True).current
        assert first.path.read_text() == (ROOT / "docker-compose.yml").read_text()

    def test_a_change_of_a_manifest_is_seen(self, copy: Path) -> None:
        write_compose(copy, check=False)
        copy.write_text(copy.read_text().replace("workbench: 4566", "workbench: 4599"))

        assert not write_compose(copy, check=True).current
