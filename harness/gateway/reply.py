"""Sending one answer as ASGI's messages, so that every answer carries its request's ids."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from harness.gateway.answer_head import answer_headers
from harness.gateway.exchange import Answer, BodyBrokeOff
from harness.gateway.identifiers import Ids
from harness.gateway.refusals import Refusal, refusal_headers
from harness.wire import MAX_BODY_BYTES, REQUEST_ID_HEADER, HttpResponse

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Reply:
    """`begun`: something was sent, or there is nobody left to send to; nothing else may be answered then."""

    __slots__ = ("_send", "begun", "ids", "request_id")

    def __init__(self, send: Send, ids: Ids) -> None:
        self.ids = ids
        self.request_id = ids[0]
        self.begun = False
        self._send = send

    async def refuse(self, refusal: Refusal, text: str = "") -> None:
        body = refusal.body(text)
        await self._whole(refusal.status, refusal_headers(refusal, body, self.ids), body)

    async def respond(self, response: HttpResponse) -> None:
        """An AWS service's answer; its own request id, if it has one, stays."""
        headers = [header for header in response.headers if header[0] != b"content-length"]
        headers.append((b"content-length", b"%d" % len(response.body)))
        if all(name != REQUEST_ID_HEADER for name, _ in headers):
            headers.append((REQUEST_ID_HEADER, self.request_id.encode()))
        await self._whole(response.status, headers, response.body)

    async def pass_on(self, answer: Answer, method: str, receive: Receive, http_version: str) -> None:
        """Raises BodyBrokeOff when the upstream's body ends too soon; the client's connection must then be closed."""
        if not answer.complete and http_version == "1.0" and not answer.tells_length:
            # HTTP/1.0 knows no chunks: the answer needs its length (RFC 9112 section 7.1).
            answer = Answer(answer.status, answer.headers, await _all_of(answer))
        headers = answer_headers(answer, method, self.ids)
        if answer.complete:
            await self._whole(answer.status, headers, answer.body)
            return
        await self._send({"type": "http.response.start", "status": answer.status, "headers": headers})
        self.begun = True
        await self._stream(answer, receive)

    async def _stream(self, answer: Answer, receive: Receive) -> None:
        watch = asyncio.create_task(_stop_when_client_leaves(answer, receive))
        try:
            if answer.body:
                await self._send({"type": "http.response.body", "body": answer.body, "more_body": True})
            async for piece in answer.rest():
                await self._send({"type": "http.response.body", "body": piece, "more_body": True})
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
        except BodyBrokeOff:
            if not watch.done():  # else the client left and we broke it off ourselves
                raise
        finally:
            watch.cancel()

    async def _whole(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        self.begun = True
        await self._send({"type": "http.response.body", "body": body})


async def _all_of(answer: Answer) -> bytes:
    pieces, size = [answer.body], len(answer.body)
    async for piece in answer.rest():
        pieces.append(piece)
        size += len(piece)
        if size > MAX_BODY_BYTES:
            answer.abort()
            raise BodyBrokeOff("the upstream's answer broke off: too long to be withheld for HTTP/1.0")
    return b"".join(pieces)


async def unless_client_leaves(work: Awaitable[HttpResponse], receive: Receive) -> HttpResponse | None:
    """The answer; None when the client left before there was one, and the work was ended."""
    working = asyncio.ensure_future(work)
    leaving = asyncio.create_task(_client_leaves(receive))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        leaving.cancel()
        working.cancel()


async def _stop_when_client_leaves(answer: Answer, receive: Receive) -> None:
    await _client_leaves(receive)
    answer.abort()


async def _client_leaves(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
