"""The application's own OpenAPI document, saying of refusals what this kit answers and not what FastAPI would."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from kit.problems import MEDIA_TYPE, Problem

Responses = dict[int | str, dict[str, Any]]

DESCRIPTIONS = {
    400: "The request breaks the contract.",
    404: "There is nothing under this address.",
    409: "The state of things forbids it.",
    412: "The precondition does not hold.",
    415: "The body is not JSON.",
    422: "The request keeps the contract and cannot be done all the same.",
    503: "Something that this domain needs cannot be reached; try again.",
}
RETRY_AFTER = {"Retry-After": {"required": True, "schema": {"type": "integer", "minimum": 0}}}


def problems(*statuses: int, headers: Mapping[str, Any] | None = None) -> Responses:
    """`responses=` of a route. `headers` are on every answer (a retired version's, for one)."""
    answers: Responses = {}
    for status in statuses:
        shown = {**(headers or {}), **(RETRY_AFTER if status == 503 else {})}
        answers[status] = {
            "description": DESCRIPTIONS[status],
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
            **({"headers": shown} if shown else {}),
        }
    return answers


def openapi_of(app: FastAPI) -> dict[str, Any]:
    """All versions in one document; an `operationId` is unique within its version only."""
    document = get_openapi(title=app.title, version=app.version, routes=[])
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for route in app.routes:
        part = get_openapi(title=app.title, version=app.version, routes=[route])
        document["paths"] |= part["paths"]
        schemas |= part.get("components", {}).get("schemas", {})
    for item in document["paths"].values():
        for operation in item.values():
            _drop_default_422(operation["responses"])
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
    schemas.update(problem.pop("$defs", {}))
    schemas["Problem"] = problem
    return document


def _drop_default_422(responses: dict[str, Any]) -> None:
    """FastAPI adds one to each operation that has an input; here such a request is answered 400."""
    content = responses.get("422", {}).get("content", {})
    if "HTTPValidationError" in str(content):
        del responses["422"]
