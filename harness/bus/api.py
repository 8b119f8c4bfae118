"""EventBridge's endpoint: JSON 1.1 operations by `X-Amz-Target`, authenticated and authorised like any AWS call."""

import logging
from collections.abc import Mapping
from typing import Any

import orjson

from harness.access import Caller, network_context
from harness.bus.operations.call import TOO_MANY, Answer, Call, Desk
from harness.bus.operations.shapes import read_request
from harness.bus.operations.table import OPERATIONS, perform
from harness.bus.put_events import RequestError
from harness.bus.putting import PutEvents
from harness.bus.validation import EventValidator
from harness.clock import Clock, utc_now
from harness.policy import ContextValue
from harness.sigv4 import Fault, FaultKind
from harness.storage.held import ShareUsed, StoreFull, StoreUnavailable
from harness.wire import HttpRequest, HttpResponse, NetworkPlace

log = logging.getLogger(__name__)

SERVICE = "events"
TARGET_PREFIX = "AWSEvents."
PUT_EVENTS = "PutEvents"
CONTENT_TYPE = b"application/x-amz-json-1.1"
SKEW_SECONDS = 900  # this service's window is 15 minutes, not execute-api's 5

UNAVAILABLE = RequestError("InternalException", "Service encountered unexpected problem. Please try again.")
FULL = RequestError("ThrottlingException", "Rate exceeded")
# A fault of the service's, for which SDKs try again; all others are the caller's.
_SERVER_FAULTS = frozenset({UNAVAILABLE.type})

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


class EventsApi:
    """PutEvents goes its own, short way; every other operation is a row of the table."""

    def __init__(
        self,
        desk: Desk,
        *,
        clock: Clock = utc_now,
        validator: EventValidator | None = None,
    ) -> None:
        self._desk = desk
        self._clock = clock
        self._put_events = PutEvents(desk, clock=clock, validator=validator)

    async def __call__(self, request: HttpRequest, place: NetworkPlace) -> HttpResponse:
        desk = self._desk
        caller = desk.authority.authenticate(request, service=SERVICE, skew_seconds=SKEW_SECONDS)
        if isinstance(caller, Fault):
            return _refusal(RequestError(FAULT_TYPES[caller.kind], caller.message))
        target = (request.header(b"x-amz-target") or b"").decode("latin-1")
        name = target.removeprefix(TARGET_PREFIX)
        if not target.startswith(TARGET_PREFIX) or (name != PUT_EVENTS and name not in OPERATIONS):
            return _refusal(_unknown(target))
        try:
            payload = orjson.loads(request.body)
        except orjson.JSONDecodeError:
            return _refusal(RequestError("SerializationException", "The request body is not valid JSON."))
        network = network_context(request, place, now=self._clock(), region=desk.region)
        if name == PUT_EVENTS:
            answer = await self._put_events(caller, payload, network)
        else:
            answer = await self._manage(name, caller, payload, network)
        return _refusal(answer) if isinstance(answer, RequestError) else _answer(200, answer)

    async def _manage(self, name: str, caller: Caller, payload: object, network: Mapping[str, ContextValue]) -> Answer:
        operation = OPERATIONS[name]
        request = read_request(operation.shape, payload)
        if isinstance(request, RequestError):
            return request
        call = Call(self._desk, caller, name, request, network, self._clock())
        try:
            return await perform(operation, call)
        except StoreUnavailable as error:
            log.error("%s: %s", name, error)
            return UNAVAILABLE
        except ShareUsed as error:
            log.warning("%s: %s", name, error)
            return TOO_MANY
        except StoreFull as error:
            log.warning("%s: %s", name, error)
            return FULL


def _unknown(target: str) -> RequestError:
    known = ", ".join(sorted((PUT_EVENTS, *OPERATIONS)))
    return RequestError("UnknownOperationException", f'"{target}" is not an operation of this endpoint: {known}')


def _refusal(error: RequestError) -> HttpResponse:
    status = 500 if error.type in _SERVER_FAULTS else 400
    return _answer(status, {"__type": error.type, "message": error.message})


def _answer(status: int, content: Mapping[str, Any]) -> HttpResponse:
    return HttpResponse(status, [(b"content-type", CONTENT_TYPE)], orjson.dumps(content))
