"""Pact files of specification 1 to 4 in one shape: what a consumer sends, and what it relies on getting.

Source: https://github.com/pact-foundation/pact-specification, and pact-reference where the text leaves it open.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from harness.contracts.consumers.matching_rules import Rules, read_rules
from harness.contracts.consumers.pact_error import PactError
from harness.errors import InputError, Problem, did_you_mean

ABSENT = object()
"""A body that the pact says nothing of; `None` is JSON's null."""


@dataclass(frozen=True, slots=True)
class Part:
    """A request, a response or a message: headers (or metadata) in lower case, each a list of values.

    `body` is JSON, text where it is no JSON, or `ABSENT`. `rules` by category: body, header, path, query, status.
    """

    headers: Mapping[str, tuple[str, ...]]
    body: Any
    media_type: str
    rules: Mapping[str, Rules]

    def rules_of(self, category: str) -> Rules:
        return self.rules.get(category, Rules(()))


@dataclass(frozen=True, slots=True)
class HttpExpectation:
    """`line` is where the pact file begins to speak of it. `pending`: the consumer's own work in progress."""

    description: str
    states: tuple[str, ...]
    method: str
    path: str
    query: Mapping[str, tuple[str, ...]]
    request: Part
    status: int
    response: Part
    line: int = 0
    pending: bool = False


@dataclass(frozen=True, slots=True)
class MessageExpectation:
    """`message.headers` is the metadata, names in lower case."""

    description: str
    states: tuple[str, ...]
    message: Part
    line: int = 0
    pending: bool = False


@dataclass(frozen=True, slots=True)
class PactFile:
    file: str
    consumer: str
    provider: str
    http: tuple[HttpExpectation, ...]
    messages: tuple[MessageExpectation, ...]


def read_pact_file(text: str, *, file: str) -> PactFile:
    """Raises `InputError` with every interaction that is no good, each with its line."""
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError([Problem(file, error.lineno, f"not JSON: {error.msg}")]) from error
    except RecursionError as error:
        raise InputError([Problem(file, 0, "not readable: it is nested too deeply")]) from error
    problems: list[Problem] = []
    names = _names(document, file)
    http: list[HttpExpectation] = []
    messages: list[MessageExpectation] = []
    lines = _Lines(text)
    for key, plain_kind in (("interactions", _HTTP), ("messages", _MESSAGE)):
        for index, entry in enumerate(_entries(document, key, file)):
            said = entry.get("description") if isinstance(entry, dict) else None
            line = lines.of(said)
            try:
                kind = _kind(entry, plain_kind)
                if kind == _HTTP:
                    http.append(_http(entry, line))
                elif kind == _MESSAGE:
                    messages.append(_message(entry, line))
                else:
                    messages += _synchronous(entry, line)
            except PactError as error:
                named = f'"{said}"' if isinstance(said, str) else f"{key}[{index}]"
                problems.append(Problem(file, line, f"{named}: {error}"))
    if problems:
        raise InputError(problems)
    return PactFile(file, *names, tuple(http), tuple(messages))


_HTTP = "Synchronous/HTTP"
_MESSAGE = "Asynchronous/Messages"
_BOTH_WAYS = "Synchronous/Messages"
_KINDS = (_HTTP, _MESSAGE, _BOTH_WAYS)


