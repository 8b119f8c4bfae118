"""The request that an API destination gets: what its endpoint, its connection and the target say, put together.

Pure. Source: EventBridge API reference, HttpParameters, ConnectionHttpParameters; user guide, "API destinations".
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from harness.bus.shaping.json_text import dumps
from harness.bus.shaping.path import NOTHING, parse_path

USER_AGENT = "Amazon/EventBridge/ApiDestinations"
SENT_ALWAYS = {
    "user-agent": ("User-Agent", USER_AGENT),
    "range": ("Range", "bytes=0-1048575"),
    "content-type": ("Content-Type", "application/json; charset=utf-8"),
    "accept-encoding": ("Accept-Encoding", "gzip,deflate"),
}
_ABOUT_CONTENT = "accept-charset accept-datetime accept-encoding content-encoding content-length content-md5 range"
_CONDITIONS = "if-match if-modified-since if-none-match if-range if-unmodified-since cache-control pragma expect"
_OF_THE_CONNECTION = "connection host http2-settings te trailer transfer-encoding upgrade proxy-authorization"
_OF_THE_CLIENT = "a-im date forwarded from max-forwards origin referer user-agent via warning"
_NOT_TAKEN = frozenset(
    f"{_ABOUT_CONTENT} {_CONDITIONS} {_OF_THE_CONNECTION} {_OF_THE_CLIENT}".split(),
)
"""Headers that nobody else can set: some say where a request ends, and whose connection it was on."""
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_BODYLESS = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Outgoing:
    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Parameters:
    """Of a connection or a target. What a connection says stands before what a target says."""

    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: Mapping[str, str]


NONE = Parameters({}, {}, {})


def of_connection(invocation: Mapping[str, Any] | None) -> Parameters:
    """`invocation` as InvocationHttpParameters or OAuthHttpParameters: lists of Key, Value and IsValueSecret."""
    given = invocation or {}

    def named(kind: str) -> dict[str, str]:
        return {each["Key"]: each.get("Value") or "" for each in given.get(kind) or ()}

    return Parameters(named("HeaderParameters"), named("QueryStringParameters"), named("BodyParameters"))


def outgoing(
    *,
    method: str,
    endpoint: str,
    target: Mapping[str, Any] | None,
    connection: Parameters,
    credentials: Mapping[str, str],
    body: bytes,
    event: bytes,
    trace: str = "",
) -> Outgoing | str:
    """`target` as HttpParameters of a target; a value that is a JSON path is looked up in `event`. Text: what is wrong.

    `credentials`: headers that prove who calls.
    """
    given = target or {}
    look_up = _Values(event)
    headers = {**look_up.all(given.get("HeaderParameters")), **connection.headers}
    query = {**look_up.all(given.get("QueryStringParameters")), **connection.query}
    values = [look_up(value) for value in given.get("PathParameterValues") or ()]
    url = _filled(endpoint, values)
    if url is None:
        return f"the endpoint has {endpoint.count('*')} path parameters, the target gives {len(values)}"
    if query:
        url += ("&" if "?" in url else "?") + urlencode(query, quote_via=quote)
    sent = _headers(headers, credentials, trace)
    wrong = [name for name, value in sent if not _TOKEN.fullmatch(name) or _broken(value)]
    wrong += [name for name in credentials if not may_be_set(name)]
    if wrong or _broken(url):
        return f"not a header that can be sent: {', '.join(wrong)}" if wrong else "the address has a control character"
    return Outgoing(method, url, tuple(sent), b"" if method in _BODYLESS else _with_parameters(body, connection.body))


def may_be_set(name: str) -> bool:
    return name.lower() not in _NOT_TAKEN


def _headers(given: Mapping[str, str], credentials: Mapping[str, str], trace: str) -> list[tuple[str, str]]:
    """Each name once, whatever its case: who proves who calls comes last and stands first."""
    found = dict(SENT_ALWAYS)
    for name, value in given.items():
        if may_be_set(name):
            found[name.lower()] = (name, value)
    if trace:
        found["x-amzn-trace-id"] = ("X-Amzn-Trace-Id", trace)
    for name, value in credentials.items():
        found[name.lower()] = (name, value)
    return list(found.values())


def _filled(endpoint: str, values: list[str]) -> str | None:
    """Each `*` of the endpoint takes the next value."""
    pieces = endpoint.split("*")
    if len(pieces) - 1 > len(values):
        return None
    filled = [value for value, _ in zip(values, pieces[1:], strict=False)]
    return pieces[0] + "".join(quote(value, safe="") + piece for value, piece in zip(filled, pieces[1:], strict=True))


def _with_parameters(body: bytes, parameters: Mapping[str, str]) -> bytes:
    """A connection's body parameters become fields of a JSON object; any other body has no place for them."""
    if not parameters:
        return body
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        return body
    return dumps({**content, **parameters}) if isinstance(content, dict) else body


def _broken(value: str) -> bool:
    return any(ord(char) < 0x20 or ord(char) == 0x7F for char in value)


class _Values:
    def __init__(self, event: bytes) -> None:
        self._event = event

    def all(self, given: Mapping[str, str] | None) -> dict[str, str]:
        return {name: self(value) for name, value in (given or {}).items()}

    def __call__(self, value: str) -> str:
        """A JSON path is what it finds (nothing: empty text), any other text itself."""
        path = parse_path(value) if value.startswith("$.") else None
        if path is None:
            return value
        found = path.find(orjson.loads(self._event))
        if found is NOTHING:
            return ""
        return found if isinstance(found, str) else dumps(found).decode()


def form(fields: Iterable[tuple[str, str]]) -> str:
    return urlencode(list(fields))
