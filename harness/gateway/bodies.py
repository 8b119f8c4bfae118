"""Bodies of requests, read whole since the signature covers them, and never more of them than the process can hold."""

from harness.gateway.refusals import Condition
from harness.gateway.reply import Receive
from harness.wire import MAX_BODY_BYTES

# Whoever can reach a listener can send a body, so that all bodies together have a limit too; small ones always pass.
MAX_HELD_BYTES = 268_435_456
SMALL_BODY_BYTES = 65_536


class Bodies:
    """`held`: the bytes of all bodies that are being read or were read and not released."""

    __slots__ = ("_most", "held")

    def __init__(self, most: int = MAX_HELD_BYTES) -> None:
        self.held = 0
        self._most = most

    async def read(self, receive: Receive) -> bytes | Condition | None:
        """The body; or why no more of it is read; or None when the client left. Release a body that is done with."""
        pieces: list[bytes] = []
        size = 0
        whole = False
        try:
            while not whole:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return None
                piece: bytes = message.get("body", b"")
                pieces.append(piece)
                size += len(piece)
                self.held += len(piece)
                if size > MAX_BODY_BYTES:
                    return Condition.BODY_TOO_LARGE
                if self.held > self._most and size > SMALL_BODY_BYTES:
                    return Condition.THROTTLED
                whole = not message.get("more_body", False)
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)
        finally:
            if not whole:
                self.held -= size

    def hold(self, body: bytes) -> None:
        """Counts a body that was read by somebody else; for small ones, which always pass."""
        self.held += len(body)

    def release(self, body: bytes) -> None:
        self.held -= len(body)
