"""The HTTP server in front of the edge: uvicorn on uvloop and httptools, stricter about what a request may look like.

What uvicorn itself refuses or fails at is answered in the gateway's form too, with a request id.
"""

import asyncio
import math
import resource
import socket
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from harness.gateway.cycle import EdgeCycle
from harness.gateway.identifiers import Identifiers
from harness.gateway.refusals import REFUSALS, Condition, Refusal, refusal_headers
from harness.wire import MAX_BODY_BYTES

# Far above what the edge lets pass (`edge.MAX_HEAD_BYTES`, with an answer that says so); this one bounds memory.
MAX_UNFINISHED_HEAD_BYTES = 65_536
# What may follow a head without adding to its body: trailers, and extensions of chunks.
MAX_SURPLUS_BYTES = 65_536
# How long a client may owe the rest of a request, or leave an answer unread; twice that at most.
PATIENCE_SECONDS = 30.0
# How many connections of clients are open at a time; each needs a descriptor, and may need one to a container.
MAX_CONNECTIONS = 4096
# How many requests of one connection may wait for the answer to an earlier one.
MAX_WAITING = 32
_REASONS = {400: b"Bad Request", 431: b"Request Header Fields Too Large", 503: b"Service Unavailable"}


class MalformedHead(Exception):
    """A request whose head can be read in more than one way. Raised to the parser, which turns it into a 400."""


class TooManyWaiting(Exception):
    """A request behind as many as may wait. Raised to the parser, which then reads no more."""


