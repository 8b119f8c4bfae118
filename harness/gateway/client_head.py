"""The head of a client's request: what it says, and which of its fields are passed on.

What is done with a header is known from the names of all of them alone, and clients send the same names again and
again: it is worked out once for each sequence of names. Values are read in every request.
"""

from collections.abc import Callable, Sequence
from enum import IntEnum
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple

from harness.gateway.hop_by_hop import HOP_BY_HOP, named_in
from harness.wire import (
    API_ID_HEADER,
    EXTENDED_REQUEST_ID_HEADER,
    LAMBDA_CONTEXT_HEADER,
    REQUEST_CONTEXT_HEADER,
    REQUEST_ID_HEADER,
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

# API Gateway's quota for the request line and the headers of a REST API.
MAX_HEAD_BYTES = 10_240
# Clients choose the names: what is remembered of them is bounded by this and by the quota.
REMEMBERED_LAYOUTS = 512


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


_SPECIAL = {
    b"host": Kind.HOST,
    API_ID_HEADER: Kind.API_ID,
    b"content-length": Kind.CONTENT_LENGTH,
    b"transfer-encoding": Kind.TRANSFER_ENCODING,
    b"connection": Kind.CONNECTION,
    METHOD_OVERRIDE: Kind.METHOD_OVERRIDE,
    b"user-agent": Kind.USER_AGENT,
}
_PASSED = frozenset({Kind.PASS, Kind.API_ID, Kind.USER_AGENT})

Values = Sequence[bytes]


class _Layout(NamedTuple):
    """`special`: where headers are that mean something here. `lines` and `passed`: a template of the fields that are
    passed on, and its values.
    """

    special: tuple[tuple[Kind, int], ...]
    lines: bytes
    passed: Callable[[Values], tuple[bytes, ...]]


def kind_of(name: bytes) -> Kind:
    """`name` in lower case."""
    special = _SPECIAL.get(name)
    if special is not None:
        return special
    folded = bytes(byte if chr(byte).isalnum() else 45 for byte in name)
    return Kind.DROP if folded in DROPPED or name in DROPPED else Kind.PASS


@lru_cache(maxsize=REMEMBERED_LAYOUTS)
def layout_of(names: tuple[bytes, ...]) -> _Layout:
    return _arranged(names, frozenset())


def _arranged(names: tuple[bytes, ...], dropped: frozenset[bytes]) -> _Layout:
    kinds = [kind_of(name) for name in names]
    passed = [at for at, kind in enumerate(kinds) if kind in _PASSED and names[at] not in dropped]
    return _Layout(
        tuple((kind, at) for at, kind in enumerate(kinds) if kind not in (Kind.PASS, Kind.DROP)),
        template_of([names[at] for at in passed]),
        getter(passed),
    )


def template_of(names: Sequence[bytes]) -> bytes:
    """Header lines that want their values."""
    return b"".join(name.replace(b"%", b"%%") + b": %b\r\n" for name in names)


def getter(places: Sequence[int]) -> Callable[[Values], tuple[bytes, ...]]:
    """Like `itemgetter`, but always for a tuple."""
    match places:
        case []:
            return lambda values: ()
        case [only]:
            return lambda values: (values[only],)
        case _:
            return itemgetter(*places)


class ClientHead:
    """`headers`: names in lower case, values without white space around them. `size`: of names and values, in bytes.
    `problem`: why the head is refused, or empty. A head over the quota is not read any further.
    """

    __slots__ = (
        "_layout",
        "_named_in_connection",
        "_names",
        "_values",
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

    def __init__(self, raw: Sequence[tuple[bytes, bytes]]) -> None:
        self.host: bytes | None = None
        self.api_id: bytes | None = None
        self.content_length: int | None = None
        self.chunked = False
        self.user_agent: bytes | None = None
        self.method_override: bytes | None = None
        self.problem = ""
        self._named_in_connection: frozenset[bytes] = frozenset()
        names: tuple[bytes, ...]
        names, values = zip(*raw, strict=True) if raw else ((), ())
        self._names = names
        self._values = stripped = tuple(map(bytes.strip, values))
        self.headers = list(zip(names, stripped, strict=True))
        self.size = len(b"".join(names)) + len(b"".join(stripped))
        if self.size > MAX_HEAD_BYTES:
            return
        self._layout = layout_of(names)
        for kind, at in self._layout.special:
            value = stripped[at]
            if kind is _HOST:
                if self.host is not None:  # RFC 9112 section 3.2
                    self.problem = "two host headers"
                self.host = value
            elif kind is _API_ID:
                self._once(self.api_id, value, "x-apigw-api-id")
                self.api_id = value
            elif kind is _USER_AGENT:
                self._once(self.user_agent, value, "user-agent")
                self.user_agent = value
            else:
                self._special(kind, value)

    def _special(self, kind: Kind, value: bytes) -> None:
        match kind:
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
                self._named_in_connection |= named_in(value)
            case Kind.METHOD_OVERRIDE:
                self._once(self.method_override, value, "x-http-method-override")
                self.method_override = value

    def _once(self, before: bytes | None, value: bytes, name: str) -> None:
        # Two that differ: which of them counts is the reader's choice, and the upstream's may not be ours.
        if before is not None and before != value:
            self.problem = f"two different {name} headers"

    def lines(self) -> bytes:
        """The fields to forward; `Host` and the gateway's own are not among them. Not of a head over the quota."""
        named = self._named_in_connection
        layout = _arranged(self._names, named) if named else self._layout
        return layout.lines % layout.passed(self._values)


# Found as globals: looking a member up in its class costs more than comparing it.
_HOST, _API_ID, _USER_AGENT = Kind.HOST, Kind.API_ID, Kind.USER_AGENT
