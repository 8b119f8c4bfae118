"""A small HTTP/1.1 client for targets: pooled keep-alive connections on asyncio, answers parsed by httptools."""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import urlsplit

import httptools

MAX_IDLE = 64
# Whoever names targets names as many as they like: idle connections to all of them together have a bound too.
MAX_IDLE_IN_ALL = 256
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

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    complete: bool = False
    keep_alive: bool = False
    bodyless: bool = False
    surplus: bool = False
    parser: httptools.HttpResponseParser | None = None

    def on_message_begin(self) -> None:
        if self.complete:  # nobody asked for this one, and it must not become the next request's answer
            self.surplus = True

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.surplus:
            return
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        if self.surplus or self.parser is None:
            return
        self.status = self.parser.get_status_code()
        # Asked here: once the message is complete, the parser has begun the next one.
        self.keep_alive = not self.bodyless and self.parser.should_keep_alive()
        # An answer to HEAD has no body, whatever length its headers tell (RFC 9112 section 6.3).
        self.complete = self.bodyless and self.status >= 200

    def on_body(self, chunk: bytes) -> None:
        if not self.surplus:
            self.body += chunk

    def on_message_complete(self) -> None:
        if self.status < 200 and not self.surplus:  # 100 Continue, 103 Early Hints: the answer itself follows
            self.headers.clear()
            return
        self.complete = True


_Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_Place = tuple[str, int, bool, tuple[str, ...]]
"""Host, port, whether it speaks TLS, and the addresses to use for the host, none for those that its name has."""


class HttpClient:
    """`tls`: what an https target is checked with; without it plain http alone is spoken."""

    def __init__(
        self,
        *,
        max_idle: int = MAX_IDLE,
        max_idle_in_all: int = MAX_IDLE_IN_ALL,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._max_idle = max_idle
        self._max_idle_in_all = max_idle_in_all
        self._tls = tls
        self._idle: dict[_Place, list[_Connection]] = {}

    @property
    def idle(self) -> int:
        return sum(map(len, self._idle.values()))

    async def post(
        self, url: str, headers: Sequence[tuple[str, str]], body: bytes, *, at: Sequence[str] = ()
    ) -> Answer:
        return await self.request("POST", url, headers, body, at=at)

    async def request(
        self, method: str, url: str, headers: Sequence[tuple[str, str]], body: bytes, *, at: Sequence[str] = ()
    ) -> Answer:
        """Raises TargetUnreachable; the caller bounds the time. ValueError for what would be another request.

        `at`: the addresses of the host, for a caller who has looked at them; its name is not asked again.
        """
        host, path, authority = _split(url)
        place = (*host, tuple(at))
        lines = [f"{method} {path} HTTP/1.1", f"host: {authority}", f"content-length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers]
        if any("\r" in line or "\n" in line for line in lines):
            raise ValueError("a header or an address has a line break")
        message = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
        bodyless = method == "HEAD"
        while (connection := self._take_idle(place)) is not None:
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
        host, port, secure, addresses = place
        if secure and self._tls is None:
            raise TargetUnreachable(f"https is not spoken here: {host}:{port}")
        trouble: Exception | None = None
        for address in addresses or await _looked_up(host, port):
            if is_off_limits(address):
                raise TargetUnreachable(f"connect to {host}:{port}: {address} is link-local, where nothing is called")
            try:
                return await asyncio.open_connection(
                    address, port, ssl=self._tls if secure else None, server_hostname=host if secure else None
                )
            except ssl.SSLError as error:
                raise TargetUnreachable(f"TLS with {host}:{port}: {error}") from error
            except (OSError, ValueError) as error:  # a name that cannot stand in DNS is a ValueError
                trouble = error
        raise TargetUnreachable(f"connect to {host}:{port}: {getattr(trouble, 'strerror', '') or trouble}") from trouble

    def _take_idle(self, place: _Place) -> _Connection | None:
        idle = self._idle.get(place)
        if idle is None:
            return None
        connection = idle.pop()
        if not idle:
            del self._idle[place]
        return connection

    def _keep(self, place: _Place, connection: _Connection) -> bool:
        idle = self._idle.get(place, [])
        if len(idle) >= self._max_idle:
            return False
        if self.idle >= self._max_idle_in_all:
            oldest = next(iter(self._idle))
            self._idle[oldest].pop(0)[1].close()
            if not self._idle[oldest]:
                del self._idle[oldest]
        self._idle.setdefault(place, []).append(connection)
        return True

    async def _exchange(self, place: _Place, connection: _Connection, message: bytes, bodyless: bool) -> Answer:
        reader, writer = connection
        kept = False
        try:
            writer.write(message)
            await writer.drain()
            answer, keep = await _read(reader, bodyless)
            kept = keep and self._keep(place, connection)
            return answer
        except OSError as error:
            raise _Stale(str(error)) from error
        finally:
            if not kept:
                writer.close()


# Instance metadata and credentials beyond 169.254.0.0/16: AWS's over IPv6, Google's over IPv6.
_METADATA = frozenset(map(ipaddress.ip_address, ("fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254")))
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def is_off_limits(address: str) -> bool:
    """Where a machine keeps what is for itself alone: link-local addresses, in whichever spelling, and multicast.

    Whoever names a target could make credentials of the machine leave it.
    """
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        if found in _METADATA:
            return True
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo or (None, None))[1]
        if inner is None and found in _NAT64:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        found = inner or found
    return found.is_link_local or found.is_multicast or str(found) == "255.255.255.255"


async def _looked_up(host: str, port: int) -> tuple[str, ...]:
    """The addresses of a name, so that the ones that are judged are the ones that are used."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, ValueError) as error:  # a name that cannot stand in DNS is a ValueError
        raise TargetUnreachable(f"connect to {host}:{port}: {getattr(error, 'strerror', '') or error}") from error
    return tuple(dict.fromkeys(str(each[4][0]) for each in found))


_PORTS = {"http": 80, "https": 443}


@lru_cache(maxsize=256)
def _split(url: str) -> tuple[tuple[str, int, bool], str, str]:
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
            unbounded = not {"content-length", "transfer-encoding"} & reading.headers.keys()
            if reading.status >= 200 and unbounded:
                break  # RFC 9112 section 6.3: without a length, the answer ends with the connection
            raise (TargetUnreachable if received else _Stale)("the target closed the connection")
        received += len(chunk)
        if received > MAX_ANSWER_BYTES:
            raise TargetUnreachable(f"the target's answer is larger than {MAX_ANSWER_BYTES} bytes")
        try:
            parser.feed_data(chunk)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            raise TargetUnreachable(f"the target's answer is not HTTP/1.1: {error}") from error
    answer = Answer(reading.status, reading.headers, bytes(reading.body))
    return answer, reading.complete and reading.keep_alive and not reading.surplus
