"""Headers on their way through: what a client's request passes on, what the gateway adds, what an answer passes back.

Source: RFC 9110 section 7.6.1 (hop-by-hop fields), API Gateway's important notes for REST APIs (dropped and remapped
headers), the proxy event of private APIs (`x-amzn-vpce-id` and the like).
"""

from collections.abc import Iterable
from enum import IntEnum

from harness.gateway.exchange import Answer
from harness.gateway.identifiers import Ids
from harness.wire import (
    API_ID_HEADER,
    ERROR_TYPE_HEADER,
    EXTENDED_REQUEST_ID_HEADER,
    LAMBDA_CONTEXT_HEADER,
    REQUEST_CONTEXT_HEADER,
    REQUEST_ID_HEADER,
    NetworkPlace,
)

HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)

# What the gateway alone may say to a container. A client's copy is dropped, however it is spelt: servers that follow
# CGI make one variable of `x-amzn-request-context`, `x_amzn_request_context` and `x.amzn.request.context`.
OURS = frozenset(
    {
        REQUEST_CONTEXT_HEADER,
        LAMBDA_CONTEXT_HEADER,
        b"x-amzn-trace-id",
        REQUEST_ID_HEADER,
        EXTENDED_REQUEST_ID_HEADER,
        b"x-amz-tenant-id",
        b"x-amzn-vpce-id",
        b"x-amzn-vpc-id",
        b"x-amzn-vpce-config",
        b"x-amzn-cipher-suite",
        b"x-amzn-tls-version",
        b"x-forwarded-for",
        b"x-forwarded-port",
        b"x-forwarded-proto",
    }
)
METHOD_OVERRIDE = b"x-http-method-override"
DROPPED = HOP_BY_HOP | OURS | {b"authorization", b"expect", b"content-length", b"host", METHOD_OVERRIDE}

# An answer's headers that reach the client as `x-amzn-remapped-…` only: their own names belong to the gateway.
REMAPPED = frozenset(
    {
        b"authorization",
        b"date",
        b"server",
        b"www-authenticate",
        ERROR_TYPE_HEADER,
        REQUEST_ID_HEADER,
        b"x-amzn-trace-id",
        EXTENDED_REQUEST_ID_HEADER,
    }
)

# API Gateway's quota for the request line and the headers of a REST API.
MAX_HEAD_BYTES = 10_240

_METHODS_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_KNOWN_NAMES = 4096
_LONGEST_KNOWN_NAME = 64


class Kind(IntEnum):
    PASS = 0
    DROP = 1
    HOST = 2
    API_ID = 3
    CONTENT_LENGTH = 4
    TRANSFER_ENCODING = 5
    CONNECTION = 6
    METHOD_OVERRIDE = 7
    USER_AGENT = 8


_PASS = int(Kind.PASS)
_SPECIAL = {
    b"host": Kind.HOST,
    API_ID_HEADER: Kind.API_ID,
    b"content-length": Kind.CONTENT_LENGTH,
    b"transfer-encoding": Kind.TRANSFER_ENCODING,
    b"connection": Kind.CONNECTION,
    METHOD_OVERRIDE: Kind.METHOD_OVERRIDE,
    b"user-agent": Kind.USER_AGENT,
}


def kind_of(name: bytes) -> Kind:
    """`name` in lower case."""
    special = _SPECIAL.get(name)
    if special is not None:
        return special
    folded = bytes(byte if chr(byte).isalnum() else 45 for byte in name)
    return Kind.DROP if folded in DROPPED or name in DROPPED else Kind.PASS


_ALWAYS_KNOWN = {name: int(kind_of(name)) for name in DROPPED | _SPECIAL.keys()}


class HeaderNames:
    """Remembers what is done with a header of a given name (lower case), for the names that came up so far."""

    __slots__ = ("kinds",)

    def __init__(self) -> None:
        self.kinds: dict[bytes, int] = dict(_ALWAYS_KNOWN)

    def learn(self, name: bytes) -> int:
        kind = int(kind_of(name))
        if len(name) < _LONGEST_KNOWN_NAME:  # a longer one is classified each time
            if len(self.kinds) >= _KNOWN_NAMES:  # a client that makes names up must not keep out those in use
                self.kinds = dict(_ALWAYS_KNOWN)
            self.kinds[name] = kind
        return kind


