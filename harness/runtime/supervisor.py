"""Brings a plan up, keeps it up, takes it down. Holds the truth about what runs and writes it down at every change."""

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime

from harness.clock import Clock, utc_now
from harness.errors import StartError
from harness.runtime.child import Guard
from harness.runtime.folder import disk_trouble, shown
from harness.runtime.keeper import Keeper, Pace
from harness.runtime.logs import SUPERVISOR, LogFile, log_path
from harness.runtime.pids import identify
from harness.runtime.process import Plan, stop_waves
from harness.runtime.state import Held, LandscapeState, Phase, write_state

Console = Callable[[str, str], None]
"""Takes a process's name and a line that it wrote (or `supervisor` and a line about the landscape)."""

DOUBLE_SECONDS = 0.5


class Supervisor:
    """Runs a plan once. `run` ends after `stop`; `force` does not wait for anyone."""

    def __init__(
        self,
        plan: Plan,
        held: Held,
        *,
        console: Console | None = None,
        clock: Clock = utc_now,
        pace: Pace | None = None,
        on_ready: Callable[[LandscapeState], None] | None = None,
    ) -> None:
        self._plan = plan
        self._folder = held.folder
        self._console = console or (lambda name, line: None)
        self._clock = clock
        self._pace = pace or Pace()
        self._on_ready = on_ready
        self._stop = asyncio.Event()
        self._force = asyncio.Event()
        self._keepers: dict[str, Keeper] = {}
        self._phase = Phase.STARTING
        self._error = ""
        self._began = clock()
        self._me = identify(os.getpid())
        self._unwritten = ""
        self._log: LogFile | None = None

    def stop(self) -> None:
        """Asks for an orderly end, at any moment of a run."""
        self._stop.set()

    def force(self) -> None:
        """Asks for an end at once: SIGKILL to everything."""
        self._stop.set()
        self._force.set()

    async def run(self) -> int:
        """0 after an orderly stop, 130 after a forced one. `StartError` when the landscape did not come up; nothing of
        it runs when this returns or raises."""
        with ExitStack() as closing:
            self._log = self._open_log(SUPERVISOR, closing)
            with disk_trouble(self._folder.state_file):
                write_state(self._folder, self.state())
            guard = Guard()
            closing.callback(guard.close)
            self._keepers = self._make_keepers(guard, closing)
            tasks = [asyncio.create_task(keeper.run(), name=name) for name, keeper in self._keepers.items()]
            try:
                await self._until_stopped(tasks)
            except StartError as error:
                self._phase, self._error = Phase.FAILED, str(error)
                raise
            finally:
                await self._take_down(tasks)
        return 130 if self._force.is_set() else 0

    def state(self) -> LandscapeState:
        assert self._me is not None
        return LandscapeState(
            pid=self._me.pid,
            started=self._me.started,
            phase=self._phase,
            since=_iso(self._began),
            url=self._plan.url,
            ports=dict(self._plan.ports),
            error=self._error,
            processes=tuple(keeper.state() for keeper in self._keepers.values()),
        )

    async def _until_stopped(self, tasks: list[asyncio.Task[None]]) -> None:
        stop = asyncio.create_task(self._stop.wait())
        ready = asyncio.create_task(self._all_ready())
        try:
            # A keeper never returns; the first that fails ends the start.
            await asyncio.wait([*tasks, ready, stop], return_when=asyncio.FIRST_COMPLETED)
            if not stop.done() and not any(task.done() for task in tasks):
                self._phase = Phase.RUNNING
                self._publish()
                self._say(f"all healthy after {(self._clock() - self._began).total_seconds():.1f} s")
                if self._on_ready:
                    self._on_ready(self.state())
                await asyncio.wait([*tasks, stop], return_when=asyncio.FIRST_COMPLETED)
            if not stop.done():
                for task in tasks:
                    if task.done():
                        task.result()
        finally:
            stop.cancel()
            ready.cancel()

    async def _all_ready(self) -> None:
        for keeper in self._keepers.values():
            await keeper.ready.wait()

    async def _take_down(self, tasks: list[asyncio.Task[None]]) -> None:
        """Stops what runs: first what others do not need. Nothing can cut this short but `force`."""
        if self._phase is not Phase.FAILED:
            self._phase = Phase.STOPPING
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._publish()
        stopping = asyncio.create_task(self._stop_in_waves())
        forced = asyncio.create_task(self._force.wait())
        await asyncio.wait([stopping, forced], return_when=asyncio.FIRST_COMPLETED)
        if not stopping.done():
            self._say("forced: killing what still runs")
            await asyncio.gather(*(keeper.stop(force=True) for keeper in self._keepers.values()))
        forced.cancel()
        await stopping
        self._forget()

    async def _stop_in_waves(self) -> None:
        for wave in stop_waves(self._plan.processes):
            await asyncio.gather(*(self._keepers[name].stop() for name in wave))

    def _make_keepers(self, guard: Guard, closing: ExitStack) -> dict[str, Keeper]:
        keepers: dict[str, Keeper] = {}
        waiting = list(self._plan.processes)
        while waiting:  # the plan has been checked: every turn makes at least one
            for spec in [each for each in waiting if keepers.keys() >= set(each.after)]:
                keepers[spec.name] = Keeper(
                    spec,
                    after=[keepers[name] for name in spec.after],
                    log=self._open_log(spec.name, closing),
                    say=self._say,
                    echo=lambda line, name=spec.name: self._console(name, line),  # type: ignore[misc]
                    changed=self._publish,
                    guard=guard,
                    clock=self._clock,
                    pace=self._pace,
                )
            waiting = [spec for spec in waiting if spec.name not in keepers]
        return {spec.name: keepers[spec.name] for spec in self._plan.processes}

    def _open_log(self, name: str, closing: ExitStack) -> LogFile:
        log = LogFile(log_path(self._folder.logs, name), clock=self._clock)
        closing.callback(log.close)
        return log

    def _say(self, line: str) -> None:
        if self._log:
            self._log.write(line)
        self._console(SUPERVISOR, line)

    def _publish(self) -> None:
        """A state that cannot be written now (full disk) does not end what runs; it is said once and tried again."""
        try:
            write_state(self._folder, self.state())
        except OSError as error:
            reason = error.strerror or str(error)
            if reason != self._unwritten:
                self._unwritten = reason
                self._say(f"{shown(self._folder.state_file)} cannot be written ({reason}): status is out of date")
        else:
            self._unwritten = ""

    def _forget(self) -> None:
        """The state of a landscape that failed stays, to be asked why; any other is gone with it."""
        if self._phase is Phase.FAILED:
            self._publish()
            return
        try:
            self._folder.state_file.unlink(missing_ok=True)
        except OSError as error:
            self._say(f"{shown(self._folder.state_file)} cannot be removed ({error.strerror}); it does no harm")


