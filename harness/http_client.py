"""A small HTTP/1.1 client for targets: pooled keep-alive connections on asyncio, answers parsed by httptools."""

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import urlsplit

import httptools

MAX_IDLE = 64
MAX_ANSWER_BYTES = 1_048_576


class TargetUnreachable(Exception):
    """No connection, or one that broke before the answer was whole."""


@dataclass(slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class _Reading:
    """What httptools calls back while it reads one answer."""

    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    complete: bool = False
    keep_alive: bool = False
    bodyless: bool = False
    parser: httptools.HttpResponseParser | None = None

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        # Asked here: once the message is complete, the parser has begun the next one.
        self.keep_alive = self.parser is not None and not self.bodyless and self.parser.should_keep_alive()
        # An answer to HEAD has no body, whatever length its headers tell (RFC 9112 section 6.3).
        self.complete = self.bodyless

    def on_body(self, chunk: bytes) -> None:
        self.body += chunk

    def on_message_complete(self) -> None:
        self.complete = True


_Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_Place = tuple[str, int, bool]
"""Host, port, and whether it speaks TLS."""


class HttpClient:
    """`tls`: what an https target is checked with; without it plain http alone is spoken."""

    def __init__(self, *, max_idle: int = MAX_IDLE, tls: ssl.SSLContext | None = None) -> None:
        self._max_idle = max_idle
        self._tls = tls
        self._idle: dict[_Place, list[_Connection]] = {}

    async def post(self, url: str, headers: Sequence[tuple[str, str]], body: bytes) -> Answer:
        return await self.request("POST", url, headers, body)

    async def request(self, method: str, url: str, headers: Sequence[tuple[str, str]], body: bytes) -> Answer:
        """Raises TargetUnreachable; the caller bounds the time. ValueError for what would be another request."""
        place, path, authority = _split(url)
        lines = [f"{method} {path} HTTP/1.1", f"host: {authority}", f"content-length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers]
        if any("\r" in line or "\n" in line for line in lines):
            raise ValueError("a header or an address has a line break")
        message = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
        bodyless = method == "HEAD"
        while idle := self._idle.get(place):
            connection = idle.pop()
            if connection[0].at_eof() or connection[1].is_closing():
                connection[1].close()
                continue
            try:
                return await self._exchange(place, connection, message, bodyless)
            except _Stale:
                continue  # closed by the target while idle: nothing of this request was answered
        return await self._exchange(place, await self._connect(place), message, bodyless)

    async def close(self) -> None:
        for connections in self._idle.values():
            for _, writer in connections:
                writer.close()
        self._idle.clear()

    async def _connect(self, place: _Place) -> _Connection:
        host, port, secure = place
        if secure and self._tls is None:
            raise TargetUnreachable(f"https is not spoken here: {host}:{port}")
        try:
            return await asyncio.open_connection(host, port, ssl=self._tls if secure else None)
        except ssl.SSLError as error:
            raise TargetUnreachable(f"TLS with {host}:{port}: {error}") from error
        except (OSError, ValueError) as error:  # a name that cannot stand in DNS is a ValueError
            raise TargetUnreachable(f"connect to {host}:{port}: {getattr(error, 'strerror', '') or error}") from error

    async def _exchange(self, place: _Place, connection: _Connection, message: bytes, bodyless: bool) -> Answer:
        reader, writer = connection
        kept = False
        try:
            writer.write(message)
            await writer.drain()
            answer, keep = await _read(reader, bodyless)
            idle = self._idle.setdefault(place, [])
            if keep and len(idle) < self._max_idle:
                idle.append(connection)
                kept = True
            return answer
        except OSError as error:
            raise _Stale(str(error)) from error
        finally:
            if not kept:
                writer.close()


_PORTS = {"http": 80, "https": 443}


@lru_cache(maxsize=256)
def _split(url: str) -> tuple[_Place, str, str]:
    """Where it is, path with query, and the value of `Host`."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise TargetUnreachable("that is no address") from error
    if parts.scheme not in _PORTS or not parts.hostname:
        raise TargetUnreachable("that is no http:// or https:// address")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    authority = parts.netloc.rpartition("@")[2]
    return (parts.hostname, port or _PORTS[parts.scheme], parts.scheme == "https"), path, authority


class _Stale(TargetUnreachable):
    """The connection was gone before a byte of the answer."""


async def _read(reader: asyncio.StreamReader, bodyless: bool) -> tuple[Answer, bool]:
    reading = _Reading(bodyless=bodyless)
    parser = reading.parser = httptools.HttpResponseParser(reading)
    received = 0
    while not reading.complete:
        chunk = await reader.read(65_536)
        if not chunk:
            if received and "content-length" not in reading.headers and "transfer-encoding" not in reading.headers:
                break  # RFC 9112 section 6.3: without a length, the answer ends with the connection
            raise (TargetUnreachable if received else _Stale)("the target closed the connection")
        received += len(chunk)
        if received > MAX_ANSWER_BYTES:
            raise TargetUnreachable(f"the target's answer is larger than {MAX_ANSWER_BYTES} bytes")
        try:
            parser.feed_data(chunk)
        except httptools.HttpParserError as error:
            raise TargetUnreachable(f"the target's answer is not HTTP/1.1: {error}") from error
    answer = Answer(parser.get_status_code(), reading.headers, bytes(reading.body))
    return answer, reading.complete and reading.keep_alive
