"""The canonical request: six parts joined by newlines, built from the bytes on the wire.

Source: AWS, "Create a signed AWS API request", step 1. Any two spellings of a request that a server treats alike come
out the same here, and nothing else does.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from hashlib import sha256
from operator import itemgetter
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes

from harness.sigv4.model import Fault, FaultKind
from harness.wire import HeaderList, HttpRequest

EMPTY_PAYLOAD_HASH = sha256(b"").hexdigest().encode()

_UNRESERVED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
_UNRESERVED_AND_SLASH = _UNRESERVED + b"/"
_PLAIN_QUERY = _UNRESERVED + b"=&"
# A run that percent-decoding and encoding again would leave as it is: no unreserved byte is escaped, hex is upper case.
_ENCODED = re.compile(rb"(?:[A-Za-z0-9._~-]|%(?:[0189A-F][0-9A-F]|2[0-9A-CF]|3[A-F]|40|5[B-E]|60|7[B-DF]))*+").fullmatch
_SIGNATURE_PARAMETER = b"X-Amz-Signature"


class _Layout(NamedTuple):
    template: bytes
    values_of: Callable[[Mapping[bytes, bytes]], tuple[bytes, ...]]
    names: tuple[bytes, ...]
    joined: bytes


def canonical_request(
    request: HttpRequest, signed_headers: tuple[str, ...], *, presigned: bool = False, plus: bytes = b" "
) -> bytes | Fault:
    """The canonical request over `signed_headers`, which must be lower case and sorted.

    The last line is the hash of the body that was received, whatever `x-amz-content-sha256` says: `UNSIGNED-PAYLOAD`
    and `STREAMING-…` belong to S3. `plus` as in `canonical_query`; `presigned` leaves the signature parameter out. A
    Fault when a signed header is not in the request.
    """
    layout = _layout(signed_headers)
    headers = _canonical_headers(request.headers, layout)
    if isinstance(headers, Fault):
        return headers
    body = request.body
    return b"%b\n%b\n%b\n%b\n%b\n%b" % (
        request.method.upper().encode(),
        canonical_path(request.raw_path),
        canonical_query(request.raw_query, plus=plus, presigned=presigned) if request.raw_query else b"",
        headers,
        layout.joined,
        sha256(body).hexdigest().encode() if body else EMPTY_PAYLOAD_HASH,
    )


def canonical_path(raw_path: bytes) -> bytes:
    """Dot segments and doubled slashes removed, one trailing slash kept, all bytes but unreserved and `/` encoded.

    The path on the wire is encoded already, so this encodes twice (`%20` becomes `%2520`), as every service but S3
    does. Reading is by bytes: an encoded `%2E%2E` is no dot segment here.
    """
    if b"//" in raw_path or b"/." in raw_path or not raw_path:
        segments: list[bytes] = []
        for segment in raw_path.split(b"/"):
            if segment == b"..":
                if segments:  # above the root there is nothing to drop (RFC 3986 5.2.4)
                    segments.pop()
            elif segment and segment != b".":
                segments.append(segment)
        slash = b"/" if segments and raw_path.endswith(b"/") else b""
        raw_path = b"/" + b"/".join(segments) + slash
    if raw_path.translate(None, _UNRESERVED_AND_SLASH):
        return quote(raw_path, safe=b"/~").encode()
    return raw_path


def canonical_query(raw_query: bytes, *, plus: bytes = b" ", presigned: bool = False) -> bytes:
    """Parameters decoded, encoded again and sorted by name, then value; repeated names stay, `name` becomes `name=`.

    `plus` is the byte that `+` stands for: a space in a form, itself in RFC 3986. AWS does not say which it takes.
    `presigned` leaves out `X-Amz-Signature`, which the header form keeps.
    """
    plain = not raw_query.translate(None, _PLAIN_QUERY)
    if plain and b"&" not in raw_query and raw_query.count(b"=") == 1 and not presigned:
        return raw_query
    pairs = []
    for parameter in raw_query.split(b"&"):
        name, _, value = parameter.partition(b"=")
        name = _encoded(name, plus)
        if not (presigned and name == _SIGNATURE_PARAMETER):
            pairs.append((name, _encoded(value, plus)))
    pairs.sort()
    return b"&".join([b"%b=%b" % pair for pair in pairs])


def _encoded(text: bytes, plus: bytes) -> bytes:
    if _ENCODED(text):
        return text
    # A "%" that begins no escape stands for itself and becomes "%25".
    return quote(unquote_to_bytes(text.replace(b"+", b"%%%02X" % ord(plus))), safe=b"").encode()


@lru_cache(maxsize=512)
def _layout(signed_headers: tuple[str, ...]) -> _Layout:
    names = tuple(name.encode() for name in signed_headers)
    template = b"".join(name.replace(b"%", b"%%") + b":%b\n" for name in names)
    if len(names) == 1:
        only = names[0]
        return _Layout(template, lambda headers: (headers[only],), names, only)
    return _Layout(template, itemgetter(*names), names, b";".join(names))


def _canonical_headers(headers: HeaderList, layout: _Layout) -> bytes | Fault:
    values = dict(headers)
    if len(values) != len(headers):
        values = _joined(headers)
    try:
        block = layout.template % layout.values_of(values)
    except KeyError:
        absent = next(name for name in layout.names if name not in values).decode()
        return Fault(
            FaultKind.INCOMPLETE,
            f"'{absent}' is named as a SignedHeader, but it does not exist in the HTTP request.",
        )
    if _is_trimmed(block, len(layout.names)):
        return block
    return layout.template % tuple(_trimmed(values[name]) for name in layout.names)


def _joined(headers: HeaderList) -> dict[bytes, bytes]:
    """Repeated headers as one, values trimmed and joined by commas in the order of arrival."""
    values: dict[bytes, bytes] = {}
    for name, value in headers:
        values[name] = b"%b,%b" % (values[name], _trimmed(value)) if name in values else _trimmed(value)
    return values


def _trimmed(value: bytes) -> bytes:
    # Quoted strings too, and folded lines (RFC 9110 5.5), as the SDKs do.
    return b" ".join(value.split())


def _is_trimmed(block: bytes, lines: int) -> bool:
    """Whether trimming would change nothing; may say False of a block that it would not change."""
    return not (
        b"  " in block
        or b": " in block
        or b" \n" in block
        or b"\t" in block
        or b"\r" in block
        or b"\x0b" in block
        or b"\x0c" in block
        or block.count(b"\n") != lines
    )
