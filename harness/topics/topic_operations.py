"""Topics made, found, changed and deleted. Source: Amazon SNS API Reference; texts as AWS answers them."""

import json
import re
import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness.query_protocol.answers import Entries, Members, Refusal
from harness.query_protocol.calls import members
from harness.storage.held import StoreUnavailable
from harness.storage.state import Conflict
from harness.topics.model import DEDUPLICATION, DELIVERY, FIFO, POLICY, SIGNATURE, Topic, topic_arn
from harness.topics.requests import (
    ARN,
    MOST_CHARACTERS,
    NO_TOPIC,
    Asked,
    Counter,
    declared,
    entries,
    invalid,
    json_object,
    long_value,
    may_change,
    policy_fault,
    tags_fault,
)
from harness.topics.signing import VERSIONS
from harness.wire import PARTITION

PAGE = 100
_NAME = re.compile(r"[A-Za-z0-9_-]{1,256}", re.ASCII)
_FIFO_NAME = re.compile(r"(?=.{1,256}$)[A-Za-z0-9_-]+\.fifo", re.ASCII)
_BOOLEANS = (DEDUPLICATION, FIFO)
_SETTABLE = (
    POLICY, DELIVERY, "DisplayName", "KmsMasterKeyId", SIGNATURE, "TracingConfig", DEDUPLICATION,
    "FifoThroughputScope",
)  # fmt: skip
_ATTEMPTS = 8
_OWNER_ACTIONS = (
    "GetTopicAttributes", "SetTopicAttributes", "AddPermission", "RemovePermission", "DeleteTopic", "Subscribe",
    "ListSubscriptionsByTopic", "Publish",
)  # fmt: skip


