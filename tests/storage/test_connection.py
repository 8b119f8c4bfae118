"""The end of a connection."""

import os
import signal
from pathlib import Path

import pytest

from harness.storage import connection as module
from harness.storage.connection import Connection
from tests.storage.nats_server import NatsServer

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


async def test_it_ends_although_the_server_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FLUSH_SECONDS", 0.05)
    server = NatsServer(tmp_path).start()
    connection = await Connection.connect(server.url)
    os.kill(server.pid, signal.SIGSTOP)
    try:
        await connection.close()
        assert not connection.connected()
    finally:
        os.kill(server.pid, signal.SIGCONT)
        server.kill()