class _Lines:
    """In which line a description stands: the next one of that text, since pacts may repeat one."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._from: dict[str, int] = {}

    def of(self, description: object) -> int:
        if not isinstance(description, str):
            return 0
        for spelled in (json.dumps(description, ensure_ascii=False), json.dumps(description)):
            at = self._text.find(spelled, self._from.get(spelled, 0))
            if at >= 0:
                self._from[spelled] = at + 1
                return self._text.count("\n", 0, at) + 1
        return 0


def _names(document: Any, file: str) -> tuple[str, str]:
    found = []
    for role in ("consumer", "provider"):
        entry = document.get(role) if isinstance(document, dict) else None
        name = entry.get("name") if isinstance(entry, dict) else None
        if not isinstance(name, str) or not name:
            raise InputError([Problem(file, 0, f"not a pact file: {role}.name is missing")])
        found.append(name)
    if "interactions" not in document and "messages" not in document:
        raise InputError([Problem(file, 0, "not a pact file: it has neither interactions nor messages")])
    return found[0], found[1]


def _entries(document: Mapping[str, Any], key: str, file: str) -> list[Any]:
    entries = document.get(key) or []
    if not isinstance(entries, list):
        raise InputError([Problem(file, 0, f"{key}: must be a list")])
    return entries


def _kind(entry: Any, plain: str) -> str:
    if not isinstance(entry, dict):
        raise PactError("must be an object")
    kind = entry.get("type", plain)
    if kind not in _KINDS:
        raise PactError(f'unknown type "{kind}"{did_you_mean(str(kind), _KINDS)}: known are {", ".join(_KINDS)}')
    return str(kind)


def _http(entry: Mapping[str, Any], line: int) -> HttpExpectation:
    request, response = _object(entry, "request"), _object(entry, "response")
    status = response.get("status", 200)
    if isinstance(status, bool) or not isinstance(status, int):
        raise PactError(f"response.status: must be a number, not {json.dumps(status)}")
    path, query = _target(request)
    return HttpExpectation(
        _description(entry),
        _states(entry),
        str(request.get("method", "GET")).upper(),
        path,
        query,
        _part(request, "body", "request"),
        status,
        _part(response, "body", "response"),
        line,
        entry.get("pending") is True,
    )


def _message(entry: Mapping[str, Any], line: int) -> MessageExpectation:
    part = _part(entry, "contents", "message")
    return MessageExpectation(_description(entry), _states(entry), part, line, entry.get("pending") is True)


def _synchronous(entry: Mapping[str, Any], line: int) -> list[MessageExpectation]:
    """Only what is answered is an expectation of the provider."""
    answers = entry.get("response", [])
    if not isinstance(answers, list) or not all(isinstance(answer, dict) for answer in answers):
        raise PactError("response: must be a list of messages")
    build = partial(MessageExpectation, _description(entry), _states(entry))
    pending = entry.get("pending") is True
    return [build(_part(answer, "contents", "response"), line, pending) for answer in answers]


def _description(entry: Mapping[str, Any]) -> str:
    description = entry.get("description")
    if not isinstance(description, str) or not description:
        raise PactError("description is missing: every expectation has one")
    return description


def _states(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """Version 2 has one `providerState` (1: `provider_state`), later ones a list `providerStates`."""
    listed = entry.get("providerStates")
    if isinstance(listed, list):
        if not all(isinstance(state, dict) and isinstance(state.get("name"), str) for state in listed):
            raise PactError("providerStates: each must be an object with a name")
        return tuple(state["name"] for state in listed)
    single = entry.get("providerState", entry.get("provider_state"))
    return (single,) if isinstance(single, str) and single else ()


def _object(entry: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = entry.get(key)
    if not isinstance(found, dict):
        raise PactError(f"{key} is missing: it must be an object")
    return found


def _target(request: Mapping[str, Any]) -> tuple[str, dict[str, tuple[str, ...]]]:
    """`query` is a string up to version 2, a mapping of lists from version 3 on."""
    path = request.get("path", "/")
    if not isinstance(path, str):
        raise PactError("request.path: must be text")
    path, _, inline = path.partition("?")
    query = request.get("query") or inline
    if isinstance(query, str):
        pairs = parse_qsl(query, keep_blank_values=True)
    elif isinstance(query, dict):
        pairs = [(name, value) for name, values in query.items() for value in _list(values)]
    else:
        raise PactError("request.query: must be text or an object of lists")
    gathered: dict[str, list[str]] = {}
    for name, value in pairs:
        # Rails and PHP name a list `tag[]`, which pact files keep.
        gathered.setdefault(name, []).append(_as_text(value))
    return path if path.startswith("/") else f"/{path}", {name: tuple(values) for name, values in gathered.items()}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _part(entry: Mapping[str, Any], body_key: str, where: str) -> Part:
    headers = _headers(entry, where)
    said = headers.get("content-type") or headers.get("contenttype") or ("",)
    body, kind = _body(entry.get(body_key, ABSENT), where)
    media_type = (kind or said[0]).partition(";")[0].strip().lower()
    if body is not ABSENT and not media_type and not isinstance(body, str):
        media_type = "application/json"
    if isinstance(body, str) and (media_type == "application/json" or media_type.endswith("+json")):
        body = _parsed(body)
    if _is_deep(body):
        raise PactError(f"{where}: its body is nested more than {_DEEPEST} deep")
    return Part(headers, body, media_type, read_rules(entry.get("matchingRules"), where))


def _headers(entry: Mapping[str, Any], where: str) -> dict[str, tuple[str, ...]]:
    """Header names are case-insensitive; a message has metadata (version 3 spelled it metaData as well)."""
    written = entry.get("headers") or entry.get("metadata") or entry.get("metaData") or {}
    if not isinstance(written, dict):
        raise PactError(f"{where}.headers: must be an object")
    return {name.lower(): tuple(_as_text(value) for value in _list(values)) for name, values in written.items()}


def _body(written: Any, where: str) -> tuple[Any, str]:
    """The value and its media type as far as it is said here. Version 4 wraps it: content, contentType, encoded."""
    if not (isinstance(written, dict) and written and set(written) <= {"content", "contentType", "encoded"}):
        return written, ""
    if "content" not in written:
        return (written, "") if set(written) != {"contentType"} else (ABSENT, str(written["contentType"]))
    content, kind = written["content"], str(written.get("contentType") or "")
    encoded = written.get("encoded") or False
    if encoded is False or not isinstance(content, str):
        return content, kind
    if encoded is True or str(encoded).lower() == "base64":
        try:
            return base64.b64decode(content, validate=True).decode("utf-8", "replace"), kind
        except binascii.Error as error:
            raise PactError(f"{where}: its content says that it is base64 and is not") from error
    # `encoded: JSON` has the JSON text of the body.
    return content, kind


_DEEPEST = 100


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(_DEEPEST):
        inner = [each for each in level if isinstance(each, dict | list)]
        level = [each for value in inner for each in (value.values() if isinstance(value, dict) else value)]
        if not level:
            return False
    return True


def _parsed(text: str) -> Any:
    """Of a body that is said to be JSON: a text that is none is a JSON string as it stands."""
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        return text