class TopicOperations:
    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._registry = counter.registry

    async def create_topic(self, asked: Asked) -> Members | Refusal:
        name, given = asked.parameters.get("Name", ""), entries(asked.parameters, "Attributes")
        tags = _tags(asked)
        fifo = given.get(FIFO) == "true"
        if not (_FIFO_NAME if fifo else _NAME).fullmatch(name):
            return invalid("Topic Name")
        account = asked.caller.account
        arn = topic_arn(self._counter.region, account, name)
        refused = self._counter.refused(asked, arn, None)
        wrong = refused or attributes_fault(given, fifo=fifo) or tags_fault(tags)
        if wrong is not None:
            return wrong
        given = {key: value for key, value in given.items() if value}
        topic = Topic(self._counter.region, account, name, uuid.uuid4().hex, given, tags)
        try:
            await self._registry.put(topic, expected=0)
        except Conflict:
            found = await self._registry.topic(arn)
            if found is None:
                raise StoreUnavailable(f"{arn} is made and deleted all the time") from None
            if any(found[0].given.get(key) != value for key, value in given.items()):
                return invalid("Attributes", "Topic already exists with different attributes")
            if tags and dict(found[0].tags) != tags:
                return invalid("Tags", "Topic already exists with different tags")
        return {"TopicArn": arn}

    async def delete_topic(self, asked: Asked) -> Members | Refusal:
        """One that is not there is deleted already."""
        found = await self._counter.topic(asked)
        if found is NO_TOPIC:
            return {}
        if isinstance(found, Refusal):
            return found
        topic = found[0]
        if topic.declared_in:
            return declared(topic, "delete it")
        await self._registry.delete(topic)
        for subscription in self._registry.subscriptions(topic.arn):
            await self._registry.delete(subscription)
        return {}

    async def list_topics(self, asked: Asked) -> Members | Refusal:
        account = asked.caller.account
        refused = self._counter.refused(asked, topic_arn(self._counter.region, account, "*"), None)
        if refused is not None:
            return refused
        arns = [topic.arn for topic in self._registry.topics(account)]
        return page(arns, asked, "Topics", lambda arn: {"TopicArn": arn})

    async def get_topic_attributes(self, asked: Asked) -> Members | Refusal:
        found = await self._counter.topic(asked)
        if isinstance(found, Refusal):
            return found
        topic = found[0]
        subscriptions = self._registry.subscriptions(topic.arn)
        confirmed = sum(subscription.confirmed for subscription in subscriptions)
        values = {
            "TopicArn": topic.arn,
            "Owner": topic.account,
            "DisplayName": "",
            POLICY: _default_policy(topic),
            "SubscriptionsConfirmed": str(confirmed),
            "SubscriptionsPending": str(len(subscriptions) - confirmed),
            "SubscriptionsDeleted": "0",
            "EffectiveDeliveryPolicy": topic.given.get(DELIVERY) or _DEFAULT_DELIVERY,
            **({DEDUPLICATION: "false"} if topic.fifo else {}),
            **topic.given,
        }
        return {"Attributes": Entries(values)}

    async def set_topic_attributes(self, asked: Asked) -> Members | Refusal:
        name, value = asked.parameters.get("AttributeName", ""), asked.parameters.get("AttributeValue", "")

        def set_(topic: Topic) -> Topic | Refusal:
            if name == FIFO:
                return invalid("AttributeName")
            wrong = attributes_fault({name: value}, fifo=topic.fifo, word="AttributeName")
            if wrong is None and not may_change(topic, name, value):
                wrong = declared(topic, f"change its {name}")
            return wrong or replace(
                topic, given={key: text for key, text in {**topic.given, name: value}.items() if text}
            )

        return await self.change(asked, set_)

    async def tag_resource(self, asked: Asked) -> Members | Refusal:
        tags = _tags(asked)

        def add(topic: Topic) -> Topic | Refusal:
            together = {**topic.tags, **tags}
            return tags_fault(together) or replace(topic, tags=together)

        return await self._of_resource(asked, add)

    async def untag_resource(self, asked: Asked) -> Members | Refusal:
        keys = [member[""] for member in members(asked.parameters, "TagKeys")]
        return await self._of_resource(
            asked, lambda topic: replace(topic, tags={key: topic.tags[key] for key in topic.tags if key not in keys})
        )

    async def list_tags_for_resource(self, asked: Asked) -> Members | Refusal:
        arn = asked.parameters.get("ResourceArn", "")
        if not ARN.fullmatch(arn):
            return invalid("ResourceArn")
        found = await self._counter.topic_of(asked, arn)
        if isinstance(found, Refusal):
            return _resource(found)
        return {"Tags": [{"Key": key, "Value": value} for key, value in found[0].tags.items()]}

    async def add_permission(self, asked: Asked) -> Members | Refusal:
        label = asked.parameters.get("Label", "")
        accounts = [member[""] for member in members(asked.parameters, "AWSAccountId")]
        actions = [member[""] for member in members(asked.parameters, "ActionName")]
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,80}", label):
            return invalid("Label")
        if not actions or any(action not in _OWNER_ACTIONS for action in actions):
            return invalid("Policy statement action out of service scope!")
        if not accounts or not all(re.fullmatch(r"[0-9]{12}", account) for account in accounts):
            return invalid("AWSAccountId")

        def add(topic: Topic) -> Topic | Refusal:
            if POLICY in topic.fixed:
                return declared(topic, "change its policy")
            policy = json.loads(topic.given.get(POLICY) or _default_policy(topic))
            if any(statement.get("Sid") == label for statement in _statements(policy)):
                return invalid("Statement already exists")
            statement = {
                "Sid": label,
                "Effect": "Allow",
                "Principal": {"AWS": [f"arn:{PARTITION}:iam::{account}:root" for account in accounts]},
                "Action": [f"SNS:{action}" for action in actions],
                "Resource": topic.arn,
            }
            text = json.dumps({**policy, "Statement": [*_statements(policy), statement]})
            return policy_fault(text) or replace(topic, given={**topic.given, POLICY: text})

        return await self.change(asked, add)

    async def remove_permission(self, asked: Asked) -> Members | Refusal:
        label = asked.parameters.get("Label", "")

        def remove(topic: Topic) -> Topic | Refusal:
            if POLICY in topic.fixed:
                return declared(topic, "change its policy")
            policy = json.loads(topic.given.get(POLICY) or _default_policy(topic))
            left = [statement for statement in _statements(policy) if statement.get("Sid") != label]
            if not left:
                return replace(topic, given={name: value for name, value in topic.given.items() if name != POLICY})
            return replace(topic, given={**topic.given, POLICY: json.dumps({**policy, "Statement": left})})

        return await self.change(asked, remove)

    async def change(
        self, asked: Asked, change: Callable[[Topic], Topic | Refusal], arn: str = ""
    ) -> Members | Refusal:
        """The topic that is asked about, changed; tried again when another process changed it meanwhile."""
        for _ in range(_ATTEMPTS):
            found = await (self._counter.topic_of(asked, arn) if arn else self._counter.topic(asked))
            if isinstance(found, Refusal):
                return found
            changed = change(found[0])
            if isinstance(changed, Refusal):
                return changed
            try:
                await self._registry.put(changed, expected=found[1])
            except Conflict:
                continue
            return {}
        raise StoreUnavailable("the topic is changed all the time")

    async def _of_resource(self, asked: Asked, change: Callable[[Topic], Topic | Refusal]) -> Members | Refusal:
        arn = asked.parameters.get("ResourceArn", "")
        if not ARN.fullmatch(arn):
            return invalid("ResourceArn")
        answer = await self.change(asked, change, arn)
        return _resource(answer) if isinstance(answer, Refusal) else answer


