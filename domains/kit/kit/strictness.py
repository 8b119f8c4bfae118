"""What FastAPI does not hold by itself: no unknown or repeated query parameters, JSON bodies only."""

import re
from collections.abc import Iterator
from email.message import Message
from typing import Any

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel, BeforeValidator, ConfigDict

from kit.problems import ProblemError, invalid_parameter

WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_DIGITS = re.compile(r"-?(0|[1-9][0-9]{0,9})\Z", re.ASCII)


class Input(BaseModel):
    """A body or a part of one: members that the contract does not name are refused."""

    model_config = ConfigDict(extra="forbid")


def strict_request(request: Request) -> None:
    """A dependency of every versioned route. Raises 400 or 415."""
    route = request.scope["route"]
    assert isinstance(route, APIRoute)
    known = set(_query_names(route.dependant))
    seen: set[str] = set()
    for name, _ in request.query_params.multi_items():
        if name not in known:
            raise invalid_parameter(name, "no such query parameter", code="unknown")
        if name in seen:
            raise invalid_parameter(name, "given more than once", code="repeated")
        seen.add(name)
    if request.method in WITH_BODY:
        _check_media_type(request)


def _check_media_type(request: Request) -> None:
    given = request.headers.get("content-type")
    if given is None:  # API Gateway: application/json is the default.
        return
    message = Message()
    message["content-type"] = given
    # get_content_type() answers text/plain for what it cannot read, as RFC 2045, 5.2 has it.
    if message.get_content_type() != "application/json":
        raise ProblemError(415, "unsupported-media-type", "the body must be application/json")


def _query_names(dependant: Dependant) -> Iterator[str]:
    for parameter in dependant.query_params:
        yield parameter.alias
    for dependency in dependant.dependencies:
        yield from _query_names(dependency)


def _whole(value: Any) -> Any:
    """JSON Schema calls 1.0 an integer (2020-12 core, 4.2.3); pydantic's strict mode does not."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _decimal(value: Any) -> Any:
    """A query's integer in its one plain form: no sign, blank, underscore or fraction."""
    if isinstance(value, str):
        if not _DIGITS.match(value):
            raise ValueError("not an integer")
        return int(value)
    return value


WHOLE = BeforeValidator(_whole)
"""Beside `Field(strict=True)` for an integer in a JSON body; `"1"` and `true` are none.

The last of the annotations: bounds that come after it would not reach the JSON Schema.
"""

DECIMAL = BeforeValidator(_decimal)
"""For an integer in a query; placed as `WHOLE` is."""