class ClientHead:
    """The head of a client's request, read in one pass.

    `headers`: names in lower case, values without white space around them. `size`: of names and values, in bytes.
    `problem`: why the head is refused, or empty.
    """

    __slots__ = (
        "_lines",
        "_named_in_connection",
        "api_id",
        "chunked",
        "content_length",
        "headers",
        "host",
        "method_override",
        "problem",
        "size",
        "user_agent",
    )

    def __init__(self, raw: Iterable[tuple[bytes, bytes]], names: "HeaderNames") -> None:
        self.headers: list[tuple[bytes, bytes]] = []
        self.host: bytes | None = None
        self.api_id: bytes | None = None
        self.content_length: int | None = None
        self.chunked = False
        self.user_agent: bytes | None = None
        self.method_override: bytes | None = None
        self.problem = ""
        self.size = 0
        self._named_in_connection: frozenset[bytes] = frozenset()
        self._lines: list[bytes] = []
        headers, lines, kinds, size = self.headers, self._lines, names.kinds, 0
        for name, value in raw:
            value = value.strip()
            headers.append((name, value))
            size += len(name) + len(value)
            kind = kinds.get(name)
            if kind is None:
                if size > MAX_HEAD_BYTES:
                    break  # refused for its size, and a name that nobody knows takes time
                kind = names.learn(name)
            if kind == _PASS:
                lines += (name, b": ", value, b"\r\n")
            elif kind > Kind.DROP:
                self._special(kind, name, value)
        self.size = size

    def _special(self, kind: int, name: bytes, value: bytes) -> None:
        match kind:
            case Kind.HOST:
                if self.host is not None:  # RFC 9112 section 3.2
                    self.problem = "two host headers"
                self.host = value
            case Kind.API_ID:
                self._once(self.api_id, value, "x-apigw-api-id")
                self.api_id = value
                self._lines += (name, b": ", value, b"\r\n")
            case Kind.CONTENT_LENGTH:
                if not value.isdigit():
                    self.problem = "content-length is not a number"
                else:
                    self.content_length = int(value)
            case Kind.TRANSFER_ENCODING:
                # A coded body would be forwarded without saying how it is coded.
                if value.lower() != b"chunked":
                    self.problem = "a transfer coding other than chunked"
                self.chunked = True
            case Kind.CONNECTION:
                tokens = frozenset(token.strip() for token in value.lower().split(b","))
                self._named_in_connection |= tokens - HOP_BY_HOP - {b"close", b""}
            case Kind.METHOD_OVERRIDE:
                self._once(self.method_override, value, "x-http-method-override")
                self.method_override = value
            case Kind.USER_AGENT:
                self._once(self.user_agent, value, "user-agent")
                self.user_agent = value
                self._lines += (name, b": ", value, b"\r\n")

    def _once(self, before: bytes | None, value: bytes, name: str) -> None:
        # Two that differ: which of them counts is the reader's choice, and the upstream's may not be ours.
        if before is not None and before != value:
            self.problem = f"two different {name} headers"

    def lines(self) -> list[bytes]:
        """The fields to forward as pieces of bytes; `Host` and the gateway's own are not among them."""
        named = self._named_in_connection
        if not named:
            return self._lines
        lines = self._lines
        kept: list[bytes] = []
        for at in range(0, len(lines), 4):
            if lines[at] not in named:
                kept += lines[at : at + 4]
        return kept


def place_lines(place: NetworkPlace, port: int, scheme: str) -> bytes:
    """The fields that every call through a listener gets. Port and scheme are the listener's own."""
    lines = b"x-forwarded-port: %d\r\nx-forwarded-proto: %b\r\n" % (port, scheme.encode())
    if place.vpce_id:
        lines += b"x-amzn-vpce-id: %b\r\nx-amzn-vpc-id: %b\r\nx-amzn-vpce-config: 1\r\n" % (
            place.vpce_id.encode(),
            place.vpc_id.encode(),
        )
    return lines


def request_bytes(
    method: str,
    target: bytes,
    head: ClientHead,
    body: bytes,
    *,
    host: bytes,
    client_ip: str,
    place_fields: bytes,
    trace_id: str,
    request_context: bytes,
    lambda_context: bytes,
) -> bytes:
    """The whole request for the container. `target`: path and query exactly as received.

    The body was read whole, so that it has a length however it was sent.
    """
    length = b"content-length: %d\r\n" % len(body) if body or method in _METHODS_WITH_BODY else b""
    return b"".join(
        (
            method.encode(),
            b" ",
            target,
            b" HTTP/1.1\r\nhost: ",
            host,
            b"\r\n",
            *head.lines(),
            length,
            b"x-forwarded-for: ",
            client_ip.encode(),
            b"\r\n",
            place_fields,
            b"x-amzn-trace-id: ",
            trace_id.encode(),
            b"\r\nx-amzn-request-context: ",
            request_context,
            b"\r\nx-amzn-lambda-context: ",
            lambda_context,
            b"\r\n\r\n",
            body,
        )
    )


_NO_BODY = frozenset({204, 304})


def answer_headers(answer: Answer, method: str, ids: Ids) -> list[tuple[bytes, bytes]]:
    """What the client gets of an answer's headers, and the gateway's own.

    `Content-Length` stays under its name too: unlike API Gateway we pass a plain body on unchanged, so it is right.
    """
    headers: list[tuple[bytes, bytes]] = []
    dropped = HOP_BY_HOP
    length = None
    for name, value in answer.headers:
        if name == b"content-length":
            length = value
        elif name in REMAPPED:
            headers.append((b"x-amzn-remapped-" + name, value))
        elif name not in dropped:
            headers.append((name, value))
        elif name == b"connection":
            dropped = _with_named(dropped, value)
            if dropped is not HOP_BY_HOP:
                headers = [header for header in headers if header[0] not in dropped]
    headers += (
        (REQUEST_ID_HEADER, ids[0].encode()),
        (EXTENDED_REQUEST_ID_HEADER, ids[1].encode()),
        (b"x-amzn-trace-id", ids[2].encode()),
    )
    if answer.status in _NO_BODY:
        return headers
    if answer.complete and method != "HEAD":
        headers.append((b"content-length", b"%d" % len(answer.body)))
    elif length is not None:
        headers.append((b"content-length", length))
    if length is not None:
        headers.append((b"x-amzn-remapped-content-length", length))
    return headers


def _with_named(dropped: frozenset[bytes], connection: bytes) -> frozenset[bytes]:
    named = frozenset(token.strip() for token in connection.lower().split(b",")) - dropped - {b"close", b""}
    return dropped | named if named else dropped
