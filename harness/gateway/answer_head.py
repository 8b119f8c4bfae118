"""The head of a container's answer on its way to the client: what it says itself, and what the gateway adds.

Source: API Gateway's important notes for REST APIs (remapped headers).
"""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from harness.gateway.client_head import Values, getter, template_of
from harness.gateway.exchange import Answer
from harness.gateway.framing import UnsafeHeader
from harness.gateway.hop_by_hop import HOP_BY_HOP, named_in
from harness.gateway.identifiers import Ids
from harness.wire import ERROR_TYPE_HEADER, EXTENDED_REQUEST_ID_HEADER, REQUEST_ID_HEADER

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
_NO_BODY = frozenset({204, 304})
_OWN = b"%b: %%b\r\n%b: %%b\r\nx-amzn-trace-id: %%b\r\n" % (REQUEST_ID_HEADER, EXTENDED_REQUEST_ID_HEADER)


class _Layout(NamedTuple):
    """`lines` and `passed`: a template of the fields that the client gets, and its values. `length`, `connection`:
    where those headers are.
    """

    lines: bytes
    passed: Callable[[Values], tuple[bytes, ...]]
    length: int | None
    connection: tuple[int, ...]


@lru_cache(maxsize=256)
def _layout_of(names: tuple[bytes, ...], named: frozenset[bytes] = frozenset()) -> _Layout:
    _check(b"".join(names))
    dropped = HOP_BY_HOP | (named - REMAPPED) | {b"content-length"}
    passed = [at for at, name in enumerate(names) if name not in dropped]
    lengths = [at for at, name in enumerate(names) if name == b"content-length"]
    return _Layout(
        template_of([_remapped(names[at]) for at in passed]) + _OWN,
        getter(passed),
        lengths[-1] if lengths else None,
        tuple(at for at, name in enumerate(names) if name == b"connection"),
    )


def _check(text: bytes) -> None:
    # `find`, since `in` looks for a number first and fails.
    if text.find(b"\n") >= 0 or text.find(b"\r") >= 0 or text.find(b"\0") >= 0:
        raise UnsafeHeader("a header holds a line break or a NUL")


def _remapped(name: bytes) -> bytes:
    return b"x-amzn-remapped-" + name if name in REMAPPED else name


def answer_lines(answer: Answer, method: str, ids: Ids) -> tuple[bytes, int | None]:
    """The header lines that the client gets, and the length that they say. `method`: the one on the wire.

    `Content-Length` stays under its name too: unlike API Gateway we pass a plain body on unchanged, so it is right.
    Raises UnsafeHeader when a name or value would begin another header, or another answer.
    """
    names: tuple[bytes, ...]
    names, values = zip(*answer.headers, strict=True) if answer.headers else ((), ())
    _check(b"".join(values))
    layout = _layout_of(names)
    if layout.connection:
        named = frozenset[bytes]().union(*(named_in(values[at]) for at in layout.connection))
        layout = _layout_of(names, named) if named else layout
    lines = layout.lines % (*layout.passed(values), ids[0].encode(), ids[1].encode(), ids[2].encode())
    if answer.status in _NO_BODY:
        return lines, None
    told = None if layout.length is None else values[layout.length]
    length = None if told is None else int(told)
    if answer.complete and method != "HEAD":
        length = len(answer.body)
    if length is not None:
        lines += b"content-length: %d\r\n" % length
    return lines if told is None else lines + b"x-amzn-remapped-content-length: %b\r\n" % told, length


def answer_headers(answer: Answer, method: str, ids: Ids) -> list[tuple[bytes, bytes]]:
    """The same as a list of names and values."""
    lines = answer_lines(answer, method, ids)[0].split(b"\r\n")[:-1]
    return [(name, value) for name, _, value in (line.partition(b": ") for line in lines)]
