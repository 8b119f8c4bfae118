"""The edge asked as a server asks it, either way: in scopes and messages, or with a call that has arrived whole."""

import asyncio
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from typing import Any, cast

import orjson

from harness.gateway.call import Call
from harness.gateway.edge import Edge
from harness.wire import HttpRequest
from tests.gateway.landscape import (
    WORKBENCH_ADDRESS,
)

Address = tuple[str, int]


class Got:
    """One answer, put together from the messages."""

    def __init__(self, messages: list[dict[str, Any]]) -> None:
        self.status: int = messages[0]["status"]
        self.headers: list[tuple[bytes, bytes]] = list(messages[0]["headers"])
        self.body = b"".join(message.get("body", b"") for message in messages[1:])

    def header(self, name: bytes) -> str | None:
        return next((value.decode() for key, value in self.headers if key == name), None)

    @property
    def says(self) -> str:
        """Status, error type and text, as a client would read them."""
        read = orjson.loads(self.body)
        return f"{self.status} {self.header(b'x-amzn-errortype')} {read.get('message') or read.get('Message')}"


class Wire:
    """The connection of a call that is answered without ASGI: keeps the answer's bytes."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.transport = cast(asyncio.Transport, self)
        self.tasks: list[asyncio.Task[None]] = []

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def common_lines(self) -> bytes:
        return b""

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self.tasks.append(asyncio.get_running_loop().create_task(work))

    def answered(self, *, keep_alive: bool) -> None:
        assert keep_alive


def begun(edge: Edge, scope: Mapping[str, Any], body: bytes) -> Got | None:
    """What the edge answers at once; None when it leaves the request to the ASGI application."""
    wire = Wire()

    async def scene() -> bool:
        call = Call(wire, dict(scope), keep_alive=True)
        call.pieces = [body] if body else []
        call.whole = True
        taken = edge.begin(call)
        await asyncio.gather(*wire.tasks)
        return taken

    if not asyncio.run(scene()):
        assert wire.written == []
        return None
    head, _, sent = b"".join(wire.written).partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    headers = [(name, value) for name, _, value in (line.partition(b": ") for line in lines)]
    return Got([{"status": int(first.split(b" ")[1]), "headers": headers}, {"body": sent}])


ways: list[str] = []


def send(
    edge: Edge,
    request: HttpRequest,
    *,
    address: Address = WORKBENCH_ADDRESS,
    pieces: Sequence[bytes | Exception] | None = None,
    **scope: Any,
) -> Got:
    """`pieces`: the body as it arrives, in place of the request's; an exception is raised instead of arriving."""
    arriving: Iterator[bytes | Exception] = iter([request.body] if pieces is None else pieces)
    headers = list(request.headers)
    if request.body:
        headers.append((b"content-length", str(len(request.body)).encode()))
    messages: list[dict[str, Any]] = []
    left = [len(pieces or [b""])]

    async def receive() -> dict[str, Any]:
        left[0] -= 1
        piece = next(arriving)
        if isinstance(piece, Exception):
            raise piece
        return {"type": "http.request", "body": piece, "more_body": left[0] > 0}

    async def answer(message: Any) -> None:
        messages.append(message)

    whole_scope = {
        "type": "http",
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "raw_path": request.raw_path,
        "query_string": request.raw_query,
        "headers": headers,
        "server": address,
        "client": ("10.0.0.7", 50000),
        **scope,
    }
    if ways == ["at once"] and pieces is None:
        got = begun(edge, whole_scope, request.body)
        if got is not None:
            return got
    asyncio.run(edge(whole_scope, receive, answer))
    return Got(messages)


def bare(
    method: str = "GET", path: bytes = b"/", query: bytes = b"", body: bytes = b"", **headers: bytes
) -> HttpRequest:
    pairs = [(name.replace("_", "-").encode(), value) for name, value in headers.items()]
    return HttpRequest(method, path, query, [(b"host", b"localhost:4566"), *pairs], body)
