"""A real nats-server: who may sign in, what it takes, and what outlives a kill."""

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import nats
import nats.errors
import pytest
from nats.aio.client import Client

from harness.runtime.folder import StateFolder
from harness.runtime.nats import Nats, ping, program
from harness.runtime.state import ProcessState, read_state
from tests.runtime.commands import Started, started, until

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def landscape(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    with started(StateFolder(tmp_path_factory.mktemp("nats") / ".harness"), {"nats": True}) as running:
        running.until_running()
        yield running


@pytest.fixture
def server(landscape: Started) -> Nats:
    return Nats(landscape.folder, _process(landscape.folder).ports["nats"])


def test_a_client_with_the_password_reaches_jetstream(server: Nats) -> None:
    async def ask() -> int:
        client = await _connect(server)
        info = await client.jetstream(timeout=60).account_info()
        await client.close()
        return info.streams

    assert asyncio.run(ask()) >= 0


@pytest.mark.parametrize("password", ["", "wrong"], ids=["none", "a wrong one"])
def test_a_client_without_the_password_is_refused(server: Nats, password: str) -> None:
    async def ask() -> None:
        await nats.connect(server.url, user=server.user, password=password, allow_reconnect=False, connect_timeout=60)

    with pytest.raises(nats.errors.Error, match=r"(?i)authorization"):
        asyncio.run(ask())
    assert asyncio.run(ping(server.port, password or "none")) is not None


def test_a_message_of_two_megabytes_passes(server: Nats) -> None:
    async def send() -> int:
        client = await _connect(server)
        received = await client.subscribe("large")
        await client.publish("large", bytes(2_000_000))
        size = len((await received.next_msg(timeout=60)).data)
        await client.close()
        return size

    assert asyncio.run(send()) == 2_000_000


def test_acknowledged_messages_outlive_a_killed_server(landscape: Started, server: Nats) -> None:
    async def publish() -> None:
        client = await _connect(server)
        stream = client.jetstream(timeout=60)
        await stream.add_stream(name="events", subjects=["events.>"])
        for number in range(100):
            await stream.publish("events.put", str(number).encode())
        await client.close()

    async def stored() -> int:
        client = await _connect(server)
        info = await client.jetstream(timeout=60).stream_info("events")
        await client.close()
        return info.state.messages

    asyncio.run(publish())
    before = _process(landscape.folder)
    os.kill(before.pid, signal.SIGKILL)
    until(lambda: _process(landscape.folder).restarts > before.restarts, "it was started again")
    until(lambda: _process(landscape.folder).healthy, "it is healthy again")
    assert _process(landscape.folder).ports == before.ports
    assert asyncio.run(stored()) == 100


def test_only_loopback_is_listened_at(landscape: Started) -> None:
    import psutil

    pid = _process(landscape.folder).pid
    listening = [each.laddr for each in psutil.Process(pid).net_connections("tcp") if each.status == "LISTEN"]
    assert [(address.ip, address.port) for address in listening if address] == [
        ("127.0.0.1", _process(landscape.folder).ports["nats"])
    ]


def test_its_settings_are_for_its_user_alone(landscape: Started, server: Nats) -> None:
    settings = landscape.folder.run / "nats.conf"
    assert settings.stat().st_mode & 0o777 == 0o600
    assert server.password in settings.read_text()
    assert server.password not in (landscape.folder.logs / "nats.log").read_text()


@pytest.mark.parametrize(("always", "interval"), [(False, "2m"), (True, "always")], ids=["every two minutes", "always"])
def test_how_often_the_disk_is_synced_is_a_setting(folder: StateFolder, always: bool, interval: str) -> None:
    folder.create()
    settings = json.loads(json.dumps(Nats(folder, 4222, sync_always=always).settings()))
    assert settings["jetstream"]["sync_interval"] == interval


def test_the_server_takes_both_settings(folder: StateFolder) -> None:
    folder.create()

    async def check(always: bool) -> int:
        server = Nats(folder, 4222, sync_always=always)
        await server.prepare()
        process = await asyncio.create_subprocess_exec(
            str(program()), "-t", "-c", str(folder.run / "nats.conf"), stderr=asyncio.subprocess.DEVNULL
        )
        return await process.wait()

    assert [asyncio.run(check(always)) for always in (False, True)] == [0, 0]


def test_the_program_is_found() -> None:
    assert program().name == "nats-server"
    assert os.access(program(), os.X_OK)
    assert program().is_relative_to(Path("/"))


async def _connect(server: Nats) -> Client:
    return await nats.connect(server.url, user=server.user, password=server.password, connect_timeout=60)


def _process(folder: StateFolder) -> ProcessState:
    state = read_state(folder)
    assert state is not None
    return next(each for each in state.processes if each.name == "nats")
