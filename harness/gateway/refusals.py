"""Every refusal of the gateway in one table: status, `x-amzn-ErrorType`, and the body's key and text.

Source: API Gateway developer guide, "Gateway response types", and answers of live REST APIs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import orjson

from harness.gateway.identifiers import Ids
from harness.sigv4 import FaultKind
from harness.wire import ERROR_TYPE_HEADER, EXTENDED_REQUEST_ID_HEADER, MAX_BODY_BYTES, REQUEST_ID_HEADER


class Condition(StrEnum):
    """What makes the gateway itself answer, besides the faults of a signature."""

    FORBIDDEN = "forbidden"  # no such API or stage here, or not from here
    UNKNOWN_ROUTE = "unknown-route"
    ACCESS_DENIED = "access-denied"
    BAD_REQUEST = "bad-request"
    BODY_TOO_LARGE = "body-too-large"
    HEAD_TOO_LARGE = "head-too-large"
    URI_TOO_LONG = "uri-too-long"
    THROTTLED = "throttled"
    QUOTA_EXCEEDED = "quota-exceeded"
    TOO_MANY_CONNECTIONS = "too-many-connections"
    UPSTREAM_TIMEOUT = "upstream-timeout"
    UPSTREAM_UNREACHABLE = "upstream-unreachable"
    UPSTREAM_MALFORMED = "upstream-malformed"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One row. `text` empty: the fault or the decision brings its own. `error_type` empty: the header is not sent."""

    status: int
    error_type: str
    text: str = ""
    key: str = "message"  # `Message` appears for access denied by policy, and nowhere else

    def body(self, text: str = "") -> bytes:
        return orjson.dumps({self.key: text or self.text})


_INVALID_SIGNATURE = Refusal(403, "InvalidSignatureException")
_MISSING = Refusal(403, "MissingAuthenticationTokenException", "Missing Authentication Token")

REFUSALS: Mapping[FaultKind | Condition, Refusal] = {
    FaultKind.MISSING: _MISSING,
    FaultKind.INCOMPLETE: Refusal(403, "IncompleteSignatureException"),
    FaultKind.MISMATCH: _INVALID_SIGNATURE,
    FaultKind.EXPIRED: _INVALID_SIGNATURE,
    FaultKind.NOT_YET: _INVALID_SIGNATURE,
    FaultKind.SCOPE_DATE: _INVALID_SIGNATURE,
    FaultKind.SCOPE_REGION: _INVALID_SIGNATURE,
    FaultKind.SCOPE_SERVICE: _INVALID_SIGNATURE,
    FaultKind.SCOPE_TERMINATOR: _INVALID_SIGNATURE,
    FaultKind.UNKNOWN_KEY: Refusal(403, "UnrecognizedClientException"),
    FaultKind.EXPIRED_TOKEN: Refusal(403, "ExpiredTokenException"),
    Condition.FORBIDDEN: Refusal(403, "ForbiddenException", "Forbidden"),
    # Never 404 or 405: an unknown path or method looks like one that nobody may call.
    Condition.UNKNOWN_ROUTE: _MISSING,
    Condition.ACCESS_DENIED: Refusal(403, "AccessDeniedException", key="Message"),
    Condition.BAD_REQUEST: Refusal(400, "BadRequestException", "Bad Request"),
    Condition.BODY_TOO_LARGE: Refusal(
        413, "RequestEntityTooLargeException", f"HTTP content length exceeded {MAX_BODY_BYTES} bytes."
    ),
    Condition.HEAD_TOO_LARGE: Refusal(431, "BadRequestException", "Request Header Fields Too Large"),
    Condition.URI_TOO_LONG: Refusal(414, "", "Request URI too long"),
    Condition.THROTTLED: Refusal(429, "TooManyRequestsException", "Too Many Requests"),
    Condition.QUOTA_EXCEEDED: Refusal(429, "LimitExceededException", "Limit Exceeded"),
    Condition.TOO_MANY_CONNECTIONS: Refusal(503, "ServiceUnavailableException", "Service Unavailable"),
    Condition.UPSTREAM_TIMEOUT: Refusal(504, "InternalServerErrorException", "Endpoint request timed out"),
    Condition.UPSTREAM_UNREACHABLE: Refusal(
        504, "InternalServerErrorException", "Network error communicating with endpoint"
    ),
    Condition.UPSTREAM_MALFORMED: Refusal(502, "InternalServerErrorException", "Internal server error"),
    Condition.INTERNAL: Refusal(500, "InternalServerErrorException", "Internal server error"),
}


def refusal_headers(refusal: Refusal, body: bytes, ids: Ids) -> list[tuple[bytes, bytes]]:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (REQUEST_ID_HEADER, ids[0].encode()),
        (EXTENDED_REQUEST_ID_HEADER, ids[1].encode()),
    ]
    if refusal.error_type:
        headers.append((ERROR_TYPE_HEADER, refusal.error_type.encode()))
    return headers
