"""`harness up`, `down`, `status`, `logs` as far as they can be told without starting anything."""

import json
import sys
import threading
from pathlib import Path

import pytest

from harness.errors import StartError
from harness.local import containers, docker, lifecycle, running
from harness.local.lifecycle import Progress, UpRequest
from harness.runtime.folder import StateFolder
from harness.runtime.state import LandscapeState, Phase, hold, write_state
from tests.cli.conftest import ROOT, Run, process, state_of


@pytest.fixture(autouse=True)
def no_docker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docker, "_containers", lambda folder: [])


class TestStatus:
    def test_shows_a_line_a_process_and_where_to_call(self, run: Run, held: StateFolder) -> None:
        done = run("--state", str(held.root), "status")

        lines = [line.split() for line in done.out.splitlines()]
        assert done.code == 0
        assert lines[0] == ["NAME", "KIND", "HEALTH", "PID", "RESTARTS", "ADDRESS"]
        assert lines[1] == ["orders", "domain", "healthy", "4711", "0", "http://127.0.0.1:40002"]
        assert lines[-3] == ["workbench", "http://localhost:4566", "your", "own", "VPC", "endpoint"]
        assert lines[-2][:2] == ["public", "http://localhost:4567"]
        assert lines[-1][:3] == ["storage", "not", "known:"]

    def test_for_programs_has_every_process(self, run: Run, held: StateFolder) -> None:
        done = run("--state", str(held.root), "status", "--json")

        document = json.loads(done.out)
        assert (done.code, done.err) == (0, "")
        assert (document["healthy"], document["storage"]) == (True, None)
        assert [(each["name"], each["healthy"]) for each in document["processes"]] == [
            ("orders", True),
            ("stock", True),
        ]

    @pytest.mark.parametrize(
        ("told", "shown"),
        [
            pytest.param(
                state_of(process("orders", healthy=False, detail="GET answers 500")), "GET answers 500", id="ill"
            ),
            pytest.param(state_of(process("orders", healthy=False), phase=Phase.STARTING), "starting", id="starting"),
        ],
    )
    def test_of_what_is_not_healthy_is_exit_code_1(
        self, told: LandscapeState, shown: str, run: Run, held: StateFolder
    ) -> None:
        write_state(held, told)

        done = run("--state", str(held.root), "status")

        assert done.code == 1
        assert shown in done.out

    def test_of_nothing_says_how_to_start(self, run: Run, tmp_path: Path) -> None:
        done = run("--state", str(tmp_path), "status")

        assert (done.code, done.out) == (1, "")
        assert done.err == f"nothing runs here; start it with: harness --state {tmp_path} up\n"

    def test_of_nothing_is_json_too(self, run: Run, tmp_path: Path) -> None:
        done = run("--state", str(tmp_path), "status", "--json")

        assert done.code == 1
        assert json.loads(done.out) == {"phase": "stopped", "healthy": False, "processes": []}

    def test_of_a_folder_that_the_environment_names(
        self, run: Run, held: StateFolder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HARNESS_STATE", str(held.root))

        assert run("status").code == 0

    def test_of_another_manifest_from_anywhere(self, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        folder = tmp_path / "elsewhere"
        folder.mkdir()
        (folder / "other.yaml").touch()
        state = StateFolder(folder / ".harness")
        monkeypatch.chdir(tmp_path)

        with hold(state, say=print):
            write_state(state, state_of(process("orders")))

            assert run("--file", "elsewhere/other.yaml", "status").code == 0


class TestUp:
    @pytest.fixture
    def asked(self, monkeypatch: pytest.MonkeyPatch) -> list[UpRequest]:
        """Requests that reached the supervisor, which is up at once."""
        requests: list[UpRequest] = []
        state = state_of(process("edge"), process("orders"), process("stock"))

        def up(request: UpRequest, *, ready: Progress) -> int:
            requests.append(request)
            ready(state)
            return 0

        def up_detached(request: UpRequest, *, progress: Progress) -> LandscapeState:
            requests.append(request)
            progress(state_of(process("edge"), process("orders", healthy=False)))
            progress(state)
            return state

        monkeypatch.setattr(lifecycle, "up", up)
        monkeypatch.setattr(lifecycle, "up_detached", up_detached)
        return requests

    def test_ends_with_a_table_and_one_line_to_try(self, run: Run, asked: list[UpRequest]) -> None:
        done = run("up")

        assert done.code == 0
        assert done.out.splitlines()[0].split()[0] == "NAME"
        assert done.err.splitlines()[-2:] == ["try: harness call orders GET /v2/orders --as tester", "stop: Ctrl-C"]
        assert asked == [UpRequest(ROOT / "harness.yaml", ROOT / ".harness")]

    def test_detached_tells_each_process_once_and_how_to_stop(self, run: Run, asked: list[UpRequest]) -> None:
        done = run("up", "--detach")

        assert done.err.splitlines() == [
            "edge is ready (1/2)",
            "orders is ready (2/3)",
            "stock is ready (3/3)",
            "",
            "try: harness call orders GET /v2/orders --as tester",
            "stop: harness down",
        ]

    def test_says_commands_that_mean_the_same_landscape(self, run: Run, asked: list[UpRequest], tmp_path: Path) -> None:
        done = run("--file", "harness.yaml", "--state", str(tmp_path / "a b"), "up", "-d")

        options = f"--file harness.yaml --state '{tmp_path}/a b'"
        assert f"try: harness {options} call orders" in done.err
        assert done.err.endswith(f"stop: harness {options} down\n")

    def test_says_a_command_that_the_shell_finds(
        self, run: Run, asked: list[UpRequest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        program = ROOT / ".venv" / "bin" / "harness"
        monkeypatch.setattr(sys, "argv", [str(program)])
        monkeypatch.chdir(ROOT)
        monkeypatch.setenv("PATH", "/nowhere")
        from harness.cli.options import Options

        assert Options(None, None).command_line(["status"]) == ".venv/bin/harness status"
        (tmp_path / "harness").symlink_to(program)
        (tmp_path / "harness").resolve().exists() or pytest.skip("the command is installed elsewhere")
        monkeypatch.setenv("PATH", str(tmp_path))
        assert Options(None, None).command_line(["status"]) == "harness status"

    def test_of_part_of_it_asks_for_that_part(self, run: Run, asked: list[UpRequest]) -> None:
        run("up", "orders", "--free-ports")

        assert (asked[0].domains, asked[0].free_ports, asked[0].background) == (("orders",), True, False)

    def test_with_stubs_asks_for_them(self, run: Run, asked: list[UpRequest]) -> None:
        run("up", "--stub", "stock", "--stub", "orders", "--seed", "3")

        assert (asked[0].stubs, asked[0].seed, asked[0].only_stubs) == (("stock", "orders"), 3, False)

    def test_of_stubs_alone_is_the_command_stub(self, run: Run, asked: list[UpRequest]) -> None:
        run("stub", "stock", "--port", "9000")

        file, state = ROOT / "harness.yaml", ROOT / ".harness"
        assert asked == [UpRequest(file, state, free_ports=True, stubs=("stock",), only_stubs=True, workbench=9000)]

    def test_of_stubs_without_a_port_takes_those_of_the_manifest(self, run: Run, asked: list[UpRequest]) -> None:
        done = run("stub", "stock", "stock", "--detach")

        assert (asked[0].stubs, asked[0].free_ports, asked[0].workbench) == (("stock",), False, None)
        assert done.err.splitlines()[-1] == "stop: harness down"

    def test_in_the_background_says_nothing(self, run: Run, asked: list[UpRequest]) -> None:
        done = run("up", "--background", "--parent", "7")

        assert (done.out, done.err) == ("", "")
        assert (asked[0].background, asked[0].parent) == (True, 7)

    def test_that_fails_is_told_without_a_traceback(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(request: UpRequest, *, ready: Progress) -> int:
            raise StartError("port 4566 is in use")

        monkeypatch.setattr(lifecycle, "up", fail)

        done = run("up")

        assert (done.code, done.err) == (1, "harness: port 4566 is in use\n")

    def test_with_containers_hands_over_what_was_asked(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[object] = []

        def compose_up(file: Path, domains: tuple[str, ...], *, detach: bool, ready: Progress) -> int:
            asked.append((file, domains, detach))
            ready(state_of(process("orders")))
            return 3

        monkeypatch.setattr(containers, "compose_up", compose_up)

        done = run("up", "--engine", "docker", "--detach", "orders")

        assert done.code == 3
        assert asked == [(ROOT / "harness.yaml", ("orders",), True)]
        assert "try: harness call orders" in done.err


class TestDown:
    def test_of_nothing_says_so(self, run: Run, tmp_path: Path) -> None:
        done = run("--state", str(tmp_path / "state"), "down")

        assert done.code == 1
        assert "no landscape runs in" in done.err

    def test_stops_containers_where_no_processes_run(
        self, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stopped: list[Path] = []

        def stop(folder: Path) -> int:
            stopped.append(folder)
            return 0

        monkeypatch.setattr(docker, "down", stop)

        done = run("--state", str(tmp_path), "down")

        assert (done.code, stopped) == (0, [ROOT])


class TestLogs:
    def write(self, state: StateFolder, name: str, *lines: str) -> None:
        state.logs.mkdir(parents=True, exist_ok=True)
        with (state.logs / f"{name}.log").open("a") as file:
            file.writelines(f"2026-01-15T12:00:0{number}.000000Z {line}\n" for number, line in enumerate(lines))

    def test_name_the_process_of_each_line(self, run: Run, state: StateFolder) -> None:
        self.write(state, "edge", "one", "three")
        self.write(state, "orders", "two")

        done = run("--state", str(state.root), "logs")

        assert done.out.splitlines() == ["edge   | one", "orders | two", "edge   | three"]

    def test_may_be_of_one_process_and_its_last_lines(self, run: Run, state: StateFolder) -> None:
        self.write(state, "edge", "one", "two")
        self.write(state, "orders", "x")

        assert run("--state", str(state.root), "logs", "edge", "-n", "1").out == "edge | two\n"

    def test_of_nothing_say_how_to_start(self, run: Run, state: StateFolder) -> None:
        done = run("--state", str(state.root), "logs")

        assert (done.code, done.out) == (0, "")
        assert "nothing has run here yet; start it with: harness --state" in done.err

    def test_are_dockers_where_no_processes_run(
        self, run: Run, state: StateFolder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[object] = []

        def logs(folder: Path, name: str | None, *, follow: bool, lines: int) -> int:
            asked.append((folder, name, follow, lines))
            return 0

        monkeypatch.setattr(docker, "logs", logs)

        run("--state", str(state.root), "logs", "edge", "-f", "-n", "5")

        assert asked == [(ROOT, "edge", True, 5)]

    def test_that_are_followed_end_with_the_landscape(self, state: StateFolder) -> None:
        seen: list[str] = []
        first = threading.Event()

        def show(line: str) -> None:
            seen.append(line)
            first.set()

        with hold(state, say=print):
            write_state(state, state_of(process("edge")))
            self.write(state, "edge", "one")
            reader = threading.Thread(
                target=running.show_logs, args=(state.root, None), kwargs={"follow": True, "lines": 5, "sink": show}
            )
            reader.start()
            assert first.wait(60)
            assert reader.is_alive()
            self.write(state, "edge", "two")
        reader.join(60)

        assert not reader.is_alive()
        assert seen == ["edge | one", "edge | two"]
