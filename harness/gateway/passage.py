"""The short way of a call through the gateway: decided at once, sent on a kept-alive connection, its answer passed on
as it arrives. Nothing waits in a task unless a connection has to be made.
"""

import logging
from datetime import datetime
from typing import NamedTuple

from harness.gateway.admission import Refused
from harness.gateway.answer_head import answer_lines
from harness.gateway.bodies import Bodies
from harness.gateway.call import Call
from harness.gateway.exchange import Answer, Exchange, UpstreamFault
from harness.gateway.identifiers import Ids
from harness.gateway.intake import Intake, Outgoing, request_of
from harness.gateway.notes import Notes, log
from harness.gateway.refusals import REFUSALS, Condition, Refusal, refusal_headers
from harness.gateway.upstream import Client
from harness.wire import MAX_BODY_BYTES, HttpRequest, NetworkPlace

# RFC 9110 section 9.2.2
IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})

_UPSTREAM_FAULTS = {
    UpstreamFault.TIMEOUT: Condition.UPSTREAM_TIMEOUT,
    UpstreamFault.NETWORK: Condition.UPSTREAM_UNREACHABLE,
    UpstreamFault.MALFORMED: Condition.UPSTREAM_MALFORMED,
}

logger = logging.getLogger("harness.gateway")


def judged(answer: Answer | UpstreamFault, out: Outgoing) -> Answer | Refused:
    """An answer that can be passed on, or why there is none."""
    if isinstance(answer, Answer):
        if 200 <= answer.status <= 599:
            return answer
        answer.abort()
        answer = UpstreamFault.MALFORMED
    return Refused(_UPSTREAM_FAULTS[answer], f"upstream {answer}", caller=out.caller)


class Desk(NamedTuple):
    """What all calls share."""

    intake: Intake
    notes: Notes
    client: Client
    bodies: Bodies


