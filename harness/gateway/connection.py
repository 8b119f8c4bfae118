"""One connection to an upstream: how an answer's bytes become an exchange's.

A connection carries one exchange at a time. It is kept only when the answer ended exactly where it said it would, so
that an answer can never be taken for another request's.
"""

import asyncio
import math
from typing import Protocol, cast

import httptools

from harness.gateway.exchange import Exchange, UpstreamFault

HIGH_WATER_BYTES = 262_144
MAX_HEAD_BYTES = 65_536


class Owner(Protocol):
    """Who keeps a connection between exchanges."""

    def give_back(self, connection: "Connection") -> None: ...

    def lost(self, connection: "Connection") -> None: ...


class Connection(asyncio.Protocol):
    """One TCP connection. The `on_…` methods are called by the parser while it is fed."""

    def __init__(self, owner: Owner, loop: asyncio.AbstractEventLoop) -> None:
        self.idle_since = 0.0
        self.made = False
        self._owner = owner
        self._loop = loop
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._exchange: Exchange | None = None
        self._headers: list[tuple[bytes, bytes]] = []
        self._head_bytes = 0
        self._keep_alive = False
        self._surplus = False  # more arrived than the answer
        self._reading_paused = False
        self._deadline = math.inf
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, message: bytes, is_head: bool) -> Exchange:
        exchange = Exchange(self, self._loop, is_head)
        transport = self._transport
        if transport is None or transport.is_closing():
            exchange.finished = True
            exchange.fault = UpstreamFault.NETWORK
            return exchange
        self._exchange = exchange
        self._head_bytes = 0
        self._surplus = False
        transport.write(message)
        return exchange

    def usable(self, not_idle_since: float) -> bool:
        transport = self._transport
        return transport is not None and not transport.is_closing() and self.idle_since >= not_idle_since

    def expect_within(self, seconds: float) -> float:
        """Fails the exchange when nothing comes in time, the loop's time returned. A timer that runs is left to run:
        it looks when it is due.
        """
        deadline = self._deadline = self._loop.time() + seconds
        timer = self._timer
        if timer is None or timer.when() > self._deadline:
            if timer is not None:
                timer.cancel()
            self._timer = self._loop.call_at(self._deadline, self._due)
        return deadline

    def expect_nothing(self, exchange: Exchange) -> None:
        if self._exchange is exchange or self._exchange is None:
            self._deadline = math.inf

    def _due(self) -> None:
        self._timer = None
        exchange = self._exchange
        if exchange is None or self._deadline == math.inf:
            return
        if self._loop.time() >= self._deadline:
            self.fail(exchange, UpstreamFault.TIMEOUT)
        else:
            self._timer = self._loop.call_at(self._deadline, self._due)

    def resume_reading(self) -> None:
        if self._reading_paused and self._transport is not None:
            self._reading_paused = False
            self._transport.resume_reading()

    def fail(self, exchange: Exchange, fault: UpstreamFault) -> None:
        """Ends `exchange`, and with it the connection if the exchange still has it."""
        exchange.finished = True
        exchange.fault = fault
        if self._exchange is exchange:
            self._exchange = None
            self.close()
        exchange.wake()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    # asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.made = True
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance

    def data_received(self, data: bytes) -> None:
        exchange = self._exchange
        if exchange is None:  # nobody asked: whatever this is, it must not become the next request's answer
            self.close()
            return
        exchange.touched = True
        self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            if not exchange.finished:
                self.fail(exchange, UpstreamFault.MALFORMED)
                return
            self._surplus = True
        if exchange.finished:
            self._exchange = None
            self._settle(exchange)
        elif self._head_bytes > MAX_HEAD_BYTES:
            # Without a byte of a body: a head, a trailer or the extension of a chunk that does not end.
            self.fail(exchange, UpstreamFault.MALFORMED)
            return
        elif not exchange.head_done:
            return
        elif exchange.held > HIGH_WATER_BYTES and not self._reading_paused and self._transport is not None:
            self._reading_paused = True
            self._transport.pause_reading()
        exchange.wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._timer is not None:
            self._timer.cancel()
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            if exchange.head_done and exc is None and exchange.ends_with_connection():
                exchange.finished = True
                exchange.wake()
            else:
                self.fail(exchange, UpstreamFault.MALFORMED if exchange.touched else UpstreamFault.NETWORK)
        self._owner.lost(self)

    def _settle(self, exchange: Exchange) -> None:
        """The answer is whole: keep the connection only if both sides stand exactly between two messages."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if self._keep_alive and not self._surplus and not exchange.is_head and not transport.get_write_buffer_size():
            if self._reading_paused:
                self.resume_reading()
            self._owner.give_back(self)
        elif transport.get_write_buffer_size():
            transport.abort()  # answered before it was read: whoever waits for the rest to go may wait for ever
        else:
            transport.close()

    # parser

    def on_message_begin(self) -> None:
        self._headers = []
        if self._exchange is None or self._exchange.finished:
            self._surplus = True

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        exchange = self._exchange
        if exchange is None or exchange.finished:
            return
        exchange.status = self._parser.get_status_code()
        if exchange.status < 100:  # RFC 9110 section 15; the parser would read a body of it
            raise ValueError(f"{exchange.status} is no status")
        # A trailer is not handed on: nothing says that it may be merged into the head (RFC 9110 section 6.5.1).
        exchange.headers, self._headers = self._headers, []
        if exchange.status >= 200:
            exchange.head_done = True
            # The parser cannot know that the request was HEAD: the answer ends here, and the connection with it.
            if exchange.is_head:
                exchange.finished = True

    def on_body(self, piece: bytes) -> None:
        exchange = self._exchange
        if exchange is None or exchange.finished:
            self._surplus = True
            return
        self._head_bytes = 0
        exchange.pieces.append(piece)
        exchange.held += len(piece)

    def on_message_complete(self) -> None:
        exchange = self._exchange
        if exchange is None or exchange.finished:
            return
        if not exchange.head_done:  # 100 Continue, 103 Early Hints: the answer itself follows
            exchange.headers = []
            return
        self._keep_alive = self._parser.should_keep_alive()
        exchange.finished = True
