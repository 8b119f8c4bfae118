"""What a request presents to be recognised by: the Authorization header or the parameters of a presigned URL.

Parses and nothing more; text that could be read in two ways is refused. Repeated headers count as one, joined by commas
(RFC 9110 5.3), which makes every header that is read here invalid.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from harness.sigv4.model import Fault, FaultKind, Presented
from harness.sigv4.presigned import Parameters, has_parameters, read_parameters
from harness.sigv4.scope import malformed_date
from harness.sigv4.signature import ALGORITHM
from harness.sigv4.timestamp import from_http_date, instant_of
from harness.wire import HttpRequest

MAX_AUTHORIZATION_BYTES = 10_240  # API Gateway's quota for all headers of a request together

_REMEMBERED_BYTES = 2048
_HEX_DIGITS = 64
_PARTS = ("Credential", "Signature", "SignedHeaders")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+").fullmatch  # a token (RFC 9110 5.6.2) in lower case


class _Fields(NamedTuple):
    """The head of a `Presented`, in its order."""

    access_key_id: str
    date: str
    region: str
    service: str
    terminator: str
    signed_headers: tuple[str, ...]


def read_authorization(request: HttpRequest) -> Presented | Fault:
    """The credentials of a request in either form, unverified.

    A fault is MISSING (no form at all), INCOMPLETE (parts missing or unreadable), UNKNOWN_KEY (a session token that
    nobody can have issued) or MISMATCH (both forms at once, or `host` not signed; AWS calls both an invalid signature).
    """
    headers = dict(request.headers)
    if len(headers) != len(request.headers):
        headers = _joined(request)
    authorization = headers.get(b"authorization")
    if request.raw_query and has_parameters(request.raw_query):
        if authorization:
            return Fault(
                FaultKind.MISMATCH,
                "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.",
            )
        parameters = read_parameters(request.raw_query)
        return parameters if isinstance(parameters, Fault) else _from_query(parameters)
    if not authorization:
        return Fault(FaultKind.MISSING, "Missing Authentication Token")
    return _from_header(authorization, headers)


def _joined(request: HttpRequest) -> dict[bytes, bytes]:
    headers: dict[bytes, bytes] = {}
    for name, value in request.headers:
        headers[name] = headers[name] + b"," + value if name in headers else value
    return headers


def _from_query(parameters: Parameters) -> Presented | Fault:
    if instant_of(parameters.amz_date) is None:
        return malformed_date(parameters.amz_date)
    fields = _fields(parameters.algorithm, parameters.credential, parameters.signed_headers)
    if isinstance(fields, Fault):
        return fields
    return Presented(
        *fields,
        parameters.signature,
        parameters.amz_date,
        parameters.security_token,
        presigned=True,
        expires=parameters.expires,
    )


def _from_header(value: bytes, headers: Mapping[bytes, bytes]) -> Presented | Fault:
    amz_date = _amz_date(headers)
    # All but the signature is the same in every request that a client signs in a day.
    digits = value[-_HEX_DIGITS:]
    common = len(value) <= _REMEMBERED_BYTES and digits.isalnum()
    fields = _remembered(value[:-_HEX_DIGITS]) if common else None
    if fields is not None and isinstance(amz_date, str):
        signature = digits.decode()
    else:
        # The order of these checks is AWS's: form, missing parts, date, then what the parts say.
        parts = _parts(value, dated=amz_date is not None)
        if isinstance(parts, Fault):
            return parts
        if not isinstance(amz_date, str):
            return amz_date or malformed_date("")
        checked = _fields(parts[""], parts["Credential"], parts["SignedHeaders"])
        if isinstance(checked, Fault):
            return checked
        fields, signature = checked, parts["Signature"]
    token = headers.get(b"x-amz-security-token")
    if not token:
        return Presented(*fields, signature, amz_date, None)
    if not token.isascii():
        return Fault(FaultKind.UNKNOWN_KEY, "The security token included in the request is invalid.")
    return Presented(*fields, signature, amz_date, token.decode())


@lru_cache(maxsize=1024)
def _remembered(head: bytes) -> _Fields | None:
    """The fields of a header that ends with a signature and is otherwise sound; None sends it the long way round."""
    if not head.endswith(b" Signature="):
        return None
    parts = _parts(head + b"0" * _HEX_DIGITS, dated=True)
    if isinstance(parts, Fault):
        return None
    fields = _fields(parts[""], parts["Credential"], parts["SignedHeaders"])
    return None if isinstance(fields, Fault) else fields


def _parts(value: bytes, *, dated: bool) -> dict[str, str] | Fault:
    """The parts of an Authorization header by name, the algorithm under the empty name."""
    shown = _shown(value[:MAX_AUTHORIZATION_BYTES])
    if len(value) > MAX_AUTHORIZATION_BYTES:
        return Fault(FaultKind.INCOMPLETE, f"Authorization header is longer than {MAX_AUTHORIZATION_BYTES} bytes.")
    if shown != value.decode("latin-1"):
        return Fault(FaultKind.INCOMPLETE, f"Authorization header is not printable ASCII. Authorization={shown}")
    algorithm, _, rest = shown.partition(" ")
    parts = {"": algorithm}
    for pair in rest.replace(",", " ").split():
        name, equals, text = pair.partition("=")
        if not equals or not name:
            return Fault(
                FaultKind.INCOMPLETE,
                f"'{pair}' not a valid key=value pair (missing equal-sign) in Authorization header: '{shown}'.",
            )
        if name in parts:
            return Fault(
                FaultKind.INCOMPLETE,
                f"Authorization header has more than one '{name}' parameter. Authorization={shown}",
            )
        parts[name] = text
    missing = [f"Authorization header requires '{name}' parameter. " for name in _PARTS if name not in parts]
    if not dated:
        missing.append("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ")
    if missing:
        return Fault(FaultKind.INCOMPLETE, f"{''.join(missing)}Authorization={shown}")
    return parts


def _fields(algorithm: str, credential: str, signed_headers: str) -> _Fields | Fault:
    names = tuple(signed_headers.split(";")) if signed_headers else ()
    if list(names) != sorted(set(names)) or not all(map(_HEADER_NAME, names)):
        return Fault(
            FaultKind.INCOMPLETE,
            "SignedHeaders must be lower-case header names, sorted, each of them once, "
            f"separated by semicolons, got '{signed_headers}'",
        )
    if "host" not in names:
        return Fault(FaultKind.MISMATCH, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
    if algorithm != ALGORITHM:
        return Fault(FaultKind.INCOMPLETE, f"Unsupported AWS 'algorithm': '{algorithm}' (only {ALGORITHM} for now). ")
    scope = credential.split("/")
    if len(scope) != 5 or not all(scope):
        return Fault(
            FaultKind.INCOMPLETE,
            "Credential must have exactly 5 slash-delimited elements, "
            f"e.g. keyid/date/region/service/term, got '{credential}'",
        )
    access_key_id, date, region, service, terminator = scope
    return _Fields(access_key_id, date, region, service, terminator, names)


def _amz_date(headers: Mapping[bytes, bytes]) -> str | Fault | None:
    """ISO 8601 basic; a Fault for a date that cannot be read, None without one. `X-Amz-Date` goes before `Date`."""
    value = headers.get(b"x-amz-date")
    if value is not None:
        text = value.decode("latin-1")
        return text if instant_of(text) is not None else malformed_date(_shown(value))
    value = headers.get(b"date")
    if value is None:
        return None
    text = _shown(value)
    return from_http_date(text) or malformed_date(text)


def _shown(value: bytes) -> str:
    """Printable ASCII as it is, anything else escaped so that it can stand in an answer."""
    text = value.decode("latin-1")
    return text if text.isascii() and text.isprintable() else repr(value)[2:-1]
