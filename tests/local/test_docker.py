"""What docker says of containers, as the state of a landscape. A program called docker answers for it."""

import json
from pathlib import Path
from typing import Any

import pytest

from harness.errors import StartError
from harness.local import docker

LABEL = "com.docker.compose.service"


def container(name: str, status: str, health: str | None = None, **more: Any) -> dict[str, Any]:
    state = {"Status": status, "Running": status == "running", "Pid": 7, "StartedAt": "2026", "ExitCode": 0}
    if health:
        state["Health"] = {"Status": health}
    return {
        "Config": {"Labels": {LABEL: name}},
        "State": state,
        "RestartCount": 0,
        "NetworkSettings": {"Ports": {}},
        **more,
    }


EDGE_PORTS = {
    "NetworkSettings": {
        "Ports": {
            "4566/tcp": [{"HostIp": "127.0.0.1", "HostPort": "4599"}],
            "4567/tcp": [{"HostIp": "127.0.0.1", "HostPort": "4600"}],
        }
    }
}


class Docker:
    """Writes the program: it answers `ps` with ids, `inspect` with `containers`, and notes how it was called."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.calls = folder / "calls"

    def answers(self, *containers: dict[str, Any], code: int = 0) -> None:
        ids = " ".join(f"id{number}" for number, _ in enumerate(containers))
        program = self.folder / "docker"
        program.write_text(
            f"#!/bin/sh\n"
            f"echo \"$@\" >> '{self.calls}'\n"
            f"case \"$1\" in ps) echo '{ids}';; inspect) echo '{json.dumps(containers)}';; esac\n"
            f"exit {code}\n"
        )
        program.chmod(0o755)


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Docker:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return Docker(folder)


def test_containers_are_shown_like_any_processes(engine: Docker, tmp_path: Path) -> None:
    engine.answers(
        container("orders-db", "running", "healthy"),
        container("edge", "running", "healthy", **EDGE_PORTS),
        container("keys", "exited"),
        container("nats", "running"),
        container("orders", "running", "starting", RestartCount=2),
    )

    state = docker.status(tmp_path)

    assert state is not None
    shown = {process.name: (process.kind, process.healthy, process.restarts) for process in state.processes}
    assert shown == {
        "edge": ("edge", True, 0),
        "keys": ("keys", True, 0),
        "nats": ("nats", True, 0),
        "orders": ("domain", False, 2),
        "orders-db": ("postgres", True, 0),
    }
    assert list(shown) == sorted(shown)
    assert state.ports == {"workbench": 4599, "public": 4600}
    assert not state.healthy


def test_only_this_folders_containers_are_asked_for(engine: Docker, tmp_path: Path) -> None:
    engine.answers()

    docker.status(tmp_path)

    assert f"--filter label=com.docker.compose.project.working_dir={tmp_path}" in engine.calls.read_text()


def test_an_edge_that_does_not_run_has_no_ports(engine: Docker, tmp_path: Path) -> None:
    engine.answers(container("edge", "exited", NetworkSettings={"Ports": None}))

    state = docker.status(tmp_path)

    assert state is not None
    assert state.ports == {}
    assert not state.healthy


def test_keys_that_could_not_be_made_are_not_healthy(engine: Docker, tmp_path: Path) -> None:
    failed = container("keys", "exited")
    failed["State"]["ExitCode"] = 1
    engine.answers(failed)

    state = docker.status(tmp_path)

    assert state is not None
    assert state.processes[0].detail == "exited"


@pytest.mark.parametrize("engine_state", ["no program", "no engine", "no containers"])
def test_nothing_is_known_without_containers(engine: Docker, tmp_path: Path, engine_state: str) -> None:
    if engine_state == "no engine":
        engine.answers(container("edge", "running"), code=1)
    elif engine_state == "no containers":
        engine.answers()

    assert docker.status(tmp_path) is None
    assert docker.down(tmp_path) is None
    assert docker.logs(tmp_path, None, follow=False, lines=1) is None


def test_logs_and_down_are_docker_composes(engine: Docker, tmp_path: Path) -> None:
    engine.answers(container("edge", "running"))

    assert docker.logs(tmp_path, "edge", follow=True, lines=5) == 0
    assert docker.down(tmp_path) == 0

    calls = engine.calls.read_text().splitlines()
    assert "compose logs --follow --tail 5 edge" in calls
    assert "compose down" in calls


def test_without_compose_the_other_engine_is_named(engine: Docker) -> None:
    with pytest.raises(StartError, match="engine `processes` needs Python alone: harness up"):
        docker.compose_command()
