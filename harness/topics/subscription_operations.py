"""Subscriptions made, confirmed, found, changed and ended.

Source: Amazon SNS API Reference; texts as AWS answers them.
"""

import hmac
import re
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from harness.access import UNSIGNED
from harness.query_protocol.answers import Entries, Members, Refusal
from harness.storage.held import StoreUnavailable
from harness.storage.state import Conflict
from harness.topics.filtering import filter_fault
from harness.topics.model import (
    DELIVERY,
    FILTER,
    FILTER_SCOPE,
    RAW,
    REDRIVE,
    Delivery,
    Publication,
    Subscription,
    Topic,
)
from harness.topics.notifier import lane_of
from harness.topics.requests import (
    NO_SUBSCRIPTION,
    NO_TOPIC,
    Asked,
    Counter,
    declared,
    entries,
    invalid,
    json_object,
    long_value,
    may_change,
)
from harness.topics.topic_operations import page
from harness.topics.writing import CONFIRMATION, FAREWELL

NOT_UNSIGNED = Refusal("AuthorizationError", "The subscription is not ended without a signature.", 403)
PENDING = "pending confirmation"
_PENDING_ARN = "PendingConfirmation"
_QUEUE = re.compile(r"arn:aws[\w-]*:sqs:[\w-]+:(\d{12}):[\w-]{1,80}(\.fifo)?", re.ASCII)
_NAMES = (FILTER, FILTER_SCOPE, RAW, REDRIVE, DELIVERY)
_SCOPES = ("MessageAttributes", "MessageBody")
_ATTEMPTS = 8


