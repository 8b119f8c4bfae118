"""Landscapes of the tests' own: free ports, a state folder of their own, stopped at the end."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from tests.system.walkthrough import HARNESS, ROOT, Running, eventually


def harness(state: Path, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """A command on the landscape in `state`; the run as it ended."""
    command = [str(HARNESS), "--state", str(state), *arguments]
    return subprocess.run(command, **{"cwd": ROOT, "text": True, "capture_output": True, "timeout": 300, **options})


def status(state: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(harness(state, "status", "--json").stdout)
    return document


@contextmanager
def landscape(state: Path) -> Iterator[Running]:
    """The sample landscape, up and healthy; down again afterwards."""
    started = harness(state, "up", "--detach", "--free-ports")
    assert started.returncode == 0, started.stderr
    try:
        ports = status(state)["ports"]
        yield Running(
            f"http://localhost:{ports['workbench']}",
            f"http://localhost:{ports['public']}",
            ("--state", str(state)),
        )
    finally:
        harness(state, "down")


def children_of(supervisor: int) -> list[psutil.Process]:
    """Every process below the supervisor."""
    return psutil.Process(supervisor).children(recursive=True)


def process_ids(document: dict[str, Any]) -> dict[str, int]:
    return {process["name"]: process["pid"] for process in document["processes"]}


def pid_of(state: Path, name: str) -> int:
    """Of a process that runs now. Never 0, which kill(2) takes for the whole group of whoever calls it."""
    pid: int = eventually(lambda: process_ids(status(state)).get(name, 0), bool)
    assert pid > 1, f"{name} does not run"
    return pid
