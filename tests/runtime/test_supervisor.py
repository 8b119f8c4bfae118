"""The supervisor with small real processes: order, readiness, restarts, health, stop."""

import asyncio
import errno
import os
import socket
from dataclasses import replace

import pytest

from harness.errors import StartError
from harness.runtime.keeper import Pace
from harness.runtime.pids import identify
from harness.runtime.process import Kind, Plan, stop_waves
from harness.runtime.sockets import Listen, ReservedPort, listen, port_of
from harness.runtime.state import Held, Phase, last_failure, read_state
from harness.runtime.supervisor import Interrupts
from tests.runtime.conftest import FAST, Running, answered, get, tiny, until


def test_all_processes_run_and_the_state_says_so(held: Held, port: int) -> None:
    async def run() -> None:
        async with Running(held, tiny("orders", port), tiny("stock")) as running:
            state = running.state()
            assert state.phase is Phase.RUNNING
            assert state.healthy
            assert [each.name for each in state.processes] == ["orders", "stock"]
            orders = running.process("orders")
            assert identify(orders.pid) is not None
            assert orders.ports == {"http": port}
            assert orders.restarts == 0
        assert running.code == 0
        assert identify(orders.pid) is None
        assert read_state(held.folder) is None

    asyncio.run(run())


def test_a_process_starts_only_when_those_before_it_are_ready(held: Held, port: int) -> None:
    order: list[str] = []

    async def completed() -> None:
        order.append("postgres is ready and completed")

    async def prepared() -> None:
        order.append("orders is prepared")

    async def run() -> None:
        first = tiny("postgres", port, kind=Kind.POSTGRES, complete=completed)
        async with Running(held, tiny("orders", after=("postgres",), prepare=prepared), first):
            assert order == ["postgres is ready and completed", "orders is prepared"]

    asyncio.run(run())


def test_a_crashed_process_is_started_again(held: Held, port: int) -> None:
    async def run() -> None:
        async with Running(held, tiny("orders", port)) as running:
            before = running.process("orders").pid
            await get(port, "/crash")
            await until(lambda: running.process("orders").restarts == 1 and running.process("orders").healthy)
            assert running.process("orders").pid != before
            assert any("orders ended (exit code 9); starting it again" in line for line in running.said("supervisor"))
            assert "orders is healthy again" in running.said("supervisor")

    asyncio.run(run())


def test_a_process_that_is_down_is_not_healthy_and_has_no_pid(held: Held, port: int) -> None:
    async def run() -> None:
        running = Running(held, tiny("orders", port))
        running.supervisor._pace = replace(FAST, backoff_first=30.0, backoff_most=30.0)
        async with running:
            await get(port, "/crash")
            # A look at its port may find it unhealthy before its end is seen.
            await until(lambda: running.process("orders").pid == 0)
            orders = running.process("orders")
            assert not orders.healthy
            assert orders.detail == "ended (exit code 9); next start in 30 s"
            assert not running.state().healthy

    asyncio.run(run())


@pytest.mark.parametrize(
    ("failures", "seconds"), [(1, 0.25), (2, 0.5), (3, 1.0), (6, 8.0), (7, 15.0), (1000, 15.0)], ids=str
)
def test_each_failure_in_a_row_doubles_the_wait_up_to_the_most(failures: int, seconds: float) -> None:
    assert Pace().backoff(failures) == seconds


def test_an_answer_other_than_200_makes_it_unhealthy_until_it_recovers(held: Held, port: int) -> None:
    async def run() -> None:
        async with Running(held, tiny("orders", port)) as running:
            pid = running.process("orders").pid
            await get(port, "/sick")
            await until(lambda: running.process("orders").detail == f"GET http://127.0.0.1:{port}/healthz answers 500")
            assert not running.process("orders").healthy
            await get(port, "/well")
            await until(lambda: running.process("orders").healthy)
            assert running.process("orders").pid == pid

    asyncio.run(run())


def test_the_reason_that_is_told_is_the_one_of_now(held: Held) -> None:
    answers = [None, "it is slow", "it is ill"]

    async def probe() -> str | None:
        return answers.pop(0) if len(answers) > 1 else answers[0]

    async def run() -> None:
        async with Running(held, tiny("orders", ready=probe)) as running:
            await until(lambda: running.process("orders").detail == "it is ill")
            assert "orders is not healthy: it is slow" in running.said("supervisor")
            assert "orders is not healthy: it is ill" not in running.said("supervisor")

    asyncio.run(run())


def test_never_ready_fails_with_the_answer_the_last_lines_and_the_log(held: Held, port: int) -> None:
    async def run() -> None:
        async with Running(held, tiny("orders", port, "sick", ready=answered(port), ready_seconds=0.2), tiny("stock")):
            pytest.fail("it came up")

    with pytest.raises(StartError) as caught:
        asyncio.run(run())
    first, *rest = str(caught.value).splitlines()
    assert first == f"orders did not become ready within 0.2 s (GET http://127.0.0.1:{port}/healthz answers 500)"
    assert "    orders begins" in rest
    assert rest[-1].endswith(".harness/logs/orders.log")


