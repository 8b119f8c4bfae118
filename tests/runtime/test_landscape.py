"""A landscape as a process: signals at any moment, a killed supervisor, a second start, the end from outside."""

import os
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from harness.errors import NotRunning, StartError
from harness.runtime.detach import spawn_detached
from harness.runtime.folder import StateFolder
from harness.runtime.pids import ProcessId, alive, identify
from harness.runtime.state import (
    LandscapeState,
    Phase,
    ProcessState,
    clear_leftovers,
    read_state,
    stop,
    write_state,
)
from tests.runtime.commands import SECONDS, command, gone, started, until

pytestmark = pytest.mark.slow

TWO: dict[str, Any] = {"processes": [{"name": "orders", "port": "free"}, {"name": "stock"}]}
NEVER_READY: dict[str, Any] = {"processes": [{"name": "orders", "port": "free", "words": ["sick"]}, {"name": "stock"}]}
STUBBORN: dict[str, Any] = {"processes": [{"name": "orders", "words": ["stubborn"], "stop_seconds": 600}]}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_ends_everything_well(folder: StateFolder, number: signal.Signals) -> None:
    with started(folder, TWO) as landscape:
        landscape.until_running()
        family = landscape.family()
        assert len(family) >= 3
        landscape.signal(number)
        assert landscape.ends() == 0
        assert gone(family)
        assert not folder.state_file.exists()
        assert "Traceback" not in landscape.text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_during_the_start_ends_everything_well(folder: StateFolder, number: signal.Signals) -> None:
    with started(folder, NEVER_READY) as landscape:
        landscape.until(lambda: "orders begins" in landscape.text() and "stock begins" in landscape.text(), "it starts")
        family = landscape.family()
        landscape.signal(number)
        assert landscape.ends() == 0
        assert gone(family)


def test_ctrl_c_in_the_terminal_reaches_the_supervisor_alone(folder: StateFolder) -> None:
    with started(folder, TWO) as landscape:
        landscape.until_running()
        groups = {os.getpgid(process.pid) for process in landscape.family()[1:]}
        assert os.getpgid(landscape.pid) not in groups
        assert len(groups) == len(landscape.family()) - 1


def test_a_second_ctrl_c_forces_the_end(folder: StateFolder) -> None:
    with started(folder, STUBBORN) as landscape:
        landscape.until(lambda: "orders begins" in landscape.text(), "it starts")
        landscape.until_running()
        family = landscape.family()
        landscape.signal(signal.SIGINT)
        landscape.until(lambda: (state := read_state(folder)) and state.phase is Phase.STOPPING, "it stops")

        def again() -> bool:
            if "forced" not in landscape.text() and landscape.process.poll() is None:
                landscape.signal(signal.SIGINT)
            return "forced" in landscape.text()

        landscape.until(again, "it was forced")
        assert landscape.ends() == 130
        assert gone(family)


def test_a_killed_supervisor_leaves_no_child_and_no_grandchild(folder: StateFolder) -> None:
    plan = {"processes": [{"name": "orders", "words": ["worker", "stubborn"]}, {"name": "stock", "words": ["worker"]}]}
    with started(folder, plan) as landscape:
        landscape.until_running()
        landscape.until(lambda: landscape.text().count("worker ") == 2, "the workers run")
        family = landscape.family()
        assert len(family) == 6  # supervisor, its guard, two processes, two workers
        landscape.signal(signal.SIGKILL)
        landscape.ends()
        until(lambda: gone(family), "all of it is gone")


def test_the_kernel_ends_children_also_when_the_guard_was_killed_too(folder: StateFolder) -> None:
    with started(folder, TWO) as landscape:
        landscape.until_running()
        landscape.until(lambda: "stock begins" in landscape.text(), "it starts")
        family = landscape.family()
        guard = next(process for process in family if any("guard.py" in word for word in process.cmdline()))
        guard.kill()
        landscape.signal(signal.SIGKILL)
        landscape.ends()
        until(lambda: gone(family), "all of it is gone")


def test_up_works_again_after_a_killed_supervisor(folder: StateFolder) -> None:
    with started(folder, TWO) as landscape:
        landscape.until_running()
        landscape.signal(signal.SIGKILL)
        landscape.ends()
        assert read_state(folder) is None
    with started(folder, TWO) as again:
        assert again.until_running().pid == again.pid


def test_a_second_up_says_who_runs_and_what_to_do(folder: StateFolder) -> None:
    with started(folder, TWO) as landscape:
        landscape.until_running()
        second = subprocess.run(command(folder, TWO), capture_output=True, text=True, timeout=SECONDS, check=False)
        assert second.returncode == 1
        assert f"already runs in {folder.root} as process {landscape.pid}" in second.stderr
        assert "`harness down` ends it" in second.stderr
        state = read_state(folder)
        assert state is not None
        assert state.healthy


