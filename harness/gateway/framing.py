"""How an answer becomes bytes: status line, headers, and where its body ends (RFC 9112 section 6)."""

from collections.abc import Iterable
from http import HTTPStatus

WITHOUT_BODY = frozenset({204, 304})
# Said by this module alone, after what the application asked for.
_FRAMING = frozenset({b"connection", b"transfer-encoding"})
_PHRASES = {int(status): status.phrase for status in HTTPStatus}
STATUS_LINES = {
    status: b"HTTP/1.1 %d %b\r\n" % (status, _PHRASES.get(status, "").encode()) for status in range(100, 600)
}


CLOSE = b"connection: close\r\n\r\n"


class UnsafeHeader(ValueError):
    """A header of an answer holds a line break or a NUL; sending it would begin another header, or another answer."""


class Framing:
    """One answer. The body has the length that the headers say, or comes in chunks when they say none.

    `is_head`: the answer has a head only. `keep_alive`: whether the connection is kept; false as soon as a header says
    so.
    """

    __slots__ = ("_chunked", "_left", "is_head", "keep_alive")

    def __init__(self, *, is_head: bool, keep_alive: bool) -> None:
        self.is_head = is_head
        self.keep_alive = keep_alive
        self._chunked = False
        self._left = 0

    def head(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
        lines = [STATUS_LINES[status]]
        count = 1
        length = None
        for name, value in headers:
            name = name.lower()
            if name in _FRAMING:
                if value.lower() == b"close":
                    self.keep_alive = False
                continue
            if name == b"content-length":
                length = int(value)
            lines += (name, b": ", value, b"\r\n")
            count += 1
        if not self.keep_alive:
            lines.append(b"connection: close\r\n")
            count += 1
        if length is not None:
            self._left = length
        elif not self.is_head and status not in WITHOUT_BODY:
            self._chunked = True
            lines.append(b"transfer-encoding: chunked\r\n")
            count += 1
        head = b"".join(lines)
        if head.count(b"\n") != count or head.count(b"\r") != count or b"\0" in head:
            raise UnsafeHeader("a header holds a line break or a NUL")
        return head + b"\r\n"

    def head_of_lines(self, status: int, lines: bytes, length: int | None) -> bytes:
        """The same for lines that were checked, say nothing of the connection, and say `length` or no length."""
        end = b"\r\n" if self.keep_alive else CLOSE
        if length is not None:
            self._left = length
        elif not self.is_head and status not in WITHOUT_BODY:
            self._chunked = True
            end = b"transfer-encoding: chunked\r\n" + end
        return STATUS_LINES[status] + lines + end

    def body(self, piece: bytes, *, last: bool) -> bytes:
        """A piece as it is sent. Raises RuntimeError when the body is not as long as the head says."""
        if self.is_head:
            return b""
        if self._chunked:
            chunk = b"%x\r\n%b\r\n" % (len(piece), piece) if piece else b""
            return chunk + b"0\r\n\r\n" if last else chunk
        self._left -= len(piece)
        if self._left < 0:
            raise RuntimeError("the body is longer than its content-length")
        if last and self._left:
            raise RuntimeError("the body is shorter than its content-length")
        return piece