def test_ending_before_it_is_ready_fails_at_once_with_the_exit_code(held: Held, port: int) -> None:
    async def run() -> None:
        async with Running(held, tiny("orders", port, "exits"), tiny("stock")):
            pytest.fail("it came up")

    with pytest.raises(StartError) as caught:
        asyncio.run(run())
    assert str(caught.value).startswith("orders ended before it was ready (exit code 3)")
    assert "    no such setting: COLOUR" in str(caught.value)


def test_a_program_that_does_not_exist_is_named(held: Held) -> None:
    async def run() -> None:
        async with Running(held, replace(tiny("orders"), command=("no-such-program",), ready=_never)):
            pytest.fail("it came up")

    with pytest.raises(StartError, match="cannot start no-such-program: No such file or directory"):
        asyncio.run(run())


def test_a_folder_that_does_not_exist_is_named(held: Held) -> None:
    async def run() -> None:
        async with Running(held, tiny("orders", cwd=held.folder.root / "gone")):
            pytest.fail("it came up")

    with pytest.raises(StartError, match=r"its folder .*gone does not exist"):
        asyncio.run(run())


def test_a_failed_start_leaves_its_reason_and_no_process(held: Held, port: int) -> None:
    running = Running(held, tiny("orders", 0, "exits", after=("stock",), ready=_never), tiny("stock", port))

    async def run() -> None:
        async with running:
            pytest.fail("it came up")

    with pytest.raises(StartError) as caught:
        asyncio.run(run())
    failure = last_failure(held.folder)
    assert failure is not None
    assert failure.error == str(caught.value)
    assert [each.pid for each in failure.processes] == [0, 0]
    assert "stock ends" in running.said("stock")


def test_a_step_before_the_first_start_can_refuse_it(held: Held) -> None:
    async def refuse() -> None:
        raise StartError("no room on the disk")

    async def run() -> None:
        async with Running(held, tiny("postgres", prepare=refuse), tiny("stock")):
            pytest.fail("it came up")

    with pytest.raises(StartError, match="no room on the disk"):
        asyncio.run(run())


def test_stop_during_start_ends_what_runs(held: Held, port: int) -> None:
    async def run() -> None:
        running = Running(held, tiny("stock"), tiny("orders", port, "sick"))
        task = asyncio.create_task(running.supervisor.run())
        await until(lambda: running.said("orders") and running.said("stock"))
        pids = [each.pid for each in running.state().processes]
        running.supervisor.stop()
        assert await task == 0
        assert [identify(pid) for pid in pids] == [None, None]

    asyncio.run(run())


def test_stop_before_anything_starts_is_clean(held: Held) -> None:
    async def run() -> None:
        running = Running(held, tiny("orders"))
        running.supervisor.stop()
        assert await running.supervisor.run() == 0

    asyncio.run(run())


def test_processes_stop_before_those_that_they_need(held: Held) -> None:
    kinds = (Kind.POSTGRES, Kind.NATS, Kind.EDGE, Kind.ROUTER, Kind.DOMAIN)

    async def run() -> None:
        running = Running(held, *(tiny(kind.value, kind=kind) for kind in kinds))
        async with running:
            await until(lambda: all(running.said(kind.value) for kind in kinds))
        ends = [name for name, line in running.lines if line == f"{name} ends"]
        assert ends == ["domain", "router", "edge", "nats", "postgres"]

    asyncio.run(run())


def test_a_process_that_ignores_the_signal_is_killed_after_its_time(held: Held) -> None:
    async def run() -> None:
        running = Running(held, tiny("orders", 0, "stubborn", stop_seconds=0.2))
        async with running:
            await until(lambda: running.said("orders"))
            pid = running.process("orders").pid
        assert identify(pid) is None
        assert "orders did not end within 0.2 s of SIGTERM and was killed" in running.said("supervisor")

    asyncio.run(run())


def test_force_waits_for_nobody(held: Held) -> None:
    async def run() -> None:
        running = Running(held, tiny("orders", 0, "stubborn", stop_seconds=600.0))
        async with running:
            await until(lambda: running.said("orders"))
            running.supervisor.stop()
            await until(lambda: running.state().phase is Phase.STOPPING)
            running.supervisor.force()
        assert running.code == 130

    asyncio.run(run())


