"""Receipt handles: which hand-out of which message of which queue, with a code that only the landscape can make."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as BinasciiError

import orjson

from harness.queues.dispenser import Handle

_CODE_BYTES = 16
MOST_CHARACTERS = 1024


class Receipts:
    """`master_key`: the landscape's, so that every edge takes every edge's handles."""

    def __init__(self, master_key: bytes) -> None:
        self._key = hmac.digest(master_key, b"domain-harness receipt handles", "sha256")

    def write(self, queue_id: str, handle: Handle) -> str:
        content = orjson.dumps([queue_id, handle.sequence, handle.lane, handle.receipt])
        return urlsafe_b64encode(self._code(content) + content).decode()

    def read(self, queue_id: str, text: str) -> Handle | None:
        """None for what this landscape did not hand out for this queue."""
        if not text.isascii() or len(text) > MOST_CHARACTERS:
            return None
        try:
            data = urlsafe_b64decode(text)
        except (BinasciiError, ValueError):
            return None
        code, content = data[:_CODE_BYTES], data[_CODE_BYTES:]
        if not hmac.compare_digest(code, self._code(content)):
            return None
        owner, sequence, lane, receipt = orjson.loads(content)
        return Handle(sequence, lane, receipt) if owner == queue_id else None

    def _code(self, content: bytes) -> bytes:
        return hmac.digest(self._key, content, "sha256")[:_CODE_BYTES]
