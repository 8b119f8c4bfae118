"""One request on a client's connection, and the way back for an answer that needs no task."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Protocol

from harness.gateway.framing import CLOSE, STATUS_LINES, WITHOUT_BODY, Framing


class Connected(Protocol):
    """The connection that a call came in on."""

    transport: asyncio.Transport

    def common_lines(self) -> bytes:
        """Of every answer."""

    def answered(self, *, keep_alive: bool) -> None: ...

    def spawn(self, work: Coroutine[Any, Any, None]) -> None: ...


class Listener(Protocol):
    """Whoever answers a call piece by piece."""

    def writable(self) -> None:
        """The client took what was written: there is room for more."""

    def left(self) -> None:
        """The client is gone."""


class Call:
    """`scope`: ASGI's. `pieces`: what arrived of the body, all when `whole`. `begun`: a part of the answer was written.

    `paused`: the client has enough to read for now. `gone`: it left; what is written then goes nowhere.
    """

    # Defaults in the class: most of them are never changed, and one is made for every request.
    whole = False
    begun = False
    answered = False
    paused = False
    gone = False
    listener: Listener | None = None
    _framing: Framing | None = None

    def __init__(self, connection: Connected, scope: dict[str, Any], *, keep_alive: bool) -> None:
        self.scope = scope
        self.keep_alive = keep_alive
        self.pieces: list[bytes] = []
        self._connection = connection

    @property
    def body(self) -> bytes:
        pieces = self.pieces
        if not pieces:
            return b""
        if len(pieces) > 1:
            pieces[:] = [b"".join(pieces)]
        return pieces[0]

    def answer(self, status: int, lines: bytes, body: bytes) -> None:
        """All of it, in one write. `lines`: header lines that were checked, the body's length among them."""
        if self.gone:
            return
        connection, keep_alive = self._connection, self.keep_alive
        if self.scope["method"] == "HEAD" or status in WITHOUT_BODY:
            body = b""
        connection.transport.write(
            b"%b%b%b%b%b"
            % (STATUS_LINES[status], connection.common_lines(), lines, b"\r\n" if keep_alive else CLOSE, body)
        )
        self.begun = self.answered = True
        connection.answered(keep_alive=keep_alive)

    def start(self, status: int, lines: bytes, length: int | None, piece: bytes) -> None:
        """The head, and what there is of the body. `length`: as the lines say it."""
        if self.gone:
            return
        framing = self._framing = Framing(is_head=self.scope["method"] == "HEAD", keep_alive=self.keep_alive)
        head = framing.head_of_lines(status, self._connection.common_lines() + lines, length)
        self._connection.transport.write(head + framing.body(piece, last=False))
        self.begun = True

    def go_on(self, piece: bytes, *, last: bool) -> None:
        framing = self._framing
        if framing is None or self.gone:
            return
        written = framing.body(piece, last=last)
        if written:
            self._connection.transport.write(written)
        if last:
            self.answered = True
            self._connection.answered(keep_alive=framing.keep_alive and self.keep_alive)

    def break_off(self) -> None:
        """Ends the connection: nothing else tells a client that its answer is not whole."""
        self._connection.transport.close()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """What has to wait for something does so in a task, which the server knows and may cancel at its end."""
        self._connection.spawn(work)