class SubscriptionOperations:
    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._registry = counter.registry

    async def subscribe(self, asked: Asked) -> Members | Refusal:
        parameters = asked.parameters
        found = await self._counter.topic(asked)
        if isinstance(found, Refusal):
            return found
        topic, protocol = found[0], parameters.get("Protocol", "")
        endpoint, given = parameters.get("Endpoint", ""), entries(parameters, "Attributes")
        wrong = _endpoint_fault(topic, protocol, endpoint) or self._attributes_fault(given)
        if wrong is not None:
            return wrong
        given = {name: value for name, value in given.items() if value}
        for known in self._registry.subscriptions(topic.arn):
            if (known.protocol, known.endpoint) == (protocol, endpoint):
                if given and dict(known.given) != given:
                    return invalid("Attributes", "Subscription already exists with different attributes")
                if not known.confirmed:
                    await self._ask(known)
                return _subscribed(asked, known)
        queue = _QUEUE.fullmatch(endpoint)
        # Whoever owns the queue need not be asked.
        own = queue is not None and queue[1] == asked.caller.account
        subscription = Subscription(
            topic.arn,
            str(uuid.uuid4()),
            protocol,
            endpoint,
            asked.caller.account,
            given,
            confirmed=own,
            signed=own,
            token=secrets.token_hex(32),
            address=asked.host,
        )
        await self._registry.put(subscription, expected=0)
        if not subscription.confirmed:
            await self._ask(subscription)
        return _subscribed(asked, subscription)

    async def _ask(self, subscription: Subscription, kind: str = CONFIRMATION) -> None:
        question = Publication(subscription.topic, str(uuid.uuid4()), "", self._counter.milliseconds())
        delivery = Delivery(subscription.arn, question, kind)
        await self._counter.outbox.add(lane_of(subscription), delivery.to_bytes(), once=delivery.id)

    async def confirm_subscription(self, asked: Asked) -> Members | Refusal:
        """By whoever has the token: the address in the message that carries it is called without a signature."""
        token, arn = asked.parameters.get("Token", ""), asked.parameters.get("TopicArn", "")
        if await self._registry.topic(arn) is None:
            return NO_TOPIC
        for subscription in self._registry.subscriptions(arn):
            if token and hmac.compare_digest(subscription.token.encode(), token.encode()):
                if not subscription.confirmed:
                    signed = asked.caller is not UNSIGNED
                    guarded = signed and asked.parameters.get("AuthenticateOnUnsubscribe") == "true"
                    await self._registry.put(replace(subscription, confirmed=True, signed=signed, guarded=guarded))
                return {"SubscriptionArn": subscription.arn}
        return invalid("Token")

    async def unsubscribe(self, asked: Asked) -> Members | Refusal:
        if asked.caller is UNSIGNED:
            return await self._unsubscribe_unsigned(asked.parameters.get("SubscriptionArn", ""))
        found = await self._subscription(asked)
        if isinstance(found, Refusal):
            return found
        if found[0].declared_in:
            return declared(found[0], "end it")
        await self._registry.delete(found[0])
        return {}

    async def _unsubscribe_unsigned(self, arn: str) -> Members | Refusal:
        """By whoever has an address that messages carry: the endpoint is told, and may take it back with the token.

        A queue cannot answer, so its subscription is ended with a signature only.
        """
        found = await self._registry.subscription(arn)
        if found is None or not found[0].confirmed or found[0].guarded or found[0].protocol == "sqs":
            return NOT_UNSIGNED
        ended = replace(found[0], confirmed=False, signed=False, token=secrets.token_hex(32))
        try:
            await self._registry.put(ended, expected=found[1])
        except Conflict:
            return NOT_UNSIGNED  # it has been ended or changed meanwhile
        await self._ask(ended, FAREWELL)
        return {}

    async def list_subscriptions(self, asked: Asked) -> Members | Refusal:
        account = asked.caller.account
        refused = self._counter.refused(asked, f"arn:aws:sns:{self._counter.region}:{account}:*", None)
        if refused is not None:
            return refused
        ours = [each for each in self._registry.all_subscriptions() if each.owner == account]
        return page(ours, asked, "Subscriptions", _told, _arn)

    async def list_subscriptions_by_topic(self, asked: Asked) -> Members | Refusal:
        found = await self._counter.topic(asked)
        if isinstance(found, Refusal):
            return found
        return page(self._registry.subscriptions(found[0].arn), asked, "Subscriptions", _told, _arn)

    async def get_subscription_attributes(self, asked: Asked) -> Members | Refusal:
        found = await self._subscription(asked)
        if isinstance(found, Refusal):
            return found
        subscription = found[0]
        values = {
            "SubscriptionArn": subscription.arn,
            "TopicArn": subscription.topic,
            "Owner": subscription.owner,
            "Protocol": subscription.protocol,
            "Endpoint": subscription.endpoint,
            "PendingConfirmation": str(not subscription.confirmed).lower(),
            "ConfirmationWasAuthenticated": str(subscription.signed).lower(),
            RAW: "false",
            **({FILTER_SCOPE: _SCOPES[0]} if FILTER in subscription.given else {}),
            **subscription.given,
        }
        return {"Attributes": Entries(values)}

    async def set_subscription_attributes(self, asked: Asked) -> Members | Refusal:
        name, value = asked.parameters.get("AttributeName", ""), asked.parameters.get("AttributeValue", "")
        for _ in range(_ATTEMPTS):
            found = await self._subscription(asked)
            if isinstance(found, Refusal):
                return found
            subscription, revision = found
            given = {**subscription.given, name: value}
            wrong = self._attributes_fault(given, word="AttributeName")
            if wrong is None and not may_change(subscription, name, value):
                wrong = declared(subscription, f"change its {name}")
            if wrong is not None:
                return wrong
            kept = {key: text for key, text in given.items() if text and not (key == FILTER and text.strip() == "{}")}
            try:
                await self._registry.put(replace(subscription, given=kept), expected=revision)
            except Conflict:
                continue
            return {}
        raise StoreUnavailable("the subscription is changed all the time")

    async def _subscription(self, asked: Asked) -> tuple[Subscription, int] | Refusal:
        """The one that is named, for a caller who may. The subscriber's account need not ask the topic's."""
        arn = asked.parameters.get("SubscriptionArn", "")
        if len(arn.split(":")) != 7 or ":sns:" not in arn:
            return invalid("SubscriptionArn", "An ARN must have at least 6 elements, not " + str(len(arn.split(":"))))
        found = await self._registry.subscription(arn)
        topic_arn = arn.rpartition(":")[0]
        topic = await self._registry.topic(topic_arn)
        if found is not None and found[0].owner == asked.caller.account:
            own = f"arn:aws:sns:{self._counter.region}:{asked.caller.account}:{topic_arn.rpartition(':')[2]}"
            refused = self._counter.refused(asked, own, None)
        else:
            refused = self._counter.refused(asked, topic_arn, topic[0].policy if topic else None)
        return refused or found or NO_SUBSCRIPTION

    def _attributes_fault(self, given: Mapping[str, str], *, word: str = "Attributes") -> Refusal | None:
        unknown = next((name for name in given if name not in _NAMES), None)
        if unknown is not None:
            return invalid(word)
        long = long_value(given)
        if long is not None:
            return invalid(word, f"{long}: the value is too long")
        if given.get(RAW, "") not in ("true", "false", ""):
            return invalid(word, "RawMessageDelivery: Invalid value. Must be true or false.")
        scope = given.get(FILTER_SCOPE) or _SCOPES[0]
        if scope not in _SCOPES:
            return invalid(
                word, f"FilterPolicyScope: Invalid value [{scope}]. Please use either MessageBody or MessageAttributes"
            )
        if given.get(FILTER):
            fault = filter_fault(given[FILTER], of_body=scope == _SCOPES[1], compile=self._counter.compile)
            if fault is not None:
                return invalid(fault)
        return _redrive_fault(given.get(REDRIVE, "")) or _delivery_fault(given.get(DELIVERY, ""))