def attributes_fault(given: Mapping[str, str], *, fifo: bool, word: str = "Attributes") -> Refusal | None:
    long = long_value(given)
    if long is not None:
        return invalid(word, f"{long[:80]} is longer than {MOST_CHARACTERS} characters")
    for name, value in given.items():
        if name not in _SETTABLE and name != FIFO:
            return invalid(word)
        if name in (DEDUPLICATION, "FifoThroughputScope") and not fifo:
            return invalid(word, f"{name} is an attribute of FIFO topics")
        if name in _BOOLEANS and value not in ("true", "false", ""):
            return invalid(word, f"{name} must be true or false")
        if name == "DisplayName" and len(value) > 100:
            return invalid("DisplayName")
        if name == SIGNATURE and value not in (*VERSIONS, ""):
            return invalid(SIGNATURE)
        if name == DELIVERY and value and json_object(value) is None:
            return invalid("DeliveryPolicy: failed to parse JSON.")
    return policy_fault(given.get(POLICY, ""))


def page(
    items: Sequence[Any], asked: Asked, member: str, told: Callable[[Any], Members], key: Callable[[Any], str] = str
) -> Members | Refusal:
    """A hundred from the one after `NextToken`."""
    token = asked.parameters.get("NextToken", "")
    try:
        after = urlsafe_b64decode(token.encode("ascii")).decode("ascii") if token else ""
    except ValueError:
        return invalid("NextToken")
    rest = sorted((item for item in items if key(item) > after), key=key)
    answer: dict[str, Any] = {member: [told(item) for item in rest[:PAGE]]}
    if len(rest) > PAGE:
        answer["NextToken"] = urlsafe_b64encode(key(rest[PAGE - 1]).encode()).decode()
    return answer


_DEFAULT_DELIVERY = json.dumps(
    {
        "http": {
            "defaultHealthyRetryPolicy": {
                "minDelayTarget": 20,
                "maxDelayTarget": 20,
                "numRetries": 3,
                "numMaxDelayRetries": 0,
                "numNoDelayRetries": 0,
                "numMinDelayRetries": 0,
                "backoffFunction": "linear",
            },
            "disableSubscriptionOverrides": False,
        }
    }
)


def _default_policy(topic: Topic) -> str:
    """What AWS attaches to a new topic. Only services have an AWS:SourceOwner: for roles their own policies decide."""
    return json.dumps(
        {
            "Version": "2008-10-17",
            "Id": "__default_policy_ID",
            "Statement": [
                {
                    "Sid": "__default_statement_ID",
                    "Effect": "Allow",
                    "Principal": {"AWS": "*"},
                    "Action": [f"SNS:{action}" for action in _OWNER_ACTIONS],
                    "Resource": topic.arn,
                    "Condition": {"StringEquals": {"AWS:SourceOwner": topic.account}},
                }
            ],
        }
    )


def _statements(policy: Mapping[str, Any]) -> list[dict[str, Any]]:
    statements = policy["Statement"]
    return list(statements) if isinstance(statements, list) else [statements]


def _tags(asked: Asked) -> dict[str, str]:
    return {member.get("Key", ""): member.get("Value", "") for member in members(asked.parameters, "Tags")}


def _resource(refusal: Refusal) -> Refusal:
    return Refusal("ResourceNotFound", "Resource does not exist", 404) if refusal is NO_TOPIC else refusal
