"""What the processes of the sample landscape are started with."""

import os
import socket
import stat
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness import manifest
from harness.errors import StartError
from harness.local.plan import Running, make_plan
from harness.manifest.plan_file import EdgeSettings, RouterSettings, StubSettings
from harness.runtime.folder import StateFolder
from harness.runtime.process import Kind, ProcessSpec
from harness.runtime.sockets import ReservedPort, port_of
from harness.wire import PlaceKind

SECRETS = {
    "AWS_ACCESS_KEY_ID": "AKIAUSERSOWN",
    "AWS_SECRET_ACCESS_KEY": "of-the-user",
    "AWS_SESSION_TOKEN": "of-the-user",
    "AWS_PROFILE": "production",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/home/user/token",
    "DATABASE_URL": "postgresql://production",
    "HTTP_PROXY": "http://proxy.invalid",
    "GITHUB_TOKEN": "of-the-user",
}


@pytest.fixture
def users_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def running(landscape: manifest.Landscape, folder: StateFolder, users_environment: None) -> Iterator[Running]:
    made = make_plan(landscape, folder, domains=list(landscape.domains), free_ports=True)
    yield made
    made.close()


def process(running: Running, name: str) -> ProcessSpec:
    (found,) = [spec for spec in running.plan.processes if spec.name == name]
    return found


class TestDomainsEnvironment:
    """The wire contract, to the letter: a domain must find there what it finds on AWS, and nothing of the user's."""

    def test_of_one_that_calls_and_publishes(self, running: Running, folder: StateFolder) -> None:
        environment = dict(process(running, "orders").env)
        for users in ("HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR"):
            environment.pop(users, None)
        ports = running.plan.ports
        port = process(running, "orders").ports["orders"]
        password = (folder.keys / "postgres-orders.password").read_text()
        database = process(running, "postgres").ports["postgres"]

        assert environment == {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONUNBUFFERED": "1",
            "PYTHONPATH": "../kit",
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "AWS_LWA_READINESS_CHECK_PATH": "/healthz",
            "AWS_REGION": "eu-west-1",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{ports['orders']}",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://127.0.0.1:{ports['credentials']}/v2/credentials/orders",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(folder.keys / "credentials-orders.password"),
            "DATABASE_URL": f"postgresql://orders:{password}@127.0.0.1:{database}/orders",
            "EVENT_BUS_ARN": "arn:aws:events:eu-west-1:333333333333:event-bus/enterprise",
            "STOCK_API_URL": f"http://127.0.0.1:{ports['orders to stock']}",
        }

    def test_of_one_that_calls_nobody_has_no_url_of_an_api(self, running: Running) -> None:
        assert not [name for name in process(running, "stock").env if name.endswith("_API_URL")]

    def test_names_a_token_file_that_only_its_owner_may_read(self, running: Running) -> None:
        token = Path(process(running, "stock").env["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"])

        assert stat.S_IMODE(token.stat().st_mode) == 0o600
        assert len(token.read_text()) >= 40

    def test_nothing_that_is_secret_to_the_user_reaches_any_process(self, running: Running) -> None:
        for spec in running.plan.processes:
            leaked = [name for name, value in SECRETS.items() if spec.env.get(name) == value]
            assert leaked == [], spec.name

    def test_what_a_manifest_sets_cannot_replace_the_wire_contract(
        self, landscape: manifest.Landscape, folder: StateFolder
    ) -> None:
        environment = {"PORT": "1", "AWS_ENDPOINT_URL": "http://elsewhere", "LOG_LEVEL": "debug"}
        stock = replace(landscape.domains["stock"], environment=environment)
        changed = replace(landscape, domains={**landscape.domains, "stock": stock})

        made = make_plan(changed, folder, domains=["stock"], free_ports=True)

        made.close()
        environment = dict(process(made, "stock").env)
        assert environment["LOG_LEVEL"] == "debug"
        assert environment["PORT"] != "1"
        assert environment["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")


class TestProcesses:
    def test_are_those_of_the_landscape(self, running: Running) -> None:
        kinds = {spec.name: spec.kind for spec in running.plan.processes}

        assert kinds == {
            "postgres": Kind.POSTGRES,
            "nats": Kind.NATS,
            "edge": Kind.EDGE,
            "router": Kind.ROUTER,
            "orders": Kind.DOMAIN,
            "stock": Kind.DOMAIN,
        }

    def test_no_command_line_shows_a_secret(self, running: Running, folder: StateFolder) -> None:
        secrets = [key.read_text() for key in folder.keys.glob("*.password")]

        for spec in running.plan.processes:
            assert not [secret for secret in secrets if secret in " ".join(spec.command)], spec.name

    def test_the_edge_is_given_every_listener_under_its_place(
        self, running: Running, landscape: manifest.Landscape, folder: StateFolder
    ) -> None:
        settings = EdgeSettings.read(folder.run / "edge.json")

        places = {listener.place.name: listener for listener in settings.listeners}
        assert set(places) == {"credentials", *(place.name for place in landscape.places())}
        for name, listener in places.items():
            assert listener.fd == running.sockets[name].fileno()
        assert places["orders"].place.vpce_id == "vpce-01111111111111111"
        assert places["orders to stock"].place.api == "stock"
        assert places["public"].place.kind is PlaceKind.PUBLIC
        assert set(process(running, "edge").sockets) == set(running.sockets.values())

    def test_settings_with_a_password_are_closed_to_others(self, running: Running, folder: StateFolder) -> None:
        for name in ("edge.json", "router.json"):
            assert stat.S_IMODE((folder.run / name).stat().st_mode) == 0o600

    def test_a_landscape_without_databases_needs_no_postgres(
        self, landscape: manifest.Landscape, folder: StateFolder
    ) -> None:
        stock = replace(landscape.domains["stock"], database=False)
        changed = replace(landscape, domains={"stock": stock})

        made = make_plan(changed, folder, domains=["stock"], free_ports=True)

        made.close()
        assert "postgres" not in [spec.name for spec in made.plan.processes]
        assert "DATABASE_URL" not in process(made, "stock").env

    def test_part_of_a_landscape_routes_to_that_part_alone(
        self, landscape: manifest.Landscape, folder: StateFolder
    ) -> None:
        made = make_plan(landscape, folder, domains=["stock"], free_ports=True)

        made.close()
        assert [spec.name for spec in made.plan.processes if spec.kind is Kind.DOMAIN] == ["stock"]
        assert set(EdgeSettings.read(folder.run / "edge.json").upstreams) == {"stock"}
        assert set(RouterSettings.read(folder.run / "router.json").upstreams) == {"stock"}


