"""What `harness status` tells of the event store's disk: one line, or why there is none, never a failure."""

import os
import socket
from pathlib import Path

import pytest

from harness.local.disk_use import DiskUse, disk_use
from harness.local.operator import operator_token
from harness.local.running import as_json
from harness.runtime.folder import StateFolder
from harness.runtime.state import LandscapeState, Phase, ProcessState
from tests.local.edge import Edge
from tests.local.edge import edge as edge

KEY = bytes(range(32))
GOOD = b'{"bytes": 1234, "bound": 567890, "kept": []}'


@pytest.fixture(params=["processes", "containers"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    keys = StateFolder(tmp_path).keys if request.param == "processes" else tmp_path / "docker" / "keys"
    keys.mkdir(parents=True)
    (keys / "master.key").write_bytes(KEY)
    (keys / "master.key").chmod(0o600)
    return tmp_path


def a_state(port: int | None, **unhealthy: str) -> LandscapeState:
    ports = {} if port is None else {"workbench": port}
    processes = [
        ProcessState(name, kind, pid=os.getpid(), healthy=name not in unhealthy.values())
        for name, kind in (("nats", "nats"), ("edge", "edge"), ("router", "router"), ("orders", "domain"))
    ]
    return LandscapeState(os.getpid(), "1", Phase.RUNNING, ports=ports, processes=tuple(processes))


def port_of(edge: Edge) -> int:
    return int(edge.url.rpartition(":")[2])


def test_the_sum_and_its_bound_are_told(folder: Path, edge: Edge) -> None:
    edge.body = GOOD
    state = a_state(port_of(edge), one="orders", two="router")
    told = disk_use(state, folder)
    assert told == DiskUse(1234, 567890)
    assert str(told) == "1,234 B of at most 567,890 B; each place with: harness events storage"
    assert '"storage": {\n    "bytes": 1234,\n    "bound": 567890\n  }' in as_json(state, told)
    ((path, headers, _),) = edge.requests
    assert (path, headers["authorization"]) == ("/_harness/storage", f"Bearer {operator_token(KEY)}")


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        pytest.param(401, GOOD, "the edge answered 401", id="another landscape's edge"),
        pytest.param(500, b"", "the edge answered 500", id="a store that is away"),
        pytest.param(200, b"no JSON", "the edge's answer is none", id="no JSON"),
        pytest.param(200, b"[]", "the edge's answer is none", id="no object"),
        pytest.param(200, b'{"bytes": 1}', "the edge's answer is none", id="no bound"),
    ],
)
def test_an_answer_that_is_none_is_told_as_that(folder: Path, edge: Edge, status: int, body: bytes, why: str) -> None:
    edge.status, edge.body = status, body
    told = disk_use(a_state(port_of(edge)), folder)
    assert (told.unknown, told.to_json(), str(told)) == (why, None, f"not known: {why}")
    assert '"storage": null' in as_json(a_state(1), told)


@pytest.mark.parametrize("name", ["nats", "edge"])
def test_nobody_is_asked_while_the_store_or_the_edge_is_down(folder: Path, edge: Edge, name: str) -> None:
    told = disk_use(a_state(port_of(edge), down=name), folder)
    assert (told.unknown, edge.requests) == (f"{name} is not healthy", [])


def test_an_edge_that_does_not_answer_is_not_waited_for(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        told = disk_use(a_state(silent.getsockname()[1]), folder, patience=0.05)
    assert told.unknown == "the edge did not answer within 0.05 s"


def test_an_edge_that_is_gone_is_told(folder: Path) -> None:
    with socket.socket() as bound:  # bound and not listening: nobody else has the port, and nobody answers there
        bound.bind(("127.0.0.1", 0))
        assert disk_use(a_state(bound.getsockname()[1]), folder).unknown.startswith("the edge cannot be asked")


def test_without_a_workbench_or_a_key_nobody_is_asked(folder: Path, tmp_path: Path, edge: Edge) -> None:
    nowhere = "its workbench has no address here"
    assert disk_use(a_state(None), folder).unknown == nowhere
    assert disk_use(a_state(port_of(edge)), tmp_path / "other").unknown == nowhere
    assert (edge.requests, (tmp_path / "other").exists()) == ([], False)
