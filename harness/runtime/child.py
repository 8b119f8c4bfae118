"""One running process: its start in a session of its own, its output by lines, its end with all its kin."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from harness.errors import StartError
from harness.runtime.folder import shown
from harness.runtime.pids import ProcessId, family, identify, kill_family, signal_group
from harness.runtime.process import ProcessSpec, launch_command

MAX_LINE = 16_384
CHUNK = 65_536
KILL_SECONDS = 5.0


class Guard:
    """The process that ends what is left when this one is killed (see guard.py)."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(__file__).with_name("guard.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={},
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def began(self, pid: int) -> None:
        self._tell(f"+{pid}\n")

    def ended(self, pid: int) -> None:
        self._tell(f"-{pid}\n")

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        try:
            os.write(self._process.stdin.fileno(), line.encode())
        except BrokenPipeError:
            return  # someone ended it: the kernel's own tie (launch.py) still holds


class Child:
    """A started process. `exited` answers its exit code: negative = ended by that signal.

    Whatever is left of its group when it ends is killed, before its pid can be given to another.
    """

    def __init__(self, spec: ProcessSpec, *, on_line: Callable[[str], None], guard: Guard | None) -> None:
        """Starts at once, without a point where cancelling could lose the process. Needs a running loop."""
        self.spec = spec
        self._loop = asyncio.get_running_loop()
        self.exited: asyncio.Future[int] = self._loop.create_future()
        self._guard = guard
        self._lines = LineSplitter(on_line)
        self._output, theirs = os.pipe()
        try:
            self._popen = subprocess.Popen(
                launch_command(spec),
                stdin=subprocess.DEVNULL,
                stdout=theirs,
                stderr=theirs,
                cwd=spec.cwd,
                env=dict(spec.env),
                start_new_session=True,
                pass_fds=[each.fileno() for each in spec.sockets],
            )
        except OSError as error:
            os.close(self._output)
            raise _cannot_start(spec, error) from error
        finally:
            os.close(theirs)
        self.pid = self._popen.pid
        if guard:
            guard.began(self.pid)
        self.id = identify(self.pid) or ProcessId(self.pid, "")
        os.set_blocking(self._output, False)
        self._loop.add_reader(self._output, self._read)
        self._watch_exit()

    @property
    def running(self) -> bool:
        return not self.exited.done()

    async def end(self) -> bool:
        """Asks it to stop, kills it after its time. Whether it stopped when asked."""
        if self.running:
            signal_group(self.pid, self.spec.stop_signal)
            await asyncio.wait([self.exited], timeout=self.spec.stop_seconds)
        if self.running:
            await self.kill()
            return False
        return True

    async def kill(self) -> None:
        """SIGKILL to it, its group and all its descendants."""
        if not self.running:
            return
        members = family(self.id)
        signal_group(self.pid, signal.SIGKILL)
        kill_family(members)
        await asyncio.wait([self.exited], timeout=KILL_SECONDS)

    def _watch_exit(self) -> None:
        if sys.platform == "linux":
            with suppress(OSError):  # kernels before 5.3 and some sandboxes know no pidfd_open(2)
                handle = os.pidfd_open(self.pid)
                self._loop.add_reader(handle, self._on_exit, handle)
                return
        threading.Thread(target=self._wait_in_thread, name=f"wait {self.spec.name}", daemon=True).start()

    def _on_exit(self, handle: int) -> None:
        self._loop.remove_reader(handle)
        os.close(handle)
        self._reap()

    def _wait_in_thread(self) -> None:
        self._popen.wait()
        with suppress(RuntimeError):  # the loop is closed: nobody asks any more
            self._loop.call_soon_threadsafe(self._reap)

    def _reap(self) -> None:
        # With a pidfd it is not waited for yet, so that the number of its group cannot have been given away.
        signal_group(self.pid, signal.SIGKILL)
        code = self._popen.wait()
        self._read_rest()
        if self._guard:
            self._guard.ended(self.pid)
        if not self.exited.done():
            self.exited.set_result(code)

    def _read(self) -> bool:
        """Whether there may be more."""
        try:
            data = os.read(self._output, CHUNK)
        except BlockingIOError:
            return False
        if not data:
            self._loop.remove_reader(self._output)
            return False
        self._lines.feed(data)
        return True

    def _read_rest(self) -> None:
        while self._read():
            pass
        self._lines.finish()
        self._loop.remove_reader(self._output)
        os.close(self._output)


class LineSplitter:
    """Bytes in, lines of text out. A line that is too long comes in pieces."""

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self._on_line = on_line
        self._rest = b""

    def feed(self, data: bytes) -> None:
        *whole, self._rest = (self._rest + data).split(b"\n")
        for line in whole:
            self._emit(line)
        while len(self._rest) > MAX_LINE:
            self._emit(self._rest[:MAX_LINE])
            self._rest = self._rest[MAX_LINE:]

    def finish(self) -> None:
        if self._rest:
            self._emit(self._rest)
        self._rest = b""

    def _emit(self, line: bytes) -> None:
        text = line.rstrip(b"\r").decode("utf-8", "replace")
        for start in range(0, max(len(text), 1), MAX_LINE):
            self._on_line(text[start : start + MAX_LINE])


async def run_to_end(spec: ProcessSpec) -> tuple[int, str]:
    """Runs a short command and answers its exit code and output. Cancelled, it leaves no process."""
    lines: list[str] = []
    child = Child(spec, on_line=lines.append, guard=None)
    try:
        code = await asyncio.shield(child.exited)
    finally:
        if child.running:
            await child.kill()
    return code, "\n".join(lines)


def how_it_ended(code: int) -> str:
    """`exit code 1`, or `killed by SIGKILL`."""
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _cannot_start(spec: ProcessSpec, error: OSError) -> StartError:
    if not spec.cwd.is_dir():
        return StartError(f"{spec.name} cannot be started: its folder {shown(spec.cwd)} does not exist")
    return StartError(f"{spec.name} cannot be started: {spec.command[0]}: {error.strerror}")
