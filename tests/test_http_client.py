"""The client for targets against targets that answer what no honest one would."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from harness.http_client import HttpClient, TargetUnreachable, is_off_limits

pytestmark = pytest.mark.anyio

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


@asynccontextmanager
async def a_target(*answers: bytes, end: bool = False) -> AsyncIterator[tuple[str, list[int]]]:
    """Its address, and how many requests each of its connections has had. It gives each request the next answer."""
    left, counts = list(answers), []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        counts.append(0)
        place = len(counts) - 1
        while b"\r\n\r\n" in (await reader.read(65_536)):
            counts[place] += 1
            writer.write(left.pop(0) if left else OK)
            if end:
                break
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", counts


async def test_the_answer_that_nobody_asked_for_is_no_other_requests() -> None:
    second = b"HTTP/1.1 500 Internal Server Error\r\nx-a: b\r\ncontent-length: 1\r\n\r\nx"
    client = HttpClient()
    async with a_target(OK + second) as (url, counts):
        first = await client.post(url, [], b"")
        assert (first.status, first.body, "x-a" in first.headers) == (200, b"", False)
        assert (await client.post(url, [], b"")).status == 200
    assert counts == [1, 1]
    await client.close()


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nx: y", id="half a head"),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n", id="an interim answer alone"),
        pytest.param(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n", id="an upgrade"),
        pytest.param(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe", id="half a body"),
        pytest.param(b"hello\r\n\r\n", id="no HTTP"),
    ],
)
async def test_what_is_no_answer_took_nothing(answer: bytes) -> None:
    client = HttpClient()
    async with a_target(answer, end=True) as (url, _):
        with pytest.raises(TargetUnreachable):
            await client.post(url, [], b"")


async def test_an_answer_may_follow_an_interim_one() -> None:
    client = HttpClient()
    interim = b"HTTP/1.1 103 Early Hints\r\ncontent-length: 3\r\n\r\n"
    async with a_target(b"HTTP/1.1 100 Continue\r\n\r\n" + OK, interim + OK) as (url, _):
        assert (await client.post(url, [], b"")).status == 200
        assert (await client.request("HEAD", url, [], b"")).status == 200
    await client.close()


async def test_idle_connections_to_all_targets_together_have_a_bound() -> None:
    client = HttpClient(max_idle_in_all=2)
    async with a_target() as (one, ones), a_target() as (two, _), a_target() as (three, threes):
        for url in (one, two, three, three, one):
            assert (await client.post(url, [], b"")).status == 200
        assert client.idle == 2
        assert (ones, threes) == ([1, 1], [2])
    await client.close()


async def test_the_addresses_that_are_given_count_and_the_name_is_not_asked() -> None:
    client = HttpClient()
    async with a_target() as (url, counts):
        named = url.replace("127.0.0.1", "no-such-host.invalid")
        assert (await client.post(named, [], b"", at=["::1", "127.0.0.1"])).status == 200
    assert counts == [1]
    await client.close()


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "169.254.170.2",
        "169.254.170.23",
        "169.254.0.1",
        "::ffff:169.254.169.254",
        "2002:a9fe:a9fe::1",
        "64:ff9b::169.254.169.254",
        "fe80::1%lo",
        "fd00:ec2::254",
        "224.0.0.1",
        "ff02::1",
        "255.255.255.255",
    ],
)
async def test_an_address_that_a_machine_keeps_for_itself_is_off_limits(address: str) -> None:
    assert is_off_limits(address)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "10.0.0.1", "172.17.0.2", "169.253.1.1", "fd12::254", "::2"])
async def test_a_container_and_the_internet_are_not(address: str) -> None:
    assert not is_off_limits(address)


@pytest.mark.parametrize("host", ["169.254.169.254", "[::ffff:a9fe:a9fe]", "2852039166", "0xa9fea9fe"])
async def test_no_spelling_of_a_link_local_address_is_called(host: str) -> None:
    client = HttpClient()
    with pytest.raises(TargetUnreachable, match="link-local"):
        await client.post(f"http://{host}/latest/meta-data/", [], b"")


async def test_addresses_that_somebody_looked_at_are_judged_as_well() -> None:
    with pytest.raises(TargetUnreachable, match="link-local"):
        await HttpClient().post("http://metadata.test/", [], b"", at=("169.254.169.254",))
