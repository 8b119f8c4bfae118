"""SNS's endpoint: the query protocol, authenticated and authorised like any AWS call.

Source: Amazon Simple Notification Service API Reference 2010-03-31.
"""

import logging
import uuid
from collections.abc import Mapping

from harness.access import UNSIGNED, Authority, Caller, network_context
from harness.clock import Clock, utc_now
from harness.query_protocol.answers import Members, Refusal, error, result
from harness.query_protocol.calls import Call, read_call, unknown_operation
from harness.query_protocol.signatures import refusal_of
from harness.sigv4 import Fault
from harness.storage.held import ShareUsed, StoreFull, StoreUnavailable
from harness.topics.filtering import Compile
from harness.topics.outbox import Outbox
from harness.topics.publish_operations import SHARE_USED, THROTTLED, UNAVAILABLE, PublishOperations
from harness.topics.registry import Registry
from harness.topics.requests import Asked, Counter, Operation
from harness.topics.signing import certificate_path
from harness.topics.subscription_operations import SubscriptionOperations
from harness.topics.topic_operations import TopicOperations
from harness.topics.writing import VERSION
from harness.wire import HttpRequest, HttpResponse, NetworkPlace

log = logging.getLogger(__name__)

SERVICE = "sns"
NAMESPACE = "http://sns.amazonaws.com/doc/2010-03-31/"
SKEW_SECONDS = 900
# A message of 256 KiB, percent-encoded, ten times in a batch with all attributes.
_MOST_FORM_BYTES = 1_572_864
_MOST_PARAMETERS = 2000
_UNSIGNED = ("ConfirmSubscription", "Unsubscribe")


class TopicsApi:
    """A `wire.Handler`. `compile`: what filter policies are. `certificate`: what verifies messages, PEM."""

    def __init__(
        self,
        authority: Authority,
        registry: Registry,
        outbox: Outbox,
        *,
        compile: Compile,
        region: str,
        certificate: bytes,
        clock: Clock = utc_now,
    ) -> None:
        self._authority = authority
        self._certificate_path = certificate_path(certificate).encode()
        self._certificate = HttpResponse(200, ((b"content-type", b"application/x-pem-file"),), certificate)
        self._region = region
        self._clock = clock
        counter = Counter(authority, registry, outbox, compile, region, clock)
        topics, subscriptions = TopicOperations(counter), SubscriptionOperations(counter)
        publishing = PublishOperations(counter)
        self._operations: Mapping[str, Operation] = {
            "AddPermission": topics.add_permission,
            "ConfirmSubscription": subscriptions.confirm_subscription,
            "CreateTopic": topics.create_topic,
            "DeleteTopic": topics.delete_topic,
            "GetSubscriptionAttributes": subscriptions.get_subscription_attributes,
            "GetTopicAttributes": topics.get_topic_attributes,
            "ListSubscriptions": subscriptions.list_subscriptions,
            "ListSubscriptionsByTopic": subscriptions.list_subscriptions_by_topic,
            "ListTagsForResource": topics.list_tags_for_resource,
            "ListTopics": topics.list_topics,
            "Publish": publishing.publish,
            "PublishBatch": publishing.publish_batch,
            "RemovePermission": topics.remove_permission,
            "SetSubscriptionAttributes": subscriptions.set_subscription_attributes,
            "SetTopicAttributes": topics.set_topic_attributes,
            "Subscribe": subscriptions.subscribe,
            "TagResource": topics.tag_resource,
            "Unsubscribe": subscriptions.unsubscribe,
            "UntagResource": topics.untag_resource,
        }

    async def __call__(self, request: HttpRequest, place: NetworkPlace) -> HttpResponse:
        if request.method == "GET" and request.raw_path == self._certificate_path:
            return self._certificate
        request_id = request.request_id or str(uuid.uuid4())
        caller = self._authority.authenticate(request, service=SERVICE, skew_seconds=SKEW_SECONDS)
        unsigned = request.header(b"authorization") is None and b"X-Amz-" not in request.raw_query
        if isinstance(caller, Fault) and not unsigned:
            return error(NAMESPACE, refusal_of(caller), request_id)
        call = read_call(request, VERSION, most=_MOST_PARAMETERS, longest=_MOST_FORM_BYTES)
        if isinstance(call, Refusal):
            return error(NAMESPACE, call, request_id)
        if isinstance(caller, Fault):
            if call.action not in _UNSIGNED:
                return error(NAMESPACE, refusal_of(caller), request_id)
            caller = UNSIGNED
        answer = await self._answer(call, caller, request, place)
        if isinstance(answer, Refusal):
            return error(NAMESPACE, answer, request_id)
        return result(NAMESPACE, call.action, answer, request_id)

    async def _answer(self, call: Call, caller: Caller, request: HttpRequest, place: NetworkPlace) -> Members | Refusal:
        operation = self._operations.get(call.action)
        if operation is None:
            return unknown_operation(call.action[:80], VERSION)
        asked = Asked(
            caller,
            call.action,
            call.parameters,
            network_context(request, place, now=self._clock(), region=self._region),
            host=(request.header(b"host") or b"localhost").decode("latin-1"),
        )
        try:
            return await operation(asked)
        except ShareUsed as used:
            log.warning("%s: %s", call.action, used)
            return SHARE_USED
        except StoreFull as full:
            log.warning("%s: %s", call.action, full)
            return THROTTLED
        except StoreUnavailable as gone:
            log.error("%s: %s", call.action, gone)
            return UNAVAILABLE
