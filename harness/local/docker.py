"""What Docker says of a landscape's containers, and what is asked of them. Imports no manifest."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.errors import StartError
from harness.runtime.layout import EDGE_PORT, PUBLIC_PORT
from harness.runtime.state import LandscapeState, Phase, ProcessState

FOLDER_LABEL = "com.docker.compose.project.working_dir"
SERVICE_LABEL = "com.docker.compose.service"
KINDS = {"edge": "edge", "router": "router", "nats": "nats", "keys": "keys"}
PORTS = {"workbench": f"{EDGE_PORT}/tcp", "public": f"{PUBLIC_PORT}/tcp"}


def compose_command() -> list[str]:
    """`docker compose`, or docker-compose where the plugin is missing. `StartError` when there is neither."""
    if shutil.which("docker"):
        plugin = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
        if plugin.returncode == 0:
            return ["docker", "compose"]
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    raise StartError("docker compose is not installed; the engine `processes` needs Python alone: harness up")


def compose(arguments: Sequence[str], folder: Path) -> int:
    """Runs docker compose in the landscape's folder with this terminal; its exit code."""
    process = subprocess.Popen([*compose_command(), *arguments], cwd=folder)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue  # docker compose has it too, and stops its containers


def down(folder: Path) -> int | None:
    """Stops the landscape's containers, their volumes kept; None when there are none."""
    return compose(["down"], folder) if _containers(folder) else None


def logs(folder: Path, name: str | None, *, follow: bool, lines: int) -> int | None:
    """Prints what the containers printed, the last `lines` of each; None when there are none."""
    if not _containers(folder):
        return None
    chosen = [*(["--follow"] if follow else []), "--tail", str(lines), *([name] if name else [])]
    return compose(["logs", *chosen], folder)


def status(folder: Path) -> LandscapeState | None:
    """The landscape's containers in the shape of any other landscape; None without any."""
    containers = _containers(folder)
    if not containers:
        return None
    processes = tuple(sorted((_process(each) for each in containers), key=lambda each: each.name))
    (ports,) = [_ports(each) for each in containers if _service(each) == "edge"] or [{}]
    return LandscapeState(pid=0, started="", phase=Phase.RUNNING, processes=processes, ports=ports)


def _service(container: dict[str, Any]) -> str:
    return str(container["Config"]["Labels"][SERVICE_LABEL])


def _ports(edge: dict[str, Any]) -> dict[str, int]:
    """The host's ports that lead to the edge; none while it does not run."""
    published = edge["NetworkSettings"].get("Ports") or {}
    return {name: int(published[port][0]["HostPort"]) for name, port in PORTS.items() if published.get(port)}


def _process(container: dict[str, Any]) -> ProcessState:
    name = _service(container)
    state = container["State"]
    health = state.get("Health")
    checked = health.get("Status") == "healthy" if isinstance(health, dict) else bool(state["Running"])
    finished = name == "keys" and state["ExitCode"] == 0 and not state["Running"]
    return ProcessState(
        name=name,
        kind=KINDS.get(name, "postgres" if name.endswith("-db") else "domain"),
        pid=int(state["Pid"]),
        started=str(state["StartedAt"]),
        healthy=checked or finished,
        restarts=int(container["RestartCount"]),
        detail="" if checked or finished else str(state["Status"]),
    )


def _containers(folder: Path) -> list[dict[str, Any]]:
    if not shutil.which("docker"):
        return []
    listed = subprocess.run(
        ["docker", "ps", "--all", "--quiet", "--filter", f"label={FOLDER_LABEL}={folder}"],
        capture_output=True,
        text=True,
        check=False,
    )
    ids = listed.stdout.split()
    if listed.returncode or not ids:
        return []
    # One that went meanwhile makes the exit code 1; the others are told all the same.
    inspected = subprocess.run(["docker", "inspect", *ids], capture_output=True, text=True, check=False)
    found: list[dict[str, Any]] = json.loads(inspected.stdout)
    return found
