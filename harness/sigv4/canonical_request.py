"""The canonical request: six parts joined by newlines, built from the bytes on the wire.

Source: AWS, "Create a signed AWS API request", step 1. Decoding comes nowhere before
this: what a proxy or a framework would make of path, query or headers is not what was signed.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from hashlib import sha256
from operator import itemgetter
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from harness.sigv4.model import Fault, FaultKind
from harness.wire import HeaderList, HttpRequest

EMPTY_PAYLOAD_HASH = sha256(b"").hexdigest().encode()

# What most requests look like, matched in time linear in the length: a path without dot segments, doubled slashes or
# bytes that want encoding other than "%"; texts and queries that are canonical already but for the order.
_NORMAL_PATH = re.compile(rb"(?:/[A-Za-z0-9_~%-][A-Za-z0-9._~%-]*+)++/?|/").fullmatch
# Decoding leaves nothing to do but to escape what is not: no unreserved byte is escaped, hex is upper case.
_RUN = rb"(?:[^%+&=]++|%(?:[0189A-F][0-9A-F]|2[0-9A-CF]|3[A-F]|40|5[B-E]|60|7[B-DF]))*+"
_REGULAR_QUERY = re.compile(rb"%b=%b(?:&%b=%b)*+" % (_RUN, _RUN, _RUN, _RUN)).fullmatch
_OTHER_IN_REGULAR_QUERY = re.compile(rb"[^A-Za-z0-9._~%&=-]").sub
_OTHER = re.compile(rb"[^A-Za-z0-9._~-]").sub
_OTHER_IN_PATH = re.compile(rb"[^A-Za-z0-9._~/-]").sub
_ESCAPES = {bytes([byte]): b"%%%02X" % byte for byte in range(256)}
_SIGNATURE_PARAMETER = b"X-Amz-Signature"


class _Layout(NamedTuple):
    template: bytes
    values_of: Callable[[Mapping[bytes, bytes]], tuple[bytes, ...]]
    names: tuple[bytes, ...]
    joined: bytes


def canonical_request(
    request: HttpRequest, signed_headers: tuple[str, ...], *, presigned: bool = False, plus: bytes = b" "
) -> bytes | Fault:
    """The canonical request over `signed_headers`, which must be lower case, sorted and at least one.

    The last line is the hash of the body that was received, whatever `x-amz-content-sha256` says: `UNSIGNED-PAYLOAD`
    and `STREAMING-…` belong to S3. `plus` as in `canonical_query`; `presigned` leaves the signature parameter out. A
    Fault when a signed header is not in the request.
    """
    layout = _layout(signed_headers)
    headers = _canonical_headers(request.headers, layout)
    if isinstance(headers, Fault):
        return headers
    body = request.body
    return b"\n".join(
        (
            request.method.upper().encode(),
            canonical_path(request.raw_path),
            canonical_query(request.raw_query, plus=plus, presigned=presigned),
            headers,
            layout.joined,
            sha256(body).hexdigest().encode() if body else EMPTY_PAYLOAD_HASH,
        )
    )


def canonical_path(raw_path: bytes) -> bytes:
    """Dot segments and doubled slashes removed, one trailing slash kept, all bytes but unreserved and `/` encoded.

    The path on the wire is encoded already, so this encodes twice (`%20` becomes `%2520`), as every service but S3
    does. Reading is by bytes: an encoded `%2E%2E` is no dot segment here.
    """
    if _NORMAL_PATH(raw_path):
        return raw_path.replace(b"%", b"%25")
    segments: list[bytes] = []
    for segment in raw_path.split(b"/"):
        if segment == b"..":
            if segments:  # above the root there is nothing to drop (RFC 3986 5.2.4)
                segments.pop()
        elif segment and segment != b".":
            segments.append(segment)
    slash = b"/" if segments and raw_path.endswith(b"/") else b""
    return _OTHER_IN_PATH(_escape, b"/%b%b" % (b"/".join(segments), slash))


def canonical_query(raw_query: bytes, *, plus: bytes = b" ", presigned: bool = False) -> bytes:
    """Parameters decoded, encoded again and sorted by name, then value; repeated names stay, `name` becomes `name=`.

    `plus` is the byte that `+` stands for: a space in a form, itself in RFC 3986. AWS does not say which it takes.
    `presigned` leaves out `X-Amz-Signature`, which the header form keeps.
    """
    if not raw_query:
        return b""
    # A zero byte, lower than any that an encoded text can hold, makes "a" sort before "a-b" as tuples would.
    if not presigned and _REGULAR_QUERY(raw_query):
        pairs = _OTHER_IN_REGULAR_QUERY(_escape, raw_query).replace(b"=", b"\0").split(b"&")
    else:
        pairs = []
        for parameter in raw_query.split(b"&"):
            name, _, value = parameter.partition(b"=")
            # By its bytes, as it is read: a name that only decodes to this is one more parameter, and signed.
            if not (presigned and name == _SIGNATURE_PARAMETER):
                pairs.append(b"%b\0%b" % (_encoded(name, plus), _encoded(value, plus)))
    pairs.sort()
    return b"&".join(pairs).replace(b"\0", b"=")


def _encoded(text: bytes, plus: bytes) -> bytes:
    if not text or text.isalnum():  # nothing in it to encode; a query may have thousands of these
        return text
    text = text.replace(b"+", plus)
    if b"%" in text:
        # A "%" that begins no escape stands for itself and becomes "%25".
        text = unquote_to_bytes(text)
    return _OTHER(_escape, text)


def _escape(found: re.Match[bytes]) -> bytes:
    return _ESCAPES[found[0]]


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
        found = layout.values_of(values)
    except KeyError:
        absent = next(name for name in layout.names if name not in values).decode()
        return Fault(
            FaultKind.INCOMPLETE,
            f"'{absent}' is named as a SignedHeader, but it does not exist in the HTTP request.",
        )
    # Quoted strings and folded lines (RFC 9110 5.5) are collapsed too, as the SDKs do.
    return layout.template % tuple([b" ".join(value.split()) for value in found])


def _joined(headers: HeaderList) -> dict[bytes, bytes]:
    """Repeated headers as one, values trimmed and joined by commas in the order of arrival."""
    values: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        values.setdefault(name, []).append(b" ".join(value.split()))
    return {name: b",".join(several) for name, several in values.items()}
