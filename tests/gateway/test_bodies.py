"""Bodies as they arrive: whole, too large, broken off, and too many at once."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from harness.gateway.bodies import SMALL_BODY_BYTES, Bodies
from harness.gateway.refusals import Condition
from harness.wire import MAX_BODY_BYTES

LARGE = b"x" * (SMALL_BODY_BYTES + 1)
LEAVES = None


def read(bodies: Bodies, pieces: Sequence[bytes | None]) -> bytes | Condition | None:
    """LEAVES instead of a piece: the client goes away there."""
    arriving = iter(pieces)
    left = [len(pieces)]

    async def receive() -> dict[str, Any]:
        left[0] -= 1
        piece = next(arriving)
        if piece is LEAVES:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": piece, "more_body": left[0] > 0}

    return asyncio.run(bodies.read(receive))


@pytest.mark.parametrize(
    ("pieces", "body"),
    [
        pytest.param([b"abc"], b"abc", id="in one piece"),
        pytest.param([b"a", b"", b"bc"], b"abc", id="in several"),
        pytest.param([b"x" * MAX_BODY_BYTES], b"x" * MAX_BODY_BYTES, id="just small enough"),
        pytest.param([b"x" * MAX_BODY_BYTES, b"x"], Condition.BODY_TOO_LARGE, id="a byte too large"),
        pytest.param([b"x" * MAX_BODY_BYTES, b"x", b"never read"], Condition.BODY_TOO_LARGE, id="read no further"),
        pytest.param([LEAVES], None, id="none"),
        pytest.param([b"abc", LEAVES], None, id="broken off"),
    ],
)
def test_a_body_is_read_to_its_end_or_its_limit(pieces: Sequence[bytes | None], body: bytes | None) -> None:
    bodies = Bodies()
    assert read(bodies, pieces) == body
    assert bodies.held == (len(body) if isinstance(body, bytes) else 0)


def test_bodies_together_have_a_limit_until_they_are_released() -> None:
    bodies = Bodies(most=len(LARGE))
    first = read(bodies, [LARGE])
    assert first == LARGE
    assert read(bodies, [LARGE]) is Condition.THROTTLED
    assert read(bodies, [LARGE[:1], LARGE[1:]]) is Condition.THROTTLED
    bodies.release(first)
    assert bodies.held == 0
    assert read(bodies, [LARGE]) == LARGE


def test_a_small_body_passes_however_much_is_held() -> None:
    bodies = Bodies(most=len(LARGE))
    read(bodies, [LARGE])
    assert read(bodies, [b"x" * SMALL_BODY_BYTES]) == b"x" * SMALL_BODY_BYTES


def test_a_read_that_is_cancelled_holds_nothing() -> None:
    bodies = Bodies()

    async def cancelled() -> None:
        waiting = asyncio.Event()
        pieces = iter([b"abc"])

        async def receive() -> dict[str, Any]:
            for piece in pieces:
                return {"type": "http.request", "body": piece, "more_body": True}
            waiting.set()
            await asyncio.Event().wait()
            raise AssertionError

        reading = asyncio.create_task(bodies.read(receive))
        await waiting.wait()
        assert bodies.held == 3
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)

    asyncio.run(cancelled())
    assert bodies.held == 0
