"""The servers that `bench.bus_peers` measures, each with a bus, a rule that takes every event, and a queue."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3
from botocore.config import Config

REGION = "eu-west-1"
RULE = "all"
ACCOUNT = "111111111111"
START_SECONDS = 30


@dataclass(frozen=True)
class Server:
    """Where it listens (`127.0.0.1:4566`) and with what it is called. `folder`: of a landscape."""

    authority: str
    access_key_id: str
    secret: str
    session_token: str | None = None
    folder: Path = Path()


@dataclass(frozen=True)
class Place:
    """A bus of a server, with a rule that takes every event of `orders` to the queue."""

    server: Server
    bus: str
    queue_url: str


@contextmanager
def moto(python: Path) -> Iterator[Server]:
    port = _free_port()
    command = [str(python.parent / "moto_server"), "-H", "127.0.0.1", "-p", str(port)]
    with _running(command, port, {}):
        yield Server(f"127.0.0.1:{port}", "testing", "testing")


@contextmanager
def ministack(python: Path) -> Iterator[Server]:
    port = _free_port()
    environment = {"GATEWAY_PORT": str(port), "GATEWAY_HOST": "127.0.0.1", "MINISTACK_HOST": "127.0.0.1"}
    with _running([str(python.parent / "ministack")], port, environment):
        yield Server(f"127.0.0.1:{port}", "test", "test")


@contextmanager
def harness_landscape() -> Iterator[Server]:
    """A landscape of one account and no domain."""
    with tempfile.TemporaryDirectory(prefix="bench-bus-") as name:
        folder = Path(name)
        port = _free_port()
        _write_landscape(folder)
        environment = {"HARNESS_WORKBENCH_PORT": str(port), "HARNESS_PUBLIC_PORT": "0"}
        program = Path(sys.executable).parent / "harness"
        run = {**os.environ, **environment}
        subprocess.run([program, "up", "--detach"], cwd=folder, env=run, check=True, stdout=subprocess.DEVNULL)
        try:
            command = [program, "credentials", "bench", "--format", "json"]
            issued = json.loads(subprocess.check_output(command, cwd=folder, env=run))
            keys = (issued["AccessKeyId"], issued["SecretAccessKey"], issued["SessionToken"])
            yield Server(f"127.0.0.1:{port}", *keys, folder)
        finally:
            subprocess.run([program, "down"], cwd=folder, env=run, check=True, stdout=subprocess.DEVNULL)


def _write_landscape(folder: Path) -> None:
    allow = {"Effect": "Allow", "Action": ["events:*", "sqs:*"], "Resource": "*"}
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    for file, statement in (("bench.json", allow), ("trust.json", trust)):
        (folder / file).write_text(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    (folder / "harness.yaml").write_text(f"""\
organisation: o-a1b2c3d4e5
region: {REGION}
workbench: {{vpc: vpc-0d9c8b7a6f5e4d3c2, endpoint: vpce-0d9c8b7a6f5e4d3c2}}
accounts:
  bench:
    id: "{ACCOUNT}"
    vpc: vpc-01111111111111111
    endpoint: vpce-01111111111111111
    roles:
      bench: {{trust: trust.json, policies: [bench.json]}}
include: []
""")


def prepare(server: Server, number: int) -> Place:
    """A bus and a queue of its own for each round: the queue begins empty."""
    bus, name = f"shop-{number}", f"bench-{number}"

    def client(service: str):  # type: ignore[no-untyped-def]  # boto3 makes its clients at run time
        return boto3.client(
            service,
            endpoint_url=f"http://{server.authority}",
            region_name=REGION,
            aws_access_key_id=server.access_key_id,
            aws_secret_access_key=server.secret,
            aws_session_token=server.session_token,
            config=Config(retries={"total_max_attempts": 1}),
        )

    events, sqs = client("events"), client("sqs")
    events.create_event_bus(Name=bus)
    pattern = json.dumps({"source": ["orders"]})
    rule = events.put_rule(Name=RULE, EventBusName=bus, EventPattern=pattern)["RuleArn"]
    queue_url = sqs.create_queue(QueueName=name)["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": queue,
                "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
            }
        ],
    }
    sqs.set_queue_attributes(QueueUrl=queue_url, Attributes={"Policy": json.dumps(policy)})
    failed = events.put_targets(Rule=RULE, EventBusName=bus, Targets=[{"Id": "queue", "Arn": queue}])
    if failed["FailedEntryCount"]:
        raise RuntimeError(str(failed))
    return Place(server, bus, queue_url)


@contextmanager
def _running(command: list[str], port: int, environment: Mapping[str, str]) -> Iterator[None]:
    quiet = subprocess.DEVNULL
    server = subprocess.Popen(command, env={**os.environ, **environment}, stdout=quiet, stderr=quiet)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _listens(port):
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} did not start")
            time.sleep(0.05)
        yield
    finally:
        server.terminate()
        server.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
