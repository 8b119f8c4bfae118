"""What is read without acknowledgements comes whole and in order, whatever happens to the connection."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import RetentionPolicy, StreamConfig

from harness.storage.connection import Connection
from harness.storage.publisher import Outgoing
from harness.storage.puller import Reader
from tests.storage.nats_server import NatsServer

pytestmark = pytest.mark.anyio

NUMBERS = StreamConfig(name="NUMBERS", subjects=["number"], retention=RetentionPolicy.LIMITS)


class FakeClient:
    """Takes the one subscription; the test sends what it likes."""

    is_connected = True

    def new_inbox(self) -> str:
        return "_INBOX.test"

    async def subscribe(self, inbox: str, *, cb: Any) -> None:
        self.send = cb

    async def publish(self, subject: str, body: bytes, *, reply: str) -> None:
        """The request for more."""


def a_message(number: int) -> Msg:
    """The consumer's message of that number."""
    at = int(datetime.now(UTC).timestamp() * 1e9)
    reply = f"$JS.ACK.NUMBERS.reader.1.{number + 100}.{number}.{at}.0"
    return Msg(_client=cast(Client, None), subject="number", reply=reply, data=str(number).encode())


async def a_reader(numbers: Iterable[int]) -> Reader:
    client = FakeClient()
    reader = Reader(cast(Client, client), "NUMBERS", "reader")
    assert await reader.pull(8, 0) == []
    for number in numbers:
        await client.send(a_message(number))
    return reader


async def test_what_comes_in_order_is_handed_out() -> None:
    reader = await a_reader([1, 2, 3])
    assert [message.data for message in await reader.pull(8, 0)] == [b"1", b"2", b"3"]
    assert not reader.gone


@pytest.mark.parametrize("numbers", [[1, 2, 4], [1, 2, 4, 5], [1, 2, 2, 3]])
async def test_nothing_is_handed_out_behind_a_gap(numbers: list[int]) -> None:
    reader = await a_reader(numbers)
    assert [message.data for message in await reader.pull(8, 0)] == [b"1", b"2"]
    assert reader.gone


async def test_a_consumer_that_is_gone_stays_gone() -> None:
    client = FakeClient()
    reader = Reader(cast(Client, client), "NUMBERS", "reader")
    await reader.pull(8, 0)
    for status, words in (("409", "Consumer Deleted"), ("409", "Leadership Change")):
        headers = {"Status": status, "Description": words}
        await client.send(Msg(_client=cast(Client, None), subject="_INBOX.test", headers=headers))
    assert reader.gone


@pytest.mark.slow
async def test_reading_goes_on_behind_the_last_message_after_a_lost_connection(tmp_path: Path) -> None:
    """The server's ends of the connections are cut, so that what is on its way is lost; the consumers stay."""
    server = NatsServer(tmp_path).start()
    cutter = await Cutter.before(server.port)
    connection = await Connection.connect(cutter.url)
    try:
        await connection.keep_stream(NUMBERS)
        await connection.publish([Outgoing("number", str(number).encode() * 200, {}) for number in range(2000)])
        read: list[int] = []
        async for message in connection.read("NUMBERS", "number"):
            if len(read) in (10, 700, 1400):
                cutter.cut()
            read.append(message.metadata.sequence.stream)
        assert read == list(range(1, 2001))
    finally:
        await connection.close()
        await cutter.close()
        server.kill()


@pytest.mark.slow
async def test_a_stream_made_again_under_the_name_of_a_dropped_one_is_empty(nats_server: NatsServer) -> None:
    connection = await Connection.connect(nats_server.url)
    try:
        for _ in range(30):
            await connection.keep_stream(NUMBERS)
            assert await connection.subjects("NUMBERS") == {}
            await connection.publish([Outgoing("number", b"1", {})])
            await connection.drop_stream("NUMBERS")
    finally:
        await connection.close()


class Cutter:
    """Stands between a client and its server, and cuts what passes."""

    def __init__(self, listener: asyncio.Server) -> None:
        self._listener = listener
        self._writers: set[asyncio.StreamWriter] = set()

    @classmethod
    async def before(cls, port: int) -> "Cutter":
        async def passing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            their_reader, their_writer = await asyncio.open_connection("127.0.0.1", port)
            cutter._writers |= {writer, their_writer}
            await asyncio.gather(_copy(reader, their_writer), _copy(their_reader, writer))
            cutter._writers -= {writer, their_writer}

        cutter = cls(await asyncio.start_server(passing, "127.0.0.1", 0))
        return cutter

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self._listener.sockets[0].getsockname()[1]}"

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def close(self) -> None:
        self._listener.close()
        self.cut()
        await self._listener.wait_closed()


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while piece := await source.read(65_536):
            sink.write(piece)
            await sink.drain()
    except OSError:
        """Cut."""
    finally:
        sink.close()
