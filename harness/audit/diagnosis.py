"""What is wrong with a signature, as far as it can be told: which part of the request differs from the signed one.

A signature says only yes or no. So likely mistakes are made on purpose, one at a time: the one under which the
signature is right is the one that the caller made. For the owner of the landscape alone; a caller is told what AWS
tells.
"""

import hmac
from collections.abc import Iterator
from datetime import datetime
from urllib.parse import quote, unquote_to_bytes

from harness.identity import Directory, Sealer, account_of
from harness.sigv4 import Presented, SigningKeys, canonical_path, canonical_request
from harness.sigv4.canonical_request import EMPTY_PAYLOAD_HASH
from harness.sigv4.signature import string_to_sign
from harness.wire import HttpRequest

_METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS")
# Other headers may hold a token.
_SHOWN = frozenset({"host", "content-type"})
_METHOD, _PATH, _QUERY, _FIRST_HEADER = 0, 1, 2, 3


def key_trouble(presented: Presented, sealer: Sealer, directory: Directory, now: datetime) -> str:
    """Why a key or token is not known: a cause of `causes.CAUSES`."""
    key, token = presented.access_key_id, presented.security_token
    account = account_of(key)
    if key.startswith("AKIA") or account is None or account not in directory.accounts:
        return "unknown-key"
    if token is None:
        return "no-token"
    session = sealer.open(key, token)
    if session is None:
        return "token-of-another-key"
    if now >= session.expires:
        return "expired-token"
    return "role-gone" if session.role_arn not in directory.roles else "session-policy-unreadable"


def signature_trouble(
    request: HttpRequest, body_hash: str, presented: Presented, secret: str, keys: SigningKeys
) -> tuple[str, str]:
    """A cause (`mismatch-path`, `-query`, `-method`, `-header`, `-body`, or `mismatch`) and what was signed instead."""
    canonical = canonical_request(request, presented.signed_headers, presigned=presented.presigned)
    if not isinstance(canonical, bytes):
        return "mismatch", ""
    lines = canonical.split(b"\n")
    lines[-1] = body_hash.encode()
    key = keys.get(secret, presented.date, presented.region, presented.service)
    scope = f"{presented.date}/{presented.region}/{presented.service}/{presented.terminator}"
    for cause, detail, variant in _variants(request, presented, lines):
        text = string_to_sign(b"\n".join(variant), presented.amz_date, scope)
        if hmac.compare_digest(key.sign(text), presented.signature):
            return cause, detail
    return "mismatch", ""


def _variants(request: HttpRequest, presented: Presented, lines: list[bytes]) -> Iterator[tuple[str, str, list[bytes]]]:
    def changed(at: int, value: bytes) -> list[bytes]:
        return [*lines[:at], value, *lines[at:][1:]]

    last = len(lines) - 1
    claimed = request.header(b"x-amz-content-sha256")
    if claimed and claimed != lines[-1]:
        unsigned = claimed == b"UNSIGNED-PAYLOAD"
        yield "mismatch-body", "UNSIGNED-PAYLOAD" if unsigned else "another body", changed(last, claimed)
    yield "mismatch-body", "no body", changed(last, EMPTY_PAYLOAD_HASH)
    yield "mismatch-body", "UNSIGNED-PAYLOAD", changed(last, b"UNSIGNED-PAYLOAD")
    for method in _METHODS:
        yield "mismatch-method", method, changed(_METHOD, method.encode())
    for path in _paths(request.raw_path):
        yield "mismatch-path", path.decode("ascii", "backslashreplace"), changed(_PATH, path)
    for detail, query in _queries(request.raw_query):
        yield "mismatch-query", detail, changed(_QUERY, query)
    for at, name in enumerate(presented.signed_headers, start=_FIRST_HEADER):
        for value in _header_values(name, lines[at].partition(b":")[2]):
            shown = value.decode("ascii", "backslashreplace") if name in _SHOWN else "another value"
            detail = f"{name}: {shown}"
            yield "mismatch-header", detail, changed(at, f"{name}:".encode() + value)


def _paths(raw: bytes) -> Iterator[bytes]:
    """Encoded once (as for S3), decoded, without or with a trailing slash, without the stage, without normalising."""
    yield raw
    yield quote(unquote_to_bytes(raw), safe=b"/").encode()
    yield quote(raw, safe=b"/").encode()
    yield canonical_path(raw[:-1] if raw.endswith(b"/") and len(raw) > 1 else raw + b"/")
    yield canonical_path(raw[raw.find(b"/", 1) :] if b"/" in raw[1:] else b"/")
    yield canonical_path(raw.lower())
    yield b"/"


def _queries(raw: bytes) -> Iterator[tuple[str, bytes]]:
    yield "no query", b""
    if raw:
        yield "the query without sorting", raw
        yield "the query without encoding", b"&".join(sorted(unquote_to_bytes(raw).split(b"&")))


def _header_values(name: str, value: bytes) -> Iterator[bytes]:
    if name == "host":
        bare, _, port = value.partition(b":")
        yield bare
        for other in (b"localhost", b"127.0.0.1"):
            yield other
            yield other + b":" + (port or b"4566")
    elif name == "content-type":
        yield from (b"application/json", value.partition(b";")[0], value + b"; charset=utf-8", b"")
    else:
        yield b""
        yield value.lower()
