"""The identifiers that API Gateway gives requests and resources. They name, they protect nothing."""

import hashlib
import os
from binascii import b2a_base64
from collections.abc import Callable

Ids = tuple[str, str, str]
"""Of a request: `x-amzn-RequestId` (UUID version 4), `x-amz-apigw-id` (16 characters and a `=`), `X-Amzn-Trace-Id`."""

_BYTES_EACH = 47  # 16 of the request id, 11 of the extended one, 12 and 8 of the trace
_BATCH = 64
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}  # RFC 9562 section 4.1


class Identifiers:
    """Makes them in batches: one by one, they would cost a call more than its signature's hash does."""

    __slots__ = ("_batch", "_entropy")

    def __init__(self, entropy: Callable[[int], bytes] = os.urandom) -> None:
        self._entropy = entropy
        self._batch: list[tuple[str, str, str]] = []

    def draw(self, epoch_seconds: int) -> Ids:
        if not self._batch:
            drawn = self._entropy(_BYTES_EACH * _BATCH)
            self._batch = [_formed(drawn[at : at + _BYTES_EACH]) for at in range(0, len(drawn), _BYTES_EACH)]
        request_id, extended_id, trace = self._batch.pop()
        return request_id, extended_id, f"Root=1-{epoch_seconds:08x}-{trace}"


def _formed(drawn: bytes) -> tuple[str, str, str]:
    h = drawn.hex()
    return (
        f"{h[:8]}-{h[8:12]}-4{h[13:16]}-{_VARIANT[h[16]]}{h[17:20]}-{h[20:32]}",
        b2a_base64(drawn[16:27], newline=False).decode(),
        f"{h[54:78]};Parent={h[78:]};Sampled=0",
    )


def stable_id(of: str) -> str:
    """Six lower-case letters or digits, the same in every process and after every restart."""
    number = int.from_bytes(hashlib.sha256(of.encode()).digest()[:8])
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    return "".join(digits[number // 36**place % 36] for place in range(6))
