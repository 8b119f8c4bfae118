"""The same walkthrough against the same landscape as containers, and the walls between its networks."""

import json
import secrets
import shutil
import subprocess
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import boto3
import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.x509 import load_pem_x509_certificate

from harness.local.docker import compose_command
from harness.runtime.sockets import ReservedPort
from tests.system.walkthrough import HARNESS, ROOT, Running, eventually
from tests.system.walkthrough import TestBus as TestBus
from tests.system.walkthrough import TestOrders as TestOrders
from tests.system.walkthrough import TestPolicies as TestPolicies
from tests.system.walkthrough import TestSignatures as TestSignatures
from tests.system.walkthrough import TestSts as TestSts
from tests.system.walkthrough import storefront as storefront

pytestmark = [pytest.mark.docker, pytest.mark.slow]

UP_SECONDS = 900


def engine_answers() -> bool:
    return (
        shutil.which("docker") is not None and subprocess.run(["docker", "info"], capture_output=True).returncode == 0
    )


@dataclass(frozen=True)
class Compose:
    """A compose project in a folder of its own."""

    folder: Path

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*compose_command(), *arguments], cwd=self.folder, text=True, capture_output=True, timeout=UP_SECONDS
        )
        assert not check or done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
        return done

    def python(self, service: str, script: str) -> str:
        """What a script prints inside a service's container."""
        return self.run("exec", "-T", service, "python", "-c", script).stdout.strip()

    def address(self, service: str) -> str:
        """A container's address on its first network."""
        (identifier,) = self.run("ps", "-q", service).stdout.split()
        shown = subprocess.run(["docker", "inspect", identifier], text=True, capture_output=True, check=True).stdout
        networks = json.loads(shown)[0]["NetworkSettings"]["Networks"]
        address: str = next(iter(networks.values()))["IPAddress"]
        return address


@pytest.fixture(scope="module")
def compose(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compose]:
    if not engine_answers():
        pytest.skip("no Docker engine answers here")
    # The folder's name is the project's: another run on this machine must not have the same.
    folder = tmp_path_factory.mktemp("compose") / f"landscape{secrets.token_hex(4)}"
    folder.mkdir()
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    manifest = folder / "harness.yaml"
    # Kept from everyone but the engine, also while the images are built.
    workbench, public = ReservedPort(), ReservedPort()
    ports = f"ports: {{workbench: {workbench.port}, public: {public.port}}}"
    manifest.write_text(manifest.read_text().replace("ports: {workbench: 4566, public: 4567}", ports))
    declare_topic(folder / "domains" / "stock")
    project = Compose(folder)
    try:
        subprocess.run([str(HARNESS), "--file", str(manifest), "compose"], check=True, capture_output=True)
        project.run("up", "--detach", "--build")
        yield project
    finally:
        if project.folder.joinpath("docker-compose.yml").is_file():
            project.run("down", "--volumes", "--timeout", "15", check=False)
        workbench.release()
        public.release()


def declare_topic(stock: Path) -> None:
    """A topic of stock, and a queue that hears it; the tester publishes and receives."""
    with (stock / "domain.yaml").open("a") as file:
        file.write("queues: {heard: {policy: policies/heard.json}}\n")
        file.write("topics: {counted: {policy: policies/counted.json, subscriptions: [{queue: heard}]}}\n")
    tester = {"Effect": "Allow", "Principal": {"AWS": "333333333333"}, "Resource": "*"}
    service = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Resource": "*"}
    statements = {
        "counted": [{**tester, "Action": "sns:Publish"}],
        "heard": [{**tester, "Action": "sqs:ReceiveMessage"}, {**service, "Action": "sqs:SendMessage"}],
    }
    for name, those in statements.items():
        text = json.dumps({"Version": "2012-10-17", "Statement": those})
        (stock / "policies" / f"{name}.json").write_text(text)


@pytest.fixture(scope="module")
def running(compose: Compose) -> Running:
    """Once every container is healthy."""
    ports = (compose.folder / "harness.yaml").read_text().split("ports: {workbench: ")[1].split("}")[0]
    workbench, public = ports.split(", public: ")
    arguments = ("--file", str(compose.folder / "harness.yaml"))
    landscape = Running(f"http://localhost:{workbench}", f"http://localhost:{public}", arguments)
    done = eventually(
        lambda: landscape.run("status", "--json", check=False), lambda run: run.returncode == 0, seconds=600
    )
    assert done.returncode == 0, done.stdout + compose.run("logs", "--tail=40").stdout
    return landscape


