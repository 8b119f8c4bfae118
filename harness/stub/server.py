"""A provider made from its contract, served over HTTP: a container like any other, as far as the landscape can tell."""

import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

import uvicorn

from harness.contracts.stub import Provider
from harness.wire import MAX_BODY_BYTES, READINESS_PATH, HttpRequest, HttpResponse

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_TOO_LARGE = HttpResponse(413, ((b"content-type", b"text/plain"),), b"the body is larger than 10 MB")

log = logging.getLogger("harness.stub")


class StubApp:
    """Raw ASGI. Answers one request after the other, so that each sees what the one before it made."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ValueError(f"the stub serves HTTP alone, not {scope['type']}")
        try:
            body = await _read(receive)
        except ConnectionError:
            return  # a part of a body is no request, and nobody waits for an answer
        if body is None:
            await _send(send, scope["method"], _TOO_LARGE)
            return
        request = HttpRequest(scope["method"], scope["raw_path"], scope["query_string"], list(scope["headers"]), body)
        answer = self._provider.answer(request)
        if scope["path"] != READINESS_PATH:
            log.info("%s %s -> %d", request.method, request.raw_path.decode("ascii", "backslashreplace"), answer.status)
        await _send(send, scope["method"], answer)


async def serve(provider: Provider, *, host: str, port: int) -> None:
    """Until SIGTERM or SIGINT."""
    for remark in provider.remarks:
        log.warning("%s", remark)
    config = uvicorn.Config(
        StubApp(provider),
        host=host,
        port=port,
        lifespan="off",
        ws="none",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        log_config=None,
        timeout_graceful_shutdown=5,
    )
    await uvicorn.Server(config).serve()


async def _read(receive: Receive) -> bytes | None:
    """The whole body; None when it is too large. ConnectionError when the client went before its end."""
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError("the client went")
        piece: bytes = message.get("body", b"")
        size += len(piece)
        if size > MAX_BODY_BYTES:
            return None
        pieces.append(piece)
        if not message.get("more_body", False):
            return b"".join(pieces)


async def _send(send: Send, method: str, answer: HttpResponse) -> None:
    headers = [*answer.headers]
    if answer.status not in (204, 304) and method != "HEAD":
        headers.append((b"content-length", b"%d" % len(answer.body)))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else answer.body})
