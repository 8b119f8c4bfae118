"""Contracts to make providers from, and whether an answer is one that its contract documents: told another way."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from harness.contracts.stub import Provider
from harness.wire import HttpRequest, HttpResponse

ROOT = Path(__file__).resolve().parents[3]
CASES = Path(__file__).parent / "cases"
FILES = {
    "orders": {version: ROOT / f"contracts/orders/{version}/openapi.yaml" for version in ("v1", "v2")},
    "stock": {"v1": ROOT / "contracts/stock/v1/openapi.yaml"},
    "library": {"v1": CASES / "library.yaml"},
}


@cache
def documents(name: str) -> dict[str, Any]:
    return {version: yaml.load(file.read_text(), yaml.CSafeLoader) for version, file in FILES[name].items()}


def provider(name: str, *, seed: int = 1) -> Provider:
    return Provider(documents(name), seed=seed)


def request(method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> HttpRequest:
    path, _, query = target.partition("?")
    listed = [(name.encode(), value.encode("latin-1")) for name, value in (headers or {}).items()]
    return HttpRequest(method, path.encode(), query.encode(), listed, body)


@cache
def plain(name: str, version: str) -> Any:
    """The contract with nothing left to look up."""
    document = documents(name)[version]
    return _plain(document, document, ())


def breaks(name: str, version: str, template: str, method: str, answer: HttpResponse) -> str:
    """Why the contract does not document this answer; empty when it does. By jsonschema, with a resolver of its own."""
    responses = plain(name, version)["paths"][template][method.lower()]["responses"]
    status = str(answer.status)
    found = responses.get(status) or responses.get(f"{status[0]}XX") or responses.get("default")
    if found is None:
        return f"{status} is not documented"
    given = {name.decode(): value.decode() for name, value in answer.headers}
    for field, header in found.get("headers", {}).items():
        value = given.get(field.lower())
        if value is None and header.get("required"):
            return f"the header {field} is missing"
        if value is not None and not _fits(_meant(value, header["schema"]), header["schema"]):
            return f"{field}: {value}"
    media = given.get("content-type", "")
    if not found.get("content"):
        return "" if not answer.body else "a body"
    if media not in found["content"]:
        return f"the media type {media}"
    schema = found["content"][media].get("schema", {})
    if not media.endswith("json"):
        return "" if _fits(answer.body.decode(), schema) else answer.body.decode()
    value = json.loads(answer.body)
    return "" if _fits(value, schema) else f"{value} does not fit"


def _fits(value: Any, schema: Any) -> bool:
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    return bool(jsonschema.Draft202012Validator(schema, format_checker=checker).is_valid(value))


def _meant(text: str, schema: Mapping[str, Any]) -> Any:
    return int(text) if schema.get("type") == "integer" else text


def _plain(node: Any, document: Mapping[str, Any], inside: tuple[str, ...]) -> Any:
    """References resolved (one that is inside itself takes anything), 3.0's nullable and bounds put as 3.1 has them."""
    if isinstance(node, list):
        return [_plain(each, document, inside) for each in node]
    if not isinstance(node, dict):
        return node
    if isinstance(node.get("$ref"), str):
        if node["$ref"] in inside:
            return {}
        target: Any = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        return _plain(target, document, (*inside, node["$ref"]))
    made = {key: _plain(value, document, inside) for key, value in node.items()}
    if isinstance(made.get("required"), list):
        hidden = {name for name, each in made.get("properties", {}).items() if each.get("writeOnly")}
        made["required"] = [name for name in made["required"] if name not in hidden]
    if made.get("nullable") is True:
        made["type"] = [made["type"], "null"]
    for flag, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if made.get(flag) is True:
            made[flag] = made.pop(bound)
    return made
