"""REST-JSON requests of the Schemas API: which operation a method and path ask for, and its parameters.

Source: botocore's model of `schemas` 2019-12-02.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

import orjson

from harness.wire import HttpRequest


@dataclass(frozen=True, slots=True)
class Refusal:
    """`code` as in `x-amzn-ErrorType`."""

    status: int
    code: str
    message: str


def bad_request(message: str) -> Refusal:
    return Refusal(400, "BadRequestException", message)


def not_found(message: str) -> Refusal:
    return Refusal(404, "NotFoundException", message)


@dataclass(frozen=True, slots=True)
class Call:
    """`path` by the names in the model's URI, `query` and `body` by the names on the wire."""

    operation: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Mapping[str, Any]


_REGISTRY = "/v1/registries/name/{registryName}"
_SCHEMA = f"{_REGISTRY}/schemas/name/{{schemaName}}"
_DISCOVERER = "/v1/discoverers/id/{discovererId}"

ROUTES: Mapping[tuple[str, str], str] = {
    ("GET", "/v1/registries"): "ListRegistries",
    ("GET", _REGISTRY): "DescribeRegistry",
    ("GET", f"{_REGISTRY}/schemas"): "ListSchemas",
    ("GET", f"{_REGISTRY}/schemas/search"): "SearchSchemas",
    ("GET", _SCHEMA): "DescribeSchema",
    ("GET", f"{_SCHEMA}/versions"): "ListSchemaVersions",
    ("GET", f"{_SCHEMA}/export"): "ExportSchema",
    ("POST", "/v1/discover"): "GetDiscoveredSchema",
    ("POST", "/v1/discoverers"): "CreateDiscoverer",
    ("GET", "/v1/discoverers"): "ListDiscoverers",
    ("GET", _DISCOVERER): "DescribeDiscoverer",
    ("PUT", _DISCOVERER): "UpdateDiscoverer",
    ("DELETE", _DISCOVERER): "DeleteDiscoverer",
    ("POST", f"{_DISCOVERER}/start"): "StartDiscoverer",
    ("POST", f"{_DISCOVERER}/stop"): "StopDiscoverer",
}
_SPLIT = {(method, tuple(path.split("/"))): name for (method, path), name in ROUTES.items()}


def read_call(request: HttpRequest) -> Call | Refusal:
    segments = [unquote(segment) for segment in request.raw_path.decode("latin-1").split("/")]
    for (method, template), operation in _SPLIT.items():
        if method == request.method and len(template) == len(segments):
            path = _matched(template, segments)
            if path is not None:
                body = _body(request.body)
                if isinstance(body, Refusal):
                    return body
                query = dict(parse_qsl(request.raw_query.decode("latin-1"), keep_blank_values=True))
                return Call(operation, path, query, body)
    known = ", ".join(sorted(ROUTES.values()))
    return Refusal(404, "UnknownOperationException", f"Nothing is served there. The operations are {known}")


def _matched(template: tuple[str, ...], segments: list[str]) -> dict[str, str] | None:
    path: dict[str, str] = {}
    for expected, segment in zip(template, segments, strict=True):
        if expected.startswith("{") and segment:
            path[expected[1:-1]] = segment
        elif expected != segment:
            return None
    return path


def _body(text: bytes) -> Mapping[str, Any] | Refusal:
    if not text:
        return {}
    try:
        body = orjson.loads(text)
    except orjson.JSONDecodeError:
        return bad_request("The request body is not valid JSON.")
    return body if isinstance(body, dict) else bad_request("The request body is not a JSON object.")
