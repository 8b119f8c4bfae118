"""`kill -9` at random moments of edge, router, nats-server and consumer during 20,000 events: none is lost.

On a machine that has them through before each of the four was killed there are more events.
"""

import json
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.system.landscapes import harness as command
from tests.system.landscapes import pid_of, process_ids, status
from tests.system.storm_taker import FAILING
from tests.system.walkthrough import eventually

pytestmark = pytest.mark.slow

EVENTS, TOGETHER, PUBLISHERS, READERS = 20_000, 10, 4, 4
VICTIMS = ("edge", "router", "nats", "taker")
PAUSE = (1.0, 3.0)  # seconds between two kills
SEED = 20
ACCOUNT = "111111111111"
TAKER = Path(__file__).with_name("storm_taker.py")
QUEUE, UNDELIVERED, RULE = "storm", "taker-undelivered", "everything"
SECONDS = 800


def a_policy(**statement: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


def write_landscape(folder: Path, taken: Path) -> None:
    trust = a_policy(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, Action="sts:AssumeRole")
    (folder / "trust.json").write_text(trust)
    (folder / "any.json").write_text(a_policy(Action=["events:*", "sqs:*", "iam:PassRole"], Resource="*"))
    (folder / "harness.yaml").write_text(f"""\
organisation: o-a1b2c3d4e5
region: eu-west-1
workbench: {{vpc: vpc-0d9c8b7a6f5e4d3c2, endpoint: vpce-0d9c8b7a6f5e4d3c2}}
accounts:
  taker: {{id: "{ACCOUNT}", vpc: vpc-01111111111111111, endpoint: vpce-01111111111111111}}
buses:
  storm: {{account: taker}}
include: [domain.yaml]
""")
    (folder / "domain.yaml").write_text(f"""\
name: taker
account: taker
run: {{command: [python, {TAKER}, {taken}]}}
roles: {{taker-service: {{trust: trust.json, policies: [any.json]}}}}
runs-as: taker-service
subscribes:
  - rule: taken
    pattern: {{source: [storm]}}
    retry: {{maximum-attempts: 3}}
    dead-letter: {UNDELIVERED}
""")


class Storm:
    """The landscape as its publishers, readers and killer see it."""

    def __init__(self, folder: Path, taken: Path) -> None:
        self.state = folder / "state"
        self.taken = taken
        self._folder = folder
        self._local = threading.local()
        self._lock = threading.Lock()
        self.tries = 0
        self.events = 0
        self.killed = Counter[str]()

    def client(self, service: str) -> Any:
        """One for each thread. Without retries of its own: those are the test's."""
        if not hasattr(self._local, service):
            run = command(self.state, "credentials", "taker-service", "--format", "json", cwd=self._folder)
            issued = json.loads(run.stdout)
            made = boto3.session.Session().client(
                service,
                endpoint_url=f"http://localhost:{status(self.state)['ports']['workbench']}",
                region_name="eu-west-1",
                aws_access_key_id=issued["AccessKeyId"],
                aws_secret_access_key=issued["SecretAccessKey"],
                aws_session_token=issued["SessionToken"],
                config=Config(retries={"total_max_attempts": 1}, read_timeout=30),
            )
            setattr(self._local, service, made)
        return getattr(self._local, service)

    def persistently(self, call: Callable[..., Any], **members: Any) -> Any:
        """What a careful client does: again, until it is answered."""
        deadline = time.monotonic() + 120
        while True:
            self.tries += 1
            try:
                return call(**members)
            except (BotoCoreError, ClientError):
                if time.monotonic() > deadline:
                    raise

    def publish_until(self, enough: Callable[[], bool]) -> None:
        """Takes turns with the others who publish: each number once."""
        while True:
            with self._lock:
                if enough():
                    return
                start = self.events
                self.events += TOGETHER
            self.publish(start)

    def publish(self, start: int) -> None:
        entries = [
            {"EventBusName": "storm", "Source": "storm", "DetailType": "N", "Detail": json.dumps({"number": number})}
            for number in range(start, start + TOGETHER)
        ]
        while entries:
            results = self.persistently(self.client("events").put_events, Entries=entries)["Entries"]
            entries = [entry for entry, result in zip(entries, results, strict=True) if "EventId" not in result]

    def read(self, queue: str, found: Counter[int], enough: Callable[[], bool]) -> None:
        sqs = self.client("sqs")
        url = self.persistently(sqs.get_queue_url, QueueName=queue)["QueueUrl"]
        while not enough():
            answer = self.persistently(sqs.receive_message, QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            messages = answer.get("Messages", [])
            found.update(json.loads(message["Body"])["detail"]["number"] for message in messages)
            if messages:
                gone = [{"Id": str(n), "ReceiptHandle": each["ReceiptHandle"]} for n, each in enumerate(messages)]
                with suppress(BotoCoreError, ClientError):  # then they come again
                    sqs.delete_message_batch(QueueUrl=url, Entries=gone)

    def taken_numbers(self) -> Counter[int]:
        whole, _, _ = self.taken.read_text().rpartition("\n")  # the last line may be half written yet
        return Counter(map(int, whole.split()))

    def kill(self, done: threading.Event) -> None:
        """At random moments until `done`, each once the last one that was killed lives again."""
        dice, order = random.Random(SEED), list[str]()
        while not done.wait(dice.uniform(*PAUSE)):
            order = order or dice.sample(VICTIMS, len(VICTIMS))  # each comes before one comes twice
            victim = order.pop()
            pid = pid_of(self.state, victim)
            os.kill(pid, signal.SIGKILL)
            self.killed[victim] += 1
            eventually(partial(self._life, victim), partial(_another, pid))

    def _life(self, name: str) -> int:
        return process_ids(status(self.state)).get(name, 0)


def _another(pid: int, life: int) -> bool:
    return life not in (0, pid)


@pytest.fixture
def storm(tmp_path: Path) -> Iterator[Storm]:
    taken = tmp_path / "taken"
    taken.touch()
    write_landscape(tmp_path, taken)
    made = Storm(tmp_path, taken)
    started = command(made.state, "up", "--detach", "--free-ports", cwd=tmp_path)
    assert started.returncode == 0, started.stderr
    try:
        yield made
    finally:
        command(made.state, "down", cwd=tmp_path)


def make_queue_target(storm: Storm) -> None:
    events, sqs = storm.client("events"), storm.client("sqs")
    rule = events.put_rule(Name=RULE, EventBusName="storm", EventPattern='{"source": ["storm"]}')["RuleArn"]
    queue = f"arn:aws:sqs:eu-west-1:{ACCOUNT}:{QUEUE}"
    policy = a_policy(
        Principal={"Service": "events.amazonaws.com"},
        Action="sqs:SendMessage",
        Resource=queue,
        Condition={"ArnEquals": {"aws:SourceArn": rule}},
    )
    sqs.create_queue(QueueName=QUEUE, Attributes={"Policy": policy, "VisibilityTimeout": "60"})
    answer = events.put_targets(Rule=RULE, EventBusName="storm", Targets=[{"Id": "queue", "Arn": queue}])
    assert answer["FailedEntryCount"] == 0, answer


def test_no_event_is_lost_whoever_is_killed(storm: Storm, record_property: Callable[[str, object], None]) -> None:
    make_queue_target(storm)
    queued, buried = Counter[int](), Counter[int]()
    published = threading.Event()
    deadline = time.monotonic() + SECONDS

    def late() -> bool:
        return time.monotonic() > deadline

    def all_are_queued() -> bool:
        return published.is_set() and len(queued) >= storm.events

    def all_are_taken_or_buried() -> bool:
        failing = range(0, storm.events, FAILING)
        return published.is_set() and set(buried).issuperset(failing) and not missing(storm.taken_numbers(), buried)

    def missing(*found: Counter[int]) -> list[int]:
        return sorted(set(range(storm.events)).difference(*found))

    with ThreadPoolExecutor(PUBLISHERS + READERS + 2) as pool:
        killing = pool.submit(storm.kill, published)

        def all_are_out() -> bool:
            whole_storm = set(storm.killed) == set(VICTIMS) or killing.done()
            return late() or (storm.events >= EVENTS and whole_storm)

        reading = [pool.submit(storm.read, QUEUE, queued, lambda: late() or all_are_queued()) for _ in range(READERS)]
        reading.append(pool.submit(storm.read, UNDELIVERED, buried, lambda: late() or all_are_taken_or_buried()))
        publishing = [pool.submit(storm.publish_until, all_are_out) for _ in range(PUBLISHERS)]
        try:
            for each in publishing:
                each.result()
        finally:
            published.set()
        for each in (killing, *reading):
            each.result()

    taken = storm.taken_numbers()
    report = {
        "events": storm.events,
        "killed": dict(storm.killed),
        "calls": storm.tries,
        "delivered twice or more, to the domain": sum(count - 1 for count in taken.values()),
        "delivered twice or more, to the queue": sum(count - 1 for count in queued.values()),
        "dead letters": len(buried),
    }
    print(report)
    record_property("storm", report)
    assert missing(taken, buried) == []
    assert missing(queued) == []
    assert set(storm.killed) == set(VICTIMS)
