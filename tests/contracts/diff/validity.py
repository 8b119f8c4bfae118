"""Whether a value is valid where a finding says, by another validator (openapi-schema-validator) and the document.

It reads neither `readOnly` of 3.1 nor other files; what is about those is not judged here.
"""

import json
from collections.abc import Mapping
from typing import Any

from openapi_schema_validator import OAS30Validator, OAS31Validator, oas30_format_checker, oas31_format_checker

from harness.contracts.finding import Finding
from tests.contracts.diff.corpus import Pair


def is_judged(pair: Pair, finding: Finding) -> bool:
    return not pair.files and is_judged_in(pair.old, pair.new, finding)


def is_judged_in(old: Mapping[str, Any], new: Mapping[str, Any], finding: Finding) -> bool:
    words = json.dumps([old, new])
    beyond = "readOnly" in words or "writeOnly" in words
    return finding.example is not None and not beyond and finding.place.part != "callback"


def accepts(document: Mapping[str, Any], finding: Finding, value: Any) -> bool:
    schema = _schema(document, finding)
    whole = {"allOf": [schema], "components": document.get("components", {})}
    if document["openapi"].startswith("3.0"):
        return bool(OAS30Validator(whole, format_checker=oas30_format_checker).is_valid(value))
    return bool(OAS31Validator(whole, format_checker=oas31_format_checker).is_valid(value))


def _schema(document: Mapping[str, Any], finding: Finding) -> Any:
    place = finding.place
    shape = _shape(place.path)
    item = next(item for path, item in document["paths"].items() if _shape(path) == shape)
    operation = _target(document, item[place.method.lower()])
    if place.part == "request-body":
        return _target(document, operation["requestBody"])["content"][place.media_type]["schema"]
    if place.part == "parameter":
        assert place.parameter is not None
        listed = [_target(document, one) for one in (*operation.get("parameters", ()), *item.get("parameters", ()))]
        found = [one for one in listed if one["in"] == place.parameter[0]]
        if place.parameter[0] != "path":
            found = [one for one in found if one["name"].lower() == place.parameter[1]]
        return found[0]["schema"] if "schema" in found[0] else found[0]["content"]["application/json"]["schema"]
    responses = operation["responses"]
    answer = _target(document, responses.get(place.status) or responses.get("default"))
    if place.part == "response-header":
        assert place.parameter is not None
        headers = {name.lower(): _target(document, header) for name, header in answer["headers"].items()}
        header = headers[place.parameter[1]]
        return header["schema"] if "schema" in header else header["content"]["application/json"]["schema"]
    return answer["content"][place.media_type]["schema"]


def _shape(path: str) -> list[str]:
    return ["{}" if part.startswith("{") else part for part in path.split("/")]


def _target(document: Mapping[str, Any], value: Any) -> Any:
    while "$ref" in value:
        found: Any = document
        for step in value["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        value = found
    return value