def test_every_container_is_healthy(running: Running) -> None:
    document = json.loads(running.run("status", "--json").stdout)

    names = {process["name"] for process in document["processes"]}
    assert names == {"keys", "nats", "edge", "router", "orders", "orders-db", "stock", "stock-db"}
    assert document["healthy"]


def test_a_domain_verifies_messages_with_the_certificate_at_its_own_endpoint(
    running: Running, compose: Compose
) -> None:
    issued = running.credentials("tester")
    sns, sqs = (
        boto3.client(
            service,
            region_name="eu-west-1",
            endpoint_url=running.workbench,
            aws_access_key_id=issued["AccessKeyId"],
            aws_secret_access_key=issued["SecretAccessKey"],
            aws_session_token=issued["SessionToken"],
        )
        for service in ("sns", "sqs")
    )
    sns.publish(TopicArn="arn:aws:sns:eu-west-1:222222222222:counted", Message="hello")
    queue = f"{running.workbench}/222222222222/heard"
    poll = partial(sqs.receive_message, QueueUrl=queue, WaitTimeSeconds=20)
    [received] = eventually(lambda: poll().get("Messages"), bool, seconds=60)
    message = json.loads(received["Body"])
    assert message["SigningCertURL"].startswith("http://vpce.stock.internal:4566/")
    script = f"import urllib.request; print(urllib.request.urlopen({message['SigningCertURL']!r}).read().decode())"
    key = load_pem_x509_certificate(compose.python("stock", script).encode()).public_key()
    assert isinstance(key, RSAPublicKey)
    names = ("Message", "MessageId", "Timestamp", "TopicArn", "Type")
    signed = "".join(f"{name}\n{message[name]}\n" for name in names).encode()
    key.verify(b64decode(message["Signature"]), signed, PKCS1v15(), SHA1())


CONNECT = """
import socket
try:
    socket.create_connection(({host!r}, {port}), timeout={seconds}).close()
    print("reached")
except OSError as error:
    print("unreachable")
"""


class TestWalls:
    """What a domain's container sees of the others."""

    @pytest.mark.parametrize(
        ("service", "port"),
        [
            pytest.param("stock", 8080, id="another domain"),
            pytest.param("stock-db", 5432, id="another domain's database"),
            pytest.param("nats", 4222, id="the event store"),
        ],
    )
    def test_cannot_be_reached_by_name_or_address(
        self, service: str, port: int, running: Running, compose: Compose
    ) -> None:
        for host in (service, compose.address(service)):
            assert compose.python("orders", CONNECT.format(host=host, port=port, seconds=3)) == "unreachable"

    def test_its_own_database_can_be_reached(self, running: Running, compose: Compose) -> None:
        assert compose.python("orders", CONNECT.format(host="orders-db", port=5432, seconds=60)) == "reached"

    def test_an_unsigned_call_to_another_domain_is_refused_by_the_edge(
        self, running: Running, compose: Compose
    ) -> None:
        script = """
import os, urllib.error, urllib.request
try:
    urllib.request.urlopen(os.environ["STOCK_API_URL"] + "/v1/items", timeout=60)
except urllib.error.HTTPError as error:
    print(error.code, error.headers["x-amzn-ErrorType"])
"""
        assert compose.python("orders", script) == "403 MissingAuthenticationTokenException"

    @pytest.mark.parametrize("service", ["edge", "router", "orders", "stock"])
    def test_runs_as_an_ordinary_user(self, service: str, running: Running, compose: Compose) -> None:
        assert compose.python(service, "import os; print(os.getuid())") != "0"

    def test_credentials_are_those_of_the_domains_own_role(self, running: Running, compose: Compose) -> None:
        script = """
import boto3
print(boto3.client("sts").get_caller_identity()["Arn"])
"""
        assert compose.python("orders", script).endswith(":assumed-role/orders-service/orders")