class Interrupts:
    """What a SIGINT asks for: the first an orderly end, a later one an end at once.

    One Ctrl-C may arrive twice, from the terminal and from a wrapper that passes it on (make, uv run): a second one
    within `DOUBLE_SECONDS` is the same.
    """

    def __init__(self, stop: Callable[[], None], force: Callable[[], None], *, now: Callable[[], float]) -> None:
        self._stop = stop
        self._force = force
        self._now = now
        self._first: float | None = None

    def __call__(self) -> None:
        if self._first is None:
            self._first = self._now()
            self._stop()
        elif self._now() - self._first > DOUBLE_SECONDS:
            self._force()


def serve(
    plan: Plan,
    held: Held,
    *,
    console: Console | None = None,
    clock: Clock = utc_now,
    on_ready: Callable[[LandscapeState], None] | None = None,
) -> int:
    """Runs a plan until SIGINT, SIGTERM or SIGHUP; a second SIGINT forces. The exit code is `Supervisor.run`'s."""
    return asyncio.run(_serve(plan, held, console=console, clock=clock, on_ready=on_ready))


async def _serve(
    plan: Plan,
    held: Held,
    *,
    console: Console | None,
    clock: Clock,
    on_ready: Callable[[LandscapeState], None] | None,
) -> int:
    loop = asyncio.get_running_loop()
    supervisor = Supervisor(plan, held, console=console, clock=clock, on_ready=on_ready)
    interrupted = Interrupts(supervisor.stop, supervisor.force, now=loop.time)
    handlers: dict[signal.Signals, Callable[[], None]] = {
        signal.SIGINT: interrupted,
        signal.SIGTERM: supervisor.stop,
        signal.SIGHUP: supervisor.stop,
    }
    for number, handler in handlers.items():
        loop.add_signal_handler(number, handler)
    try:
        return await supervisor.run()
    finally:
        for number in handlers:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_IGN)  # all has ended; a late Ctrl-C must not turn that into a traceback


def _iso(instant: datetime) -> str:
    return instant.isoformat(timespec="milliseconds")
