"""The life of a request, from the listener that took it to the answer: one raw ASGI application for all of the edge.

A call of an API that has arrived whole takes the short way (`begin`, see passage.py); everything else, and any server
that knows ASGI alone, the long one. Both ask the same `Intake` and tell the same `Notes`.
"""

from collections.abc import Container, Mapping
from datetime import datetime
from typing import Any

from harness.access import Authority
from harness.audit.recorder import Recorder
from harness.clock import Clock, utc_now
from harness.gateway.admission import Refused
from harness.gateway.api import Api
from harness.gateway.bodies import Bodies
from harness.gateway.call import Call
from harness.gateway.exchange import BodyBrokeOff
from harness.gateway.identifiers import Identifiers
from harness.gateway.intake import Intake, Outgoing, Taken, request_of
from harness.gateway.notes import Notes, log
from harness.gateway.passage import IDEMPOTENT, Desk, Passage, judged
from harness.gateway.refusals import REFUSALS, Condition
from harness.gateway.reply import Message, Receive, Reply, Send, unless_client_leaves
from harness.gateway.routing import Named
from harness.gateway.services import CREDENTIALS, service_of
from harness.gateway.upstream import Client
from harness.wire import HEALTH_PATH, Handler, HttpRequest, HttpResponse, NetworkPlace, PlaceKind

_HEALTHY = HttpResponse(200, ((b"content-type", b"application/json"),), b'{"status":"ok"}')


class Edge:
    """`places`: see `Intake`. `services`: handlers by the service's name in a signature's scope, and the one of
    credentials listeners. `patient`: those that may take long to answer, and are stopped when the client leaves.
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
        patient: Container[str] = (),
    ) -> None:
        self._services = services
        self._patient = patient
        self._client = client
        self._clock = clock
        self._intake = Intake(apis, places, authority, region)
        self._notes = Notes(recorder, clock)
        self._bodies = Bodies()
        self._identifiers = Identifiers()
        self._desk = Desk(self._intake, self._notes, client, self._bodies)

    def begin(self, call: Call) -> bool:
        """Takes a call of an API that has arrived whole. False for what is none: the ASGI application answers it."""
        now = self._clock()
        ids = self._identifiers.draw(int(now.timestamp()))
        return Passage(call, self._desk, ids, now).begin()

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            now = self._clock()
            reply = Reply(send, self._identifiers.draw(int(now.timestamp())))
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
        taken = self._intake.take(scope)
        if isinstance(taken, Refused):
            await self._refuse(reply, scope, "", taken)
            return
        if not taken.head.chunked and not taken.head.content_length:
            await self._whole(scope, receive, reply, now, taken, b"")
            return
        body = await self._bodies.read(receive)
        if body is None:
            reply.begun = True  # the client left
            return
        if isinstance(body, Condition):
            await self._refuse(reply, scope, "", Refused(body, "the body is not read"))
            return
        try:
            await self._whole(scope, receive, reply, now, taken, body)
        finally:
            self._bodies.release(body)

    async def _whole(
        self, scope: Mapping[str, Any], receive: Receive, reply: Reply, now: datetime, taken: Taken, body: bytes
    ) -> None:
        """A request that has been read to its end."""
        request = request_of(scope, taken, body, reply.request_id)
        named = self._intake.named(scope, taken)
        if isinstance(named, Refused):
            await self._refuse(reply, scope, "", named)
        elif named.api:
            await self._call(scope, receive, reply, now, taken, request, named)
        else:
            await self._serve(scope, receive, reply, request, taken.place, now)

    async def _call(
        self,
        scope: Mapping[str, Any],
        receive: Receive,
        reply: Reply,
        now: datetime,
        taken: Taken,
        request: HttpRequest,
        named: Named,
    ) -> None:
        out = self._intake.admit(taken, request, named, reply.ids, now)
        if isinstance(out, Refused):
            await self._refuse(reply, scope, named.api, out, request.body)
            return
        arrived = await self._client.exchange(
            out.api.upstream,
            out.message,
            head=out.method == "HEAD",
            repeatable=out.method in IDEMPOTENT,
            timeout=out.api.timeout,
        )
        answer = judged(arrived, out)
        if isinstance(answer, Refused):
            await self._refuse(reply, scope, named.api, answer)
            return
        try:
            # Framed for the method on the wire, whichever was routed: only HEAD's answer has a length and no body.
            await reply.pass_on(answer, request.method, receive, scope["http_version"])
        except BodyBrokeOff as broken:
            await self._broke_off(reply, scope, named.api, out, broken)
            return
        self._notes.passed(now, request, taken.place, named.api, out.method, answer.status)

    async def _broke_off(
        self, reply: Reply, scope: Mapping[str, Any], api_id: str, out: Outgoing, broken: BodyBrokeOff
    ) -> None:
        refused = Refused(Condition.UPSTREAM_MALFORMED, str(broken), caller=out.caller)
        if reply.begun:  # the head is out: closing the connection is the only way left to say so (uvicorn does)
            log(reply.request_id, scope, api_id, 0, refused)
        else:
            await self._refuse(reply, scope, api_id, refused)

    async def _serve(
        self,
        scope: Mapping[str, Any],
        receive: Receive,
        reply: Reply,
        request: HttpRequest,
        place: NetworkPlace,
        now: datetime,
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
        recorder = self._notes.recorder
        if recorder is None or place.kind is PlaceKind.CREDENTIALS:
            answer = await self._handled(handler, request, place, receive)
        else:
            with recorder.asking() as questions:
                answer = await self._handled(handler, request, place, receive)
            if answer is not None:
                recorder.served(now, request, place, service_of(request), answer, questions)
        if answer is None:
            reply.begun = True  # nobody is left to send to
        else:
            await reply.respond(answer)

    async def _handled(
        self, handler: Handler, request: HttpRequest, place: NetworkPlace, receive: Receive
    ) -> HttpResponse | None:
        if service_of(request) in self._patient:
            return await unless_client_leaves(handler(request, place), receive)
        return await handler(request, place)

    async def _refuse(
        self, reply: Reply, scope: Mapping[str, Any], api_id: str, refused: Refused, body: bytes = b""
    ) -> None:
        self._notes.refused(scope, self._intake.place_of(scope), api_id, refused, reply.request_id, body)
        await reply.refuse(REFUSALS[refused.cause], refused.text)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message: Message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                self._client.close()
                await send({"type": "lifespan.shutdown.complete"})
                return
