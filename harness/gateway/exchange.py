"""A request to an upstream and its answer, followed by a coroutine that waits or by a listener that is called.

What goes wrong before the head is a value (`UpstreamFault`); a body that breaks off after its head was handed on is an
exception (`BodyBrokeOff`): it is too late for another answer.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from enum import StrEnum
from typing import Protocol


class UpstreamFault(StrEnum):
    """Why there is no answer to hand on."""

    TIMEOUT = "timeout"
    NETWORK = "network"  # no connection, or it ended before a byte of the answer
    MALFORMED = "malformed"  # an answer began that is not HTTP, or broke off within its head


class BodyBrokeOff(Exception):
    """The upstream ended, stalled or garbled a body whose head has been handed on."""


class Answer:
    """An upstream's answer from its head on. `body` is what came with the head; all of it when `complete`.

    `headers`: names in lower case, in the order of arrival. `exchange`: where the rest comes from, None when complete.
    """

    __slots__ = ("body", "complete", "exchange", "headers", "status")

    def __init__(
        self,
        status: int,
        headers: list[tuple[bytes, bytes]],
        body: bytes,
        exchange: "Exchange | None" = None,
    ) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.complete = exchange is None
        self.exchange = exchange

    @property
    def tells_length(self) -> bool:
        return any(name == b"content-length" for name, _ in self.headers)

    async def rest(self) -> AsyncIterator[bytes]:
        """The pieces after `body`, as they arrive; the upstream is held back while the reader is busy.

        Raises BodyBrokeOff, also when the upstream has been waited for longer than the integration timeout in all. The
        time that the reader takes does not count: API Gateway would hold the answer for it.
        """
        exchange = self.exchange
        if exchange is None:
            return
        try:
            while piece := await exchange.next_piece():
                yield piece
        finally:
            exchange.abort()

    def abort(self) -> None:
        """The rest is not wanted: the connection of an unfinished answer is closed, nothing else happens."""
        if self.exchange is not None:
            self.exchange.abort()


class Carrier(Protocol):
    """The connection that carries an exchange."""

    def expect_within(self, seconds: float) -> float: ...

    def expect_nothing(self, exchange: "Exchange") -> None: ...

    def resume_reading(self) -> None: ...

    def fail(self, exchange: "Exchange", fault: UpstreamFault) -> None: ...


class Exchange:
    """Its state outlives its use of the connection, which may already serve the next one."""

    # Defaults in the class: most of them are never changed, and one is made for every call.
    touched = False  # a byte of the answer has arrived
    head_done = False
    finished = False  # nothing more will arrive: the answer is whole, or there is a fault
    fault: UpstreamFault | None = None
    status = 0
    held = 0
    _budget = 0.0  # seconds that the upstream may still be waited for
    _waiter: asyncio.Future[None] | None = None
    _listener: Callable[[], None] | None = None
    _deadline = 0.0  # of the wait for the next call of the listener; 0 when nothing is waited for

    def __init__(self, carrier: Carrier, loop: asyncio.AbstractEventLoop, is_head: bool) -> None:
        self.is_head = is_head
        self.headers: list[tuple[bytes, bytes]] = []
        self.pieces: list[bytes] = []
        self._carrier = carrier
        self._loop = loop

    async def answer(self, timeout: float) -> Answer | UpstreamFault:
        self._budget = timeout
        if not self.finished:
            await self._changed()
        return self.arrived()

    def arrived(self) -> Answer | UpstreamFault:
        """The answer as far as it is there, once its head is."""
        if self.fault is not None:
            return self.fault
        if self.finished:
            return Answer(self.status, self.headers, self.drain())
        return Answer(self.status, self.headers, self.drain(), self)

    async def next_piece(self) -> bytes:
        """What arrived since the last call, waiting for something if need be; empty at the end of the body."""
        if not self.pieces and not self.finished:
            self._carrier.resume_reading()
            await self._changed()
        if self.pieces:
            return self.drain()
        if self.fault is not None:
            raise BodyBrokeOff(f"the upstream's answer broke off: {self.fault}")
        return b""

    def abort(self) -> None:
        self._listener = None  # whoever listens knows
        if not self.finished:
            self._carrier.fail(self, UpstreamFault.NETWORK)

    def listen(self, listener: Callable[[], None], timeout: float | None = None) -> None:
        """From now on `listener` is called in place of a coroutine that waits: with the head, a piece, the end or a
        fault. It asks for the next call with `go_on`. `timeout`: of a new exchange; else what is left of it counts.
        """
        self._listener = listener
        if timeout is not None:
            self._budget = timeout
            self._deadline = self._carrier.expect_within(timeout)

    def go_on(self) -> None:
        """All that arrived was taken; the time until more arrives is the upstream's."""
        self._carrier.resume_reading()
        if not self._deadline:
            self._deadline = self._carrier.expect_within(self._budget)

    def wake(self) -> None:
        listener = self._listener
        if listener is not None:
            finished = self.finished
            if finished:
                self._listener = None  # it has this object, too: a cycle
            if self._deadline:
                if not finished:
                    self._budget = self._deadline - self._loop.time()
                self._deadline = 0.0
                self._carrier.expect_nothing(self)
            listener()
            return
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def ends_with_connection(self) -> bool:
        # RFC 9112 section 6.3: without length and coding a body lasts until the connection is closed.
        return all(name not in (b"content-length", b"transfer-encoding") for name, _ in self.headers)

    def drain(self) -> bytes:
        """Takes the pieces that arrived, as one."""
        pieces, self.pieces, self.held = self.pieces, [], 0
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def _changed(self) -> None:
        """Waits until the head, a piece, the end or a fault is there; without time left that fault is TIMEOUT."""
        waiter = self._waiter = self._loop.create_future()
        deadline = self._carrier.expect_within(self._budget)
        try:
            await waiter
        except asyncio.CancelledError:
            self.abort()  # what arrives from now on belongs to nobody
            raise
        finally:
            self._carrier.expect_nothing(self)
            self._waiter = None
        self._budget = deadline - self._loop.time()
