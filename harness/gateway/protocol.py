"""A client's connection: bytes in, calls in their order, answers out. Strict about what a request may look like.

Nothing that a client sends, or does not send, is kept or waited for without bound. What cannot be read as a request is
answered in the gateway's form too, with a request id.
"""

import asyncio
import logging
import math
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Final, cast

import httptools
import uvicorn
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.utils import get_local_addr, get_remote_addr
from uvicorn.server import ServerState

from harness.gateway.bodies import SMALL_BODY_BYTES
from harness.gateway.call import Call
from harness.gateway.cycle import EdgeCycle
from harness.gateway.identifiers import Identifiers
from harness.gateway.refusals import REFUSALS, Condition, Refusal, refusal_headers
from harness.wire import MAX_BODY_BYTES

# Far above what the edge lets pass (`forward.MAX_HEAD_BYTES`, with an answer that says so); this one bounds memory.
MAX_UNFINISHED_HEAD_BYTES = 65_536
# What may follow a head without adding to its body: trailers, and extensions of chunks.
MAX_SURPLUS_BYTES = 65_536
# How long a client may owe the rest of a request, or leave an answer unread; twice that at most.
PATIENCE_SECONDS = 30.0
# How many requests of one connection may wait for the answer to an earlier one.
MAX_WAITING = 32
# What is read of a body that nobody takes yet.
_HIGH_WATER_BYTES = 65_536
_REASONS = {400: b"Bad Request", 431: b"Request Header Fields Too Large", 503: b"Service Unavailable"}
_FRAMING_NAMES = (b"content-length", b"transfer-encoding")

logger = logging.getLogger("harness.gateway")


class MalformedHead(Exception):
    """A request whose head can be read in more than one way. Raised to the parser, which turns it into a 400."""


class TooManyWaiting(Exception):
    """A request behind as many as may wait. Raised to the parser, which then reads no more."""


