"""One ASGI request and what was answered, message by message, as it comes."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

from harness.local.operator import Application

WORKBENCH = ("127.0.0.1", 4566)


class Exchange:
    """A request that runs beside the test. `until` waits for the body; `disconnect` is the client going away."""

    def __init__(
        self,
        app: Application,
        target: str,
        *,
        method: str = "GET",
        headers: tuple[tuple[str, str], ...] = (),
        server: tuple[str, int] = WORKBENCH,
    ) -> None:
        path, _, query = target.partition("?")
        self.scope: dict[str, Any] = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in headers],
            "server": server,
        }
        self.status = 0
        self.body = b""
        self.ended = False
        self._gone = asyncio.Event()
        self._changed = asyncio.Condition()
        self._task = asyncio.ensure_future(app(self.scope, self._receive, self._send))

    async def _receive(self) -> MutableMapping[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        async with self._changed:
            if message["type"] == "http.response.start":
                self.status = message["status"]
            else:
                self.body += message["body"]
                self.ended = not message.get("more_body", False)
            self._changed.notify_all()

    async def until(self, lines: int) -> None:
        """Until that many lines of the body have come."""
        async with asyncio.timeout(60), self._changed:
            await self._changed.wait_for(lambda: self.body.count(b"\n") >= lines)

    def disconnect(self) -> None:
        self._gone.set()

    async def end(self) -> "Exchange":
        """Until the application has returned; raises what it raised."""
        async with asyncio.timeout(60):
            await self._task
        return self
