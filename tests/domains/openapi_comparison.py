"""Two OpenAPI documents compared operation by operation: what the application says of itself, and its contract."""

from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema_rs

ANNOTATIONS = frozenset({"title", "description", "default", "example", "examples", "deprecated"})
METHODS = ("get", "put", "post", "delete", "patch", "head", "options", "trace")


def disagreements(application: Mapping[str, Any], contract: Mapping[str, Any]) -> Iterator[str]:
    """One line each; none when both say the same. The contract's paths lie below its `servers[0].url`."""
    base = contract["servers"][0]["url"]
    ours = _operations(application, lambda path: path.startswith(base + "/"))
    theirs = {
        (method, base + path): operation for (method, path), operation in _operations(contract, lambda _: True).items()
    }
    for missing in sorted(theirs.keys() - ours.keys()):
        yield f"{_label(missing)}: in the contract alone"
    for unknown in sorted(ours.keys() - theirs.keys()):
        yield f"{_label(unknown)}: in the application alone"
    for operation in sorted(ours.keys() & theirs.keys()):
        for text in _operation(_Side(application, ours[operation]), _Side(contract, theirs[operation])):
            yield f"{_label(operation)}: {text}"


class _Side:
    """One operation with the document that its references lead into."""

    def __init__(self, document: Mapping[str, Any], operation: Mapping[str, Any]) -> None:
        self._document = document
        self.operation = operation

    def parameters(self) -> dict[tuple[str, str], Any]:
        found = [self.inline(parameter) for parameter in self.operation.get("parameters", [])]
        return {(each["in"], each["name"].lower()): each for each in found}

    def responses(self) -> dict[str, Any]:
        """Those that the domain gives; a contract also lists what the gateway answers by itself."""
        found = {status: self.inline(response) for status, response in self.operation["responses"].items()}
        return {status: each for status, each in found.items() if each.get("x-answered-by") != "gateway"}

    def body(self) -> Any:
        return self.inline(self.operation.get("requestBody", {}))

    def inline(self, value: Any) -> Any:
        """The value with every reference resolved."""
        if isinstance(value, list):
            return [self.inline(each) for each in value]
        if not isinstance(value, dict):
            return value
        if "$ref" in value:
            target: Any = self._document
            for part in value["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            return self.inline(target)
        return {key: self.inline(each) for key, each in value.items()}


def _operation(ours: _Side, theirs: _Side) -> Iterator[str]:
    for member in ("operationId", "deprecated"):
        if ours.operation.get(member) != theirs.operation.get(member):
            yield f"{member} {ours.operation.get(member)!r} is {theirs.operation.get(member)!r} in the contract"
    yield from _both(ours.parameters(), theirs.parameters(), "parameter", _parameter)
    yield from _content(ours.body(), theirs.body(), "the body")
    if ours.body().get("required", False) != theirs.body().get("required", False):
        yield "the body is required on one side alone"
    yield from _both(ours.responses(), theirs.responses(), "status", _response)


def _parameter(ours: Any, theirs: Any, name: str) -> Iterator[str]:
    if ours.get("required", False) != theirs.get("required", False):
        yield f"{name}: required on one side alone"
    if ours["schema"].get("default") != theirs["schema"].get("default"):
        yield f"{name}: another default"
    yield from _schemas(ours["schema"], theirs["schema"], name)


def _response(ours: Any, theirs: Any, name: str) -> Iterator[str]:
    yield from _content(ours, theirs, name)
    headers, expected = set(ours.get("headers", {})), set(theirs.get("headers", {}))
    if headers != expected:
        yield f"{name}: headers {sorted(headers)} are {sorted(expected)} in the contract"


def _content(ours: Any, theirs: Any, name: str) -> Iterator[str]:
    def media_type(left: Any, right: Any, media: str) -> Iterator[str]:
        yield from _schemas(left["schema"], right["schema"], f"{name} {media}")

    yield from _both(ours.get("content", {}), theirs.get("content", {}), f"{name}:", media_type)


def _both(ours: Mapping[Any, Any], theirs: Mapping[Any, Any], what: str, compare: Any) -> Iterator[str]:
    for key in sorted(ours.keys() ^ theirs.keys(), key=str):
        side = "application" if key in ours else "contract"
        yield f"{what} {key} in the {side} alone"
    for key in sorted(ours.keys() & theirs.keys(), key=str):
        yield from compare(ours[key], theirs[key], f"{what} {key}")


def _schemas(ours: Any, theirs: Any, name: str) -> Iterator[str]:
    """Each must admit what the other admits. What cannot be proven (patterns, formats) must be written alike."""
    ours, theirs = _plain(ours), _plain(theirs)
    left, right = jsonschema_rs.canonicalize(ours), jsonschema_rs.canonicalize(theirs)
    for wide, narrow, text in ((left, right, "contract admits more"), (right, left, "application admits more")):
        proof = wide.covers(narrow)
        if proof is not jsonschema_rs.canonical.Containment.YES and ours != theirs:
            yield f"{name}: the {text} ({proof}): {ours} and {theirs}"


def _plain(schema: Any) -> Any:
    """Without annotations, and with a nullable type written one way."""
    if isinstance(schema, list):
        return [_plain(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: _members(key, value) for key, value in schema.items() if key not in ANNOTATIONS}
    branches = plain.get("anyOf", [])
    if len(branches) == 2 and {"type": "null"} in branches:
        (other,) = [branch for branch in branches if branch != {"type": "null"}]
        if isinstance(other.get("type"), str):
            del plain["anyOf"]
            plain |= other | {"type": [other["type"], "null"]}
    return plain


def _members(key: str, value: Any) -> Any:
    if key == "properties":  # Names of members, not keywords: one may be called `title`.
        return {name: _plain(each) for name, each in value.items()}
    return sorted(value) if key == "required" else _plain(value)


def _operations(document: Mapping[str, Any], wanted: Any) -> dict[tuple[str, str], dict[str, Any]]:
    found = {}
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item and wanted(path):
                shared = item.get("parameters", [])
                operation = {**item[method], "parameters": [*shared, *item[method].get("parameters", [])]}
                found[(method, path)] = operation
    return found


def _label(operation: tuple[str, str]) -> str:
    return f"{operation[0].upper()} {operation[1]}"
