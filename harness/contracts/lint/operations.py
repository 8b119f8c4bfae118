"""Rules on operations: names, answers, lists, security."""

import re
from collections.abc import Iterator
from typing import Any, Final

from harness.contracts.contract import GATEWAY, Part
from harness.contracts.finding import Place
from harness.contracts.lint.subjects import Api, Hit, Operation

_CAMEL: Final = re.compile(r"[a-z][a-zA-Z0-9]*")
# API Gateway takes these characters in a segment; `:verb` after a name is the form of a custom method.
_SEGMENT: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*(?::[a-z][a-zA-Z0-9]*)?|\{[A-Za-z0-9_.-]+\+?\}")
_VERSION_SEGMENT: Final = re.compile(r"v[0-9]+")
_MAJOR: Final = re.compile(r"v?([0-9]+)")
PROBLEM: Final = "application/problem+json"
PROBLEM_MEMBERS: Final = ("type", "title", "status")
LIMITS: Final = ("limit", "pageSize")
CURSORS: Final = ("cursor", "pageToken")


def operation_id(api: Api) -> Iterator[Hit]:
    for operation in api.operations:
        if not operation.part.raw.get("operationId"):
            yield operation.hit(operation.part.at, "has no operationId")


def operation_id_form(api: Api) -> Iterator[Hit]:
    for operation in api.operations:
        name = operation.part.raw.get("operationId")
        if name and not _CAMEL.fullmatch(name):
            yield operation.hit(operation.part.below("operationId"), f'the operationId "{name}" is not lowerCamelCase')


def path_form(api: Api) -> Iterator[Hit]:
    for path in api.root.raw.get("paths", {}):
        for segment in path.split("/")[1:]:
            if _VERSION_SEGMENT.fullmatch(segment):
                text = f'the segment "{segment}" is a version, which servers[0].url says'
            elif not _SEGMENT.fullmatch(segment):
                text = f'the segment "{segment}" is neither words-with-hyphens in lower case nor one {{parameter}}'
            else:
                continue
            yield Hit(api.root.below("paths", path), Place("api", "path", path=path), text)


def parameter_form(api: Api) -> Iterator[Hit]:
    for operation in api.operations:
        for parameter in operation.parameters.values():
            place, name = parameter.raw["in"], parameter.raw["name"]
            if place in ("path", "query") and not _CAMEL.fullmatch(name):
                text = f'the {place} parameter "{name}" is not lowerCamelCase'
                yield operation.hit(parameter.below("name"), text, "parameter", parameter=(place, name))


def problem_errors(api: Api) -> Iterator[Hit]:
    for operation in api.operations:
        for status, response in operation.failures():
            if PROBLEM not in response.raw.get("content", {}):
                text = f"answers {status} without {PROBLEM}"
                yield operation.hit(response.at, text, "response", status=status)


def problem_members(api: Api) -> Iterator[Hit]:
    for operation in api.operations:
        for status, response in operation.failures():
            for media, content in api.contents(response):
                if media != PROBLEM or "schema" not in content.raw:
                    continue
                missing = [name for name in PROBLEM_MEMBERS if name not in api.properties(content.below("schema"))]
                if missing:
                    text = f"the problem of {status} has no {', '.join(missing)}"
                    yield operation.hit(content.at, text, "response", status=status, media_type=media)


def bad_request(api: Api) -> Iterator[Hit]:
    for operation in api.operations:
        if (operation.parameters or operation.body) and not _documents(operation, "400", "422"):
            yield operation.hit(_responses(operation), "takes input and documents neither 400 nor 422")


def not_found(api: Api) -> Iterator[Hit]:
    for operation in api.operations:
        if operation.ends_with_parameter and not _documents(operation, "404", "201"):
            yield operation.hit(_responses(operation), "is about one thing and does not document 404")


def gateway_answers(api: Api) -> Iterator[Hit]:
    for operation in api.operations:
        for status in ("403", "429", "504"):
            response = operation.responses.get(status)
            if response is None:
                yield operation.hit(_responses(operation), f"does not document {status}, which the gateway answers")


def gateway_form(api: Api) -> Iterator[Hit]:
    for operation in api.operations:
        for status, response in operation.responses.items():
            said = response.raw.get("x-answered-by")
            if said is not None and (said != GATEWAY or "application/json" not in response.raw.get("content", {})):
                text = f'{status}: "x-answered-by" is "gateway", which answers application/json, or is left out'
                yield operation.hit(response.at, text, "response", status=status)


def _documents(operation: Operation, *statuses: str) -> bool:
    return any(status in operation.responses for status in (*statuses, "4XX", "default"))


def _responses(operation: Operation) -> Any:
    return operation.part.below("responses")


def list_is_object(api: Api) -> Iterator[Hit]:
    for operation, status, content in _read(api):
        if _type(api, content) == "array":
            text = "answers a bare list: nothing can ever be said beside it"
            yield operation.hit(content.at, text, "response", status=status)


