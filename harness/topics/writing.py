"""What a subscriber gets: the message wrapped in JSON and signed, or as it is.

Source: Amazon SNS Developer Guide, "HTTP/HTTPS notification JSON format" and "Amazon SNS raw message delivery".
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from harness.topics.model import Delivery, Subscription
from harness.topics.signing import Signer

CONFIRMATION = "SubscriptionConfirmation"
NOTIFICATION = "Notification"
FAREWELL = "UnsubscribeConfirmation"
VERSION = "2010-03-31"
_QUESTIONS = {
    CONFIRMATION: (
        "You have chosen to subscribe to the topic {topic}.\n"
        "To confirm the subscription, visit the SubscribeURL included in this message."
    ),
    FAREWELL: (
        "You have chosen to deactivate subscription {arn}.\n"
        "To cancel this operation and restore the subscription, visit the SubscribeURL included in this message."
    ),
}


def wrapped(delivery: Delivery, subscription: Subscription, signer: Signer, version: str) -> str:
    """`version`: of the signature."""
    publication = delivery.publication
    content: dict[str, Any] = {
        "Type": delivery.kind,
        "MessageId": publication.id,
        "TopicArn": publication.topic,
    }
    question = _QUESTIONS.get(delivery.kind)
    if question is not None:
        content["Token"] = subscription.token
        content["Message"] = question.format(topic=publication.topic, arn=subscription.arn)
        content["SubscribeURL"] = subscribe_url(subscription)
    else:
        if publication.subject:
            content["Subject"] = publication.subject
        content["Message"] = publication.text(subscription.protocol)
    content["Timestamp"] = _moment(publication.sent)
    content["SignatureVersion"] = version
    content["Signature"] = signer.signature(content, version)
    content["SigningCertURL"] = f"http://{subscription.address}{signer.certificate_path}"
    if question is None:
        content["UnsubscribeURL"] = _url(subscription, Action="Unsubscribe", SubscriptionArn=subscription.arn)
    if publication.attributes and question is None:
        content["MessageAttributes"] = {
            name: {"Type": each.type, "Value": each.value} for name, each in publication.attributes.items()
        }
    return json.dumps(content, ensure_ascii=False, indent=2)


def subscribe_url(subscription: Subscription) -> str:
    return _url(subscription, Action="ConfirmSubscription", TopicArn=subscription.topic, Token=subscription.token)


def _url(subscription: Subscription, **query: str) -> str:
    return f"http://{subscription.address}/?{urlencode({**query, 'Version': VERSION})}"


def http_headers(delivery: Delivery, subscription: Subscription) -> list[tuple[str, str]]:
    headers = [
        ("x-amz-sns-message-type", delivery.kind),
        ("x-amz-sns-message-id", delivery.publication.id),
        ("x-amz-sns-topic-arn", delivery.publication.topic),
    ]
    if delivery.kind != CONFIRMATION:
        headers.append(("x-amz-sns-subscription-arn", subscription.arn))
    if is_raw(delivery, subscription):
        headers.append(("x-amz-sns-rawdelivery", "true"))
    return [
        *headers,
        ("content-type", "text/plain; charset=UTF-8"),
        ("user-agent", "Amazon Simple Notification Service Agent"),
    ]


def is_raw(delivery: Delivery, subscription: Subscription) -> bool:
    return subscription.raw and delivery.kind == NOTIFICATION


def queue_attributes(delivery: Delivery, subscription: Subscription) -> Mapping[str, tuple[str, str]]:
    """Type and value of each. Only a raw message has them; in a wrapped one they stand inside."""
    if not is_raw(delivery, subscription):
        return {}
    # String.Array is SNS's own: SQS takes it as text with a label.
    return {name: (each.type, each.value) for name, each in delivery.publication.attributes.items()}


def _moment(milliseconds: int) -> str:
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{milliseconds % 1000:03d}Z"
