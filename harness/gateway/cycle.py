"""One request and its answer for an ASGI application: uvicorn's cycle with a sender that writes an answer at once.

uvicorn's own sender writes head and body apart and searches every header with two regular expressions. Here the head
waits for the first piece of the body, and what the expressions guard against is checked on the finished head.
"""

from collections.abc import Mapping
from typing import Any

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from harness.gateway.framing import Framing


class EdgeCycle(RequestResponseCycle):
    """`keep_alive` may be taken back until the answer begins."""

    _framing: Framing
    _head: bytes | None = None

    async def send(self, message: Mapping[str, Any]) -> None:
        if self.flow.write_paused and not self.disconnected:
            self._flush()
            await self.flow.drain()
        if self.disconnected:
            return
        if not self.response_started:
            self._begin(message)
        elif not self.response_complete:
            self._continue(message)
        else:
            raise RuntimeError("an answer was sent after the answer was complete")

    def _flush(self) -> None:
        head, self._head = self._head, None
        if head is not None:
            self.transport.write(head)

    def _begin(self, message: Mapping[str, Any]) -> None:
        if message["type"] != "http.response.start":
            raise RuntimeError(f"an answer begins with http.response.start, not {message['type']}")
        self._framing = Framing(is_head=self.scope["method"] == "HEAD", keep_alive=self.keep_alive)
        self._head = self._framing.head(message["status"], (*self.default_headers, *message.get("headers", ())))
        self.keep_alive = self._framing.keep_alive
        self.response_started = True
        self.waiting_for_100_continue = False

    def _continue(self, message: Mapping[str, Any]) -> None:
        last = not message.get("more_body", False)
        body = self._framing.body(message.get("body", b""), last=last)
        head, self._head = self._head, None
        data = body if head is None else head + body
        if data:
            self.transport.write(data)
        if not last:
            return
        self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()
