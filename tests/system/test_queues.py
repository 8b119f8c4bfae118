"""SQS and SNS on a running landscape: what an SDK does there, and what a killed edge leaves."""

import json
import os
import signal
import subprocess
import sys
import uuid
from base64 import b64decode
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import load_pem_x509_certificate

from tests.system.landscapes import harness, landscape, pid_of
from tests.system.walkthrough import Running, eventually

pytestmark = pytest.mark.slow

TESTER = "333333333333"


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("landscape") / "state"


@pytest.fixture(scope="module")
def running(state: Path) -> Iterator[Running]:
    with landscape(state) as up:
        yield up


def client(state: Path, running: Running, service: str, role: str = "tester", **config: Any) -> Any:
    issued = json.loads(harness(state, "credentials", role, "--format", "json").stdout)
    return boto3.client(
        service,
        region_name="eu-west-1",
        endpoint_url=running.workbench,
        aws_access_key_id=issued["AccessKeyId"],
        aws_secret_access_key=issued["SecretAccessKey"],
        aws_session_token=issued["SessionToken"],
        config=Config(**config),
    )


@pytest.fixture(scope="module")
def sqs(state: Path, running: Running) -> Any:
    return client(state, running, "sqs")


@pytest.fixture
def queue(sqs: Any) -> str:
    url: str = sqs.create_queue(QueueName=f"q-{uuid.uuid4().hex[:8]}")["QueueUrl"]
    return url


def test_a_killed_edge_keeps_what_is_hidden_hidden(state: Path, sqs: Any, queue: str) -> None:
    sqs.send_message(QueueUrl=queue, MessageBody="hidden")
    [received] = sqs.receive_message(QueueUrl=queue, VisibilityTimeout=600)["Messages"]
    os.kill(pid_of(state, "edge"), signal.SIGKILL)
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)
    handle = received["ReceiptHandle"]
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=handle, VisibilityTimeout=0)
    [again] = sqs.receive_message(QueueUrl=queue, AttributeNames=["All"], WaitTimeSeconds=20)["Messages"]
    assert (again["Body"], again["Attributes"]["ApproximateReceiveCount"]) == ("hidden", "2")


def test_whoever_leaves_a_long_poll_takes_no_message_along(state: Path, running: Running, sqs: Any, queue: str) -> None:
    impatient = client(state, running, "sqs", read_timeout=1, retries={"total_max_attempts": 1})
    with pytest.raises(ReadTimeoutError):
        impatient.receive_message(QueueUrl=queue, WaitTimeSeconds=20)
    sqs.send_message(QueueUrl=queue, MessageBody="ours")
    [received] = sqs.receive_message(QueueUrl=queue, AttributeNames=["All"], WaitTimeSeconds=20)["Messages"]
    assert received["Attributes"]["ApproximateReceiveCount"] == "1"


def test_a_topic_brings_its_messages_to_a_queue(state: Path, running: Running, sqs: Any, queue: str) -> None:
    sns = client(state, running, "sns")
    topic = sns.create_topic(Name=f"t-{uuid.uuid4().hex[:8]}")["TopicArn"]
    arn = f"arn:aws:sqs:eu-west-1:{TESTER}:{queue.rpartition('/')[2]}"
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": statement})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    sns.publish(TopicArn=topic, Message="hello")
    [received] = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20)["Messages"]
    assert received["Body"] == "hello"


def test_a_message_is_verified_with_the_certificate_that_the_landscape_hands_out(
    state: Path, running: Running, sqs: Any, queue: str
) -> None:
    sns = client(state, running, "sns")
    topic = sns.create_topic(Name=f"t-{uuid.uuid4().hex[:8]}", Attributes={"SignatureVersion": "2"})["TopicArn"]
    arn = f"arn:aws:sqs:eu-west-1:{TESTER}:{queue.rpartition('/')[2]}"
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": statement})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    sns.publish(TopicArn=topic, Message="hello")
    poll = partial(sqs.receive_message, QueueUrl=queue, WaitTimeSeconds=20)
    [received] = eventually(lambda: poll().get("Messages"), bool, seconds=60)
    message = json.loads(received["Body"])
    assert message["SigningCertURL"].startswith(running.workbench)
    with urlopen(message["SigningCertURL"], timeout=30) as answer:
        key = load_pem_x509_certificate(answer.read()).public_key()
    assert isinstance(key, RSAPublicKey)
    names = ("Message", "MessageId", "Timestamp", "TopicArn", "Type")
    signed = "".join(f"{name}\n{message[name]}\n" for name in names).encode()
    key.verify(b64decode(message["Signature"]), signed, PKCS1v15(), SHA256())
    [file] = state.glob("**/topics.pem")
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_dead_letters_of_a_rule_have_a_queue_which_the_manifest_holds(state: Path, running: Running) -> None:
    orders = client(state, running, "sqs", "orders-service")
    with pytest.raises(ClientError) as refused:
        orders.get_queue_url(QueueName="orders-undelivered")
    assert refused.value.response["Error"]["Code"] == "AccessDenied"
    told = harness(state, "explain", refused.value.response["ResponseMetadata"]["RequestId"]).stdout
    assert "policy of the queue orders-undelivered" in told
    assert '"Action": "sqs:GetQueueUrl"' in told


def test_an_edge_that_is_stopped_answers_those_who_wait(state: Path, running: Running, queue: str) -> None:
    """In another process: the call is under way when the signal comes."""
    # Says so when its question has been sent, not when it is about to be.
    script = (
        "import boto3, http.client, sys\n"
        "answer_to = http.client.HTTPConnection.getresponse\n"
        "def asked(connection):\n"
        "    print('asked', flush=True)\n"
        "    return answer_to(connection)\n"
        "http.client.HTTPConnection.getresponse = asked\n"
        f"print(boto3.client('sqs', region_name='eu-west-1', endpoint_url={running.workbench!r})"
        f".receive_message(QueueUrl={queue!r}, WaitTimeSeconds=20).get('Messages'), flush=True)"
    )
    issued = json.loads(harness(state, "credentials", "tester", "--format", "json").stdout)
    environment = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": issued["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": issued["SecretAccessKey"],
        "AWS_SESSION_TOKEN": issued["SessionToken"],
        "AWS_MAX_ATTEMPTS": "1",
    }
    other = client(state, running, "sqs")
    other.receive_message(QueueUrl=queue)
    edge = pid_of(state, "edge")
    asking = subprocess.Popen(
        [sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert asking.stdout is not None
    assert asking.stdout.readline() == "asked\n"
    other.receive_message(QueueUrl=queue)  # answered after the other's question has come in
    os.kill(edge, signal.SIGTERM)
    # An edge that let it wait would cut it off after its five seconds of grace.
    assert asking.communicate(timeout=300)[0] == "None\n"
