"""What the landscape's owner may see through the workbench: events and records of calls as lines of JSON, and why a
call was refused.

Whoever can read the master key is the owner; the token is derived from that key and never leaves the machine.
"""

import asyncio
import hashlib
import hmac
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, MutableMapping
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import orjson

from harness.bus.model import Envelope
from harness.bus.pattern import Pattern, PatternError, compile_pattern
from harness.bus.store import Store
from harness.bus.tail import kept, tail
from harness.gateway.call import Call
from harness.local.audit import AuditTrail

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

EVENTS_PATH = "/_harness/events"
EXPLAIN_PATH = "/_harness/explain"
AUDIT_PATH = "/_harness/audit"


def operator_token(master_key: bytes) -> str:
    """The bearer token of the paths below `/_harness/` but `health`."""
    return hmac.new(master_key, b"domain-harness operator", hashlib.sha256).hexdigest()


class Operator:
    """In front of the edge.

    - `GET /_harness/events?bus=ARN&from=start|now&follow=0|1&pattern=JSON`
    - `GET /_harness/explain?id=REQUEST_ID`; 404 when no record of it is kept
    - `GET /_harness/audit?since=TIME&refused=0|1`, TIME in ISO 8601

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
        audit: AuditTrail | None = None,
    ) -> None:
        self._edge = edge
        self._begin: Callable[[Call], bool] | None = getattr(edge, "begin", None)
        self._store = store
        self._buses = buses
        self._token = f"Bearer {token}".encode()
        self._addresses = frozenset(addresses)
        self._audit = audit
        self._paths = {EVENTS_PATH} if audit is None else {EVENTS_PATH, EXPLAIN_PATH, AUDIT_PATH}

    def begin(self, call: Call) -> bool:
        """The edge's short way; not for what is asked here."""
        begin = self._begin
        return begin is not None and not self._is_asked(call.scope) and begin(call)

    def _is_asked(self, scope: Scope) -> bool:
        return scope["path"] in self._paths and tuple(scope["server"]) in self._addresses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._is_asked(scope):
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
        if scope["path"] == EXPLAIN_PATH:
            await self._explain(query.get("id", ""), send)
            return
        events: AsyncGenerator[Any, None]
        try:
            events = self._events(query) if scope["path"] == EVENTS_PATH else self._records(query)
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

    async def _explain(self, request_id: str, send: Send) -> None:
        assert self._audit is not None  # the path is not served otherwise
        told = await self._audit.explain(request_id) if request_id else None
        if told is None:
            await _refuse(send, 404, "No record of a call with this id is kept")
            return
        await _answer(send, 200, told)

    def _records(self, query: Mapping[str, str]) -> AsyncGenerator[dict[str, Any], None]:
        assert self._audit is not None  # the path is not served otherwise
        since = datetime.fromisoformat(query["since"]) if "since" in query else None
        if since is not None and since.tzinfo is None:
            since = since.replace(tzinfo=UTC)
        return self._audit.records(since=since, refused=query.get("refused") == "1")


def _pattern(text: str) -> Pattern:
    try:
        return compile_pattern(text)
    except PatternError as error:
        raise ValueError(str(error)) from error


async def _stream(events: AsyncGenerator[Any, None], receive: Receive, send: Send) -> None:
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
    await _answer(send, status, {"message": text})


async def _answer(send: Send, status: int, content: Mapping[str, Any]) -> None:
    body = orjson.dumps(content)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
