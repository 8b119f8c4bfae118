"""The HTTP server in front of the edge: uvicorn's process on uvloop, and a protocol of our own for connections."""

import resource
import signal
import socket
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import uvicorn

from harness.collector import spare_the_collector
from harness.gateway.protocol import EdgeProtocol

# How many connections of clients are open at a time; each needs a descriptor, and may need one to a container.
MAX_CONNECTIONS = 4096


def server_config(
    app: Any,
    *,
    timeout_graceful_shutdown: int = 5,
    most_connections: int = MAX_CONNECTIONS,
    keep_alive_seconds: int = 75,
) -> uvicorn.Config:
    """The settings of the edge's server; run it with `serve(sockets=…)`, one socket for each listener."""
    return uvicorn.Config(
        app,
        http=EdgeProtocol,
        loop="uvloop",
        ws="none",
        lifespan="on",
        interface="asgi3",
        access_log=False,
        proxy_headers=False,  # where a request comes from is the listener's to say
        server_header=False,
        limit_concurrency=most_connections,
        log_config=None,
        timeout_keep_alive=keep_alive_seconds,
        timeout_graceful_shutdown=timeout_graceful_shutdown,
    )


class _Server(uvicorn.Server):
    stopping: Callable[[], Awaitable[None]] | None = None

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Without uvicorn's last act, which is to raise the signal once more: that would end the process at once, and
        whoever serves has records to write yet."""
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self.stopping is not None:
            await self.stopping()
        await super().shutdown(sockets)


async def serve(
    app: Any, sockets: Sequence[socket.socket], *, stopping: Callable[[], Awaitable[None]] | None = None
) -> None:
    """Serves until SIGINT or SIGTERM. The sockets are bound; they are closed at the end.

    `stopping` is called first at the end: so that whoever only waits is answered, and nobody waits for them.
    """
    server = _Server(server_config(app, most_connections=affordable_connections()))
    server.stopping = stopping
    spare_the_collector()
    await server.serve(sockets=list(sockets))


def affordable_connections() -> int:
    """How many clients there are descriptors for; the process's own limit is raised for them if the system lets it.

    As many again are left for containers, and some for everything else.
    """
    wanted = 2 * MAX_CONNECTIONS + 512
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        raised = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with suppress(ValueError, OSError):  # macOS has a lower limit than it says
            resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return MAX_CONNECTIONS if soft == resource.RLIM_INFINITY else max(1, min(MAX_CONNECTIONS, soft // 2 - 64))


def addresses(sockets: Iterable[socket.socket]) -> list[tuple[str, int]]:
    """The keys of `Edge`'s `places`: each socket's own address."""
    return [sock.getsockname()[:2] for sock in sockets]
