"""Requests that present the same but for the signature: one client's, signed in the same second over the same headers.

What follows from the rest (fields, scope, signing key, order of the headers) is worked out when the first of them has
been found good. What each of them asks is read, hashed and compared each time: nothing decided about one request is
used for another.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from operator import itemgetter
from typing import Generic, TypeVar

from harness.sigv4.canonical_request import EMPTY_PAYLOAD_HASH, canonical_path, canonical_query
from harness.sigv4.model import Presented
from harness.sigv4.signature import ALGORITHM, SigningKey
from harness.sigv4.timestamp import instant_of
from harness.wire import HttpRequest

_DIGITS = 64
_DATE = b"x-amz-date"
_TOKEN = b"x-amz-security-token"
# A header that is longer is not worth remembering.
_MOST_BYTES = 2048
_SECOND = timedelta(seconds=1)

T = TypeVar("T")


def alike_of(request: HttpRequest, values: Mapping[bytes, bytes]) -> tuple[object, ...] | None:
    """What requests have in common that recur; None for a request that is read the long way: a presigned one, one with
    repeated headers, one whose header does not end with the signature. `values`: its headers.
    """
    signed = values.get(b"authorization")
    if signed is None or len(signed) > _MOST_BYTES or len(values) != len(request.headers):
        return None
    common = signed[:-_DIGITS]
    date = values.get(_DATE)
    if date is None or not common.endswith(b" Signature=") or request.raw_query.find(b"X-Amz-") >= 0:
        return None
    return common, date, values.get(_TOKEN)


class Recurring(Generic[T]):
    """Requests of which `alike_of` says the same. `of`: whose they are."""

    __slots__ = ("_from", "_key", "_lines", "_names", "_start", "_until", "_values_of", "of")

    def __init__(
        self,
        of: T,
        presented: Presented,
        key: SigningKey,
        values: Mapping[bytes, bytes],
        *,
        skew_seconds: int,
        expires: datetime,
    ) -> None:
        """`presented` and `values`: of the first, which was verified. `expires`: when its session does."""
        instant = instant_of(presented.amz_date)
        if instant is None:
            raise ValueError("a request without a date was verified")
        names = [name.encode() for name in presented.signed_headers]
        scope = f"{presented.date}/{presented.region}/{presented.service}/{presented.terminator}"
        fixed = {name: _collapsed(values[name]) for name in (_DATE, _TOKEN) if name in names}
        lines = [b"%b:%b\n" % (_plain(name), _plain(fixed[name]) if name in fixed else b"%b") for name in names]
        self.of = of
        self._key = key
        # As `check_scope` has it: whole seconds, both ends of the window included.
        self._from = instant - timedelta(seconds=skew_seconds)
        self._until = min(expires, instant + timedelta(seconds=skew_seconds) + _SECOND)
        self._names = frozenset(presented.signed_headers)
        # `host` is signed in every request; named once more, because one name alone makes no tuple.
        self._values_of = itemgetter(b"host", *(name for name in names if name not in fixed))
        self._lines = b"%b\n%b\n%b\n" + b"".join(lines) + b"\n" + _plain(b";".join(names)) + b"\n%b"
        self._start = f"{ALGORITHM}\n{presented.amz_date}\n{scope}\n"

    def signs(
        self, request: HttpRequest, values: Mapping[bytes, bytes], *, now: datetime, must_sign: Sequence[str]
    ) -> bool:
        """Whether the request is in time and signed. False is no verdict: the long way says what is wrong with it, and
        tries the other reading of `+` as well.
        """
        if not self._from <= now < self._until:
            return False
        for name in must_sign:
            if name not in self._names:
                return False
        try:
            found = self._values_of(values)
        except KeyError:
            return False
        body = request.body
        canonical = self._lines % (
            request.method.upper().encode(),
            canonical_path(request.raw_path),
            canonical_query(request.raw_query),
            *[b" ".join(value.split()) for value in found[1:]],
            sha256(body).hexdigest().encode() if body else EMPTY_PAYLOAD_HASH,
        )
        signature = self._key.sign(self._start + sha256(canonical).hexdigest())
        return compare_digest(signature.encode(), values[b"authorization"][-_DIGITS:])


def _collapsed(value: bytes) -> bytes:
    return b" ".join(value.split())


def _plain(text: bytes) -> bytes:
    return text.replace(b"%", b"%%")