def _endpoint_fault(topic: Topic, protocol: str, endpoint: str) -> Refusal | None:
    if protocol == "sqs":
        if not _QUEUE.fullmatch(endpoint):
            return invalid("SQS endpoint ARN")
        if endpoint.endswith(".fifo") and not topic.fifo:
            reason = "FIFO SQS Queues can not be subscribed to standard SNS topics"
            return invalid("Invalid parameter: Endpoint", reason)
        return None
    if protocol in ("http", "https"):
        if topic.fifo:
            return invalid("Protocol", f"{protocol} endpoints can not be subscribed to FIFO topics")
        if not _is_address(protocol, endpoint):
            return invalid("Endpoint must match the specified protocol")
        return None
    return invalid("Protocol", "this landscape has sqs, http and https") if protocol else invalid("Protocol")


def _is_address(protocol: str, endpoint: str) -> bool:
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname, parts.port
    except ValueError:
        return False
    plain = re.fullmatch(r"[!-~]{1,2048}", endpoint) and parts.username is None
    return bool(plain and host) and parts.scheme == protocol and port != 0


def _redrive_fault(text: str) -> Refusal | None:
    if not text:
        return None
    content = json_object(text)
    if content is None:
        return invalid("RedrivePolicy: failed to parse JSON.")
    arn = content.get("deadLetterTargetArn")
    if not isinstance(arn, str) or not _QUEUE.fullmatch(arn):
        return invalid("RedrivePolicy: deadLetterTargetArn is an invalid arn")
    return None


def _delivery_fault(text: str) -> Refusal | None:
    if not text:
        return None
    content = json_object(text)
    if content is None:
        return invalid("DeliveryPolicy: failed to parse JSON.")
    retry = content.get("healthyRetryPolicy", {})
    if not isinstance(retry, dict):
        return invalid("DeliveryPolicy: healthyRetryPolicy must be an object")
    for name, most in (("numRetries", 100), ("minDelayTarget", 3600), ("maxDelayTarget", 3600)):
        value = retry.get(name, 1)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
            return invalid(f"DeliveryPolicy: healthyRetryPolicy.{name} must be from 0 to {most}")
    if retry.get("minDelayTarget", 0) > retry.get("maxDelayTarget", 3600):
        return invalid("DeliveryPolicy: healthyRetryPolicy.minDelayTarget must not exceed maxDelayTarget")
    return None


def _subscribed(asked: Asked, subscription: Subscription) -> Members:
    shown = subscription.confirmed or asked.parameters.get("ReturnSubscriptionArn") == "true"
    return {"SubscriptionArn": subscription.arn if shown else PENDING}


def _arn(subscription: Subscription) -> str:
    return subscription.arn


def _told(subscription: Subscription) -> Members:
    return {
        "SubscriptionArn": subscription.arn if subscription.confirmed else _PENDING_ARN,
        "Owner": subscription.owner,
        "Protocol": subscription.protocol,
        "Endpoint": subscription.endpoint,
        "TopicArn": subscription.topic,
    }
