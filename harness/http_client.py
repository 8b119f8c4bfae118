"""A small HTTP/1.1 client for targets: pooled keep-alive connections on asyncio, answers parsed by httptools."""

import asyncio
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
    parser: httptools.HttpResponseParser | None = None

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        # Asked here: once the message is complete, the parser has begun the next one.
        self.keep_alive = self.parser is not None and self.parser.should_keep_alive()

    def on_body(self, chunk: bytes) -> None:
        self.body += chunk

    def on_message_complete(self) -> None:
        self.complete = True


_Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class HttpClient:
    def __init__(self, *, max_idle: int = MAX_IDLE) -> None:
        self._max_idle = max_idle
        self._idle: dict[tuple[str, int], list[_Connection]] = {}

    async def post(self, url: str, headers: Sequence[tuple[str, str]], body: bytes) -> Answer:
        """`url` is plain http. Raises TargetUnreachable; the caller bounds the time."""
        place, path, authority = _split(url)
        lines = [f"POST {path} HTTP/1.1", f"host: {authority}", f"content-length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers]
        message = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
        while idle := self._idle.get(place):
            connection = idle.pop()
            if connection[0].at_eof() or connection[1].is_closing():
                connection[1].close()
                continue
            try:
                return await self._exchange(place, connection, message)
            except _Stale:
                continue  # closed by the target while idle: nothing of this request was answered
        return await self._exchange(place, await _connect(place), message)

    async def close(self) -> None:
        for connections in self._idle.values():
            for _, writer in connections:
                writer.close()
        self._idle.clear()

    async def _exchange(self, place: tuple[str, int], connection: _Connection, message: bytes) -> Answer:
        reader, writer = connection
        kept = False
        try:
            writer.write(message)
            await writer.drain()
            answer, keep = await _read(reader)
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


@lru_cache(maxsize=256)
def _split(url: str) -> tuple[tuple[str, int], str, str]:
    """Host and port, path, and the value of `Host`."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise TargetUnreachable(f"{url} is no http:// address")
    return (parts.hostname, parts.port or 80), parts.path or "/", parts.netloc


class _Stale(TargetUnreachable):
    """The connection was gone before a byte of the answer."""


async def _connect(place: tuple[str, int]) -> _Connection:
    try:
        return await asyncio.open_connection(*place)
    except OSError as error:
        raise TargetUnreachable(f"connect to {place[0]}:{place[1]}: {error.strerror or error}") from error


async def _read(reader: asyncio.StreamReader) -> tuple[Answer, bool]:
    reading = _Reading()
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
