"""The end of the server is not the end of its process: what is left to write is written."""

import signal
import subprocess
import sys

import pytest

SCRIPT = """
import socket
import uvloop
from harness.gateway.server import serve

async def app(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.complete"})
    print("it serves", flush=True)
    await receive()
    await send({"type": "lifespan.shutdown.complete"})

async def main():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        await serve(app, [listening])
    print("the rest is written", flush=True)

uvloop.run(main())
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_a_signal_ends_the_server_and_lets_its_process_come_to_its_own_end(number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "it serves\n"
        process.send_signal(number)
        assert process.communicate(timeout=120)[0] == "the rest is written\n"
    assert process.returncode == 0
