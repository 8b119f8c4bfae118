"""EventBridge's endpoint: JSON 1.1 operations by `X-Amz-Target`, authenticated and authorised like any AWS call."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import orjson

from harness.access import Authority, Caller, network_context
from harness.bus.envelope import new_event_id
from harness.bus.model import Bus
from harness.bus.put_events import MAX_REQUEST_BYTES, Entry, EntryError, RequestError, read_request
from harness.bus.store import Record, Store
from harness.bus.validation import EventValidator
from harness.clock import Clock, utc_now
from harness.policy import denial_message
from harness.policy.model import ContextValue
from harness.sigv4 import Fault, FaultKind
from harness.storage.held import StoreFull, StoreUnavailable
from harness.wire import HttpRequest, HttpResponse, NetworkPlace, bus_arn

log = logging.getLogger(__name__)

SERVICE = "events"
TARGET_PREFIX = "AWSEvents."
CONTENT_TYPE = b"application/x-amz-json-1.1"
SKEW_SECONDS = 900  # this service's window is 15 minutes, not execute-api's 5

INTERNAL_FAILURE = EntryError("InternalFailure", "Internal Service Failure")
THROTTLED = EntryError("ThrottlingException", "Rate exceeded")

_INVALID_SIGNATURE = "InvalidSignatureException"
FAULT_TYPES: Mapping[FaultKind, str] = {
    FaultKind.MISSING: "MissingAuthenticationTokenException",
    FaultKind.INCOMPLETE: "IncompleteSignatureException",
    FaultKind.UNKNOWN_KEY: "UnrecognizedClientException",
    FaultKind.EXPIRED_TOKEN: "ExpiredTokenException",
    FaultKind.MISMATCH: _INVALID_SIGNATURE,
    FaultKind.EXPIRED: _INVALID_SIGNATURE,
    FaultKind.NOT_YET: _INVALID_SIGNATURE,
    FaultKind.SCOPE_DATE: _INVALID_SIGNATURE,
    FaultKind.SCOPE_REGION: _INVALID_SIGNATURE,
    FaultKind.SCOPE_SERVICE: _INVALID_SIGNATURE,
    FaultKind.SCOPE_TERMINATOR: _INVALID_SIGNATURE,
}

Operation = Callable[[Caller, object, Mapping[str, ContextValue]], Awaitable[dict[str, Any] | RequestError]]


class EventsApi:
    """`buses` by ARN. `max_request_bytes`: 1,048,576 since January 2026, 262,144 before."""

    def __init__(
        self,
        authority: Authority,
        buses: Mapping[str, Bus],
        store: Store,
        *,
        region: str,
        clock: Clock = utc_now,
        max_request_bytes: int = MAX_REQUEST_BYTES,
        new_id: Callable[[], str] = new_event_id,
        validator: EventValidator | None = None,
    ) -> None:
        self._authority = authority
        self._buses = buses
        self._store = store
        self._region = region
        self._clock = clock
        self._max_request_bytes = max_request_bytes
        self._new_id = new_id
        self._validator = validator or EventValidator()
        self._operations: Mapping[str, Operation] = {"PutEvents": self._put_events}

    async def __call__(self, request: HttpRequest, place: NetworkPlace) -> HttpResponse:
        caller = self._authority.authenticate(request, service=SERVICE, skew_seconds=SKEW_SECONDS)
        if isinstance(caller, Fault):
            return _refusal(RequestError(FAULT_TYPES[caller.kind], caller.message))
        name = (request.header(b"x-amz-target") or b"").decode("latin-1")
        operation = self._operations.get(name.removeprefix(TARGET_PREFIX))
        if operation is None or not name.startswith(TARGET_PREFIX):
            return _refusal(self._unknown(name))
        try:
            payload = orjson.loads(request.body)
        except orjson.JSONDecodeError:
            return _refusal(RequestError("SerializationException", "The request body is not valid JSON."))
        network = network_context(request, place, now=self._clock(), region=self._region)
        answer = await operation(caller, payload, network)
        return _refusal(answer) if isinstance(answer, RequestError) else _answer(200, answer)

    def _unknown(self, name: str) -> RequestError:
        known = ", ".join(sorted(self._operations))
        return RequestError("UnknownOperationException", f'"{name}" is not an operation of this endpoint: {known}')

    async def _put_events(
        self, caller: Caller, payload: object, network: Mapping[str, ContextValue]
    ) -> dict[str, Any] | RequestError:
        entries = read_request(payload, max_bytes=self._max_request_bytes)
        if isinstance(entries, RequestError):
            return entries
        refusal = self._authorize(caller, [entry for entry in entries if isinstance(entry, Entry)], network)
        if refusal is not None:
            return refusal
        now = self._clock()
        results: list[str | EntryError] = []
        records: dict[str, list[tuple[int, Record]]] = {}
        for index, entry in enumerate(entries):
            if isinstance(entry, EntryError):
                results.append(entry)
                continue
            event_id = self._new_id()
            arn = self._bus_arn(caller, entry.bus)
            verdict = self._validator.check(arn, entry, event_id=event_id)
            results.append(verdict.error or event_id)
            # An unknown bus: the entry has an id, the event vanishes (as on AWS).
            if verdict.error is None and arn in self._buses:
                record = entry.record(event_id=event_id, account=caller.account, region=self._region, now=now)
                records.setdefault(verdict.aside or arn, []).append((index, record))
        for arn, numbered in records.items():
            error = await self._store_records(arn, [record for _, record in numbered])
            if error is not None:
                for index, _ in numbered:
                    results[index] = error
        return _put_events_result(results)

    async def _store_records(self, arn: str, records: Sequence[Record]) -> EntryError | None:
        try:
            await self._store.publish(arn, records)
        except StoreFull as error:
            log.warning("PutEvents to %s: %s", arn, error)
            return THROTTLED
        except StoreUnavailable as error:
            log.error("PutEvents to %s: %s", arn, error)
            return INTERNAL_FAILURE
        return None

    def _authorize(
        self, caller: Caller, entries: Sequence[Entry], network: Mapping[str, ContextValue]
    ) -> RequestError | None:
        """One entry that is not allowed refuses the whole call."""
        asked = dict.fromkeys((self._bus_arn(caller, entry.bus), entry.source, entry.detail_type) for entry in entries)
        for arn, source, detail_type in asked:
            bus = self._buses.get(arn)
            decision = self._authority.authorize(
                caller,
                action="events:PutEvents",
                resource=arn,
                resource_account=bus.account if bus else caller.account,
                resource_policy=bus.policy if bus else None,
                context={
                    **network,
                    "events:source": source,
                    "events:detail-type": detail_type,
                    "events:eventbusinvocation": "false",
                },
            )
            if not decision.allowed:
                text = denial_message(caller.principal, "events:PutEvents", arn, decision)
                return RequestError("AccessDeniedException", text)
        return None

    def _bus_arn(self, caller: Caller, bus: str) -> str:
        return bus if bus.startswith("arn:") else bus_arn(self._region, caller.account, bus)


def _put_events_result(results: Sequence[str | EntryError]) -> dict[str, Any]:
    entries = [
        {"ErrorCode": result.code, "ErrorMessage": result.message}
        if isinstance(result, EntryError)
        else {"EventId": result}
        for result in results
    ]
    return {"FailedEntryCount": sum("ErrorCode" in entry for entry in entries), "Entries": entries}


def _refusal(error: RequestError) -> HttpResponse:
    return _answer(400, {"__type": error.type, "message": error.message})


def _answer(status: int, content: Mapping[str, Any]) -> HttpResponse:
    return HttpResponse(status, [(b"content-type", CONTENT_TYPE)], orjson.dumps(content))
