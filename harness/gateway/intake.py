"""From a request's head to what is sent to a container, or why nothing is: every decision of a call, without I/O."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from harness.access import Authority
from harness.gateway.admission import Gate, Refused
from harness.gateway.api import Api
from harness.gateway.client_head import MAX_HEAD_BYTES, ClientHead
from harness.gateway.forward import place_lines, request_bytes
from harness.gateway.identifiers import Ids
from harness.gateway.refusals import Condition
from harness.gateway.request_context import ContextWriter
from harness.gateway.routing import UNCLEAR, ApiNames, Named
from harness.gateway.throttle import throttle_for
from harness.wire import MAX_BODY_BYTES, HttpRequest, NetworkPlace

_VERSIONS = ("1.1", "1.0")
_ANY_ADDRESS = ("0.0.0.0", "::")

Scope = Mapping[str, Any]
"""ASGI's, of a request."""


class Taken(NamedTuple):
    """A request that may be read to its end. `place_fields`: what every call through the listener gets."""

    head: ClientHead
    place: NetworkPlace
    place_fields: bytes


class Outgoing(NamedTuple):
    """`method` as routed, `message` the whole request as bytes, `caller` the ARN of the caller's session."""

    api: Api
    method: str
    message: bytes
    caller: str


class Intake:
    """`places`: each listener's own address to the place it stands for; a listener on `0.0.0.0` counts for its port."""

    def __init__(
        self,
        apis: Mapping[str, Api],
        places: Mapping[tuple[str, int], NetworkPlace],
        authority: Authority,
        region: str,
    ) -> None:
        self._places = places
        self._gate = Gate(apis, authority, region)
        self._throttle = throttle_for(apis)
        self._api_names = ApiNames(region, {api.domain_name: api.id for api in apis.values() if api.domain_name})
        self._contexts = ContextWriter(region)
        self._listeners: dict[tuple[str, int], tuple[NetworkPlace, bytes] | None] = {}

    def take(self, scope: Scope) -> Taken | Refused:
        """What can be said of a request before its body is read."""
        head = ClientHead(scope["headers"])
        listener = self._listener(scope)
        if listener is None:
            return Refused(Condition.FORBIDDEN, "no such listener")
        if scope["client"] is None:  # reset before it was asked for its address, on which policies rely
            return Refused(Condition.BAD_REQUEST, "the client has no address")
        trouble = _head_trouble(head, len(scope["raw_path"]) + len(scope["query_string"]), scope["http_version"])
        return trouble or Taken(head, *listener)

    def named(self, scope: Scope, taken: Taken) -> Named | Refused:
        """The API that is called; none of them when the request is for an AWS service."""
        named = self._api_names.named(taken.place, scope["server"][1], taken.head.host or b"", taken.head.api_id)
        return Refused(Condition.FORBIDDEN, "the API is named in two ways") if named is UNCLEAR else named

    def admit(self, taken: Taken, request: HttpRequest, named: Named, ids: Ids, now: datetime) -> Outgoing | Refused:
        """`request`: all of it, the body read to its end."""
        head, place, place_fields = taken
        request_id, extended_id, trace_id = ids
        method = request.method if head.method_override is None else head.method_override.decode("latin-1").upper()
        admitted = self._gate.admit(request, place, named.api, method, now, must_sign=named.must_sign)
        if isinstance(admitted, Refused):
            return admitted
        api = admitted.api
        principal = admitted.caller.principal
        if self._throttle is not None:
            exceeded = self._throttle.take(api, admitted.stage, admitted.route, principal.role_arn, now.timestamp())
            if exceeded is not None:
                return Refused(exceeded.condition, f"over {exceeded.what}", caller=principal.arn)
        host = head.host or api.upstream.removeprefix("http://").encode()
        epoch_ms = int(now.timestamp() * 1000)
        message = request_bytes(
            method,
            request.raw_path + b"?" + request.raw_query if request.raw_query else request.raw_path,
            head,
            request.body,
            host=host,
            client_ip=request.client_ip,
            place_fields=place_fields,
            trace_id=trace_id,
            request_context=self._contexts.request_context(
                admitted,
                request,
                place,
                method=method,
                host=host,
                user_agent=head.user_agent,
                extended_id=extended_id,
                epoch_ms=epoch_ms,
            ),
            lambda_context=self._contexts.lambda_context(api, request_id, trace_id, epoch_ms),
        )
        return Outgoing(api, method, message, principal.arn)

    def place_of(self, scope: Scope) -> NetworkPlace | None:
        listener = self._listener(scope)
        return listener[0] if listener else None

    def _listener(self, scope: Scope) -> tuple[NetworkPlace, bytes] | None:
        """The place, and the fields that every call through it gets. The address is the socket's, not a header's."""
        server = scope["server"]
        if server in self._listeners:
            return self._listeners[server]
        place = self._places.get(server)
        for address in _ANY_ADDRESS:
            place = place or self._places.get((address, server[1]))
        found = None if place is None else (place, place_lines(place, server[1], scope["scheme"]))
        # Those of `places` alone: behind a listener on all addresses there are as many as a client cares to call.
        if server in self._places:
            self._listeners[server] = found
        return found


def request_of(scope: Scope, taken: Taken, body: bytes, request_id: str) -> HttpRequest:
    return HttpRequest(
        scope["method"],
        scope["raw_path"],
        scope["query_string"],
        taken.head.headers,
        body,
        request_id,
        scope["client"][0],
    )


_TOO_LARGE = Refused(Condition.BODY_TOO_LARGE, "the body is too large")


def _head_trouble(head: ClientHead, target_size: int, version: str) -> Refused | None:
    if version not in _VERSIONS:
        return Refused(Condition.BAD_REQUEST, "the version is not HTTP/1")
    if head.problem:
        return Refused(Condition.BAD_REQUEST, head.problem)
    if head.size + target_size > MAX_HEAD_BYTES:
        return Refused(Condition.HEAD_TOO_LARGE, "the headers are too large")
    if head.host is None and version == "1.1":  # RFC 9112 section 3.2
        return Refused(Condition.BAD_REQUEST, "no host header")
    if head.content_length is not None and head.content_length > MAX_BODY_BYTES:
        return _TOO_LARGE
    return None
