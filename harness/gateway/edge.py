"""The life of a request, from the listener that took it to the answer: one raw ASGI application for all of the edge."""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from harness.access import Authority
from harness.audit.recorder import Recorder, Refusal, body_hash
from harness.clock import Clock, utc_now
from harness.gateway.admission import Gate, Refused
from harness.gateway.api import Api
from harness.gateway.bodies import Bodies
from harness.gateway.connection import BodyBrokeOff, UpstreamFault
from harness.gateway.forward import MAX_HEAD_BYTES, ClientHead, HeaderNames, place_lines, request_bytes
from harness.gateway.identifiers import Identifiers
from harness.gateway.refusals import REFUSALS, Condition
from harness.gateway.reply import Message, Receive, Reply, Send
from harness.gateway.request_context import ContextWriter
from harness.gateway.routing import UNCLEAR, ApiNames, Named
from harness.gateway.services import CREDENTIALS, service_of
from harness.gateway.throttle import throttle_for
from harness.gateway.upstream import Client
from harness.sigv4 import FaultKind
from harness.wire import HEALTH_PATH, MAX_BODY_BYTES, Handler, HttpRequest, HttpResponse, NetworkPlace, PlaceKind

# RFC 9110 section 9.2.2
IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})

_UPSTREAM_FAULTS = {
    UpstreamFault.TIMEOUT: Condition.UPSTREAM_TIMEOUT,
    UpstreamFault.NETWORK: Condition.UPSTREAM_UNREACHABLE,
    UpstreamFault.MALFORMED: Condition.UPSTREAM_MALFORMED,
}
_HEALTHY = HttpResponse(200, ((b"content-type", b"application/json"),), b'{"status":"ok"}')
_VERSIONS = ("1.1", "1.0")
_ANY_ADDRESS = ("0.0.0.0", "::")

logger = logging.getLogger("harness.gateway")


