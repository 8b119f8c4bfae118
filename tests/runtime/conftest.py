"""Folders and small plans for the runtime's tests."""

import asyncio
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.runtime.folder import StateFolder
from harness.runtime.keeper import Pace
from harness.runtime.probes import http_probe
from harness.runtime.process import Kind, Plan, Probe, ProcessSpec
from harness.runtime.sockets import ReservedPort
from harness.runtime.state import Held, LandscapeState, ProcessState, hold, read_state
from harness.runtime.supervisor import Supervisor

TINY = Path(__file__).with_name("tiny.py")
SECONDS = 120.0
FAST = Pace(
    backoff_first=0.02, backoff_most=0.1, settled=30.0, probe_first=0.01, probe_starting=0.03, probe_running=0.03
)


@pytest.fixture
def folder(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path / ".harness")


@pytest.fixture
def held(folder: StateFolder) -> Iterator[Held]:
    with hold(folder, say=print) as taken:
        yield taken


@pytest.fixture
def port() -> Iterator[int]:
    reserved = ReservedPort()
    yield reserved.port
    reserved.release()


def tiny(name: str, port: int | str = 0, *words: str, kind: Kind = Kind.DOMAIN, **changes: Any) -> ProcessSpec:
    spec = ProcessSpec(
        name=name,
        kind=kind,
        command=(sys.executable, "-S", str(TINY), name, str(port), *words),
        env={"PATH": os.environ["PATH"]},
        cwd=TINY.parent,
        ready=f"http://127.0.0.1:{port}/healthz" if isinstance(port, int) and port else None,
        url=f"http://127.0.0.1:{port}",
        ports={"http": port} if isinstance(port, int) else {},
    )
    return replace(spec, **changes)


def answered(port: int) -> Probe:
    """Of `GET /healthz`, once there is an answer at all: however long the process takes to begin."""
    asked = http_probe(f"http://127.0.0.1:{port}/healthz")

    async def probe() -> str | None:
        while (answer := await asked()) is not None and "answers" not in answer:  # noqa: ASYNC110 - of another process
            await asyncio.sleep(0.01)
        return answer

    return probe


class Running:
    """A supervisor in this process, for the body of an `async with`; its lines, its state, and waiting for both."""

    def __init__(self, held: Held, *specs: ProcessSpec) -> None:
        self.lines: list[tuple[str, str]] = []
        self.folder = held.folder
        self.all_ready = asyncio.Event()
        self.supervisor = Supervisor(
            Plan(specs),
            held,
            console=lambda name, line: self.lines.append((name, line)),
            pace=FAST,
            on_ready=lambda state: self.all_ready.set(),
        )

    async def __aenter__(self) -> "Running":
        self._run = asyncio.create_task(self.supervisor.run())
        ready = asyncio.create_task(self.all_ready.wait())
        done, _ = await asyncio.wait([self._run, ready], return_when=asyncio.FIRST_COMPLETED, timeout=SECONDS)
        ready.cancel()
        assert done, f"it was not up within {SECONDS:g} s"
        if self._run.done():
            self._run.result()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.supervisor.stop()
        self.code = await asyncio.wait_for(self._run, SECONDS)

    def process(self, name: str) -> ProcessState:
        return next(each for each in self.state().processes if each.name == name)

    def state(self) -> LandscapeState:
        state = read_state(self.folder)
        assert state is not None
        return state

    def said(self, name: str) -> list[str]:
        return [line for speaker, line in self.lines if speaker == name]


async def until(condition: Callable[[], object], what: str = "") -> None:
    """Waits for a condition, and fails when it does not come."""
    async with asyncio.timeout(SECONDS):
        while not condition():  # noqa: ASYNC110 - it lies in files and other processes
            await asyncio.sleep(0.01)


async def get(port: int, path: str) -> bytes:
    """The whole answer; empty when the connection was cut."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.transport.abort()
