"""Bodies of answers as they arrive: streamed, held back, broken off, not wanted."""

import asyncio
import socket
import struct
from collections.abc import Coroutine
from typing import Any, cast

import pytest

from harness.gateway.connection import HIGH_WATER_BYTES
from harness.gateway.exchange import Answer, BodyBrokeOff, Exchange, UpstreamFault
from harness.gateway.upstream import PooledClient
from tests.gateway.containers import Wire, container, until
from tests.gateway.test_upstream import get, run, whole


def test_a_body_streams_before_it_is_whole() -> None:
    more = asyncio.Event()

    async def in_two(wire: Wire) -> None:
        await wire.request()
        await wire.say(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        await more.wait()
        await wire.say(b"4\r\nlast\r\n0\r\n\r\n")
        await wire.gone()

    async def scene() -> None:
        async with container(in_two) as to:
            client = PooledClient()
            answer = await get(client, to)
            assert isinstance(answer, Answer)
            assert (answer.complete, answer.body) == (False, b"first")
            more.set()
            assert [piece async for piece in answer.rest()] == [b"last"]

    run(scene)


def test_the_container_is_held_back_while_nobody_reads() -> None:
    size = 64 * 1_048_576
    written = [0]

    async def pour(wire: Wire) -> None:
        await wire.request()
        await wire.say(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size)
        while written[0] < size:
            await wire.say(b"x" * 65_536)
            written[0] += 65_536
        await wire.gone()

    async def scene() -> None:
        async with container(pour) as to:
            answer = await get(PooledClient(), to)
            assert isinstance(answer, Answer)
            stalled_at = -1
            while stalled_at != written[0]:  # until the sender gets no further
                stalled_at = written[0]
                await asyncio.sleep(0.05)
            assert stalled_at < size
            assert answer.exchange is not None
            assert answer.exchange.held < 4 * HIGH_WATER_BYTES
            assert len((await whole(answer) or (0, b""))[1]) == size

    run(scene)


@pytest.mark.parametrize(
    ("head", "reset"),
    [
        pytest.param(b"content-length: 99\r\n", False, id="short of its length"),
        pytest.param(b"transfer-encoding: chunked\r\n", False, id="without the last chunk"),
        pytest.param(b"content-length: 99\r\n", True, id="reset"),
        pytest.param(b"", True, id="reset where only closing would end it"),
    ],
)
def test_a_body_that_breaks_off_is_no_whole_body(head: bytes, reset: bool) -> None:
    more = asyncio.Event()

    async def dies(wire: Wire) -> None:
        await wire.request()
        await wire.say(
            b"HTTP/1.1 200 OK\r\n" + head + b"\r\n" + (b"5\r\nfirst\r\n" if b"chunked" in head else b"first")
        )
        await more.wait()
        if reset:
            sock: socket.socket = wire.writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    async def scene() -> None:
        async with container(dies) as to:
            client = PooledClient()
            answer = await get(client, to)
            assert isinstance(answer, Answer)
            assert answer.body == b"first"
            more.set()
            with pytest.raises(BodyBrokeOff):
                await whole(answer)
            await until(lambda: client.open_connections(to.origin) == 0)

    run(scene)


def with_seconds_left(answer: Answer | UpstreamFault, seconds: float) -> Answer:
    """Its head came in time, however busy the machine is; the body has less."""
    assert isinstance(answer, Answer)
    assert answer.exchange is not None
    assert answer.exchange._budget > seconds
    answer.exchange._budget = seconds
    return answer


def test_a_body_that_stalls_breaks_off_after_the_timeout() -> None:
    async def stalls(wire: Wire) -> None:
        await wire.request()
        await wire.say(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nfirst")
        await wire.gone()

    async def scene() -> None:
        async with container(stalls) as to:
            answer = with_seconds_left(await get(PooledClient(), to), 0.2)
            with pytest.raises(BodyBrokeOff):
                await whole(answer)

    run(scene)


def test_a_body_that_drips_breaks_off_when_the_time_for_all_of_it_is_used_up() -> None:
    async def drips(wire: Wire) -> None:
        await wire.request()
        await wire.say(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
        while True:
            await wire.say(b"x")
            await asyncio.sleep(0.01)

    async def scene() -> None:
        async with container(drips) as to:
            answer = with_seconds_left(await get(PooledClient(), to), 0.2)
            with pytest.raises(BodyBrokeOff):
                await whole(answer)

    run(scene)


class HandClock:
    """A loop whose time is set, and the connection that is asked to wait by it."""

    now = 0.0

    def __init__(self) -> None:
        self.waits: list[float] = []

    def time(self) -> float:
        return self.now

    def create_future(self) -> asyncio.Future[None]:
        return asyncio.get_running_loop().create_future()

    def expect_within(self, seconds: float) -> float:
        self.waits.append(seconds)
        return self.now + seconds

    def expect_nothing(self, exchange: Exchange) -> None: ...

    def resume_reading(self) -> None: ...

    def fail(self, exchange: Exchange, fault: UpstreamFault) -> None: ...


def test_the_time_that_the_reader_takes_is_not_the_containers() -> None:
    clock = HandClock()
    exchange = Exchange(clock, cast(asyncio.AbstractEventLoop, clock), False)

    async def after(seconds: float, piece: bytes, waiting: Coroutine[Any, Any, Any]) -> Any:
        reader = asyncio.create_task(waiting)
        await asyncio.sleep(0)  # it waits now
        clock.now += seconds
        exchange.head_done = True
        exchange.pieces.append(piece)
        exchange.wake()
        return await reader

    async def scene() -> None:
        assert (await after(1, b"a", exchange.answer(10))).body == b"a"
        clock.now += 100
        assert await after(2, b"b", exchange.next_piece()) == b"b"
        clock.now += 100
        assert await after(3, b"c", exchange.next_piece()) == b"c"

    run(scene)
    assert clock.waits == [10, 9, 7]


def test_a_body_that_is_not_wanted_any_more_closes_its_connection() -> None:
    closed = asyncio.Event()

    async def pour(wire: Wire) -> None:
        await wire.request()
        await wire.say(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nfirst")
        await wire.gone()
        closed.set()

    async def scene() -> None:
        async with container(pour) as to:
            answer = await get(PooledClient(), to)
            assert isinstance(answer, Answer)
            answer.abort()
            await closed.wait()

    run(scene)


@pytest.mark.parametrize(
    ("first", "piece"),
    [
        pytest.param(b"0\r\n", b"x-more: " + b"x" * 1000 + b"\r\n", id="fields of a trailer"),
        pytest.param(b"0\r\nx-more: ", b"x" * 1000, id="one field of a trailer"),
        pytest.param(b"5;more=", b"x" * 1000, id="the extension of a chunk"),
    ],
)
def test_what_is_no_body_and_does_not_end_is_given_up(first: bytes, piece: bytes) -> None:
    async def pours(wire: Wire) -> None:
        await wire.request()
        await wire.say(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n", first)
        try:
            while True:
                await wire.say(piece)
        except ConnectionError:
            return

    async def scene() -> None:
        async with container(pours) as to:
            client = PooledClient()
            answer = await get(client, to)
            with pytest.raises(BodyBrokeOff, match="malformed"):
                await whole(answer)
            await until(lambda: client.open_connections(to.origin) == 0)

    run(scene)
