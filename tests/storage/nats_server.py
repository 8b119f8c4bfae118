"""A nats-server of the tests' own: free port, data in a folder of its own, ended by its own process id."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Self


class NatsServer:
    """Keeps its port and its data when it is killed and started again."""

    def __init__(self, folder: Path, *, more: str = "") -> None:
        """`more`: further lines of its configuration."""
        self._config = folder / "nats.conf"
        self._log = folder / "nats.log"
        self.port = free_port()
        self._config.write_text(
            f"listen: 127.0.0.1:{self.port}\n"
            "max_payload: 8MB\n"
            f'jetstream {{ store_dir: "{folder / "data"}", max_file_store: 1TB, max_memory_store: 64MB }}\n'
            f"{more}"
        )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def start(self) -> Self:
        program = Path(sys.executable).parent / "nats-server"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen([program, "-c", self._config], stdout=log, stderr=log)
        deadline = time.monotonic() + 15
        while not self._listens():
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError(f"nats-server did not start: {self._log.read_text()}")
            time.sleep(0.02)
        return self

    def kill(self) -> None:
        """No chance to write anything: SIGKILL."""
        if self._process is not None:
            os.kill(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class NatsCluster:
    """Three servers that know each other; two of them are enough to go on."""

    def __init__(self, folder: Path) -> None:
        ports = [free_port() for _ in range(3)]
        routes = ", ".join(f'"nats://127.0.0.1:{port}"' for port in ports)
        self.nodes: list[NatsServer] = []
        for number, port in enumerate(ports):
            home = folder / f"node-{number}"
            home.mkdir()
            more = f"server_name: node-{number}\n"
            more += f'cluster {{ name: "three", listen: "127.0.0.1:{port}", routes: [{routes}] }}\n'
            self.nodes.append(NatsServer(home, more=more))

    @property
    def url(self) -> str:
        return ",".join(node.url for node in self.nodes)

    def start(self) -> Self:
        for node in self.nodes:
            node.start()
        return self

    def kill(self) -> None:
        for node in self.nodes:
            node.kill()
