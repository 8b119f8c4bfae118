"""What the landscape's owner may see and do through the workbench.

GET  /_harness/events?bus=ARN&from=start|now&follow=0|1&pattern=JSON   lines of JSON
GET  /_harness/trace?id=EVENT_ID
GET  /_harness/storage                                                 what is kept, and how near it is to its bound
GET  /_harness/undelivered                                             dead letters that no queue took
GET  /_harness/logs?group=ARN                                          lines of a log group that is a target
GET  /_harness/replays?account=ACCOUNT&name=REPLAY
POST /_harness/replay?archive=NAME&from=TIME&to=TIME&rules=NAME,…&name=REPLAY
POST /_harness/redrive?queue=NAME|ARN&limit=N
GET  /_harness/explain?id=REQUEST_ID
GET  /_harness/audit?since=TIME&refused=0|1                            lines of JSON, TIME in ISO 8601
"""

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from harness.bus.patterns.pattern import Pattern, PatternError, compile_pattern
from harness.bus.store import Store
from harness.bus.tail import kept, tail
from harness.local.audit import AuditTrail
from harness.local.event_actions import EventActions
from harness.local.event_traces import EventTraces
from harness.local.operator import Lines, NotKept, Query, Route


def event_routes(store: Store, buses: Callable[[], Collection[str]]) -> dict[str, Route]:
    """`buses`: the ARNs of those that there are now."""

    async def events(query: Query) -> Lines:
        bus = query.get("bus", "")
        if bus not in buses():
            raise ValueError(f"unknown bus {bus}")
        pattern = _pattern(query["pattern"]) if "pattern" in query else None
        if query.get("follow") == "1":
            return tail(store, bus, pattern=pattern, from_start=query.get("from") == "start")
        return kept(store, bus, pattern=pattern)

    return {"events": events}


def trace_routes(traces: EventTraces, actions: EventActions) -> dict[str, Route]:
    async def trace(query: Query) -> Mapping[str, Any]:
        told = await traces.trace(query["id"]) if query.get("id") else None
        if told is None:
            raise NotKept("No event with this id is kept")
        return told

    return {"trace": trace, "replays": actions.replay}


def event_acts(actions: EventActions) -> dict[str, Route]:
    return {"replay": actions.start_replay, "redrive": actions.redrive}


def audit_routes(audit: AuditTrail) -> dict[str, Route]:
    async def explain(query: Query) -> Mapping[str, Any]:
        told = await audit.explain(query["id"]) if query.get("id") else None
        if told is None:
            raise NotKept("No record of a call with this id is kept")
        return told

    async def records(query: Query) -> Lines:
        since = datetime.fromisoformat(query["since"]) if "since" in query else None
        if since is not None and since.tzinfo is None:
            since = since.replace(tzinfo=UTC)
        return audit.records(since=since, refused=query.get("refused") == "1")

    return {"explain": explain, "audit": records}


def _pattern(text: str) -> Pattern:
    try:
        return compile_pattern(text)
    except PatternError as error:
        raise ValueError(str(error)) from error
