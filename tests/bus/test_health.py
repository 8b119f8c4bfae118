"""What the router process answers to those who watch over it."""

import asyncio

import pytest

from harness.bus.health import serve_health

pytestmark = pytest.mark.anyio


async def ask(path: str, *, healthy: bool) -> tuple[bytes, bytes]:
    """The status line and the body."""
    server = await serve_health(lambda: healthy, port=0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(f"GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    server.close()
    return answer.split(b"\r\n")[0], answer.split(b"\r\n\r\n")[1]


@pytest.mark.parametrize(
    ("path", "healthy", "line", "body"),
    [
        pytest.param("/_harness/health", True, b"200 OK", b'{"status":"ok"}', id="it reaches its store"),
        pytest.param("/_harness/health", False, b"503 Service Unavailable", b'{"status":"no event store"}', id="not"),
        pytest.param("/", True, b"404 Not Found", b'{"message":"Not Found"}', id="another path"),
    ],
)
async def test_health(path: str, healthy: bool, line: bytes, body: bytes) -> None:
    assert await ask(path, healthy=healthy) == (b"HTTP/1.1 " + line, body)


async def test_a_caller_that_hangs_up_leaves_it_serving() -> None:
    server = await serve_health(lambda: True, port=0)
    _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.close()
    await writer.wait_closed()
    assert server.is_serving()
    server.close()
