"""What the landscape's owner may see through the workbench: the events of a bus, as lines of JSON.

Whoever can read the master key is the owner; the token is derived from that key and never leaves the machine.
"""

import asyncio
import hashlib
import hmac
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, MutableMapping
from contextlib import aclosing
from typing import Any
from urllib.parse import parse_qsl

import orjson

from harness.bus.model import Envelope
from harness.bus.pattern import Pattern, PatternError, compile_pattern
from harness.bus.store import Store
from harness.bus.tail import kept, tail

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

EVENTS_PATH = "/_harness/events"


def operator_token(master_key: bytes) -> str:
    """The bearer token of `/_harness/events`."""
    return hmac.new(master_key, b"domain-harness operator", hashlib.sha256).hexdigest()


class Operator:
    """`GET /_harness/events?bus=ARN&from=start|now&follow=0|1&pattern=JSON` in front of the edge.

    Only the workbench's listeners have it; no stage can be called `_harness`, so it hides no API.
    """

    def __init__(
        self,
        edge: Application,
        *,
        store: Store,
        buses: Collection[str],
        token: str,
        addresses: Collection[tuple[str, int]],
    ) -> None:
        self._edge = edge
        self._store = store
        self._buses = buses
        self._token = f"Bearer {token}".encode()
        self._addresses = frozenset(addresses)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != EVENTS_PATH or tuple(scope["server"]) not in self._addresses:
            await self._edge(scope, receive, send)
            return
        if scope["method"] != "GET":
            await _refuse(send, 405, "Only GET is answered here")
            return
        shown = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        if not hmac.compare_digest(shown, self._token):
            await _refuse(send, 403, "Forbidden")
            return
        query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        try:
            events = self._events(query)
        except ValueError as error:
            await _refuse(send, 400, str(error))
            return
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/jsonl")]})
        await _stream(events, receive, send)

    def _events(self, query: Mapping[str, str]) -> AsyncGenerator[Envelope, None]:
        bus = query.get("bus", "")
        if bus not in self._buses:
            raise ValueError(f"unknown bus {bus}")
        pattern = _pattern(query["pattern"]) if "pattern" in query else None
        if query.get("follow") == "1":
            return tail(self._store, bus, pattern=pattern, from_start=query.get("from") == "start")
        return kept(self._store, bus, pattern=pattern)


def _pattern(text: str) -> Pattern:
    try:
        return compile_pattern(orjson.loads(text))
    except orjson.JSONDecodeError as error:
        raise ValueError(f"the pattern is not JSON: {error}") from error
    except PatternError as error:
        raise ValueError(str(error)) from error


async def _stream(events: AsyncGenerator[Envelope, None], receive: Receive, send: Send) -> None:
    """Until there are no more events or the client goes away; what goes wrong meanwhile is raised."""

    async def write() -> None:
        async with aclosing(events):
            async for event in events:
                await send({"type": "http.response.body", "body": orjson.dumps(event) + b"\n", "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    tasks = [asyncio.create_task(write()), asyncio.create_task(gone())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result


async def _refuse(send: Send, status: int, text: str) -> None:
    body = orjson.dumps({"message": text})
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
