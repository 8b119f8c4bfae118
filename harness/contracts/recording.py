"""One call as recorded usage: only names that the provider's contract has are taken from it, never a value.

What a caller sends may be secret anywhere, also in the names of members and parameters; whatever the contract does not
name is left out, or stands as "any member" (docs/reference/recorded-usage.md).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Final
from urllib.parse import parse_qsl

import orjson

from harness.contracts.consumers.declared import names_at, schemas_at
from harness.contracts.consumers.templates import best_template
from harness.contracts.contract import GATEWAY, Contract, Operation, Part, contract_of
from harness.contracts.field_path import ELEMENT, MEMBER, FieldPath
from harness.contracts.schemas import Library, Role
from harness.contracts.usage import Call, Usage, used_once
from harness.errors import InputError, Problem
from harness.wire import HttpRequest

# Parameters that choose which fields are answered.
CHOOSING: Final = ("fields", "select")
# Bounds of what is looked at in one body: deeper or further there is nothing new.
MOST_LEVELS: Final = 24
MOST_VALUES: Final = 20_000
# A schema that leads back to itself has paths without end; what is known of some can be found again.
MOST_KNOWN: Final = 10_000

Json = Mapping[str, Any] | bool


class CallReader:
    """Knows the operations of one version. `version` is its name (`v2`), the first segment of every path.

    Raises `InputError` for a contract whose names cannot be told.
    """

    def __init__(self, version: str, library: Library) -> None:
        self._version = version
        self._operations: dict[str, dict[str, _Names]] = {}
        try:
            for operation in contract_of(library).operations:
                self._operations.setdefault(operation.method, {})[operation.path] = _Names(operation)
        except (LookupError, TypeError, AttributeError, ValueError) as error:
            text = f"is no OpenAPI document whose names can be told ({error!r}): harness lint says what is wrong"
            raise InputError([Problem(library.root.file, 0, text)]) from error

    def used(self, request: HttpRequest, method: str, status: int, day: date) -> Usage | None:
        """`method` as it was routed. None when the contract has no such operation."""
        path = "/" + request.raw_path.decode("latin-1").removeprefix("/").partition("/")[2]
        known = self._operations.get(method, {})
        template = best_template(path, known)
        if template is None:
            return None
        names = known[template]
        query = parse_qsl(request.raw_query.decode("latin-1"), keep_blank_values=True)
        usage = used_once(
            Call(self._version, method, template),
            day,
            status=status,
            parameters=names.sent(request, query),
            request_fields=names.body_fields(request),
            response_fields=names.chosen(query),
        )
        # A container may answer 999, which is no status (RFC 9110 section 15) and stands in no line of usage.
        return usage if 100 <= status <= 599 else replace(usage, statuses={})


class _Names:
    """What one operation has names for."""

    def __init__(self, operation: Operation) -> None:
        contract, declared = operation.contract, [*operation.parameters]
        self._path = tuple(name for place, name in declared if place == "path")
        self._query = frozenset(name for place, name in declared if place == "query")
        self._headers = frozenset(name for place, name in declared if place == "header")
        self._cookies = frozenset(name for place, name in declared if place == "cookie")
        self._body = _Fields(_json_schema(contract, operation.body, Role.REQUEST))
        successes = (part for status, part in operation.responses.items() if _is_success(status, part))
        answers = (_json_schema(contract, part, Role.RESPONSE) for part in successes)
        self._answers = [_Fields(schema) for schema in answers if schema is not None]
        self._choosing = self._query & set(CHOOSING)

    def sent(self, request: HttpRequest, query: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
        # `filter[status]=open` belongs to a parameter `filter` whose style is deepObject.
        written = {name for name, _ in query} | {name.partition("[")[0] for name, _ in query}
        headers = {name.decode("latin-1") for name, _ in request.headers}
        cookies = (request.header(b"cookie") or b"").decode("latin-1").split(";") if self._cookies else ()
        return {
            "path": list(self._path),
            "query": sorted(self._query & written),
            "header": sorted(self._headers & headers),
            "cookie": sorted(self._cookies & {each.partition("=")[0].strip() for each in cookies}),
        }

    def body_fields(self, request: HttpRequest) -> set[FieldPath]:
        if not request.body or not self._body.known:
            return set()
        try:
            value = orjson.loads(request.body)
        except orjson.JSONDecodeError:  # a form, or nothing that the contract has: there are no fields to name
            return set()
        return set(self._body.within(value))

    def chosen(self, query: Iterable[tuple[str, str]]) -> set[FieldPath]:
        """The fields that the call asked for, as far as an answer has them: of itself, or of the items of its list."""
        if not self._choosing:
            return set()
        texts = [text for name, value in query if name in self._choosing for text in value.split(",")]
        return {path for text in texts for answer in self._answers for path in answer.named(text.strip())}


class _Fields:
    """The fields that one schema names. `known` is False without a schema."""

    def __init__(self, schema: Json | None) -> None:
        self._schema: Json = True if schema is None else schema
        self.known = schema is not None
        self._names: dict[FieldPath, frozenset[str]] = {}
        self._further: dict[FieldPath, bool] = {}

    def within(self, value: Any) -> Iterator[FieldPath]:
        """Paths of what is in a value; a member that the schema does not name is any member."""
        pending: list[tuple[FieldPath, Any]] = [((), value)]
        looked_at = 0
        while pending and looked_at < MOST_VALUES:
            path, value = pending.pop()
            looked_at += 1
            if len(path) >= MOST_LEVELS:
                continue
            if isinstance(value, list):
                pending += [((*path, ELEMENT), each) for each in value[:MOST_VALUES] if isinstance(each, dict | list)]
            elif isinstance(value, dict):
                names = self._names_at(path)
                for name, inner in value.items():
                    known = name in names
                    below = (*path, name if known else MEMBER)
                    yield below
                    if isinstance(inner, dict | list) and (known or self._has_further(path)):
                        pending.append((below, inner))

    def named(self, text: str) -> Iterator[FieldPath]:
        """What a caller calls `total`, `lines/sku` or `lines.sku`: a field of the whole, or of the items of a list."""
        parts = tuple(text.replace("/", ".").split("."))
        for begin in ((), *(((name, ELEMENT)) for name in sorted(self._names_at(())))):
            path: FieldPath = begin
            for part in parts:
                if part not in self._names_at(path):
                    path = (*path, ELEMENT)  # `lines.sku` where lines is a list
                    if part not in self._names_at(path):
                        break
                path = (*path, part)
            else:
                yield path
                return

    def _names_at(self, path: FieldPath) -> frozenset[str]:
        if path not in self._names:
            if len(self._names) >= MOST_KNOWN:
                self._names.clear()
                self._further.clear()
            self._names[path] = frozenset(names_at(self._schema, path))
        return self._names[path]

    def _has_further(self, path: FieldPath) -> bool:
        """Whether the schema says what members are that it does not name."""
        if path not in self._further:
            self._further[path] = any(
                isinstance(schema, Mapping)
                and (isinstance(schema.get("additionalProperties"), Mapping) or "patternProperties" in schema)
                for schema in schemas_at(self._schema, path)
            )
        return self._further[path]


def _is_success(status: str, response: Part) -> bool:
    """Of the domain itself."""
    return status.startswith("2") and response.get("x-answered-by") != GATEWAY


def _is_json(media: str) -> bool:
    """`application/json`, or a type with the suffix (RFC 6839)."""
    essence = media.partition(";")[0].strip().lower()
    return essence == "application/json" or essence.endswith("+json")


def _json_schema(contract: Contract, part: Part | None, role: Role) -> Json | None:
    """The schema of the first JSON among the media types, with the definitions that it needs."""
    for media, content in contract.entries(part, "content").items() if part is not None else ():
        if _is_json(media) and (subject := contract.subject(content, role)) is not None:
            closed: Json = subject.compiled.closed
            return closed
    return None
