"""The domains as processes, as a landscape starts them."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from harness.runtime.sockets import ReservedPort

DOMAINS = Path(__file__).resolve().parents[2] / "domains"
BUS_ARN = "arn:aws:events:eu-west-1:999999999999:event-bus/enterprise"


@dataclass
class Domain:
    """A running domain; `restart` starts it again on the same port and with the same settings."""

    name: str
    url: str
    environment: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes]

    def restart(self) -> None:
        self.process = _start(self.name, self.environment, self.log)
        wait_until(self.ready, what=f"{self.name} to be ready again")

    def ready(self) -> bool:
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} ended: {self.log.read_text()}")
        try:
            return requests.get(f"{self.url}/healthz", timeout=10).status_code == 200
        except requests.RequestException:
            return False


def wait_until(holds: Callable[[], bool], *, what: str, seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(0.02)


@contextmanager
def running_domain(name: str, *, database_url: str, bus_url: str, folder: Path, **more: str) -> Iterator[Domain]:
    port = ReservedPort()  # kept for the domain, also between its end and its restart
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": ".:../kit",
        "HOST": "127.0.0.1",
        "PORT": str(port.port),
        "DATABASE_URL": database_url,
        "EVENT_BUS_ARN": BUS_ARN,
        "AWS_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": bus_url,
        "AWS_ACCESS_KEY_ID": "ASIAEXAMPLEEXAMPLE00",
        "AWS_SECRET_ACCESS_KEY": "not-a-secret",
        "AWS_SESSION_TOKEN": "token-of-the-tests",
        **more,
    }
    log = folder / f"{name}.log"
    domain = Domain(name, f"http://127.0.0.1:{port.port}", environment, log, _start(name, environment, log))
    try:
        wait_until(domain.ready, what=f"{name} to be ready")
        yield domain
    finally:
        if domain.process.poll() is None:
            domain.process.terminate()
            domain.process.wait(60)
        port.release()


def _start(name: str, environment: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as out:
        return subprocess.Popen(
            [sys.executable, "-m", name], cwd=DOMAINS / name, env=dict(environment), stdout=out, stderr=out
        )
