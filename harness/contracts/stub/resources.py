"""What was created, under the path that it is read at; bounded, the oldest goes first."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from harness.contracts.stub.operations import Operation, Response, Version

MOST_RESOURCES: Final = 10_000
MOST_REMEMBERED: Final = 1_000
MOST_BYTES: Final = 67_108_864
"""Of all bodies together, as JSON."""
_PLAIN: Final = "-._~!$&'()*+,;=:@"
# Names of lists in the pages of domains, of JSON:API and of others.
LISTS: Final = ("items", "data", "results", "values", "entries")


@dataclass(frozen=True, slots=True)
class Resource:
    """`body` as far as the requests told it; `revision` from 1."""

    key: str
    body: Mapping[str, Any]
    revision: int = 1
    size: int = 0


class Resources:
    def __init__(self) -> None:
        self._by_path: dict[str, Resource] = {}
        self._size = 0

    def get(self, path: str) -> Resource | None:
        return self._by_path.get(path)

    def put(self, path: str, key: str, body: Mapping[str, Any]) -> Resource:
        """A new one, or a revision of the one that is there."""
        before = self._by_path.get(path)
        size = len(json.dumps(body))
        made = Resource(key, body, before.revision + 1 if before else 1, size)
        self._size += size - (before.size if before else 0)
        self._by_path[path] = made
        while len(self._by_path) > MOST_RESOURCES or (self._size > MOST_BYTES and len(self._by_path) > 1):
            self._drop(next(each for each in self._by_path if each != path))
        return made

    def _drop(self, path: str) -> None:
        self._size -= self._by_path.pop(path).size

    def remove(self, path: str) -> None:
        """That one, and what is below it."""
        for each in [each for each in self._by_path if each == path or each.startswith(path + "/")]:
            self._drop(each)

    def of(self, collection: str) -> list[Resource]:
        """In the order of their creation."""
        prefix = collection + "/"
        return [
            each for path, each in self._by_path.items() if path.startswith(prefix) and "/" not in path[len(prefix) :]
        ]


def parameter_of(segment: str) -> str:
    """The name of a template's parameter; empty for a literal segment."""
    return segment[1:-1].removesuffix("+") if segment.startswith("{") and segment.endswith("}") else ""


def filled(segments: tuple[str, ...], values: Mapping[str, Any]) -> str:
    """The path of a template. KeyError when a value is missing."""
    parts = (parameter_of(segment) for segment in segments)
    return "".join(
        f"/{quote(str(values[name]), safe=_PLAIN) if name else segment}"
        for name, segment in zip(parts, segments, strict=True)
    )


def is_item(operation: Operation) -> bool:
    """Whether the path is that of one resource: it ends with a parameter, and with the whole of one segment."""
    last = operation.segments[-1] if operation.segments else ""
    return bool(parameter_of(last)) and not last.endswith("+}")


def item_segment(version: Version, collection: tuple[str, ...]) -> str:
    """The last segment of the items of a collection (`{orderId}`); empty where the contract has none."""
    for operation in version.operations.values():
        if operation.segments[:-1] == collection and is_item(operation):
            return operation.segments[-1]
    return ""


def id_member(parameter: str, members: Mapping[str, Any]) -> str:
    """The member that holds what a path parameter names: of the same name, `id`, or what the name ends with."""
    plain = _plain(parameter)
    for name in members:
        if _plain(name) == plain:
            return name
    if "id" in members:
        return "id"
    endings = [name for name in members if plain.endswith(_plain(name)) and len(_plain(name)) > 1]
    return max(endings, key=len, default="")


def _plain(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()


def list_member(body: Any) -> str | None:
    """The member of a page that holds its list; empty when the body is the list itself, None without one."""
    if isinstance(body, list):
        return ""
    if not isinstance(body, dict):
        return None
    lists = [name for name, value in body.items() if isinstance(value, list)]
    return next((name for name in LISTS if name in lists), lists[0] if len(lists) == 1 else None)


def seed(version: Version, resources: Resources) -> None:
    """What the examples show to exist: one resource for each example of an item, and for each in a list's example."""
    for (method, _), operation in version.operations.items():
        if method == "GET" and is_item(operation):
            _seed_items(operation, resources)
    for (method, _), operation in version.operations.items():
        last = item_segment(version, operation.segments)
        response = operation.response(200)
        if method != "GET" or not last or response is None:
            continue
        for body in response.examples.values():
            _seed_list(operation, last, body, resources)


def _seed_items(operation: Operation, resources: Resources) -> None:
    response = operation.response(200)
    if response is None:
        return
    parameters = {each.name: each for each in operation.of_place("path")}
    last = parameter_of(operation.segments[-1])
    if any(not each.examples for name, each in parameters.items() if name != last):
        return
    for name, body in _objects(response):
        values = {each: parameter.example(name) for each, parameter in parameters.items() if parameter.examples}
        member = id_member(last, body)
        if member and isinstance(body[member], str | int):
            values[last] = body[member]
        if last in values:
            resources.put(filled(operation.segments, values), str(values[last]), body)


def _seed_list(operation: Operation, last: str, body: Any, resources: Resources) -> None:
    member = list_member(body)
    if member is None:
        return
    values = {each.name: each.example() for each in operation.of_place("path") if each.examples}
    if any(name not in values for name in map(parameter_of, operation.segments) if name):
        return
    for item in body[member] if member else body:
        key = id_member(parameter_of(last), item) if isinstance(item, dict) else ""
        if key and isinstance(item[key], str | int):
            path = filled((*operation.segments, last), {**values, parameter_of(last): item[key]})
            if resources.get(path) is None:
                resources.put(path, str(item[key]), item)


def _objects(response: Response) -> Iterator[tuple[str, dict[str, Any]]]:
    return ((name, body) for name, body in response.examples.items() if isinstance(body, dict))
