"""The audit of a landscape: what the edge notes goes to the store, and from there come explanations."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, Protocol

import orjson

from harness.access import Authority
from harness.audit.explanation import Explainer, KnownApi, Landscape
from harness.audit.record import Scribe
from harness.audit.recorder import Recorder
from harness.clock import Clock, utc_now
from harness.gateway.api import Api
from harness.identity import Sealer
from harness.local.usage_recorder import RecorderOfUsage, UsageRecorder
from harness.policy import Document

# Another edge of the landscape may still hold the record of a call that has just been answered.
PATIENCE_SECONDS = 1.0
RECENT = timedelta(minutes=10)
AUDIT_STREAM, AUDIT_SUBJECT = "AUDIT", "audit.calls"


class Store(Protocol):
    """Lines of JSON, oldest first."""

    async def append(self, lines: Sequence[bytes]) -> bool: ...

    def read(self, since: datetime | None = None) -> AsyncGenerator[bytes, None]: ...

    def find(self, needle: bytes, since: datetime | None = None) -> AsyncGenerator[bytes, None]: ...


class AuditTrail:
    """`recorder` is the edge's; the rest answers the landscape's owner. `usage` is told of each call that passed."""

    def __init__(
        self,
        store: Store,
        authority: Authority,
        sealer: Sealer,
        apis: Mapping[str, Api],
        buses: Mapping[str, Document | None],
        *,
        endpoints: Mapping[str, Document] | None = None,
        made: Callable[[str], Document | None] = lambda arn: None,
        clock: Clock = utc_now,
        usage: UsageRecorder | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        accounts = {api.id: api.account for api in apis.values()}
        lines = Scribe(authority, sealer, accounts).lines
        self.recorder = Recorder(lines, store.append) if usage is None else RecorderOfUsage(lines, store.append, usage)
        known = {api.id: _known(api) for api in apis.values()}
        self._explainer = Explainer(Landscape(authority, known, buses, endpoints or {}, made))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Writes what was noted, until the end."""
        stop = asyncio.Event()
        task = asyncio.create_task(self.recorder.run(stop))
        try:
            yield
        finally:
            stop.set()
            await task

    async def explain(self, request_id: str) -> dict[str, Any] | None:
        """None when there is no record of that id, or not any more."""
        deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        while True:
            await self.recorder.flush()
            record = await self._find(request_id, self._clock() - RECENT) or await self._find(request_id, None)
            if record is not None:
                return self._explainer.explain(record)
            if asyncio.get_running_loop().time() > deadline:
                return None
            await asyncio.sleep(self.recorder.flush_seconds)

    async def records(
        self, *, since: datetime | None = None, refused: bool = False
    ) -> AsyncGenerator[dict[str, Any], None]:
        await self.recorder.flush()
        async for line in self._store.read(since):
            record: dict[str, Any] = orjson.loads(line)
            if not refused or "errorCode" in record:
                yield record

    async def _find(self, request_id: str, since: datetime | None) -> dict[str, Any] | None:
        async for line in self._store.find(request_id.encode(), since):
            record: dict[str, Any] = orjson.loads(line)
            if record["requestID"] == request_id:
                return record
        return None


def _known(api: Api) -> KnownApi:
    stages = {
        name: tuple((route.method, route.template) for route in stage.routes.routes)
        for name, stage in api.stages.items()
    }
    return KnownApi(api.account, api.resource_policy, stages)