def test_landscapes_of_different_folders_run_side_by_side(folder: StateFolder) -> None:
    other = StateFolder(folder.root.with_name("other"))
    with started(folder, TWO) as one, started(other, TWO) as two:
        assert one.until_running().pid != two.until_running().pid


def test_stop_ends_a_landscape_from_outside(folder: StateFolder) -> None:
    with started(folder, TWO) as landscape:
        landscape.until_running()
        family = landscape.family()
        stop(folder, say=print)
        assert gone(family)
        assert landscape.ends() == 0
        assert read_state(folder) is None


def test_stop_kills_a_landscape_that_does_not_end(folder: StateFolder) -> None:
    said: list[str] = []
    with started(folder, STUBBORN) as landscape:
        landscape.until_running()
        landscape.until(lambda: "orders begins" in landscape.text(), "it starts")
        family = landscape.family()
        stop(folder, say=said.append, seconds=0.3)
        until(lambda: gone(family), "all of it is gone")
        assert said == [f"the supervisor (process {landscape.pid}) did not end within 0.3 s and is killed"]


def test_stop_where_nothing_runs_says_so(folder: StateFolder) -> None:
    with pytest.raises(NotRunning, match="no landscape runs in"):
        stop(folder, say=print)
    folder.create()
    with pytest.raises(NotRunning, match="no landscape runs in"):
        stop(folder, say=print)


def test_what_a_killed_supervisor_left_is_ended_by_pid_and_start_time(folder: StateFolder) -> None:
    folder.create()
    said: list[str] = []
    with _sleeper() as orphan, _sleeper() as stranger:
        ours, theirs = identify(orphan.pid), identify(stranger.pid)
        assert ours is not None
        assert theirs is not None
        left = ProcessState("orders", "domain", pid=ours.pid, started=ours.started)
        reused = ProcessState("stock", "domain", pid=theirs.pid, started="another process had this pid")
        write_state(folder, LandscapeState(1, "gone", Phase.RUNNING, processes=(left, reused)))
        clear_leftovers(folder, say=said.append)
        assert not alive(ours)
        assert alive(theirs)
        assert said == [f"ended orders (process {ours.pid}), left by a supervisor that was killed"]
        assert not folder.state_file.exists()
        orphan.wait()
        stranger.kill()


def test_a_port_in_use_is_named_with_the_setting_that_changes_it(folder: StateFolder) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with started(folder, {**TWO, "listen": port}) as landscape:
            assert landscape.ends() == 1
            assert landscape.text().strip() == (
                f"port {port} (workbench) is in use by another program ({_own_name()}, process {os.getpid()}): "
                "end it, or set another with `ports: workbench:` in harness.yaml"
            )


def test_detached_returns_when_all_is_healthy(folder: StateFolder) -> None:
    phases: list[Phase] = []
    state = spawn_detached(command(folder, TWO), folder, progress=lambda each: phases.append(each.phase))
    try:
        assert state.healthy
        assert os.getsid(state.pid) == state.pid
        assert phases[-1] is Phase.RUNNING
    finally:
        stop(folder, say=print)
    assert not alive(ProcessId(state.pid, state.started))


def test_detached_says_why_it_did_not_come_up_and_leaves_nothing(folder: StateFolder) -> None:
    plan = {"processes": [{"name": "orders", "port": "free", "words": ["sick"], "ready_seconds": 0.2}]}
    with pytest.raises(StartError, match=r"^orders did not become ready within 0\.2 s"):
        spawn_detached(command(folder, plan), folder)
    assert read_state(folder) is None
    assert "orders ends" in (folder.logs / "orders.log").read_text()


def test_detached_passes_on_what_a_supervisor_says_that_cannot_even_start(folder: StateFolder) -> None:
    with started(folder, TWO) as landscape:
        landscape.until_running()
        with pytest.raises(StartError, match=f"already runs .* as process {landscape.pid}"):
            spawn_detached(command(folder, TWO), folder)
        state = read_state(folder)
        assert state is not None
        assert state.healthy


def test_detached_with_a_silent_failure_names_the_log(folder: StateFolder) -> None:
    with pytest.raises(StartError, match=r"exit code 7 and said nothing; see .*supervisor\.log"):
        spawn_detached([sys.executable, "-S", "-c", "raise SystemExit(7)"], folder)


def test_a_damaged_state_of_a_dead_landscape_does_not_stop_the_next(folder: StateFolder) -> None:
    folder.create()
    folder.state_file.write_text("{")
    with started(folder, TWO) as landscape:
        assert replace(landscape.until_running(), processes=()).phase is Phase.RUNNING


def _sleeper() -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"], start_new_session=True)


def _own_name() -> str:
    import psutil

    return psutil.Process().name()
