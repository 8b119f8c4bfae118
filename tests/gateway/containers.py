"""A container that answers by a script, one coroutine a connection, on a free port of loopback."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

Script = Callable[["Wire"], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


@dataclass
class Wire:
    """One connection as the container sees it. `number` counts connections from 1."""

    number: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def request(self) -> bytes:
        """The head of the next request; raises IncompleteReadError when the client closes."""
        return await self.reader.readuntil(b"\r\n\r\n")

    async def say(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()

    def reset(self) -> None:
        self.writer.transport.abort()

    async def gone(self) -> None:
        """Returns when the client has closed its side."""
        while await self.reader.read(65_536):
            pass


@dataclass
class Container:
    origin: str
    connections: int = 0


@asynccontextmanager
async def container(script: Script) -> AsyncIterator[Container]:
    """A connection is closed when its script ends."""
    open_now: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        open_now.add(task)
        running.connections += 1
        try:
            await script(Wire(running.connections, reader, writer))
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the client left, or the test is over: every script may end so
        finally:
            open_now.discard(task)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    running = Container(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    try:
        yield running
    finally:
        server.close()
        for task in tuple(open_now):
            task.cancel()


async def until(condition: Callable[[], bool], *, seconds: float = 60.0) -> None:
    """Waits for a condition that another task or thread brings about."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what sets it knows nothing of this loop
            await asyncio.sleep(0.005)
