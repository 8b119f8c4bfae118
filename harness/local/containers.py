"""The same landscape as containers: docker-compose.yml from the manifests, and docker compose to run it."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness import manifest
from harness.errors import InputError, Problem, StartError
from harness.local import docker
from harness.local.selection import with_providers
from harness.runtime.compose import ComposeDomain, ComposePlan, database_service, render
from harness.runtime.layout import SERVICES, WALLS
from harness.runtime.state import LandscapeState

FILE = "docker-compose.yml"
HEALTHY_SECONDS = 300.0
LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Written:
    """`current`: the file had that text already."""

    path: Path
    current: bool


def write_compose(file: Path, *, check: bool) -> Written:
    """Writes docker-compose.yml beside the manifest, or with `check` only compares."""
    return _write(manifest.load(file), check=check)


def _write(landscape: manifest.Landscape, *, check: bool) -> Written:
    text = render(compose_plan(landscape))
    path = landscape.folder / FILE
    current = path.is_file() and path.read_text(encoding="utf-8") == text
    if not check and not current:
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise StartError(f"{path} cannot be written: {error.strerror}") from error
    return Written(path, current)


def compose_plan(landscape: manifest.Landscape) -> ComposePlan:
    """Raises `InputError` for what can run as processes only: no image, taken names, files elsewhere."""
    problems = [*_without_image(landscape), *_taken_names(landscape), *_files_outside(landscape)]
    if problems:
        raise InputError(problems)
    return ComposePlan(
        region=landscape.region,
        workbench_port=landscape.ports.workbench,
        public_port=landscape.ports.public,
        domains=[_compose_domain(domain, landscape.folder) for domain in landscape.domains.values()],
        accounts=[domain.account.name for domain in landscape.domains.values()],
        manifest=landscape.file.name,
        mounts=sorted({path.relative_to(landscape.folder).parts[0] for path in _files(landscape)}),
    )


def _compose_domain(domain: manifest.Domain, folder: Path) -> ComposeDomain:
    return ComposeDomain(
        name=domain.name,
        account=domain.account.name,
        role_arn=domain.runs_as.arn,
        dockerfile=os.path.relpath(domain.dockerfile, folder) if domain.dockerfile else "",
        image=domain.image,
        database=domain.database,
        # What a manifest sets for processes may name folders of this machine; an image brings its own.
        environment={},
        bus_arn=domain.bus.arn if domain.bus else "",
        apis_called={api: manifest.api_url_variable(api) for api in domain.calls},
        api_domain_name=domain.api.domain_name if domain.api else "",
    )


def _place(landscape: manifest.Landscape, domain: manifest.Domain) -> str:
    return os.path.relpath(domain.file, landscape.folder)


def _without_image(landscape: manifest.Landscape) -> Iterator[Problem]:
    for domain in landscape.domains.values():
        if domain.dockerfile is None and not domain.image:
            yield Problem(_place(landscape, domain), 0, "run needs `dockerfile` or `image` to run as a container")


def _taken_names(landscape: manifest.Landscape) -> Iterator[Problem]:
    """A container for each domain and each database, a network for each account, beside those of the harness."""
    taken = {*SERVICES, *(database_service(name) for name, domain in landscape.domains.items() if domain.database)}
    for domain in landscape.domains.values():
        if domain.name in taken:
            text = f'there is already a container called "{domain.name}": choose another name for the domain'
            yield Problem(_place(landscape, domain), 0, text)
        if domain.account.name in WALLS:
            text = f'there is already a network called "{domain.account.name}": choose another name for the account'
            yield Problem(landscape.file.name, 0, text)


def _files(landscape: manifest.Landscape) -> list[Path]:
    """What the containers read beside the manifest, which is mounted by itself."""
    return [path for path in landscape.files() if path != landscape.file]


def _files_outside(landscape: manifest.Landscape) -> Iterator[Problem]:
    for path in _files(landscape):
        if not path.is_relative_to(landscape.folder):
            yield Problem(str(path), 0, f"containers see {landscape.folder} alone: move it below that folder")


def compose_up(file: Path, domains: Sequence[str], *, detach: bool, ready: Callable[[LandscapeState], None]) -> int:
    """Runs docker compose in the landscape's folder; its exit code. Detached it returns when all is healthy, and
    `ready` is called; `StartError` when that takes too long.
    """
    landscape = manifest.load(file)
    services = with_providers(landscape, domains) if domains else []
    _write(landscape, check=False)
    arguments = ["up", "--build", *(["--detach"] if detach else []), *(["router", *services] if services else [])]
    code = docker.compose(arguments, landscape.folder)
    if code == 0 and detach:
        ready(_wait_healthy(landscape.folder))
    return code


def _wait_healthy(folder: Path) -> LandscapeState:
    deadline = time.monotonic() + HEALTHY_SECONDS
    while True:
        state = docker.status(folder)
        if state is not None and state.healthy:
            return state
        if time.monotonic() > deadline:
            late = [process.name for process in state.processes if not process.healthy] if state else ["containers"]
            raise StartError(f"not healthy after {HEALTHY_SECONDS:g} s: {', '.join(late)}; see: harness logs {late[0]}")
        time.sleep(LOOK_SECONDS)