def list_paginated(api: Api) -> Iterator[Hit]:
    for operation in _lists(api):
        names = {each.raw["name"] for each in operation.parameters.values() if each.raw["in"] == "query"}
        missing = [" or ".join(known) for known in (LIMITS, CURSORS) if names.isdisjoint(known)]
        if missing:
            yield operation.hit(operation.part.at, f"answers a list and has no parameter {' and no '.join(missing)}")


def limit_bounded(api: Api) -> Iterator[Hit]:
    for operation in _lists(api):
        for parameter in operation.parameters.values():
            if parameter.raw["name"] in LIMITS and "schema" in parameter.raw:
                schema = api.part(parameter.below("schema")).raw
                missing = [word for word in ("minimum", "maximum", "default") if word not in schema]
                if missing:
                    name = parameter.raw["name"]
                    text = f"{name} has no {', no '.join(missing)}"
                    yield operation.hit(parameter.at, text, "parameter", parameter=("query", name))


def _read(api: Api) -> Iterator[tuple[Operation, str, Part]]:
    for operation, status, content in api.outputs():
        if operation.method == "GET" and status.startswith("2") and "schema" in content.raw:
            yield operation, status, content


def _lists(api: Api) -> Iterator[Operation]:
    """GETs of a collection: their path does not end with a parameter, and the answer has a list at its top."""
    found: dict[tuple[str, str], Operation] = {}
    for operation, _, content in _read(api):
        members = api.properties(content.below("schema")).values()
        listed = _type(api, content) == "array" or any(
            api.part(each).raw.get("type") == "array" for each in members if isinstance(api.part(each).raw, dict)
        )
        if listed and not operation.ends_with_parameter:
            found[operation.method, operation.path] = operation
    yield from found.values()


def _type(api: Api, content: Part) -> Any:
    schema = api.part(content.below("schema")).raw
    return schema.get("type") if isinstance(schema, dict) else None


def created_location(api: Api) -> Iterator[Hit]:
    for operation in api.operations:
        response = operation.responses.get("201")
        if response is not None and "location" not in api.headers(response):
            yield operation.hit(response.at, "answers 201 without Location", "response", status="201")


def retry_after(api: Api) -> Iterator[Hit]:
    for operation in api.operations:
        for status, response in operation.answers():
            if status in ("429", "503") and "retry-after" not in api.headers(response):
                yield operation.hit(response.at, f"answers {status} without Retry-After", "response", status=status)


def deprecation_announced(api: Api) -> Iterator[Hit]:
    for operation in api.operations:
        if operation.part.raw.get("deprecated") is not True:
            continue
        for status, response in operation.successes():
            missing = [name for name in ("Deprecation", "Sunset") if name.lower() not in api.headers(response)]
            if missing:
                text = f"is deprecated, and {status} has no header {', '.join(missing)}"
                yield operation.hit(response.at, text, "response-header", status=status)


def bodiless(api: Api) -> Iterator[Hit]:
    for operation in api.operations:
        if operation.method in ("GET", "HEAD", "DELETE") and operation.body is not None:
            yield operation.hit(operation.part.below("requestBody"), f"{operation.method} has a body", "request-body")


def security_declared(api: Api) -> Iterator[Hit]:
    common = api.root.raw.get("security")
    for operation in api.operations:
        wanted = operation.part.raw.get("security", common)
        if not wanted or {} in wanted:
            yield operation.hit(operation.part.at, "declares no security: it reads as open to everyone", "security")


def security_signed(api: Api) -> Iterator[Hit]:
    """API Gateway reads the scheme from its extension when the document is imported."""
    schemes = api.root.raw.get("components", {}).get("securitySchemes", {})
    for name in schemes:
        scheme = api.part(api.root.below("components", "securitySchemes", name))
        expected = {"type": "apiKey", "in": "header", "name": "Authorization"}
        given = {key: scheme.raw.get(key) for key in expected}
        if given != expected or scheme.raw.get("x-amazon-apigateway-authtype") != "awsSigv4":
            text = f"the scheme {name} is not the signature: apiKey Authorization in header, authtype awsSigv4"
            yield Hit(scheme.at, Place("api", "security"), text)


def versions_agree(api: Api) -> Iterator[Hit]:
    """The folder, the server's base path and `info.version` name one major version."""
    said: dict[str, str] = {}
    folder = api.file.parent.name
    if _VERSION_SEGMENT.fullmatch(folder):
        said[f"the folder {folder}"] = folder[1:]
    version = str(api.root.raw.get("info", {}).get("version", ""))
    major = _MAJOR.match(version)
    said[f'info.version "{version}"'] = major[1] if major else ""
    servers = api.root.raw.get("servers") or [{}]
    url = str(servers[0].get("url", ""))
    last = url.rstrip("/").rpartition("/")[2]
    said[f'servers[0].url "{url}"'] = last[1:] if _VERSION_SEGMENT.fullmatch(last) else ""
    if len(set(said.values())) > 1:
        location = api.root.below("info", "version")
        yield Hit(location, Place("api", "document"), f"{', '.join(said)} do not name one major version")