class EdgeProtocol(HttpToolsProtocol):
    """Refuses what the application should not see: heads that do not end, targets that are not a path.

    Nothing that a client sends, or does not send, is kept or waited for without bound.
    """

    identifiers: Final = Identifiers()
    patience = PATIENCE_SECONDS
    _reading_head = False
    _reading_body = False
    _ended_in_piece = False  # a request ended in what arrived last
    _overrun = False  # more requests came than may wait
    _head_bytes = 0
    _surplus_bytes = 0
    _owed_since = math.inf  # the client has to send more; before its first byte too
    _unread = 0
    _watch: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self.limit_concurrency is not None and len(self.connections) > self.limit_concurrency:
            self._refuse(REFUSALS[Condition.TOO_MANY_CONNECTIONS])
            return
        self._owed_since = self.loop.time()
        self._watch = self.loop.call_later(self.patience, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._watch is not None:
            self._watch.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._overrun:
            return
        self._ended_in_piece = False
        cycle = self.cycle if self._reading_body else None
        held = len(cycle.body) if cycle is not None else 0
        super().data_received(data)
        if self._reading_head:
            if (
                not self._ended_in_piece
            ):  # else the head began somewhere in this piece, which is no larger than a buffer
                self._head_bytes += len(data)
            if self._head_bytes > MAX_UNFINISHED_HEAD_BYTES and not self.transport.is_closing():
                self._refuse(REFUSALS[Condition.HEAD_TOO_LARGE])
        elif cycle is not None and self._reading_body and cycle is self.cycle:
            self._count_surplus(0 if len(cycle.body) > held else len(data))
        elif self._owed_since == math.inf and self.timeout_keep_alive_task is None and self.cycle.response_complete:
            self._owed_since = self.loop.time()  # empty lines between two requests ended the wait for the next one

    def _count_surplus(self, size: int) -> None:
        self._surplus_bytes = self._surplus_bytes + size if size else 0
        # The rest of a body that was refused is let pass, so that the client comes to read why.
        most = MAX_BODY_BYTES if self.cycle.response_complete else MAX_SURPLUS_BYTES
        if self._surplus_bytes > most and not self.transport.is_closing():
            self._refuse(REFUSALS[Condition.HEAD_TOO_LARGE])

    def _look(self) -> None:
        transport = self.transport
        now = self.loop.time()
        unread = transport.get_write_buffer_size()
        if self.pipeline and self._owed_since != math.inf:
            self._owed_since = now  # it is we who do not read: an answer before it takes its time
        # Closed as it is, a connection stays until its last bytes are read.
        if (unread and unread == self._unread) or now - self._owed_since >= self.patience:
            transport.abort()
            return
        self._unread = unread
        self._watch = self.loop.call_later(self.patience, self._look)

    def on_message_begin(self) -> None:
        if len(self.pipeline) >= MAX_WAITING:
            # Those that wait are answered; the last of them says that the connection ends (RFC 9112 section 9.6).
            self.cycle.keep_alive = False
            self._overrun = True
            raise TooManyWaiting
        self._reading_head = True
        self._head_bytes = 0
        self._surplus_bytes = 0
        self._owed_since = self.loop.time()
        super().on_message_begin()

    def on_message_complete(self) -> None:
        self._reading_body = False
        self._ended_in_piece = True
        self._owed_since = math.inf
        super().on_message_complete()

    def on_headers_complete(self) -> None:
        """As uvicorn's, without what the edge has no use for: WebSockets, a limit of connections, a decoded path."""
        self._reading_head = False
        self._reading_body = True
        parser, scope, target = self.parser, self.scope, self.url
        version = parser.get_http_version()
        # An absolute target names a host of its own, beside the `Host` that was signed (RFC 9112 section 3.2.2). A
        # fragment is no part of a target (section 3.2.1): it would be neither signed nor forwarded.
        if not target.startswith(b"/") or b"#" in target:
            raise MalformedHead("the request target is not a path")
        # After an upgrade the parser takes a body for another protocol's bytes, or for the next request.
        if parser.should_upgrade() and any(
            name in (b"content-length", b"transfer-encoding") for name, _ in self.headers
        ):
            raise MalformedHead("an upgrade with a body")
        # HTTP/1.0 knows no codings: what stands between reads the same bytes as another body (RFC 9112 section 6.1).
        if version == "1.0" and any(name == b"transfer-encoding" for name, _ in self.headers):
            raise MalformedHead("a coding in HTTP/1.0")
        # Trailers land in a list of their own: they must not become headers (RFC 9110 section 6.5.1).
        self.headers = []
        path, _, query = target.partition(b"?")
        scope["method"] = parser.get_method().decode("ascii")
        scope["http_version"] = version
        scope["path"] = path.decode("ascii")
        scope["raw_path"] = path
        scope["query_string"] = query
        waiting = self.cycle
        self.cycle = EdgeCycle(
            scope=scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=version != "1.0" and parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )
        if waiting is None or waiting.response_complete:
            self._start_asgi_task(self.cycle, self.app)
        else:  # a pipelined request waits for the answer before it
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def send_400_response(self, msg: str) -> None:
        if self._overrun:
            return
        self._reading_head = False
        self._refuse(REFUSALS[Condition.BAD_REQUEST])

    def _unsupported_upgrade_warning(self) -> None:
        """A client may offer an upgrade (`curl --http2` does); it is declined by answering in HTTP/1.1."""

    def _refuse(self, refusal: Refusal) -> None:
        cycle = self.cycle
        if cycle is not None and cycle.response_started and (self._reading_body or not cycle.response_complete):
            self.transport.close()  # there is an answer already, and this would stand in its midst or behind it
            return
        body = refusal.body()
        request_id, extended_id, _ = self.identifiers.draw(0)
        head = [b"HTTP/1.1 %d %b\r\n" % (refusal.status, _REASONS[refusal.status])]
        for name, value in refusal_headers(refusal, body, request_id, extended_id):
            head += (name, b": ", value, b"\r\n")
        self.transport.write(b"".join((*head, b"connection: close\r\n\r\n", body)))
        self.transport.close()


def server_config(
    app: Any, *, timeout_graceful_shutdown: int = 5, most_connections: int = MAX_CONNECTIONS
) -> uvicorn.Config:
    """The settings of the edge's server; run it with `serve(sockets=…)`, one socket for each listener."""
    return uvicorn.Config(
        app,
        http=EdgeProtocol,
        loop="uvloop",
        ws="none",
        lifespan="on",
        interface="asgi3",
        access_log=False,
        proxy_headers=False,  # where a request comes from is the listener's to say
        server_header=False,
        limit_concurrency=most_connections,
        log_config=None,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=timeout_graceful_shutdown,
    )


async def serve(app: Any, sockets: Sequence[socket.socket]) -> None:
    """Serves until SIGINT or SIGTERM. The sockets are bound; they are closed at the end."""
    config = server_config(app, most_connections=affordable_connections())
    await uvicorn.Server(config).serve(sockets=list(sockets))


def affordable_connections() -> int:
    """How many clients there are descriptors for; the process's own limit is raised for them if the system lets it.

    As many again are left for containers, and some for everything else.
    """
    wanted = 2 * MAX_CONNECTIONS + 512
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        raised = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with suppress(ValueError, OSError):  # macOS has a lower limit than it says
            resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return MAX_CONNECTIONS if soft == resource.RLIM_INFINITY else max(1, min(MAX_CONNECTIONS, soft // 2 - 64))


def addresses(sockets: Iterable[socket.socket]) -> list[tuple[str, int]]:
    """The keys of `Edge`'s `places`: each socket's own address."""
    return [sock.getsockname()[:2] for sock in sockets]