class Edge:
    """`places`: each listener's own address to the place it stands for; a listener on `0.0.0.0` counts for its port.

    `services`: handlers by the service's name in a signature's scope, and the one of credentials listeners.
    """

    def __init__(
        self,
        *,
        apis: Mapping[str, Api],
        services: Mapping[str, Handler],
        places: Mapping[tuple[str, int], NetworkPlace],
        authority: Authority,
        region: str,
        client: Client,
        clock: Clock = utc_now,
        recorder: Recorder | None = None,
    ) -> None:
        self._services = services
        self._places = places
        self._client = client
        self._clock = clock
        self._recorder = recorder
        self._gate = Gate(apis, authority, region)
        self._throttle = throttle_for(apis)
        self._api_names = ApiNames(region, {api.domain_name: api.id for api in apis.values() if api.domain_name})
        self._header_names = HeaderNames()
        self._bodies = Bodies()
        self._identifiers = Identifiers()
        self._contexts = ContextWriter(region)
        self._listeners: dict[tuple[str, int], tuple[NetworkPlace, bytes] | None] = {}

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            now = self._clock()
            reply = Reply(send, *self._identifiers.draw(int(now.timestamp())))
            try:
                await self._http(scope, receive, reply, now)
            finally:
                if (
                    not reply.begun
                ):  # a fault of ours is on its way up and will be logged: the client still gets an answer
                    await reply.refuse(REFUSALS[Condition.INTERNAL])
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        else:
            await send({"type": "websocket.close", "code": 1002})

    async def _http(self, scope: Mapping[str, Any], receive: Receive, reply: Reply, now: datetime) -> None:
        head = ClientHead(scope["headers"], self._header_names)
        listener = self._listener(scope)
        if listener is None:
            await self._refuse(reply, scope, "", Refused(Condition.FORBIDDEN, "no such listener"))
            return
        if scope["client"] is None:  # reset before it was asked for its address, on which policies rely
            await self._refuse(reply, scope, "", Refused(Condition.BAD_REQUEST, "the client has no address"))
            return
        trouble = _head_trouble(head, len(scope["raw_path"]) + len(scope["query_string"]), scope["http_version"])
        if trouble is not None:
            await self._refuse(reply, scope, "", trouble)
            return
        if not head.chunked and not head.content_length:
            await self._whole(scope, receive, reply, now, head, listener, b"")
            return
        body = await self._bodies.read(receive)
        if body is None:
            reply.begun = True  # the client left
            return
        if isinstance(body, Condition):
            await self._refuse(reply, scope, "", Refused(body, "the body is not read"))
            return
        try:
            await self._whole(scope, receive, reply, now, head, listener, body)
        finally:
            self._bodies.release(body)

    async def _whole(
        self,
        scope: Mapping[str, Any],
        receive: Receive,
        reply: Reply,
        now: datetime,
        head: ClientHead,
        listener: tuple[NetworkPlace, bytes],
        body: bytes,
    ) -> None:
        """A request that has been read to its end."""
        place = listener[0]
        request = HttpRequest(
            scope["method"],
            scope["raw_path"],
            scope["query_string"],
            head.headers,
            body,
            reply.request_id,
            scope["client"][0],
        )
        named = self._api_names.named(place, scope["server"][1], head.host or b"", head.api_id)
        if named is UNCLEAR:
            await self._refuse(reply, scope, "", Refused(Condition.FORBIDDEN, "the API is named in two ways"))
        elif named.api:
            await self._call(scope, receive, reply, now, request, head, listener, named)
        else:
            await self._serve(scope, reply, request, place, now)

    async def _call(
        self,
        scope: Mapping[str, Any],
        receive: Receive,
        reply: Reply,
        now: datetime,
        request: HttpRequest,
        head: ClientHead,
        listener: tuple[NetworkPlace, bytes],
        named: Named,
    ) -> None:
        place, place_fields = listener
        api_id = named.api
        method = request.method if head.method_override is None else head.method_override.decode("latin-1").upper()
        admitted = self._gate.admit(request, place, api_id, method, now, must_sign=named.must_sign)
        if isinstance(admitted, Refused):
            await self._refuse(reply, scope, api_id, admitted, request)
            return
        api = admitted.api
        if self._throttle is not None:
            principal = admitted.caller.principal
            exceeded = self._throttle.take(api, admitted.stage, admitted.route, principal.role_arn, now.timestamp())
            if exceeded is not None:
                over = Refused(exceeded.condition, f"over {exceeded.what}", caller=principal.arn)
                await self._refuse(reply, scope, api_id, over)
                return
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
            trace_id=reply.trace_id,
            request_context=self._contexts.request_context(
                admitted,
                request,
                place,
                method=method,
                host=host,
                user_agent=head.user_agent,
                extended_id=reply.extended_id,
                epoch_ms=epoch_ms,
            ),
            lambda_context=self._contexts.lambda_context(api, reply.request_id, reply.trace_id, epoch_ms),
        )
        answer = await self._client.exchange(
            api.upstream, message, head=method == "HEAD", repeatable=method in IDEMPOTENT, timeout=api.timeout
        )
        if not isinstance(answer, UpstreamFault) and not 200 <= answer.status <= 599:
            answer.abort()
            answer = UpstreamFault.MALFORMED
        caller = admitted.caller.principal.arn
        if isinstance(answer, UpstreamFault):
            refused = Refused(_UPSTREAM_FAULTS[answer], f"upstream {answer}", caller=caller)
            await self._refuse(reply, scope, api_id, refused)
            return
        try:
            # Framed for the method on the wire, whichever was routed: only HEAD's answer has a length and no body.
            await reply.pass_on(answer, request.method, receive, scope["http_version"])
        except BodyBrokeOff as broken:
            if reply.begun:  # the head is out: closing the connection is the only way left to say so (uvicorn does)
                _log(reply, scope, api_id, 0, Refused(Condition.UPSTREAM_MALFORMED, str(broken), caller=caller))
                return
            refused = Refused(Condition.UPSTREAM_MALFORMED, str(broken), caller=caller)
            await self._refuse(reply, scope, api_id, refused)
            return
        if self._recorder is not None:
            self._recorder.passed(now, request, place, api_id, method, answer.status)

    async def _serve(
        self, scope: Mapping[str, Any], reply: Reply, request: HttpRequest, place: NetworkPlace, now: datetime
    ) -> None:
        """A request that names no API: an AWS service, credentials, or the question whether the edge is up."""
        if place.kind is PlaceKind.CREDENTIALS:
            handler = self._services.get(CREDENTIALS)
        elif place.kind is PlaceKind.PUBLIC or place.api:
            handler = None
        elif place.kind is PlaceKind.WORKBENCH and request.method == "GET" and request.raw_path == HEALTH_PATH.encode():
            await reply.respond(_HEALTHY)
            return
        else:
            name = service_of(request)
            handler = None if name == CREDENTIALS else self._services.get(name)
        if handler is None:
            await self._refuse(reply, scope, "", Refused(Condition.FORBIDDEN, "neither an API nor a service is named"))
            return
        if self._recorder is None or place.kind is PlaceKind.CREDENTIALS:
            await reply.respond(await handler(request, place))
            return
        with self._recorder.asking() as questions:
            answer = await handler(request, place)
        self._recorder.served(now, request, place, service_of(request), answer, questions)
        await reply.respond(answer)

    async def _refuse(
        self,
        reply: Reply,
        scope: Mapping[str, Any],
        api_id: str,
        refused: Refused,
        request: HttpRequest | None = None,
    ) -> None:
        """`request`: where its signature was looked at."""
        row = REFUSALS[refused.cause]
        if self._recorder is not None:
            digest = body_hash(request.body) if request is not None and refused.cause is FaultKind.MISMATCH else ""
            why = Refusal(row.error_type, refused.cause.value, refused.reason, digest)
            listener = self._listener(scope)
            place = listener[0] if listener else None
            self._recorder.refused(self._clock(), scope, place, api_id, row.status, why, reply.request_id)
        _log(reply, scope, api_id, row.status, refused)
        await reply.refuse(row, refused.text)

    def _listener(self, scope: Mapping[str, Any]) -> tuple[NetworkPlace, bytes] | None:
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

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message: Message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                self._client.close()
                await send({"type": "lifespan.shutdown.complete"})
                return


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


def _log(reply: Reply, scope: Mapping[str, Any], api_id: str, status: int, refused: Refused) -> None:
    """One line; the path is ASCII without controls, and neither text nor headers are in it: they may hold a token."""
    logger.warning(
        "refused %s api=%s caller=%s %s %s -> %d %s: %s",
        reply.request_id,
        api_id or "-",
        refused.caller or "-",
        scope["method"],
        scope["raw_path"].decode("ascii", "backslashreplace"),
        status,
        refused.cause.value,
        refused.reason,
    )