class TestPorts:
    def test_every_listener_has_one_bound_on_loopback(self, running: Running) -> None:
        for name, port in running.plan.ports.items():
            with socket.create_connection(("127.0.0.1", port), timeout=60):
                assert port == port_of(running.sockets[name])

    def test_those_of_the_manifest_and_the_environment_hold(
        self, landscape: manifest.Landscape, folder: StateFolder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        workbench, public, account = held = ReservedPort(), ReservedPort(), ReservedPort()
        orders = replace(landscape.accounts["orders"], port=account.port)
        changed = replace(
            landscape,
            ports=manifest.Ports(workbench.port, 4567),
            accounts={**landscape.accounts, "orders": orders},
        )
        monkeypatch.setenv("HARNESS_PUBLIC_PORT", str(public.port))

        made = make_plan(changed, folder, domains=["stock"], free_ports=False)

        made.close()
        ports = made.plan.ports
        assert (ports["workbench"], ports["public"], ports["orders"]) == (workbench.port, public.port, account.port)
        assert made.plan.url == f"http://localhost:{workbench.port}"
        for each in held:
            each.release()

    def test_one_in_use_is_told_with_the_setting_that_changes_it_and_nothing_stays_bound(
        self, landscape: manifest.Landscape, folder: StateFolder
    ) -> None:
        free = ReservedPort()
        with socket.create_server(("127.0.0.1", 0)) as other:
            changed = replace(landscape, ports=manifest.Ports(free.port, port_of(other)))

            with pytest.raises(StartError, match=r"in use .* ports\.public in harness\.yaml or HARNESS_PUBLIC_PORT"):
                make_plan(changed, folder, domains=["stock"], free_ports=False)

        with socket.create_server(("127.0.0.1", free.port)):
            free.release()

    def test_nothing_stays_bound_when_the_settings_cannot_be_written(
        self, landscape: manifest.Landscape, folder: StateFolder
    ) -> None:
        free = ReservedPort()
        changed = replace(landscape, ports=manifest.Ports(free.port, 0))
        (folder.run / "edge.json").mkdir()

        with pytest.raises(StartError, match="run"):
            make_plan(changed, folder, domains=["stock"], free_ports=False)

        with socket.create_server(("127.0.0.1", free.port)):
            free.release()


def test_the_edge_records_only_where_it_is_asked_to(landscape: manifest.Landscape, folder: StateFolder) -> None:
    told = []
    for record in (False, True):
        made = make_plan(landscape, folder, domains=[], free_ports=True, record=record)
        made.close()
        told.append(EdgeSettings.read(folder.run / "edge.json").recording)

    assert told == [None, (folder.run / "recording.lock").absolute()]


class TestStubs:
    @pytest.fixture
    def running(self, landscape: manifest.Landscape, folder: StateFolder) -> Iterator[Running]:
        made = make_plan(landscape, folder, domains=["orders"], stubs=["stock"], seed=7, free_ports=True)
        yield made
        made.close()

    def test_stand_where_their_domains_would(self, running: Running, folder: StateFolder) -> None:
        stub = process(running, "stock")
        edge = EdgeSettings.read(folder.run / "edge.json")
        router = RouterSettings.read(folder.run / "router.json")

        assert (stub.kind, stub.after, stub.ready) == (Kind.STUB, (), f"{edge.upstreams['stock']}/healthz")
        assert edge.upstreams == router.upstreams
        assert edge.upstreams["stock"] == f"http://127.0.0.1:{stub.ports['stock']}"

    def test_are_told_what_to_serve(self, running: Running, folder: StateFolder) -> None:
        stub = process(running, "stock")
        file = folder.run / "stub-stock.json"
        settings = StubSettings.read(file)

        assert stub.command == (sys.executable, "-m", "harness.local", "stub", "--settings", str(file))
        assert (settings.api, settings.port, settings.seed) == ("stock", stub.ports["stock"], 7)

    def test_have_no_database_and_no_credentials(self, running: Running, folder: StateFolder) -> None:
        assert not any(name.startswith(("AWS_", "DATABASE")) for name in process(running, "stock").env)
        assert not (folder.keys / "postgres-stock.password").exists()

    def test_alone_need_no_postgres(self, landscape: manifest.Landscape, folder: StateFolder) -> None:
        made = make_plan(landscape, folder, domains=[], stubs=["stock"], free_ports=True)
        made.close()

        assert [spec.name for spec in made.plan.processes] == ["nats", "edge", "router", "stock"]

    def test_a_port_for_the_workbench_stands_before_all_others(
        self, landscape: manifest.Landscape, folder: StateFolder
    ) -> None:
        free = ReservedPort()
        made = make_plan(landscape, folder, domains=[], stubs=["stock"], free_ports=True, workbench=free.port)
        made.close()
        free.release()

        assert made.plan.ports["workbench"] == free.port
        assert made.plan.ports["public"] != 4567
