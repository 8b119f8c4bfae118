"""The contract files that manifests name: read, and looked at only as far as the landscape needs them.

Whether a contract is good is for the checks to say; here it must be what its place in the manifest says it is.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.contracts.events import EventContract
from harness.contracts.openapi import METHODS
from harness.errors import InputError
from harness.gateway.routes import RouteTable
from harness.manifest.fields import FAILED, At, Where, described, json_object
from harness.manifest.files import MAX_CONTRACT_BYTES, Root, UnreadableError, read_text
from harness.yaml_source import Kind, Scalar, Table, parse_yaml

_OPENAPI_3 = re.compile(r"3\.[01]\.[0-9]+")
_VERSION_PATH = re.compile(r"/v[0-9]+")


def read_openapi(named: At[Path], path: Path, version: str, root: Root, where: Where) -> Mapping[str, Any] | None:
    """The parsed contract of the major version `version`; None after its mistakes have been put down."""
    shown = root.shown(path)
    inside = Where(shown, where.problems)
    try:
        text = read_text(path, limit=MAX_CONTRACT_BYTES)
    except UnreadableError as error:
        where.unreadable(named, shown, error)
        return None
    node, flaws = parse_yaml(text)
    inside.flaws(flaws)
    if node is None or flaws:
        return None
    document = json_object(node, inside)
    if document is FAILED or not isinstance(node, Table):
        return None
    before = len(where.problems)
    _is_openapi_3(node, inside)
    paths = _paths(node, inside)
    _serves(document, version, named, shown, where)
    if len(where.problems) == before:
        _routes(document, paths, inside)
    return document if len(where.problems) == before else None


def _is_openapi_3(document: Table, inside: Where) -> None:
    entry = next((entry for entry in document.entries if entry.key == "openapi"), None)
    if entry is None:
        inside.problem(0, 'not an OpenAPI document: the key "openapi" is missing')
    elif not isinstance(entry.value, Scalar) or not _OPENAPI_3.fullmatch(entry.value.text):
        inside.problem(entry.line, f"openapi: must be 3.0 or 3.1, not {described(entry.value)}")
    elif entry.value.kind is not Kind.TEXT:
        inside.problem(entry.line, f'openapi: must be text: write "{entry.value.text}"')


def _paths(document: Table, inside: Where) -> Table:
    """The mapping of paths, or an empty one when it is missing."""
    entry = next((entry for entry in document.entries if entry.key == "paths"), None)
    if entry is None:
        inside.problem(0, 'not an OpenAPI document with operations: the key "paths" is missing')
        return Table((), 0)
    if not isinstance(entry.value, Table):
        inside.problem(entry.line, f"paths: must be a mapping, not {described(entry.value)}")
        return Table((), 0)
    for path in entry.value.entries:
        if not isinstance(path.value, Table):
            inside.problem(path.line, f"paths.{path.key}: must be a mapping, not {described(path.value)}")
            continue
        for item in path.value.entries:
            if item.key in METHODS and not isinstance(item.value, Table):
                inside.problem(
                    item.line, f"paths.{path.key}.{item.key}: must be a mapping, not {described(item.value)}"
                )
    return entry.value


def _routes(document: Mapping[str, Any], paths: Table, inside: Where) -> None:
    """Whether API Gateway would take the path templates, which the gateway's own table knows."""
    try:
        RouteTable.from_openapi(document, file=inside.file)
    except InputError as error:
        lines = {f"path {entry.key}": entry.line for entry in paths.entries}
        for problem in error.problems:
            inside.problem(lines.get(problem.text.partition(": ")[0], problem.line), problem.text)


def _serves(document: Mapping[str, Any], version: str, named: At[Path], shown: str, where: Where) -> None:
    """A contract that says another version's base path was named for the wrong version."""
    servers = document.get("servers")
    entries = servers if isinstance(servers, list) else []
    urls = [server["url"] for server in entries if isinstance(server, dict) and isinstance(server.get("url"), str)]
    said = [url for url in urls if _VERSION_PATH.fullmatch(url)]
    if said and f"/{version}" not in said:
        where.problem(named.line, f'{shown} is the contract of "{said[0]}" (its servers say so), not of "/{version}"')


def read_event_schema(named: At[str], path: Path, root: Root, where: Where) -> Mapping[str, Any] | None:
    """The parsed JSON Schema of a published event; None after its mistakes have been put down."""
    shown = root.shown(path)
    inside = Where(shown, where.problems)
    try:
        schema = json.loads(read_text(path, limit=MAX_CONTRACT_BYTES), object_pairs_hook=_without_duplicates)
    except UnreadableError as error:
        where.unreadable(named, f'the contract {shown} of the event "{named.value}"', error, file=shown)
        return None
    except json.JSONDecodeError as error:
        inside.problem(error.lineno, f"not JSON: {error.msg}")
        return None
    except (_DuplicateError, RecursionError) as error:
        inside.problem(0, f"not readable: {error}")
        return None
    if not isinstance(schema, dict):
        inside.problem(1, "must be a JSON Schema, an object")
        return None
    return schema


def event_type(schema: Mapping[str, Any], shown: str, where: Where, *, source: str, name: str) -> tuple[str, str]:
    """Source and detail-type of a published event: what its contract's `x-event` says, else what is given."""
    inside = Where(shown, where.problems)
    try:
        EventContract(source, name, json.dumps(schema), file=shown)
    except InputError as error:
        where.problems.extend(error.problems)
    said = schema.get("x-event", {})
    if not isinstance(said, Mapping) or not all(isinstance(value, str) and value for value in said.values()):
        inside.problem(0, 'x-event: must be an object with the texts "source" and "detail-type"')
        return source, name
    return said.get("source", source), said.get("detail-type", name)


class _DuplicateError(ValueError):
    pass


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _DuplicateError(f'the key "{key}" is given twice in one object: keep one')
        found[key] = value
    return found
