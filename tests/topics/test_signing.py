"""Signatures as a subscriber verifies them: with the certificate that the message names, and nothing of the harness."""

import json
import shutil
import subprocess
import urllib.error
import urllib.request
import uuid
from base64 import b64decode
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import load_pem_x509_certificate

from harness.topics.signing import Signer, certificate_in, string_to_sign
from tests.topics.endpoint import Landscape, Subscriber, landscape, signing_key
from tests.topics.test_delivery import a_queue, the_message, visit

CASES = yaml.safe_load((Path(__file__).parent / "cases" / "signatures.yaml").read_text())
HASHES = {"1": SHA1(), "2": SHA256()}
NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")


@pytest.fixture(scope="module")
def running() -> Iterator[Landscape]:
    with landscape() as found:
        yield found


@pytest.fixture
def sns(running: Landscape) -> Any:
    return running.client("owner", "Publish")


@pytest.fixture
def sqs(running: Landscape) -> Any:
    return running.client("owner", "CreateQueue")


def fetch(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=30) as answer:
        content: bytes = answer.read()
        return content


def verify(message: Mapping[str, Any]) -> None:
    """Raises InvalidSignature."""
    names = NOTIFICATION if message["Type"] == "Notification" else CONFIRMATION
    text = "".join(f"{name}\n{message[name]}\n" for name in names if name in message)
    key = load_pem_x509_certificate(fetch(message["SigningCertURL"])).public_key()
    assert isinstance(key, RSAPublicKey)
    key.verify(b64decode(message["Signature"]), text.encode(), PKCS1v15(), HASHES[message["SignatureVersion"]])


def received(sns: Any, sqs: Any, attributes: Mapping[str, str], **message: Any) -> dict[str, Any]:
    topic = sns.create_topic(Name=f"t-{uuid.uuid4().hex[:10]}", Attributes=attributes)["TopicArn"]
    queue, url = a_queue(sqs)
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    sns.publish(TopicArn=topic, **message)
    got = the_message(sqs, url)
    content: dict[str, Any] = json.loads(got["Body"])
    return content


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CASES])
def test_what_is_signed(case: Mapping[str, Any]) -> None:
    assert string_to_sign(case["message"]) == case["signed"]


@pytest.mark.parametrize(
    ("attributes", "version"),
    [
        pytest.param({}, "1", id="SHA1 by default"),
        pytest.param({"SignatureVersion": "1"}, "1", id="SHA1"),
        pytest.param({"SignatureVersion": "2"}, "2", id="SHA256"),
    ],
)
def test_a_subscriber_verifies_a_message_and_finds_every_change(
    sns: Any, sqs: Any, attributes: Mapping[str, str], version: str
) -> None:
    message = received(sns, sqs, attributes, Message='grüße\n"\U0001f600"', Subject="s")
    assert message["SignatureVersion"] == version
    verify(message)
    for name in NOTIFICATION:
        if name == "Type":
            continue
        changed = message[name][:-1] + chr(ord(message[name][-1]) ^ 1)
        with pytest.raises(InvalidSignature):
            verify({**message, name: changed})
    with pytest.raises(InvalidSignature):
        verify({name: value for name, value in message.items() if name != "Subject"})
    with pytest.raises(InvalidSignature):
        verify({**message, "SignatureVersion": "2" if version == "1" else "1"})


def test_the_words_about_a_subscription_are_signed_too(running: Landscape, sns: Any) -> None:
    topic = sns.create_topic(Name=f"t-{uuid.uuid4().hex[:10]}", Attributes={"SignatureVersion": "2"})["TopicArn"]
    subscriber = Subscriber()
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=subscriber.url)
    [(_, body)] = subscriber.wait_for(1)
    question = json.loads(body)
    assert visit(running, question["SubscribeURL"]) == 200
    sns.publish(TopicArn=topic, Message="hello")
    assert visit(running, json.loads(subscriber.wait_for(2)[1][1])["UnsubscribeURL"]) == 200
    farewell = json.loads(subscriber.wait_for(3)[2][1])
    subscriber.close()
    assert [question["Type"], farewell["Type"]] == ["SubscriptionConfirmation", "UnsubscribeConfirmation"]
    for message in (question, farewell):
        verify(message)
        for name in ("SubscribeURL", "Token"):
            with pytest.raises(InvalidSignature):
                verify({**message, name: message[name] + "0"})


def test_the_version_of_a_topic_can_be_changed(sns: Any, sqs: Any) -> None:
    topic = sns.create_topic(Name=f"t-{uuid.uuid4().hex[:10]}")["TopicArn"]
    queue, url = a_queue(sqs)
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    for version in ("2", "1"):
        sns.set_topic_attributes(TopicArn=topic, AttributeName="SignatureVersion", AttributeValue=version)
        sns.publish(TopicArn=topic, Message="hello")
        got = the_message(sqs, url)
        sqs.delete_message(QueueUrl=url, ReceiptHandle=got["ReceiptHandle"])
        message = json.loads(got["Body"])
        assert message["SignatureVersion"] == version
        verify(message)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command")
def test_openssl_verifies_a_message(sns: Any, sqs: Any, tmp_path: Path) -> None:
    message = received(sns, sqs, {"SignatureVersion": "2"}, Message="hello")
    certificate, key, signature = tmp_path / "certificate.pem", tmp_path / "key.pem", tmp_path / "signature"
    certificate.write_bytes(fetch(message["SigningCertURL"]))
    signature.write_bytes(b64decode(message["Signature"]))
    extract = ["openssl", "x509", "-pubkey", "-noout", "-in", str(certificate)]
    key.write_bytes(subprocess.run(extract, check=True, capture_output=True).stdout)
    text = "".join(f"{name}\n{message[name]}\n" for name in NOTIFICATION if name in message)
    check = ["openssl", "dgst", "-sha256", "-verify", str(key), "-signature", str(signature)]
    assert subprocess.run(check, input=text.encode(), capture_output=True).returncode == 0
    assert subprocess.run(check, input=text.encode() + b"\n", capture_output=True).returncode != 0


def test_only_the_certificate_is_handed_out(sns: Any, sqs: Any) -> None:
    url = received(sns, sqs, {}, Message="hello")["SigningCertURL"]
    content = fetch(url)
    assert content == certificate_in(signing_key())
    assert b"PRIVATE" not in content
    with pytest.raises(urllib.error.HTTPError) as refused:
        fetch(url.replace(".pem", "0.pem"))
    assert refused.value.code == 400


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        signing_key().partition(b"-----BEGIN CERTIFICATE")[0],
    ],
    ids=["nothing", "a key that is not RSA's", "a key without a certificate"],
)
def test_what_cannot_sign_is_refused(pem: bytes) -> None:
    with pytest.raises(ValueError):
        Signer(pem)
