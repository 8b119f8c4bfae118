"""Create, then read: what each operation means for the resources, told by its method and the form of its path."""

from collections.abc import Mapping
from typing import Any, Final

from harness.contracts.stub.answers import Answers, Outcome
from harness.contracts.stub.compose import Composer
from harness.contracts.stub.generate import Generator, Shape, Unmakeable
from harness.contracts.stub.operations import Operation, Response, Version, is_json
from harness.contracts.stub.pages import page
from harness.contracts.stub.resources import (
    Resource,
    Resources,
    filled,
    id_member,
    is_item,
    item_segment,
    parameter_of,
    seed,
)
from harness.contracts.stub.validation import Asked

_CREATED: Final = (201, 200, 202, 204)
_READ: Final = (200, 204)
_WRITTEN: Final = (200, 204, 202, 201)
_GONE: Final = (204, 200, 202)
_TRIES: Final = 100
# It stands in `location`, and a head has an end.
_LONGEST_KEY: Final = 1_024


class Stateful:
    def __init__(self, version: Version, generator: Generator, answers: Answers) -> None:
        self._version = version
        self._generator = generator
        self._answers = answers
        self._composer = Composer(generator)
        self._resources = Resources()
        self._cursors: dict[str, int] = {}
        seed(version, self._resources)

    def outcome(self, operation: Operation, asked: Asked) -> Outcome:
        lost = self._lost_parent(operation, asked)
        if lost is not None:
            return lost
        last = item_segment(self._version, operation.segments)
        if is_item(operation):
            handler = _OF_ITEMS.get(operation.method)
            if handler is not None:
                return handler(self, operation, asked)
        elif last and operation.method == "POST":
            return self._create(operation, asked, last)
        elif last and operation.method in ("GET", "HEAD"):
            return self._list(operation, asked)
        return Outcome(_status(operation, _READ if operation.method == "GET" else _WRITTEN))

    def _create(self, operation: Operation, asked: Asked, last: str) -> Outcome:
        status = _status(operation, _CREATED)
        response = operation.response(status)
        parameter = parameter_of(last)
        body = response.example() if response is not None and response.shape is not None else {}
        members = self._members(response)
        member = id_member(parameter, members or (body if isinstance(body, dict) else {}))
        key = self._new_key(operation, last, member, response, asked)
        given = dict(asked.body) if isinstance(asked.body, Mapping) else {}
        if member and key is not None:
            given[member] = key
        forget = self._unsaid(operation, given)
        outcome = Outcome(status, given, forget=forget)
        if key is None:
            return outcome
        path = filled((*operation.segments, last), {**asked.path, parameter: key})
        told = given
        if response is not None and response.shape is not None and isinstance(body, dict):
            base = self._composer.without(response.shape, body, lambda name: name in forget)
            told = {**given, **self._composer.overlaid(response.shape, base, given)}
        made = self._resources.put(path, str(key), told)
        return Outcome(status, given, forget=forget, headers=self._headers(path, made))

    def _list(self, operation: Operation, asked: Asked) -> Outcome:
        status = _status(operation, _READ)
        response = operation.response(status)
        if response is None or response.shape is None:
            return Outcome(status)
        items = [each.body for each in self._resources.of(filled(operation.segments, asked.path))]
        made = page(operation, response, asked.query, items, self._composer, self._cursors, self._new_cursor)
        return Outcome(status, body=(made,))

    def _read(self, operation: Operation, asked: Asked) -> Outcome:
        path = filled(operation.segments, asked.path)
        found = self._resources.get(path)
        if found is None:
            return self._missing(operation, asked)
        if asked.headers.get("if-none-match") in ("*", *_tags(found)) and operation.documents(304):
            return Outcome(304, headers=self._headers(path, found))
        return Outcome(
            _status(operation, _READ),
            found.body,
            headers=self._headers(path, found),
            forget=self._forgotten(operation, found),
        )

    def _replace(self, operation: Operation, asked: Asked) -> Outcome:
        path = filled(operation.segments, asked.path)
        found = self._resources.get(path)
        condition = asked.headers.get("if-match")
        if condition is not None and not _meets(condition, found) and operation.documents(412):
            return _refused(412, "the precondition names another version")
        if found is None:
            if operation.method == "PATCH" or not (operation.documents(201) or not operation.documents(404)):
                return self._missing(operation, asked)
            status = _status(operation, _CREATED if operation.documents(201) else _WRITTEN)
        else:
            status = _status(operation, _WRITTEN)
        response = operation.response(status)
        given = dict(asked.body) if isinstance(asked.body, Mapping) else {}
        parameter = parameter_of(operation.segments[-1])
        key = asked.path[parameter]
        member = id_member(parameter, self._members(response) or given)
        if member:
            given[member] = key
        told = {**(found.body if found else {}), **given}
        if response is not None and response.shape is not None:
            base = response.example()
            if isinstance(base, dict):
                told = {**told, **self._composer.overlaid(response.shape, base, told)}
        made = self._resources.put(path, str(key), told)
        return Outcome(status, told, headers=self._headers(path, made))

    def _delete(self, operation: Operation, asked: Asked) -> Outcome:
        path = filled(operation.segments, asked.path)
        found = self._resources.get(path)
        if found is None:
            return self._missing(operation, asked)
        condition = asked.headers.get("if-match")
        if condition is not None and not _meets(condition, found) and operation.documents(412):
            return _refused(412, "the precondition names another version")
        self._resources.remove(path)
        return Outcome(_status(operation, _GONE), found.body)

    def _missing(self, operation: Operation, asked: Asked) -> Outcome:
        """404 where the contract has it; else the example under the name that was asked for."""
        if operation.documents(404):
            return _refused(404, "there is nothing under this address")
        parameter = parameter_of(operation.segments[-1])
        status = _status(operation, _GONE if operation.method == "DELETE" else _READ)
        member = id_member(parameter, self._members(operation.response(status)))
        return Outcome(status, {member: asked.path[parameter]} if member else None)

    def _lost_parent(self, operation: Operation, asked: Asked) -> Outcome | None:
        """404 below a resource that does not exist, where the contract has it."""
        above = operation.segments[:-1] if is_item(operation) else operation.segments
        for end in range(len(above) - 1, 0, -1):
            parent = above[:end]
            if not parameter_of(parent[-1]) or not operation.documents(404):
                continue
            known = any(
                each.segments == parent and each.method == "GET" and each.documents(404)
                for each in self._version.operations.values()
            )
            if known and self._resources.get(filled(parent, asked.path)) is None:
                return _refused(404, "there is nothing under this address")
        return None

    def _unsaid(self, operation: Operation, given: Mapping[str, Any]) -> frozenset[str]:
        """Members that a request could have told and did not: the example's must not stand for them."""
        for media, shape in (operation.body.media if operation.body else {}).items():
            if is_json(media) and shape is not None:
                return frozenset(self._generator.flat(shape.schema, shape.schema).get("properties", {})) - set(given)
        return frozenset()

    def _forgotten(self, operation: Operation, found: Resource) -> frozenset[str]:
        members = self._members(operation.response(_status(operation, _READ)))
        return frozenset(members) - set(found.body)

    def _members(self, response: Response | None) -> Mapping[str, Any]:
        if response is None or response.shape is None:
            return {}
        shape = response.shape
        members: Mapping[str, Any] = self._generator.flat(shape.schema, shape.schema).get("properties", {})
        return members

    def _new_key(self, operation: Operation, last: str, member: str, response: Response | None, asked: Asked) -> Any:
        """A name that no resource has, and that both the path and the answer take. None where none is found."""
        parameter = parameter_of(last)
        told = asked.body.get(member) if member and isinstance(asked.body, Mapping) else None
        shape = self._key_shape((*operation.segments, last), parameter)
        if isinstance(told, str | int) and (shape is None or shape.fits(told)) and len(str(told)) <= _LONGEST_KEY:
            return told  # the client names what it makes
        inside = self._members(response).get(member) if member else None
        for _ in range(_TRIES):
            try:
                if inside is not None and response is not None and response.shape is not None:
                    drawn = self._generator.varied_part(inside, response.shape.schema)
                elif shape is not None:
                    drawn = self._generator.value(shape, varied=True)
                else:
                    return None
            except Unmakeable:
                return None
            path = filled((*operation.segments, last), {**asked.path, parameter: drawn})
            if (shape is None or shape.fits(drawn)) and self._resources.get(path) is None:
                return drawn
        return None

    def _key_shape(self, segments: tuple[str, ...], parameter: str) -> Shape | None:
        for operation in self._version.operations.values():
            if operation.segments == segments:
                for each in operation.of_place("path"):
                    if each.name == parameter:
                        return each.shape
        return None

    def _new_cursor(self, shape: Shape, position: int) -> str | None:
        try:
            cursor = str(self._generator.value(shape, varied=True))
        except Unmakeable:
            return None
        self._cursors[cursor] = position
        while len(self._cursors) > _TRIES * 10:
            del self._cursors[next(iter(self._cursors))]
        return cursor

    def _headers(self, path: str, resource: Resource) -> dict[str, tuple[str, ...]]:
        whole = self._version.base + path
        return {"location": (whole, f"https://localhost{whole}"), "etag": _tags(resource)}


def _refused(status: int, detail: str) -> Outcome:
    return Outcome(status, {"status": status, "detail": detail, "errors": []}, exactly=True)


def _meets(condition: str, resource: Resource | None) -> bool:
    """RFC 9110 section 13.1.1; `*` is met by what exists."""
    return resource is not None and not {"*", *_tags(resource)}.isdisjoint(
        each.strip() for each in condition.split(",")
    )


def _tags(resource: Resource) -> tuple[str, ...]:
    number = resource.revision
    return (f'"v{number}"', f'"{number}"', f'W/"v{number}"', f'W/"{number}"')


def _status(operation: Operation, wanted: tuple[int, ...]) -> int:
    """The first documented one, else any success, else whatever is documented."""
    for status in wanted:
        if operation.documents(status):
            return status
    numbers = sorted(int(key) for key in operation.responses if key.isdecimal())
    good = [number for number in numbers if 200 <= number < 400]
    if good or "default" in operation.responses:
        return good[0] if good else wanted[0]
    return numbers[0] if numbers else 501


_OF_ITEMS: Final = {
    "GET": Stateful._read,
    "HEAD": Stateful._read,
    "PUT": Stateful._replace,
    "PATCH": Stateful._replace,
    "DELETE": Stateful._delete,
}
