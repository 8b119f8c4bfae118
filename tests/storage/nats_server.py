"""A nats-server of the tests' own: free port, data in a folder of its own, ended by its own process id."""

import random
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

START_SECONDS = 60
# Below those that a kernel gives to outgoing connections: while a server is away, nobody is given its port by chance.
PORTS = range(15_000, 32_768)


class NatsServer:
    """Keeps its port and its data when it is killed and started again."""

    def __init__(self, folder: Path, *, more: str = "") -> None:
        """`more`: further lines of its configuration."""
        self._folder = folder
        self._config = folder / "nats.conf"
        self._log = folder / "nats.log"
        self._more = more
        self._begun = False
        self._process: subprocess.Popen[bytes] | None = None
        self._configure()

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def start(self) -> Self:
        """Returns when it is ready. The port of the first start may have been taken since: then it gets another one."""
        deadline = time.monotonic() + START_SECONDS
        while not self._ready(deadline):
            if time.monotonic() > deadline or "address already in use" not in self._said:
                self.kill()
                raise RuntimeError(f"nats-server did not start: {self._log.read_text()}")
            if not self._begun:
                self._configure()
            time.sleep(0.05)
        self._begun = True
        return self

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """No chance to write anything: SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _configure(self) -> None:
        self.port = free_port()
        self._config.write_text(
            f"listen: 127.0.0.1:{self.port}\n"
            "max_payload: 8MB\n"
            f'jetstream {{ store_dir: "{self._folder / "data"}", max_file_store: 1TB, max_memory_store: 64MB }}\n'
            f"{self._more}"
        )

    def _ready(self, deadline: float) -> bool:
        """Whether it says so itself: what answers at its port might be somebody else."""
        program = Path(sys.executable).parent / "nats-server"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen([program, "-c", self._config], stdout=log, stderr=log)
        while "Server is ready" not in self._said:
            if time.monotonic() > deadline or self._process.poll() is not None:
                return False
            time.sleep(0.02)
        return True

    @property
    def _said(self) -> str:
        """Since it was started."""
        return self._log.read_text(errors="replace")


def free_port() -> int:
    """Chosen by the system's chance, which no seed of a test makes the same in several processes."""
    while True:
        port = random.SystemRandom().choice(PORTS)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if not _taken(probe, port):
                return port


def _taken(probe: socket.socket, port: int) -> bool:
    try:
        probe.bind(("127.0.0.1", port))
    except OSError:
        return True
    return False


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
        try:
            for node in self.nodes:
                node.start()
        except RuntimeError:
            self.kill()
            raise
        return self

    def kill(self) -> None:
        for node in self.nodes:
            node.kill()
