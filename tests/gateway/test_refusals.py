"""The whole table, as API Gateway answers; one line a case."""

from typing import NamedTuple

import orjson
import pytest

from harness.gateway.refusals import REFUSALS, Condition, refusal_headers
from harness.sigv4 import FaultKind


class Row(NamedTuple):
    status: int
    error_type: str
    body: dict[str, str]


TEXT = "the text of the fault"
INVALID_SIGNATURE = Row(403, "InvalidSignatureException", {"message": TEXT})
MISSING = Row(403, "MissingAuthenticationTokenException", {"message": "Missing Authentication Token"})

EXPECTED: dict[FaultKind | Condition, Row] = {
    FaultKind.MISSING: MISSING,
    FaultKind.INCOMPLETE: Row(403, "IncompleteSignatureException", {"message": TEXT}),
    FaultKind.MISMATCH: INVALID_SIGNATURE,
    FaultKind.EXPIRED: INVALID_SIGNATURE,
    FaultKind.NOT_YET: INVALID_SIGNATURE,
    FaultKind.SCOPE_DATE: INVALID_SIGNATURE,
    FaultKind.SCOPE_REGION: INVALID_SIGNATURE,
    FaultKind.SCOPE_SERVICE: INVALID_SIGNATURE,
    FaultKind.SCOPE_TERMINATOR: INVALID_SIGNATURE,
    FaultKind.UNKNOWN_KEY: Row(403, "UnrecognizedClientException", {"message": TEXT}),
    FaultKind.EXPIRED_TOKEN: Row(403, "ExpiredTokenException", {"message": TEXT}),
    Condition.FORBIDDEN: Row(403, "ForbiddenException", {"message": "Forbidden"}),
    Condition.UNKNOWN_ROUTE: MISSING,
    Condition.ACCESS_DENIED: Row(403, "AccessDeniedException", {"Message": TEXT}),
    Condition.BAD_REQUEST: Row(400, "BadRequestException", {"message": "Bad Request"}),
    Condition.BODY_TOO_LARGE: Row(
        413, "RequestEntityTooLargeException", {"message": "HTTP content length exceeded 10485760 bytes."}
    ),
    Condition.HEAD_TOO_LARGE: Row(431, "BadRequestException", {"message": "Request Header Fields Too Large"}),
    Condition.URI_TOO_LONG: Row(414, "", {"message": "Request URI too long"}),
    Condition.THROTTLED: Row(429, "TooManyRequestsException", {"message": "Too Many Requests"}),
    Condition.QUOTA_EXCEEDED: Row(429, "LimitExceededException", {"message": "Limit Exceeded"}),
    Condition.TOO_MANY_CONNECTIONS: Row(503, "ServiceUnavailableException", {"message": "Service Unavailable"}),
    Condition.UPSTREAM_TIMEOUT: Row(504, "InternalServerErrorException", {"message": "Endpoint request timed out"}),
    Condition.UPSTREAM_UNREACHABLE: Row(
        504, "InternalServerErrorException", {"message": "Network error communicating with endpoint"}
    ),
    Condition.UPSTREAM_MALFORMED: Row(502, "InternalServerErrorException", {"message": "Internal server error"}),
    Condition.INTERNAL: Row(500, "InternalServerErrorException", {"message": "Internal server error"}),
}


@pytest.mark.parametrize("cause", [*FaultKind, *Condition])
def test_a_refusal_has_amazons_status_type_key_and_text(cause: FaultKind | Condition) -> None:
    refusal = REFUSALS[cause]
    expected = EXPECTED[cause]
    brings_its_own = TEXT in expected.body.values()
    body = refusal.body(TEXT if brings_its_own else "")
    headers = dict(refusal_headers(refusal, body, ("the-id", "the-extended-id", "the-trace")))
    assert refusal.status == expected.status
    assert headers.pop(b"x-amzn-errortype", b"").decode() == expected.error_type
    assert orjson.loads(body) == expected.body
    assert headers == {
        b"content-type": b"application/json",
        b"content-length": str(len(body)).encode(),
        b"x-amzn-requestid": b"the-id",
        b"x-amz-apigw-id": b"the-extended-id",
    }
