"""The same landscape as containers: docker-compose.yml from the manifests, and docker compose to run it."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness import manifest
from harness.errors import InputError, Problem, StartError
from harness.runtime.compose import ComposeDomain, ComposePlan, render
from harness.runtime.state import LandscapeState, Phase, ProcessState

FILE = "docker-compose.yml"
FOLDER_LABEL = "com.docker.compose.project.working_dir"
SERVICE_LABEL = "com.docker.compose.service"
KINDS = {"edge": "edge", "router": "router", "nats": "nats", "keys": "keys"}


@dataclass(frozen=True, slots=True)
class Written:
    """`current`: the file had that text already."""

    path: Path
    current: bool


def write_compose(file: Path, *, check: bool) -> Written:
    """Writes docker-compose.yml beside the manifest, or with `check` only compares."""
    text = render(compose_plan(manifest.load(file)))
    path = file.parent / FILE
    current = path.is_file() and path.read_text(encoding="utf-8") == text
    if not check and not current:
        path.write_text(text, encoding="utf-8")
    return Written(path, current)


def compose_plan(landscape: manifest.Landscape) -> ComposePlan:
    """Raises `InputError` for a domain that says neither how to build its image nor where to get it."""
    problems = []
    domains = []
    for domain in landscape.domains.values():
        if domain.dockerfile is None and not domain.image:
            place = os.path.relpath(domain.file, landscape.folder)
            problems.append(Problem(place, 0, "run needs `dockerfile` or `image` to run as a container"))
        dockerfile = os.path.relpath(domain.dockerfile, landscape.folder) if domain.dockerfile else ""
        domains.append(
            ComposeDomain(
                name=domain.name,
                account=domain.account.name,
                role_arn=domain.runs_as.arn,
                dockerfile=dockerfile,
                image=domain.image,
                database=domain.database,
                # What a manifest sets for processes may name folders of this machine; an image brings its own.
                environment={},
                bus_arn=domain.bus.arn if domain.bus else "",
                apis_called={api: manifest.api_url_variable(api) for api in domain.calls},
            )
        )
    if problems:
        raise InputError(problems)
    return ComposePlan(
        region=landscape.region,
        workbench_port=landscape.ports.workbench,
        public_port=landscape.ports.public,
        domains=domains,
        accounts=[domain.account.name for domain in landscape.domains.values()],
        mounts=_mounts(landscape),
    )


def _mounts(landscape: manifest.Landscape) -> list[str]:
    """The manifest and the top folders of all that it refers to."""
    used = [landscape.file]
    for domain in landscape.domains.values():
        used.append(domain.file)
        used += [version.contract for version in domain.api.versions.values()] if domain.api else []
        used += [event.contract for event in domain.publishes]
    outside = [path for path in used if not path.is_relative_to(landscape.folder)]
    if outside:
        text = f"lies outside {landscape.folder}, and containers see that folder alone"
        raise InputError([Problem(str(path), 0, text) for path in outside])
    tops = {path.relative_to(landscape.folder).parts[0] for path in used}
    policies = {path for path in ("policies",) if (landscape.folder / path).is_dir()}
    return sorted(tops | policies)


def compose_command() -> list[str]:
    """`docker compose`, or docker-compose where the plugin is missing. `StartError` when there is neither."""
    if shutil.which("docker"):
        plugin = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
        if plugin.returncode == 0:
            return ["docker", "compose"]
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    raise StartError("docker compose is not installed; the engine `processes` needs Python alone: harness up")


def compose_up(file: Path, *, detach: bool) -> int:
    """Runs docker compose in the landscape's folder; its exit code."""
    write_compose(file, check=False)
    command = [*compose_command(), "up", "--build"]
    return _compose([*command, "--detach"] if detach else command, file.parent)


def compose_down(file: Path) -> bool:
    """Stops the landscape's containers, their volumes kept; False when there are none."""
    if not _containers(file.parent):
        return False
    return _compose([*compose_command(), "down"], file.parent) == 0


def _compose(command: Sequence[str], folder: Path) -> int:
    process = subprocess.Popen(list(command), cwd=folder)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue  # docker compose has it too, and stops its containers


def status(file: Path) -> LandscapeState | None:
    """What docker says of the landscape's containers, in the shape of any other landscape; None without any."""
    containers = _containers(file.parent)
    if not containers:
        return None
    processes = tuple(_process(each) for each in sorted(containers, key=lambda each: str(each["Name"])))
    return LandscapeState(pid=0, started="", phase=Phase.RUNNING, processes=processes, ports=_ports(file))


def _ports(file: Path) -> dict[str, int]:
    ports = manifest.load(file).ports
    return {"workbench": ports.workbench, "public": ports.public}


def _process(container: "dict[str, dict[str, object]]") -> ProcessState:
    name = str(container["Config"]["Labels"][SERVICE_LABEL])  # type: ignore[index]
    state = container["State"]
    health = state.get("Health")
    checked = health.get("Status") == "healthy" if isinstance(health, dict) else bool(state["Running"])
    finished = name == "keys" and state["ExitCode"] == 0 and not state["Running"]
    return ProcessState(
        name=name,
        kind=KINDS.get(name, "postgres" if name.endswith("-db") else "domain"),
        pid=int(str(state["Pid"])),
        started=str(state["StartedAt"]),
        healthy=checked or finished,
        restarts=int(str(container["RestartCount"])),
        detail="" if checked or finished else str(state["Status"]),
    )


def _containers(folder: Path) -> "list[dict[str, dict[str, object]]]":
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
    inspected = subprocess.run(["docker", "inspect", *ids], capture_output=True, text=True, check=True)
    found: list[dict[str, dict[str, object]]] = json.loads(inspected.stdout)
    return found
