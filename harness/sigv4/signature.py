"""String to sign, signing key, signature; and the check of a signature that was presented.

Source: AWS, "Create a signed AWS API request", steps 2 to 4.
"""

import hmac
from collections import OrderedDict
from hashlib import sha256

from harness.sigv4.canonical_request import canonical_request
from harness.sigv4.model import Fault, FaultKind, Presented
from harness.wire import HttpRequest

ALGORITHM = "AWS4-HMAC-SHA256"

_BLOCK_BYTES = 64
_INNER_PAD = bytes(byte ^ 0x36 for byte in range(256))
_OUTER_PAD = bytes(byte ^ 0x5C for byte in range(256))

# Control characters that XML cannot carry; a newline is the only one that a canonical request needs.
_ESCAPED = {code: f"\\x{code:02x}" for code in (*range(10), *range(11, 32), 127)}


def string_to_sign(canonical: bytes, amz_date: str, scope: str) -> str:
    """`scope` is `date/region/service/aws4_request`."""
    return f"{ALGORITHM}\n{amz_date}\n{scope}\n{sha256(canonical).hexdigest()}"


class SigningKey:
    """A derived key, ready to sign. `sign` is the HMAC of RFC 2104, whose two key blocks are hashed here once."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, secret: str, date: str, region: str, service: str) -> None:
        key = ("AWS4" + secret).encode()
        for part in (date, region, service, "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        block = key.ljust(_BLOCK_BYTES, b"\0")
        self._inner = sha256(block.translate(_INNER_PAD))
        self._outer = sha256(block.translate(_OUTER_PAD))

    def sign(self, text: str) -> str:
        """The signature of a string to sign, in lower-case hex."""
        inner = self._inner.copy()
        inner.update(text.encode())
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.hexdigest()


class SigningKeys:
    """Derived keys of the latest `size` pairs of secret and scope, least recently used dropped first.

    The secret is part of the place, so that a rotated one never meets the key of its predecessor.
    """

    def __init__(self, size: int = 1024) -> None:
        self._size = size
        self._keys: OrderedDict[tuple[str, str, str, str], SigningKey] = OrderedDict()

    def __len__(self) -> int:
        return len(self._keys)

    def get(self, secret: str, date: str, region: str, service: str) -> SigningKey:
        place = (secret, date, region, service)
        key = self._keys.get(place)
        if key is None:
            key = self._keys[place] = SigningKey(secret, date, region, service)
            if len(self._keys) > self._size:
                self._keys.popitem(last=False)
        else:
            self._keys.move_to_end(place)
        return key


def verify(request: HttpRequest, presented: Presented, secret: str, keys: SigningKeys | None = None) -> Fault | None:
    """Whether `presented` signs `request` with `secret`; None when it does.

    A `+` in the query may have been signed as a space or as itself; either is accepted. The fault shows both strings
    that should have been signed, as AWS does. Check the scope first: it is signed, but its values are the caller's.
    """
    derive = SigningKey if keys is None else keys.get
    key = derive(secret, presented.date, presented.region, presented.service)
    scope = f"{presented.date}/{presented.region}/{presented.service}/{presented.terminator}"
    canonical = canonical_request(request, presented.signed_headers, presigned=presented.presigned)
    if isinstance(canonical, Fault):
        return canonical
    text = string_to_sign(canonical, presented.amz_date, scope)
    if hmac.compare_digest(key.sign(text), presented.signature):
        return None
    if b"+" in request.raw_query:
        other = canonical_request(request, presented.signed_headers, presigned=presented.presigned, plus=b"+")
        if isinstance(other, bytes):
            signature = key.sign(string_to_sign(other, presented.amz_date, scope))
            if hmac.compare_digest(signature, presented.signature):
                return None
    return _mismatch(canonical, text)


def _mismatch(canonical: bytes, text: str) -> Fault:
    return Fault(
        FaultKind.MISMATCH,
        "The request signature we calculated does not match the signature you provided. "
        "Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
        "\n\nThe Canonical String for this request should have been\n"
        f"'{canonical.decode(errors='backslashreplace').translate(_ESCAPED)}'"
        f"\n\nThe String-to-Sign should have been\n'{text}'\n",
    )
