"""One request and its answer on a server connection: uvicorn's cycle with a sender that writes an answer at once.

uvicorn's own sender writes head and body apart and searches every header with two regular expressions. Here the head
waits for the first piece of the body, and what the expressions guard against is checked on the finished head.
"""

from collections.abc import Mapping
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

_WITHOUT_BODY = frozenset({204, 304})
# Said by this module alone, after what the application asked for.
_FRAMING = frozenset({b"connection", b"transfer-encoding"})


class UnsafeHeader(ValueError):
    """A header of an answer holds a line break or a NUL; sending it would begin another header, or another answer."""


class EdgeCycle(RequestResponseCycle):
    """Framing as uvicorn does it: the application's length, or chunks when it has none (RFC 9112 section 6)."""

    _head: bytes | None = None

    async def send(self, message: Mapping[str, Any]) -> None:
        if self.flow.write_paused and not self.disconnected:
            await self._flush()
            await self.flow.drain()
        if self.disconnected:
            return
        if not self.response_started:
            self._begin(message)
        elif not self.response_complete:
            self._continue(message)
        else:
            raise RuntimeError("an answer was sent after the answer was complete")

    async def _flush(self) -> None:
        head, self._head = self._head, None
        if head is not None:
            self.transport.write(head)

    def _begin(self, message: Mapping[str, Any]) -> None:
        if message["type"] != "http.response.start":
            raise RuntimeError(f"an answer begins with http.response.start, not {message['type']}")
        status: int = message["status"]
        lines = [STATUS_LINE[status]]
        count = 1
        for name, value in (*self.default_headers, *message.get("headers", ())):
            name = name.lower()
            if name in _FRAMING:
                if value.lower() == b"close":
                    self.keep_alive = False
                continue
            if name == b"content-length":
                self.expected_content_length = int(value)
                self.chunked_encoding = False
            lines += (name, b": ", value, b"\r\n")
            count += 1
        if not self.keep_alive:
            lines.append(b"connection: close\r\n")
            count += 1
        if self.chunked_encoding is None and self.scope["method"] != "HEAD" and status not in _WITHOUT_BODY:
            self.chunked_encoding = True
            lines.append(b"transfer-encoding: chunked\r\n")
            count += 1
        head = b"".join(lines)
        if head.count(b"\n") != count or head.count(b"\r") != count or b"\0" in head:
            raise UnsafeHeader("a header holds a line break or a NUL")
        self.response_started = True
        self.waiting_for_100_continue = False
        self._head = head + b"\r\n"

    def _continue(self, message: Mapping[str, Any]) -> None:
        body: bytes = message.get("body", b"")
        last = not message.get("more_body", False)
        if self.scope["method"] == "HEAD":
            body = b""
            self.expected_content_length = 0
        elif self.chunked_encoding:
            if body:
                body = b"%x\r\n%b\r\n" % (len(body), body)
            if last:
                body += b"0\r\n\r\n"
        else:
            self.expected_content_length -= len(body)
            if self.expected_content_length < 0:
                raise RuntimeError("the body is longer than its content-length")
        head, self._head = self._head, None
        data = body if head is None else head + body
        if data:
            self.transport.write(data)
        if not last:
            return
        if self.expected_content_length:
            raise RuntimeError("the body is shorter than its content-length")
        self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()
