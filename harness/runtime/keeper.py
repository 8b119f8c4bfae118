"""Keeps one process of a plan alive: first start, readiness, health, restart after a crash, stop."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from harness.clock import Clock
from harness.errors import StartError
from harness.runtime.child import Child, Guard, how_it_ended
from harness.runtime.folder import shown
from harness.runtime.logs import LogFile
from harness.runtime.probes import http_probe
from harness.runtime.process import Probe, ProcessSpec
from harness.runtime.state import ProcessState

LAST_LINES = 15


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds. A restart waits `backoff_first`, then twice as long each time up to `backoff_most`; a process that was
    healthy for `settled` begins anew. While a process starts it is asked after `probe_first`, then ever more rarely."""

    backoff_first: float = 0.25
    backoff_most: float = 15.0
    settled: float = 30.0
    probe_first: float = 0.02
    probe_starting: float = 0.1
    probe_running: float = 1.0

    def backoff(self, failures: int) -> float:
        """The wait after so many failures in a row, counted from 1."""
        return float(min(self.backoff_most, self.backoff_first * 2 ** min(failures - 1, 30)))


class Keeper:
    """`ready` is set once the first start has succeeded; `healthy` and `detail` tell how it is now."""

    def __init__(
        self,
        spec: ProcessSpec,
        *,
        after: Sequence["Keeper"],
        log: LogFile,
        say: Callable[[str], None],
        echo: Callable[[str], None],
        changed: Callable[[], None],
        guard: Guard,
        clock: Clock,
        pace: Pace,
    ) -> None:
        self.spec = spec
        self.ready = asyncio.Event()
        self.healthy = False
        self.detail = "waiting to start"
        self.restarts = 0
        self.child: Child | None = None
        self._since = ""
        self._after = after
        self._log = log
        self._say = say
        self._echo = echo
        self._changed = changed
        self._guard = guard
        self._clock = clock
        self._pace = pace
        self._tail: deque[str] = deque(maxlen=LAST_LINES)
        self._probe: Probe | None = http_probe(spec.ready) if isinstance(spec.ready, str) else spec.ready

    async def run(self) -> None:
        """Runs until cancelled. `StartError` when the first start fails; after that it never gives up."""
        for other in self._after:
            await other.ready.wait()
        if self.spec.prepare:
            self._tell(healthy=False, detail="preparing")
            await self.spec.prepare()
        child = self._start()
        if problem := await self._until_ready(child):
            raise StartError(self._never_ready(problem))
        if self.spec.complete:
            await self.spec.complete()
        failures = 0
        while True:
            if problem is None:
                self.ready.set()
                self._tell(healthy=True, detail="")
                up = await self._watch(child)
                problem = f"ended ({how_it_ended(child.exited.result())})"
                failures = 0 if up >= self._pace.settled else failures
            failures += 1
            delay = self._pace.backoff(failures)
            self._tell(healthy=False, detail=f"{problem}; next start in {delay:g} s")
            self._say(f"{self.spec.name} {problem}; starting it again in {delay:g} s (restart {self.restarts + 1})")
            await asyncio.sleep(delay)
            self.restarts += 1
            try:
                child = self._start()
                problem = await self._until_ready(child)
            except StartError as error:  # its program or folder went away: it may come back
                problem = str(error)
            if problem is None:
                self._say(f"{self.spec.name} is healthy again")

    async def stop(self, *, force: bool = False) -> None:
        """Ends the process, if there is one."""
        if self.child is None:
            return
        if force:
            await self.child.kill()
        elif not await self.child.end():
            self._say(
                f"{self.spec.name} did not end within {self.spec.stop_seconds:g} s of "
                f"{self.spec.stop_signal.name} and was killed"
            )
        self._tell(healthy=False, detail="stopped")

    def state(self) -> ProcessState:
        running = self.child is not None and self.child.running
        return ProcessState(
            name=self.spec.name,
            kind=self.spec.kind.value,
            pid=self.child.id.pid if self.child and running else 0,
            started=self.child.id.started if self.child and running else "",
            healthy=self.healthy,
            restarts=self.restarts,
            url=self.spec.url,
            ports=dict(self.spec.ports),
            since=self._since,
            detail=self.detail,
            log=str(self._log.path),
        )

    def _start(self) -> Child:
        self._tail.clear()
        self.child = Child(self.spec, on_line=self._on_line, guard=self._guard)
        self._since = self._clock().isoformat(timespec="milliseconds")
        self._tell(healthy=False, detail="starting")
        return self.child

    async def _until_ready(self, child: Child) -> str | None:
        """None when ready. Otherwise why not, and the process has been ended."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.spec.ready_seconds
        pause = self._pace.probe_first
        while child.running:
            answer = await self._ask(child)
            if answer is None:
                return None
            if loop.time() >= deadline:
                await child.end()
                return f"did not become ready within {self.spec.ready_seconds:g} s ({answer})"
            await asyncio.wait([child.exited], timeout=pause)
            pause = min(pause * 1.5, self._pace.probe_starting)
        return f"ended before it was ready ({how_it_ended(child.exited.result())})"

    async def _watch(self, child: Child) -> float:
        """Keeps asking until the process ends; for how long it ran."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        while child.running:
            await asyncio.wait([child.exited], timeout=self._pace.probe_running)
            problem = await self._ask(child)
            if not child.running or (problem or "") == self.detail:
                continue
            turned = (problem is None) != self.healthy
            self._tell(healthy=problem is None, detail=problem or "")
            if turned:  # another reason than before is for the status alone
                self._say(f"{self.spec.name} is {'healthy again' if problem is None else f'not healthy: {problem}'}")
        return loop.time() - began

    async def _ask(self, child: Child) -> str | None:
        """None when well. A process that ended is not well, whoever answered at its port."""
        if self._probe is None:
            return None if child.running else "it ended"
        asking = asyncio.ensure_future(self._probe())
        either: set[asyncio.Future[Any]] = {asking, child.exited}
        try:
            # Sockets that the supervisor holds take connections also while nobody answers them: do not wait for that.
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            return asking.result() if child.running else "it ended"
        finally:
            asking.cancel()

    def _tell(self, *, healthy: bool, detail: str) -> None:
        self.healthy, self.detail = healthy, detail
        self._changed()

    def _on_line(self, text: str) -> None:
        kept = not self._log.trouble
        self._tail.append(text)
        self._log.write(text)
        self._echo(text)
        if self._log.trouble and kept:
            self._say(f"{shown(self._log.path)} cannot be written ({self._log.trouble}): lines are shown, not kept")

    def _never_ready(self, problem: str) -> str:
        lines = "\n".join(f"    {line}" for line in self._tail) or "    (it wrote nothing)"
        return f"{self.spec.name} {problem}\n  its last lines:\n{lines}\n  full log: {shown(self._log.path)}"