def test_what_a_crashed_process_leaves_in_its_group_is_ended(held: Held, port: int) -> None:
    async def run() -> None:
        async with Running(held, tiny("orders", port, "worker")) as running:
            await until(lambda: any(line.startswith("worker") for line in running.said("orders")))
            worker = next(int(line.split()[1]) for line in running.said("orders") if line.startswith("worker"))
            assert identify(worker) is not None
            await get(port, "/crash")
            await until(lambda: identify(worker) is None)

    asyncio.run(run())


def test_a_crash_is_seen_also_where_the_system_has_no_pidfd(
    held: Held, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(pid: int) -> int:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(os, "pidfd_open", unknown)

    async def run() -> None:
        async with Running(held, tiny("orders", port)) as running:
            await get(port, "/crash")
            await until(lambda: running.process("orders").restarts == 1 and running.process("orders").healthy)
        assert running.code == 0

    asyncio.run(run())


def test_a_connection_made_while_the_owner_of_a_passed_socket_is_down_is_answered(held: Held) -> None:
    sockets = listen([Listen("workbench", "127.0.0.1", 0, "ports: workbench")])
    listening = sockets["workbench"]
    port = port_of(listening)
    edge = tiny(
        "edge",
        f"fd:{listening.fileno()}",
        kind=Kind.EDGE,
        sockets=(listening,),
        ready=f"http://127.0.0.1:{port}/healthz",
    )

    async def run() -> None:
        running = Running(held, edge)
        running.supervisor._pace = replace(FAST, backoff_first=0.3)
        async with running:
            await get(port, "/crash")
            await until(lambda: running.process("edge").pid == 0)
            assert (await get(port, "/anything")).endswith(b"ok\n")

    with listening:
        asyncio.run(run())


def test_a_state_that_cannot_be_written_ends_nothing(held: Held, port: int) -> None:
    async def run() -> None:
        async with Running(held, tiny("orders", port)) as running:
            hidden = held.folder.run.rename(held.folder.root / "hidden")
            await get(port, "/crash")
            await until(lambda: any("status is out of date" in line for line in running.said("supervisor")))
            await until(lambda: "orders is healthy again" in running.said("supervisor"))
            hidden.rename(held.folder.run)
            await get(port, "/sick")
            await until(lambda: not running.process("orders").healthy)

    asyncio.run(run())


def test_lines_are_kept_in_the_log_of_each_process(held: Held, port: int) -> None:
    async def run() -> None:
        async with Running(held, tiny("orders", port)) as running:
            await get(port, "/say/hello")
            await until(lambda: "hello" in running.said("orders"))

    asyncio.run(run())
    assert "hello" in (held.folder.logs / "orders.log").read_text()
    assert "all healthy" in (held.folder.logs / "supervisor.log").read_text()


def test_a_fault_of_the_supervisor_itself_still_ends_every_process(held: Held) -> None:
    async def broken() -> None:
        raise ZeroDivisionError

    async def run() -> None:
        async with Running(held, tiny("stock"), tiny("orders", after=("stock",), prepare=broken)):
            pytest.fail("it came up")

    with pytest.raises(ZeroDivisionError):
        asyncio.run(run())
    assert read_state(held.folder) is None


@pytest.mark.parametrize(
    ("times", "asked"),
    [
        ([0.0], ["stop"]),
        ([0.0, 0.1, 0.4], ["stop"]),
        ([0.0, 2.0], ["stop", "force"]),
        ([0.0, 0.1, 2.0], ["stop", "force"]),
    ],
    ids=["once", "once, passed on by a wrapper", "twice", "passed on, then again"],
)
def test_a_ctrl_c_asks_to_stop_and_a_later_one_to_force(times: list[float], asked: list[str]) -> None:
    seen: list[str] = []
    clock = iter(times)
    interrupted = Interrupts(lambda: seen.append("stop"), lambda: seen.append("force"), now=lambda: next(clock))
    for _ in times:
        interrupted()
    assert seen == asked


@pytest.mark.parametrize("after", [("orders",), ("nobody",)], ids=["itself", "nobody known"])
def test_a_plan_whose_process_waits_for_ever_is_refused(after: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="wait for each other or for nobody"):
        Plan((tiny("orders", after=after),))


def test_two_processes_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two processes of one name"):
        Plan((tiny("orders"), tiny("orders")))


def test_waves_of_stopping_leave_out_what_a_plan_has_not() -> None:
    assert stop_waves([tiny("nats", kind=Kind.NATS), tiny("a"), tiny("b")]) == [["a", "b"], ["nats"]]


def test_a_reserved_port_is_given_to_nobody_else_but_can_be_listened_at() -> None:
    reserved = ReservedPort()
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", reserved.port))
        server.listen()
        with socket.create_connection(("127.0.0.1", reserved.port)):
            pass
    with socket.socket() as other, pytest.raises(OSError) as caught:
        other.bind(("127.0.0.1", reserved.port))
    assert caught.value.errno == errno.EADDRINUSE
    reserved.release()


async def _never() -> str | None:
    return "not yet"
