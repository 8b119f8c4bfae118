"""Containers that stall, die, pour or close, and what a client gets of it."""

import asyncio
import threading

import orjson
import pytest

from tests.gateway.containers import OK, Wire
from tests.gateway.landscape import a_call
from tests.gateway.running import RawClient, on_the_wire, running
from tests.gateway.test_server import SIGNED


def test_the_first_byte_arrives_before_the_last_is_sent() -> None:
    more = threading.Event()

    async def in_two(wire: Wire) -> None:
        await wire.request()
        await wire.say(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        await asyncio.to_thread(more.wait, 60)
        await wire.say(b"4\r\nlast\r\n0\r\n\r\n")
        await wire.gone()

    with running(in_two) as edge:
        client = RawClient(edge.address)
        client.send(SIGNED)
        assert client.read_until(lambda arrived: b"first" in arrived).startswith(b"HTTP/1.1 200 OK\r\n")
        more.set()
        got = client.answer()
        assert (got.body, got.whole) == (b"firstlast", True)
        client.send(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        assert client.answer().status == 403


@pytest.mark.parametrize(
    ("said", "body"),
    [
        pytest.param(b"content-length: 99\r\n\r\nfirst", b"first", id="short of its length"),
        pytest.param(b"transfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n", b"first", id="without the last chunk"),
    ],
)
def test_a_container_that_dies_mid_answer_leaves_a_client_that_can_tell(said: bytes, body: bytes) -> None:
    more = threading.Event()

    async def dies(wire: Wire) -> None:
        await wire.request()
        await wire.say(b"HTTP/1.1 200 OK\r\n" + said)
        await asyncio.to_thread(more.wait, 60)

    with running(dies) as edge:
        client = RawClient(edge.address)
        client.send(SIGNED)
        client.read_until(lambda arrived: b"first" in arrived)
        more.set()
        got = client.answer()
        assert (got.status, got.body, got.whole) == (200, body, False)
        assert client.ended()


def test_an_answer_cut_off_before_anything_was_passed_on_is_a_502() -> None:
    async def dies(wire: Wire) -> None:
        await wire.request()
        await wire.say(b"HTTP/1.1 200 OK\r\ncontent-")

    with running(dies) as edge:
        client = RawClient(edge.address)
        client.send(SIGNED)
        assert client.answer().status == 502


def test_a_container_that_is_silent_times_out() -> None:
    async def silent(wire: Wire) -> None:
        await wire.gone()

    with running(silent, timeout=0.05) as edge:
        client = RawClient(edge.address)
        client.send(SIGNED)
        got = client.answer()
        assert (got.status, orjson.loads(got.body)) == (504, {"message": "Endpoint request timed out"})
        assert got.headers["x-amzn-errortype"] == "InternalServerErrorException"


def test_a_container_that_closes_idle_connections_is_no_trouble() -> None:
    async def once(wire: Wire) -> None:
        await wire.request()
        await wire.say(OK)

    with running(once) as edge:
        client = RawClient(edge.address)
        for _ in range(20):
            client.send(SIGNED)
            assert client.answer().body == b"ok"


def test_when_the_client_goes_away_the_containers_connection_is_closed() -> None:
    closed = threading.Event()

    async def pour(wire: Wire) -> None:
        await wire.request()
        await wire.say(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        await wire.gone()
        closed.set()

    with running(pour) as edge:
        client = RawClient(edge.address)
        client.send(SIGNED)
        client.read_until(lambda arrived: b"first" in arrived)
        client.close()
        assert closed.wait(60)


def test_a_slow_reader_gets_all_of_a_large_answer() -> None:
    size = 8 * 1_048_576

    async def pour(wire: Wire) -> None:
        await wire.request()
        await wire.say(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size, *[b"x" * 65_536] * (size // 65_536))
        await wire.gone()

    with running(pour) as edge:
        client = RawClient(edge.address)
        client.send(SIGNED)
        got = client.answer()
        assert (len(got.body), got.whole) == (size, True)


def test_http_1_0_gets_a_stream_with_its_length() -> None:
    async def chunks(wire: Wire) -> None:
        await wire.request()
        await wire.say(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"2\r\nok\r\n", b"0\r\n\r\n")
        await wire.gone()

    with running(chunks) as edge:
        client = RawClient(edge.address)
        client.send(on_the_wire(a_call(), version=b"1.0"))
        got = client.answer()
        assert (got.headers["content-length"], got.body) == ("2", b"ok")
        assert client.ended()


@pytest.mark.parametrize(
    "body", [pytest.param(b"", id="the short way"), pytest.param(b"x" * 100_000, id="the long way")]
)
def test_http_1_0_is_not_withheld_more_than_an_answer_may_have(body: bytes) -> None:
    async def pours(wire: Wire) -> None:
        await wire.request()
        await wire.say(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        try:
            while True:
                await wire.say(b"100000\r\n" + b"x" * 1_048_576 + b"\r\n")
        except ConnectionError:
            return

    with running(pours) as edge:
        client = RawClient(edge.address)
        client.send(on_the_wire(a_call("POST", body=body), version=b"1.0"))
        assert client.answer().status == 502
        assert client.ended()


def test_http_1_0_gets_a_long_answer_as_it_comes_when_its_length_is_known() -> None:
    size = 12_000_000

    async def pours(wire: Wire) -> None:
        await wire.request()
        await wire.say(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size, b"x" * size)
        await wire.gone()

    with running(pours) as edge:
        client = RawClient(edge.address)
        client.send(on_the_wire(a_call(), version=b"1.0"))
        got = client.answer()
        assert (len(got.body), got.whole) == (size, True)
        assert client.ended()
