"""The door of the landscape's owner in the workbench: what runs behind it is asked nothing by a policy.

Whoever can read the master key is the owner; the token is derived from that key and never leaves the machine.
"""

import asyncio
import hashlib
import hmac
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, MutableMapping
from contextlib import aclosing
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl

import orjson

from harness.errors import HarnessError
from harness.gateway.call import Call
from harness.storage.ending import ended

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

PREFIX = "/_harness/"

Query = Mapping[str, str]
Lines = AsyncGenerator[Any, None]
"""Values that are sent as lines of JSON, each when it comes."""
Route = Callable[[Query], Awaitable[Any]]
"""Answers one JSON value, or `Lines`. Raises NotKept, or ValueError for a question that makes no sense."""


class NotKept(HarnessError):
    """What is asked for is not there, or not any more."""


def operator_token(master_key: bytes) -> str:
    """The bearer token of the paths below `/_harness/` but `health`."""
    return hmac.new(master_key, b"domain-harness operator", hashlib.sha256).hexdigest()


class Operator:
    """In front of the edge. `reads` (by GET) and `acts` (by POST, they change something) by the path's last step.

    Only the workbench's listeners (`addresses`) have it; no stage can be called `_harness`, so it hides no API.
    """

    def __init__(
        self,
        edge: Application,
        reads: Mapping[str, Route],
        *,
        acts: Mapping[str, Route] = MappingProxyType({}),
        token: str,
        addresses: Collection[tuple[str, int]],
    ) -> None:
        self._edge = edge
        self._routes = {
            **{PREFIX + name: ("GET", route) for name, route in reads.items()},
            **{PREFIX + name: ("POST", route) for name, route in acts.items()},
        }
        self._begin: Callable[[Call], bool] | None = getattr(edge, "begin", None)
        self._token = f"Bearer {token}".encode()
        self._addresses = frozenset(addresses)

    def begin(self, call: Call) -> bool:
        """The edge's short way; not for what is asked here."""
        begin = self._begin
        return begin is not None and not self._is_asked(call.scope) and begin(call)

    def _is_asked(self, scope: Scope) -> bool:
        return scope["path"] in self._routes and tuple(scope["server"]) in self._addresses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._is_asked(scope):
            await self._edge(scope, receive, send)
            return
        method, route = self._routes[scope["path"]]
        if scope["method"] != method:
            await _refuse(send, 405, f"Only {method} is answered here")
            return
        shown = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        if not hmac.compare_digest(shown, self._token):
            await _refuse(send, 403, "Forbidden")
            return
        try:
            answer = await route(dict(parse_qsl(scope["query_string"].decode("latin-1"))))
        except ValueError as error:
            await _refuse(send, 400, str(error))
            return
        except NotKept as error:
            await _refuse(send, 404, str(error))
            return
        if isinstance(answer, AsyncGenerator):
            await _stream(answer, receive, send)
        else:
            await _answer(send, 200, answer)


async def _stream(values: Lines, receive: Receive, send: Send) -> None:
    """Until there are no more values or the client goes away; what goes wrong meanwhile is raised."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/jsonl")]})

    async def write() -> None:
        async with aclosing(values):
            async for value in values:
                await send({"type": "http.response.body", "body": orjson.dumps(value) + b"\n", "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    tasks = [asyncio.create_task(write()), asyncio.create_task(gone())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await ended(tasks)
    for task in tasks:
        if not task.cancelled():
            task.result()


async def _refuse(send: Send, status: int, text: str) -> None:
    await _answer(send, status, {"message": text})


async def _answer(send: Send, status: int, content: Any) -> None:
    body = orjson.dumps(content)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
