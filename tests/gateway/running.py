"""A real server with the edge in it, in a thread of its own, and a client that sends whatever bytes it is given."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import cast

import uvicorn
import uvloop

from harness.gateway.protocol import EdgeProtocol
from harness.gateway.server import addresses, server_config
from harness.gateway.upstream import PooledClient
from harness.wire import HttpRequest
from tests.access.landscape import WORKBENCH
from tests.gateway.containers import Container, Script, container, until
from tests.gateway.landscape import an_api, an_edge


@dataclass
class Running:
    """`address` is the workbench's; the API `orders` is served by `container`."""

    address: tuple[str, int]
    container: Container
    client: PooledClient
    loop: asyncio.AbstractEventLoop
    server: uvicorn.Server

    def open_upstream_connections(self) -> int:
        return self.client.open_connections(self.container.origin)

    def with_each_connection(self, act: Callable[[EdgeProtocol], None]) -> None:
        """Does something to each connection of a client, in the server's loop; returns when it is done."""

        async def all_of_them() -> None:
            for connection in tuple(self.server.server_state.connections):
                act(cast(EdgeProtocol, connection))

        asyncio.run_coroutine_threadsafe(all_of_them(), self.loop).result(60)


@contextmanager
def running(
    script: Script, *, timeout: float = 29.0, most_connections: int = 4096, keep_alive_seconds: int = 75
) -> Iterator[Running]:
    """Everything runs in one loop of one thread; it is stopped at the end, and errors in it are raised here."""
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    ready = threading.Event()
    found: list[Running] = []
    servers: list[uvicorn.Server] = []

    async def life() -> None:
        client = PooledClient()
        async with container(script) as behind:
            edge = an_edge(
                client,
                apis={"orders": an_api(behind.origin, timeout=timeout)},
                places={addresses([sock])[0]: WORKBENCH},
            )
            server = uvicorn.Server(
                server_config(
                    edge,
                    timeout_graceful_shutdown=1,
                    most_connections=most_connections,
                    keep_alive_seconds=keep_alive_seconds,
                )
            )
            servers.append(server)
            found.append(Running(addresses([sock])[0], behind, client, asyncio.get_running_loop(), server))
            serving = asyncio.create_task(server.serve(sockets=[sock]))
            await until(lambda: server.started or serving.done())
            ready.set()
            await serving

    failures: list[BaseException] = []

    def main() -> None:
        try:
            uvloop.run(life())
        except BaseException as failure:
            failures.append(failure)
            raise
        finally:
            ready.set()

    thread = threading.Thread(target=main, daemon=True)
    thread.start()
    assert ready.wait(60)
    try:
        yield found[0]
    finally:
        servers[0].should_exit = True
        thread.join(60)
    assert not thread.is_alive()
    assert not failures


@dataclass
class Answered:
    status: int
    headers: dict[str, str]
    body: bytes
    whole: bool = True


@dataclass
class RawClient:
    """One connection. Reads answers one after the other from what has arrived."""

    address: tuple[str, int]
    arrived: bytes = b""
    sock: socket.socket = field(init=False)

    def __post_init__(self) -> None:
        self.sock = socket.create_connection(self.address, timeout=60)

    def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.sock.sendall(piece)

    def send_until_refused(self, piece: bytes, *, most: int) -> None:
        """Sends a piece again and again, until the other side closes or has been sent `most` of them."""
        try:
            for _ in range(most):
                self.sock.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            return

    def close(self) -> None:
        self.sock.close()

    def read_until(self, enough: Callable[[bytes], bool]) -> bytes:
        """What has arrived once `enough` says so, or the connection ended."""
        while not enough(self.arrived):
            piece = self.sock.recv(65_536)
            if not piece:
                break
            self.arrived += piece
        return self.arrived

    def answer(self, method: str = "GET") -> Answered:
        head, end, self.arrived = self.read_until(lambda arrived: b"\r\n\r\n" in arrived).partition(b"\r\n\r\n")
        assert end, f"the connection ended instead of an answer: {head!r}"
        first, *lines = head.decode("latin-1").split("\r\n")
        status = int(first.split(" ")[1])
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        if method == "HEAD" or status in (204, 304) or status < 200:
            return Answered(status, headers, b"")
        if headers.get("transfer-encoding") == "chunked":
            return self._chunked(status, headers)
        length = int(headers["content-length"])
        body = self.read_until(lambda arrived: len(arrived) >= length)
        self.arrived = body[length:]
        return Answered(status, headers, body[:length], whole=len(body) >= length)

    def ended(self) -> bool:
        """The server closed the connection, and sent nothing more."""
        try:
            return self.arrived == b"" and self.sock.recv(1) == b""
        except ConnectionResetError:
            return True

    def _chunked(self, status: int, headers: dict[str, str]) -> Answered:
        body = b""
        while True:
            size, end, rest = self.read_until(lambda arrived: b"\r\n" in arrived).partition(b"\r\n")
            if not end:
                return Answered(status, headers, body, whole=False)
            length = int(size, 16)
            self.arrived = rest
            piece = self.read_until(lambda arrived, length=length: len(arrived) >= length + 2)  # type: ignore[misc]
            if len(piece) < length + 2:
                return Answered(status, headers, body + piece, whole=False)
            self.arrived = piece[length + 2 :]
            body += piece[:length]
            if length == 0:
                return Answered(status, headers, body)


def on_the_wire(call: HttpRequest, *more: bytes, body: bool = True, version: bytes = b"1.1") -> bytes:
    """The bytes of a signed call; `more` are header lines that are not signed. A body gets its length."""
    target = call.raw_path + b"?" + call.raw_query if call.raw_query else call.raw_path
    lines = [
        call.method.encode() + b" " + target + b" HTTP/" + version,
        *(name + b": " + value for name, value in call.headers),
        *more,
    ]
    if body and call.body:
        lines.append(b"content-length: %d" % len(call.body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + (call.body if body else b"")
