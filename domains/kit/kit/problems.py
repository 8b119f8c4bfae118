"""Errors as `application/problem+json` (RFC 9457).

400 says that the request breaks the contract, 422 that it keeps the contract and cannot be done all the same. 401 and
403 come from the gateway, in its own form.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from kit.caller import request_id

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:acme:problem:"

TITLES = {
    "invalid-request": "The request breaks the contract",
    "not-found": "There is nothing here",
    "method-not-allowed": "This method is not offered here",
    "unsupported-media-type": "Send application/json",
    "unavailable": "Something that this domain needs cannot be reached",
    "internal-error": "This domain made a mistake",
}
_OF_AN_OPTIONAL = "none_required"
"""Pydantic's remark on the other branch of an optional value; it stands beside the one that matters."""

BY_STATUS = {404: "not-found", 405: "method-not-allowed", 415: "unsupported-media-type", 503: "unavailable"}


class Finding(BaseModel):
    """One thing that is wrong. `pointer` is a JSON Pointer into the body, as a URI fragment (RFC 6901, 6)."""

    code: str
    detail: str
    pointer: str | SkipJsonSchema[None] = None
    parameter: str | SkipJsonSchema[None] = None


class Problem(BaseModel):
    """RFC 9457, 3.1. `errors` and `requestId` are extension members."""

    model_config = ConfigDict(title="Problem")

    type: str
    title: str
    status: int = Field(ge=400, le=599)
    detail: str
    errors: list[Finding]
    requestId: str | SkipJsonSchema[None] = None


class ProblemError(Exception):
    """Ends a request with a problem. `kind` is the last part of its `type`."""

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        *,
        title: str | None = None,
        errors: Sequence[Finding] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.title = title or TITLES[kind]
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})


def unavailable(detail: str, *, retry_after_seconds: int = 1) -> ProblemError:
    return ProblemError(503, "unavailable", detail, headers={"Retry-After": str(retry_after_seconds)})


def problem_response(request: Request, error: ProblemError) -> Response:
    body = Problem(
        type=TYPE_PREFIX + error.kind,
        title=error.title,
        status=error.status,
        detail=_encodable(error.detail),
        errors=list(error.errors),
        requestId=request_id(request),
    )
    return Response(
        json.dumps(body.model_dump(exclude_none=True)), error.status, dict(error.headers), media_type=MEDIA_TYPE
    )


def from_validation(error: RequestValidationError) -> ProblemError:
    """What pydantic found, without the input: it may be secret, and it need not be encodable."""
    findings = [_finding(entry) for entry in error.errors() if entry["type"] != _OF_AN_OPTIONAL]
    where = findings[0].pointer or findings[0].parameter or "the request"
    return ProblemError(400, "invalid-request", f"{where}: {findings[0].detail}", errors=findings)


def from_http(error: HTTPException) -> ProblemError:
    kind = BY_STATUS.get(error.status_code, "invalid-request")
    return ProblemError(error.status_code, kind, str(error.detail), headers=error.headers)


def invalid_parameter(name: str, detail: str, *, code: str = "invalid") -> ProblemError:
    finding = Finding(code=code, detail=detail, parameter=_encodable(name))
    return ProblemError(400, "invalid-request", f"{name}: {detail}", errors=[finding])


def _finding(entry: Mapping[str, Any]) -> Finding:
    place, *parts = entry["loc"]
    detail, code = _encodable(str(entry["msg"])), str(entry["type"])
    if place == "body":
        # A place in text that is not JSON is a number of characters, not a member.
        members = [] if code == "json_invalid" else parts
        pointer = "#" + "".join("/" + _encodable(_escaped(str(part))) for part in members)
        return Finding(code=code, detail=detail, pointer=pointer)
    # What follows the name is the branch of a union, which is pydantic's matter.
    return Finding(code=code, detail=detail, parameter=_encodable(str(parts[0])))


def _escaped(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")


def _encodable(text: str) -> str:
    """A lone surrogate, which JSON can carry as an escape, has no UTF-8 form."""
    return text.encode("utf-8", "replace").decode()
