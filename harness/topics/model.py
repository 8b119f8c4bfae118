"""Topics, subscriptions and what is published, as everyone who shares the state knows them."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

import orjson

from harness.policy import Document, PolicyKind, compile_document
from harness.storage.state import Key
from harness.wire import PARTITION

FIFO = "FifoTopic"
POLICY = "Policy"
FILTER = "FilterPolicy"
FILTER_SCOPE = "FilterPolicyScope"
RAW = "RawMessageDelivery"
REDRIVE = "RedrivePolicy"
DELIVERY = "DeliveryPolicy"
SIGNATURE = "SignatureVersion"
DEDUPLICATION = "ContentBasedDeduplication"
DEDUPLICATION_SECONDS = 300


def topic_arn(region: str, account: str, name: str) -> str:
    return f"arn:{PARTITION}:sns:{region}:{account}:{name}"


@dataclass(frozen=True)
class Topic:
    """`id` is new with each topic that is made. `given`: the attributes that somebody set, as text.

    `fixed`: those of a manifest, which `declared_in` names; the API cannot change them.
    """

    region: str
    account: str
    name: str
    id: str
    given: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    fixed: tuple[str, ...] = ()
    declared_in: str = ""

    @property
    def arn(self) -> str:
        return topic_arn(self.region, self.account, self.name)

    @property
    def key(self) -> Key:
        return topic_key(self.account, self.name)

    @property
    def fifo(self) -> bool:
        return self.given.get(FIFO) == "true"

    @cached_property
    def policy(self) -> Document | None:
        """Compiled; it has been accepted before."""
        text = self.given.get(POLICY)
        if not text:
            return None
        return compile_document(text, kind=PolicyKind.RESOURCE, name=f"policy of the topic {self.name}")

    def to_bytes(self) -> bytes:
        return orjson.dumps(
            {
                "region": self.region,
                "account": self.account,
                "name": self.name,
                "id": self.id,
                "given": dict(self.given),
                "tags": dict(self.tags),
                "fixed": self.fixed,
                "declared_in": self.declared_in,
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> "Topic":
        content = orjson.loads(data)
        return cls(**{**content, "fixed": tuple(content.get("fixed", ()))})


@dataclass(frozen=True)
class Subscription:
    """`owner` is the account that subscribed. `token`: what confirms it. `address`: by which the edge is reached.

    `signed`: it was confirmed with a signature; `guarded`: it is ended with one only (AuthenticateOnUnsubscribe).
    `fixed` and `declared_in` as of a topic.
    """

    topic: str
    id: str
    protocol: str
    endpoint: str
    owner: str
    given: Mapping[str, str] = field(default_factory=dict)
    confirmed: bool = True
    token: str = ""
    address: str = ""
    signed: bool = True
    guarded: bool = False
    fixed: tuple[str, ...] = ()
    declared_in: str = ""

    @property
    def arn(self) -> str:
        return f"{self.topic}:{self.id}"

    @property
    def key(self) -> Key:
        return (*subscriptions_key(self.topic), self.id)

    @property
    def raw(self) -> bool:
        return self.given.get(RAW) == "true"

    @property
    def of_body(self) -> bool:
        return self.given.get(FILTER_SCOPE) == "MessageBody"

    @cached_property
    def filter(self) -> Mapping[str, Any] | None:
        text = self.given.get(FILTER)
        return json.loads(text) if text else None

    @property
    def dead_letters(self) -> str:
        return dead_letters(self.given)

    def to_bytes(self) -> bytes:
        return orjson.dumps({**asdict(self), "given": dict(self.given)})

    @classmethod
    def from_bytes(cls, data: bytes) -> "Subscription":
        content = orjson.loads(data)
        return cls(**{**content, "fixed": tuple(content.get("fixed", ()))})


def dead_letters(given: Mapping[str, str]) -> str:
    """The ARN of the queue for what could not be delivered; empty without one."""
    text = given.get(REDRIVE)
    return str(json.loads(text)["deadLetterTargetArn"]) if text else ""


@dataclass(frozen=True, slots=True)
class Attribute:
    """`type`: String, String.Array, Number or Binary. `value`: text, or base64."""

    type: str
    value: str


@dataclass(frozen=True, slots=True)
class Publication:
    """A message for a topic. `sent` in milliseconds; `structure` is `json` where each protocol has its own text."""

    topic: str
    id: str
    message: str
    sent: int
    subject: str = ""
    structure: str = ""
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    group: str = ""
    deduplication: str = ""

    def text(self, protocol: str) -> str:
        if self.structure != "json":
            return self.message
        texts = json.loads(self.message)
        return str(texts[protocol] if isinstance(texts.get(protocol), str) else texts["default"])

    def to_bytes(self) -> bytes:
        return orjson.dumps({**asdict(self), "attributes": {n: [a.type, a.value] for n, a in self.attributes.items()}})

    @classmethod
    def from_bytes(cls, data: bytes) -> "Publication":
        content = orjson.loads(data)
        attributes = {name: Attribute(*pair) for name, pair in content.pop("attributes").items()}
        return cls(**content, attributes=attributes)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message on its way to one subscription, or (empty) to those of a FIFO topic, one after the other.

    `kind` is the type of the message, as its JSON says.
    """

    subscription: str
    publication: Publication
    kind: str = "Notification"

    @property
    def id(self) -> str:
        return f"{self.publication.id}:{self.subscription}"

    def to_bytes(self) -> bytes:
        publication = self.publication.to_bytes().decode()
        return orjson.dumps([self.subscription, publication, self.kind])

    @classmethod
    def from_bytes(cls, data: bytes) -> "Delivery":
        subscription, publication, kind = orjson.loads(data)
        return cls(subscription, Publication.from_bytes(publication.encode()), kind)


def topic_key(account: str, name: str) -> Key:
    return ("sns", "topic", account, name)


def subscriptions_key(topic: str) -> Key:
    account, name = topic.split(":")[4:6]
    return ("sns", "subscription", account, name)
