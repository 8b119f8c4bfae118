"""The gateway without sockets: the edge's own protocol and client, and transports that are not there.

`.venv/bin/python -m bench.gateway_loop [--calls 20000] [--rounds 5]` prints the CPU time of one call, the least of the
rounds. What the system's sockets and the event loop cost is not in it. Two runs under `valgrind --tool=callgrind` with
`--rounds 1` and different `--calls` give the instructions of a call, which no neighbour on the machine changes.
"""

import argparse
import asyncio
import math
import secrets
import socket
import time
from typing import Any, cast

import uvicorn
import uvloop

from bench.gateway import listen, port_of, signed_headers
from bench.gateway_servers import ANSWER, PATH, edge
from harness.gateway.connection import Connection
from harness.gateway.server import server_config
from harness.gateway.upstream import PooledClient

UPSTREAM = "http://127.0.0.1:9"


class Transport:
    """Keeps what was written last."""

    def __init__(self, port: int) -> None:
        self.written = b""
        self._known = {"sockname": ("127.0.0.1", port), "peername": ("127.0.0.1", 50_000)}

    def write(self, data: bytes) -> None:
        self.written = data

    def get_extra_info(self, name: str) -> Any:
        return self._known.get(name)

    def is_closing(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


def call_once(client: asyncio.Protocol, near: Transport, container: Connection, far: Transport, sent: bytes) -> None:
    near.written = far.written = b""
    client.data_received(sent)
    assert far.written, near.written
    container.data_received(ANSWER)
    assert near.written


async def measure(sock: socket.socket, calls: int, rounds: int) -> float:
    key = secrets.token_bytes(32)
    client = PooledClient(max_idle_seconds=math.inf)  # however slowly it runs, no connection grows old
    app = edge(sock, UPSTREAM, key, client)
    config = server_config(app)
    config.load()
    server = uvicorn.Server(config)
    await server.on_tick(0)
    near, far = Transport(port_of(sock)), Transport(9)
    protocol: Any = config.http_protocol_class(config, server.server_state, {})  # type: ignore[call-arg, operator]
    protocol.connection_made(cast(asyncio.Transport, near))
    pool = client._pool(UPSTREAM)
    container = Connection(pool, asyncio.get_running_loop())
    container.connection_made(cast(asyncio.Transport, far))
    pool.give_back(container)
    lines = [f"{name}: {value}".encode() for name, value in signed_headers(key, port_of(sock)).items()]
    sent = b"\r\n".join([b"GET " + PATH.encode() + b" HTTP/1.1", *lines]) + b"\r\n\r\n"
    least = float("inf")
    for _ in range(rounds):
        begun = time.process_time_ns()
        for _ in range(calls):
            call_once(protocol, near, container, far, sent)
        least = min(least, (time.process_time_ns() - begun) / calls / 1000)
    assert near.written.startswith(b"HTTP/1.1 200 OK\r\n"), near.written
    return least


def main() -> int:
    options = argparse.ArgumentParser(description="The gateway without sockets.")
    options.add_argument("--calls", type=int, default=20_000, help="of a round (default 20,000)")
    options.add_argument("--rounds", type=int, default=5, help="the least counts (default 5)")
    chosen = options.parse_args()
    with listen() as sock:
        took = uvloop.run(measure(sock, chosen.calls, chosen.rounds))
    print(f"{took:.1f} us of CPU a call")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
