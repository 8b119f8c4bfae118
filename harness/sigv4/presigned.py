"""The parameters of a presigned URL. Names are matched as SDKs write them: they hold nothing to be encoded."""

from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from harness.sigv4.model import Fault, FaultKind

MAX_EXPIRES_SECONDS = 604_800

_ALGORITHM = b"X-Amz-Algorithm"
_CREDENTIAL = b"X-Amz-Credential"
_SIGNATURE = b"X-Amz-Signature"
_SIGNED_HEADERS = b"X-Amz-SignedHeaders"
_DATE = b"X-Amz-Date"
_EXPIRES = b"X-Amz-Expires"
_TOKEN = b"X-Amz-Security-Token"
_REQUIRED = (_ALGORITHM, _CREDENTIAL, _SIGNATURE, _SIGNED_HEADERS, _DATE)
_ALL = frozenset({*_REQUIRED, _EXPIRES, _TOKEN})


class Parameters(NamedTuple):
    """Decoded values, printable ASCII. `expires` is in seconds, None when the URL does not say."""

    algorithm: str
    credential: str
    signature: str
    signed_headers: str
    amz_date: str
    expires: int | None
    security_token: str | None


def has_parameters(raw_query: bytes) -> bool:
    return _ALGORITHM in raw_query and any(
        parameter.partition(b"=")[0] == _ALGORITHM for parameter in raw_query.split(b"&")
    )


def read_parameters(raw_query: bytes) -> Parameters | Fault:
    values: dict[bytes, str] = {}
    for parameter in raw_query.split(b"&"):
        name, _, value = parameter.partition(b"=")
        if name not in _ALL:
            continue
        if name in values:
            return _incomplete(f"Query-string parameter '{name.decode()}' is given more than once. ")
        decoded = unquote_to_bytes(value).decode("latin-1")
        if not (decoded.isascii() and decoded.isprintable()):
            return _incomplete(f"Query-string parameter '{name.decode()}' is not printable ASCII. ")
        values[name] = decoded
    missing = [name.decode() for name in _REQUIRED if not values.get(name)]
    if missing:
        return _incomplete("".join(f"AWS query-string parameters must include '{name}'. " for name in missing))
    expires = values.get(_EXPIRES)
    if expires is not None and not (
        expires.isdecimal() and len(expires) <= 6 and 1 <= int(expires) <= MAX_EXPIRES_SECONDS
    ):
        return _incomplete(f"X-Amz-Expires must be from 1 to {MAX_EXPIRES_SECONDS} seconds. ")
    return Parameters(
        algorithm=values[_ALGORITHM],
        credential=values[_CREDENTIAL],
        signature=values[_SIGNATURE],
        signed_headers=values[_SIGNED_HEADERS],
        amz_date=values[_DATE],
        expires=None if expires is None else int(expires),
        security_token=values.get(_TOKEN) or None,
    )


def _incomplete(sentences: str) -> Fault:
    return Fault(FaultKind.INCOMPLETE, f"{sentences}Re-examine the query-string parameters.")