class Passage:
    """One call. `begin` first; then the exchange calls when something arrived, and the client when it read or left."""

    # Defaults in the class: most of them are never changed, and one is made for every call.
    _answer: Answer  # what is passed on piece by piece
    _out: Outgoing
    _request: HttpRequest
    _place: NetworkPlace | None = None
    _api_id = ""
    _exchange: Exchange | None = None
    _withheld: list[bytes] | None = None
    _withheld_bytes = 0
    _over = True  # until something is under way

    def __init__(self, call: Call, desk: Desk, ids: Ids, now: datetime) -> None:
        self._call = call
        self._desk = desk
        self._ids = ids
        self._now = now

    def begin(self) -> bool:
        """False when the request names no API; nothing has happened then."""
        with self:
            return self._begin()
        return True

    def __enter__(self) -> None:
        """Whatever fails within, the client gets an answer, and the connections go on serving others."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if isinstance(error, Exception):
            self._failed(error)
            return True
        return False

    def _begin(self) -> bool:
        call = self._call
        scope = call.scope
        intake = self._desk.intake
        taken = intake.take(scope)
        if isinstance(taken, Refused):
            self._refuse(taken)
            return True
        self._place = taken.place
        named = intake.named(scope, taken)
        if isinstance(named, Refused):
            self._refuse(named)
            return True
        if not named.api:
            return False
        self._api_id = named.api
        self._request = request = request_of(scope, taken, call.body, self._ids[0])
        out = intake.admit(taken, request, named, self._ids, self._now)
        if isinstance(out, Refused):
            self._refuse(out)
            return True
        self._out = out
        if call.pieces:
            self._desk.bodies.hold(call.body)
        self._over = False
        exchange = self._desk.client.start(out.api.upstream, out.message, head=out.method == "HEAD")
        if exchange is None:
            call.spawn(self._exchange_anew())
            return True
        self._exchange = exchange
        exchange.listen(self._arrived, out.api.timeout)
        if exchange.finished:
            self._arrived()
        return True

    async def _exchange_anew(self) -> None:
        out = self._out
        with self:
            arrived = await self._desk.client.exchange_anew(
                out.api.upstream, out.message, head=out.method == "HEAD", timeout=out.api.timeout
            )
            self._take(arrived)

    def _arrived(self) -> None:
        """On a kept-alive connection: the answer's head, or a fault."""
        exchange = self._exchange
        assert exchange is not None
        fault = exchange.fault
        if fault is not None and fault is UpstreamFault.NETWORK and self._out.method in IDEMPOTENT:
            # Closed by the other side just before the request reached it; not a byte came back (RFC 9110, 9.2.2).
            self._call.spawn(self._exchange_anew())
            return
        with self:
            self._take(exchange.arrived())

    def _take(self, arrived: Answer | UpstreamFault) -> None:
        call = self._call
        answer = judged(arrived, self._out)
        if isinstance(answer, Refused):
            self._end()
            self._refuse(answer)
            return
        exchange = answer.exchange
        if exchange is None:
            self._pass_on(answer)
            return
        self._answer, self._exchange = answer, exchange
        if call.scope["http_version"] == "1.0" and not answer.tells_length:
            # HTTP/1.0 knows no chunks: the answer needs its length (RFC 9112 section 7.1).
            self._withheld = [answer.body]
            self._withheld_bytes = len(answer.body)
        elif call.gone:
            self.left()
            return
        else:
            call.listener = self
            lines, length = answer_lines(answer, self._request.method, self._ids)
            call.start(answer.status, lines, length, answer.body)
        exchange.listen(self._changed)
        exchange.go_on()

    def _pass_on(self, answer: Answer) -> None:
        """An answer that is whole."""
        # Framed for the method on the wire, whichever was routed: only HEAD's answer has a length and no body.
        lines, _ = answer_lines(answer, self._request.method, self._ids)
        self._call.answer(answer.status, lines, answer.body)
        self._passed(answer)

    def _changed(self) -> None:
        """More of a body whose head is there already, or its end."""
        if self._over:
            return
        with self:
            assert self._exchange is not None
            if self._withheld is None:
                self._relay(self._exchange)
            else:
                self._withhold(self._exchange, self._withheld)

    def _relay(self, exchange: Exchange) -> None:
        call = self._call
        if call.paused and not exchange.finished:
            return  # the upstream is held back until the client has read
        piece = exchange.drain()
        if exchange.fault is not None:
            call.go_on(piece, last=False)
            self._broke_off(exchange.fault)
        elif exchange.finished:
            call.go_on(piece, last=True)
            self._passed(self._answer)
        else:
            call.go_on(piece, last=False)
            exchange.go_on()

    def _withhold(self, exchange: Exchange, pieces: list[bytes]) -> None:
        answer = self._answer
        pieces.append(exchange.drain())
        self._withheld_bytes += len(pieces[-1])
        if self._withheld_bytes > MAX_BODY_BYTES:
            exchange.abort()
            self._broke_off("too long to be withheld for HTTP/1.0")
        elif exchange.fault is not None:
            self._broke_off(exchange.fault)
        elif exchange.finished:
            self._pass_on(Answer(answer.status, answer.headers, b"".join(pieces)))
        else:
            exchange.go_on()

    # the client

    def writable(self) -> None:
        self._changed()

    def left(self) -> None:
        if not self._over:
            self._passed(self._answer)
            self._answer.abort()

    # how it ends

    def _passed(self, answer: Answer) -> None:
        self._end()
        assert self._place is not None
        self._desk.notes.passed(self._now, self._request, self._place, self._api_id, self._out.method, answer.status)

    def _broke_off(self, fault: str) -> None:
        self._end()
        reason = f"the upstream's answer broke off: {fault}"
        refused = Refused(Condition.UPSTREAM_MALFORMED, reason, caller=self._out.caller)
        if self._call.begun:  # the head is out: closing the connection is the only way left to say so
            log(self._ids[0], self._call.scope, self._api_id, 0, refused)
            self._call.break_off()
        else:
            self._refuse(refused)

    def _refuse(self, refused: Refused) -> None:
        call = self._call
        self._desk.notes.refused(call.scope, self._place, self._api_id, refused, self._ids[0], call.body)
        self._say(REFUSALS[refused.cause], refused.text)

    def _failed(self, error: Exception) -> None:
        """A fault of ours."""
        logger.error("a call failed in the gateway: %s", self._ids[0], exc_info=error)
        if not self._over:
            self._end()
        if self._exchange is not None:
            self._exchange.abort()
        if self._call.begun:
            self._call.break_off()
        else:
            self._say(REFUSALS[Condition.INTERNAL])

    def _say(self, refusal: Refusal, text: str = "") -> None:
        body = refusal.body(text)
        lines = b"".join(b"%b: %b\r\n" % header for header in refusal_headers(refusal, body, self._ids))
        self._call.answer(refusal.status, lines, body)

    def _end(self) -> None:
        self._over = True
        self._call.listener = None
        if self._call.pieces:
            self._desk.bodies.release(self._call.body)
