"""Lines in a stream: they outlive the process that wrote them, and are found by any other."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from harness.storage.connection import Connection
from harness.storage.line_log import LineLog
from tests.storage.nats_server import NatsServer

pytestmark = pytest.mark.slow


def test_lines_are_read_by_another_connection_in_order(nats_server: NatsServer) -> None:
    async def scenario() -> None:
        writer = await Connection.connect(nats_server.url)
        store = LineLog(writer, "LINES", "lines")
        await store.prepare()
        assert await store.append([b'{"id":"a"}', b'{"id":"b"}'])
        assert await store.append([b'{"id":"c"}'])
        await writer.close()

        reader = await Connection.connect(nats_server.url)
        other = LineLog(reader, "LINES", "lines")
        await other.prepare()
        assert [line async for line in other.read()] == [b'{"id":"a"}', b'{"id":"b"}', b'{"id":"c"}']
        assert [line async for line in other.find(b'"b"')] == [b'{"id":"b"}']
        assert [line async for line in other.read(datetime.now(UTC) + timedelta(hours=1))] == []
        await reader.close()

    asyncio.run(scenario())


def test_many_records_are_split_into_messages_that_the_server_takes(nats_server: NatsServer) -> None:
    async def scenario() -> None:
        connection = await Connection.connect(nats_server.url)
        store = LineLog(connection, "MANY", "many")
        await store.prepare()
        lines = [b"%04d" % number + b"x" * 20_000 for number in range(128)]
        assert await store.append(lines)
        read = [line async for line in store.read()]
        assert [line for line in read if line.endswith(b"x")] == lines
        await connection.close()

    asyncio.run(scenario())
