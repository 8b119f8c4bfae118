"""`GET /_harness/health` of a process that serves nothing else: 200 while it reaches its event store, else 503."""

import asyncio
from collections.abc import Callable

from harness.wire import HEALTH_PATH

REQUEST_SECONDS = 5.0


async def serve_health(healthy: Callable[[], bool], *, port: int, host: str = "127.0.0.1") -> asyncio.Server:
    """A listening server; `port` 0 takes a free one. The caller closes it."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(_response(head.split(b" ", 2)[1:2], healthy()))
                await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return  # no whole request came; there is nobody to tell
        finally:
            writer.close()

    return await asyncio.start_server(answer, host, port)


def _response(path: list[bytes], healthy: bool) -> bytes:
    if path != [HEALTH_PATH.encode()]:
        line, body = b"404 Not Found", b'{"message":"Not Found"}'
    elif healthy:
        line, body = b"200 OK", b'{"status":"ok"}'
    else:
        line, body = b"503 Service Unavailable", b'{"status":"no event store"}'
    head = b"HTTP/1.1 %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
    return head % (line, len(body)) + body