class EdgeProtocol(asyncio.Protocol):
    """Made by uvicorn's server for each connection.

    A request is handed on after the piece in which its head ended was read: to `begin` of the application, where it has
    one and the whole request is there; else to the ASGI application, in a task.
    """

    identifiers: Final = Identifiers()
    patience = PATIENCE_SECONDS

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self.transport: asyncio.Transport
        self.loop = _loop or asyncio.get_running_loop()
        self._state = server_state
        # Its type names uvicorn's own protocols; it is told to `shutdown` each, and nothing else.
        self._connections = cast("set[EdgeProtocol]", server_state.connections)
        self._app_state = app_state
        self._app: Any = config.loaded_app
        self._begin: Callable[[Call], bool] | None = getattr(config.loaded_app, "begin", None)
        self._limit = config.limit_concurrency
        self._keep_alive_seconds = config.timeout_keep_alive
        self._parser: Any = httptools.HttpRequestParser(self)
        # Only then the request before whatever follows a `Connection: close` is answered.
        self._parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._scope: dict[str, Any] = {}  # what all requests of the connection share
        self._common: list[tuple[bytes, bytes]] = []
        self._common_lines = b""
        # The request that is read
        self._target = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._reading_head = False
        self._reading_body = False
        self._ended_in_piece = False  # a request ended in what arrived last
        self._body_grew = False
        self._overrun = False  # more requests came than may wait
        self._head_bytes = 0
        self._surplus_bytes = 0
        # Those that were read
        self._latest: Call | None = None
        self._current: Call | None = None  # which is being answered
        self._cycle: EdgeCycle | None = None  # the current one's, if an ASGI application answers it
        self._waiting: deque[Call] = deque()
        # Time
        self._owed_since = math.inf  # the client has to send more; before its first byte too
        self._idle_since = math.inf
        self._unread = 0
        self._watch: asyncio.TimerHandle | None = None
        self._idle_timer: asyncio.TimerHandle | None = None

    # the connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        self._flow = FlowControl(self.transport)
        self._connections.add(self)
        self._scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "server": get_local_addr(self.transport),
            "client": get_remote_addr(self.transport),
            "scheme": "http",
            "root_path": "",
        }
        if self._limit is not None and len(self._connections) > self._limit:
            self._refuse(REFUSALS[Condition.TOO_MANY_CONNECTIONS])
            return
        self._owed_since = self.loop.time()
        self._watch = self.loop.call_later(self.patience, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
        for timer in (self._watch, self._idle_timer):
            if timer is not None:
                timer.cancel()
        self._abandon()
        self._flow.resume_writing()
        self._parser = None  # it holds this object

    def eof_received(self) -> None:
        """Closes: who has nothing more to say does not wait for an answer."""

    def pause_writing(self) -> None:
        self._flow.pause_writing()
        if self._current is not None:
            self._current.paused = True

    def resume_writing(self) -> None:
        self._flow.resume_writing()
        call = self._current
        if call is None:
            self._advance()
        elif call.paused:
            call.paused = False
            if call.listener is not None:
                call.listener.writable()

    def shutdown(self) -> None:
        """The server ends: what was asked is answered, and the connection closed."""
        if self._current is None and not self._waiting:
            self.transport.close()
        else:
            self._last_of_all()

    def data_received(self, data: bytes) -> None:
        if self._overrun:
            return
        self._ended_in_piece = self._body_grew = False
        before = self._latest if self._reading_body else None
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # a client may offer one (`curl --http2` does); it is declined by answering in HTTP/1.1
        except httptools.HttpParserError:
            if not self._overrun:
                self._reading_head = False
                self._refuse(REFUSALS[Condition.BAD_REQUEST])
                return
        if self._reading_head or self._reading_body:
            self._count(len(data), before)
        elif self._current is None and not self._waiting and self._owed_since == math.inf:
            self._owed_since = self.loop.time()  # empty lines ended the wait for the next request
        self._advance()

    def _count(self, size: int, before: Call | None) -> None:
        """`before`: whose body was read already when the piece of `size` bytes arrived."""
        if self._reading_head:
            if not self._ended_in_piece:  # else the head began somewhere in this piece, no larger than a buffer
                self._head_bytes += size
            too_much = self._head_bytes > MAX_UNFINISHED_HEAD_BYTES
        elif before is None or before is not self._latest:
            return
        else:
            self._surplus_bytes = 0 if self._body_grew else self._surplus_bytes + size
            # The rest of a body that was refused is let pass, so that the client comes to read why.
            too_much = self._surplus_bytes > (MAX_BODY_BYTES if before.answered else MAX_SURPLUS_BYTES)
        if too_much and not self.transport.is_closing():
            self._refuse(REFUSALS[Condition.HEAD_TOO_LARGE])

    # time

    def _look(self) -> None:
        transport = self.transport
        now = self.loop.time()
        unread = transport.get_write_buffer_size()
        if self._waiting and self._owed_since != math.inf:
            self._owed_since = now  # it is we who do not read: an answer before it takes its time
        # Closed as it is, a connection stays until its last bytes are read.
        if (unread and unread == self._unread) or now - self._owed_since >= self.patience:
            transport.abort()
            return
        self._unread = unread
        self._watch = self.loop.call_later(self.patience, self._look)

    def _look_whether_idle(self) -> None:
        """A timer that runs is left to run: it looks when it is due."""
        self._idle_timer = None
        left = self._idle_since + self._keep_alive_seconds - self.loop.time()
        if left <= 0:
            self.transport.close()
        elif left != math.inf:
            self._idle_timer = self.loop.call_later(left, self._look_whether_idle)

    # the parser

    def on_message_begin(self) -> None:
        if len(self._waiting) >= MAX_WAITING + (self._current is None):
            # Those that wait are answered; the last of them says that the connection ends (RFC 9112 section 9.6).
            self._last_of_all()
            self._overrun = True
            raise TooManyWaiting
        self._reading_head = True
        self._head_bytes = 0
        self._surplus_bytes = 0
        self._idle_since = math.inf
        self._owed_since = self.loop.time()
        self._target = b""
        self._headers = []

    def on_url(self, target: bytes) -> None:
        self._target += target

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        parser, headers, target = self._parser, self._headers, self._target
        self._reading_head = False
        self._reading_body = True
        version = parser.get_http_version()
        # An absolute target names a host of its own, beside the `Host` that was signed (RFC 9112 section 3.2.2). A
        # fragment is no part of a target (section 3.2.1): it would be neither signed nor forwarded.
        if not target.startswith(b"/") or target.find(b"#") >= 0:
            raise MalformedHead("the request target is not a path")
        # After an upgrade the parser takes a body for another protocol's bytes, or for the next request.
        if parser.should_upgrade() and any(name in _FRAMING_NAMES for name, _ in headers):
            raise MalformedHead("an upgrade with a body")
        # HTTP/1.0 knows no codings: what stands between reads the same bytes as another body (RFC 9112 section 6.1).
        if version == "1.0" and any(name == b"transfer-encoding" for name, _ in headers):
            raise MalformedHead("a coding in HTTP/1.0")
        path, _, query = target.partition(b"?")
        scope = {
            **self._scope,
            "method": parser.get_method().decode("ascii"),
            "http_version": version,
            "path": path.decode("ascii"),
            "raw_path": path,
            "query_string": query,
            "headers": headers,
        }
        # Trailers land in a list of their own: they must not become headers (RFC 9110 section 6.5.1).
        self._headers = []
        call = self._latest = Call(self, scope, keep_alive=version != "1.0" and parser.should_keep_alive())
        self._waiting.append(call)

    def on_body(self, piece: bytes) -> None:
        call = self._latest
        assert call is not None
        if call.answered:
            return
        self._body_grew = True
        cycle = self._cycle
        if cycle is None or call is not self._current:
            call.pieces.append(piece)
            return
        cycle.body += piece
        if len(cycle.body) > _HIGH_WATER_BYTES:
            self._flow.pause_reading()
        cycle.message_event.set()

    def on_message_complete(self) -> None:
        self._reading_body = False
        self._ended_in_piece = True
        self._owed_since = math.inf
        call, cycle = self._latest, self._cycle
        assert call is not None
        call.whole = True
        if cycle is not None and call is self._current:
            cycle.more_body = False
            cycle.message_event.set()

    # calls

    def common_lines(self) -> bytes:
        common = self._state.default_headers
        if common is not self._common:  # the server makes a new list each second
            self._common = common
            self._common_lines = b"".join(b"%b: %b\r\n" % header for header in common)
        return self._common_lines

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self.loop.create_task(work)
        task.add_done_callback(self._state.tasks.discard)
        self._state.tasks.add(task)

    def answered(self, *, keep_alive: bool) -> None:
        self._current = self._cycle = None
        if self.transport.is_closing():
            return
        if not keep_alive:
            self.transport.close()
        elif self._waiting:
            self.loop.call_soon(self._advance)
        else:
            if self._flow.read_paused:
                self._flow.resume_reading()
            if not (self._reading_head or self._reading_body):
                self._idle_since = self.loop.time()
                if self._idle_timer is None:
                    self._idle_timer = self.loop.call_later(self._keep_alive_seconds, self._look_whether_idle)

    def _advance(self) -> None:
        """Begins with the next call, if none is being answered and the client takes what is sent to it."""
        waiting, begin = self._waiting, self._begin
        while waiting and self._current is None and not self._flow.write_paused and not self.transport.is_closing():
            call = self._current = waiting.popleft()
            if not (call.whole and begin is not None and len(call.body) <= SMALL_BODY_BYTES and begin(call)):
                self._run(call)
        if waiting and not self.transport.is_closing():
            self._flow.pause_reading()

    def _run(self, call: Call) -> None:
        """Lets the ASGI application answer, in a task."""
        scope = call.scope
        scope["state"] = self._app_state.copy()
        cycle = self._cycle = EdgeCycle(
            scope=cast(Any, scope),
            transport=self.transport,
            flow=self._flow,
            logger=logger,
            access_logger=logger,
            access_log=False,
            default_headers=self._state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=any(
                name == b"expect" and value.lower() == b"100-continue" for name, value in scope["headers"]
            ),
            keep_alive=call.keep_alive,
            on_response=lambda: self._cycle_answered(call, cycle),
        )
        cycle.body += call.body
        cycle.more_body = not call.whole
        if call.whole or call.body:
            cycle.message_event.set()
        self.spawn(cycle.run_asgi(self._app))

    def _cycle_answered(self, call: Call, cycle: EdgeCycle) -> None:
        call.answered = True
        self.answered(keep_alive=cycle.keep_alive)

    def _last_of_all(self) -> None:
        """After the answer to the latest request the connection is closed."""
        last = self._waiting[-1] if self._waiting else self._current
        if last is not None:
            last.keep_alive = False
            if self._cycle is not None and last is self._current:
                self._cycle.keep_alive = False

    def _abandon(self) -> None:
        """Nobody is there for the answers."""
        self._waiting.clear()
        call, cycle = self._current, self._cycle
        if cycle is not None:
            cycle.disconnected = not cycle.response_complete
            cycle.message_event.set()
        elif call is not None:
            call.gone = True
            if call.listener is not None:
                call.listener.left()

    def _refuse(self, refusal: Refusal) -> None:
        call, cycle = self._current, self._cycle
        begun = cycle.response_started if cycle is not None else call is not None and call.begun
        if begun or (self._reading_body and self._latest is not None and self._latest.answered):
            self.transport.close()  # there is an answer already, and this would stand in its midst or behind it
            return
        self._abandon()
        body = refusal.body()
        head = [b"HTTP/1.1 %d %b\r\n" % (refusal.status, _REASONS[refusal.status])]
        for name, value in refusal_headers(refusal, body, self.identifiers.draw(0)):
            head += (name, b": ", value, b"\r\n")
        self.transport.write(b"".join((*head, b"connection: close\r\n\r\n", body)))
        self.transport.close()
