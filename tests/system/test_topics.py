"""A landscape whose manifests declare a topic, with queues of two accounts that get its messages."""

import json
import shutil
import time
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import boto3
import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import load_pem_x509_certificate

from tests.system.landscapes import harness, status

pytestmark = pytest.mark.slow

MANIFESTS = Path(__file__).parent / "cases" / "topics"
SALES = "arn:aws:sns:eu-west-1:111111111111:sales"
PATIENCE_SECONDS = 60


class Landscape:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / ".harness"

    def run(self, *arguments: str) -> str:
        done = harness(self.state, *arguments, cwd=self.folder)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def client(self, service: str, domain: str) -> Any:
        issued = json.loads(self.run("credentials", f"{domain}-service", "--format", "json"))
        return boto3.client(
            service,
            region_name="eu-west-1",
            endpoint_url=f"http://localhost:{status(self.state)['ports']['workbench']}",
            aws_access_key_id=issued["AccessKeyId"],
            aws_secret_access_key=issued["SecretAccessKey"],
            aws_session_token=issued["SessionToken"],
        )

    def received(self, domain: str, queue: str, count: int) -> list[dict[str, Any]]:
        """The messages in a queue, taken out: waits for so many, and looks once whether there are more."""
        sqs = self.client("sqs", domain)
        url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        found: list[dict[str, Any]] = []
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            enough = len(found) >= count
            answer = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1 if enough else 20, MaxNumberOfMessages=10)
            for message in answer.get("Messages", []):
                found.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            if enough or time.monotonic() > deadline:
                return found


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Landscape]:
    folder = tmp_path_factory.mktemp("topics") / "landscape"
    shutil.copytree(MANIFESTS, folder)
    landscape = Landscape(folder)
    try:
        landscape.run("up", "--detach", "--free-ports")
        yield landscape
    finally:
        harness(landscape.state, "down", cwd=folder)


def publish(running: Landscape, text: str, kind: str) -> None:
    attributes = {"kind": {"DataType": "String", "StringValue": kind}}
    running.client("sns", "shop").publish(TopicArn=SALES, Message=text, MessageAttributes=attributes)


def verify(message: dict[str, Any]) -> None:
    with urlopen(message["SigningCertURL"], timeout=30) as answer:
        key = load_pem_x509_certificate(answer.read()).public_key()
    assert isinstance(key, RSAPublicKey)
    names = ("Message", "MessageId", "Timestamp", "TopicArn", "Type")
    signed = "".join(f"{name}\n{message[name]}\n" for name in names).encode()
    key.verify(b64decode(message["Signature"]), signed, PKCS1v15(), SHA256())


def test_messages_come_to_the_queues_that_want_them(running: Landscape) -> None:
    publish(running, "one", "sale")
    publish(running, "two", "refund")
    own = running.received("shop", "own", 2)
    assert sorted(message["Message"] for message in own) == ["one", "two"]
    [heard] = running.received("audit", "heard", 1)
    assert heard["Message"] == "two"
    ports = status(running.state)["ports"]
    assert heard["SigningCertURL"].startswith(f"http://127.0.0.1:{ports['audit']}/")
    for message in (*own, heard):
        verify(message)


def test_another_account_may_what_the_topics_policy_says(running: Landscape) -> None:
    sns = running.client("sns", "audit")
    assert sns.get_topic_attributes(TopicArn=SALES)["Attributes"]["SubscriptionsConfirmed"] == "2"
    with pytest.raises(ClientError) as refused:
        sns.publish(TopicArn=SALES, Message="not ours")
    assert refused.value.response["Error"]["Code"] == "AuthorizationError"


def test_the_manifest_alone_deletes_it(running: Landscape) -> None:
    with pytest.raises(ClientError) as refused:
        running.client("sns", "shop").delete_topic(TopicArn=SALES)
    assert refused.value.response["Error"]["Code"] == "InvalidState"
    assert "domains/shop/domain.yaml" in refused.value.response["Error"]["Message"]


def test_after_a_restart_each_message_comes_once_and_is_signed_with_the_same_key(running: Landscape) -> None:
    before = (running.state / "keys" / "topics.pem").read_bytes()
    running.run("down")
    running.run("up", "--detach", "--free-ports")
    publish(running, "three", "refund")
    [own] = running.received("shop", "own", 1)
    [heard] = running.received("audit", "heard", 1)
    assert own["Message"] == heard["Message"] == "three"
    verify(heard)
    assert (running.state / "keys" / "topics.pem").read_bytes() == before
