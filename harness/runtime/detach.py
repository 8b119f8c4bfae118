"""Starting the supervisor in the background and waiting until it can say how it went."""

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from harness.errors import StartError
from harness.runtime.folder import StateFolder, disk_trouble, shown
from harness.runtime.logs import MAX_BYTES, SUPERVISOR, log_path
from harness.runtime.state import LandscapeState, Phase, last_failure, read_state

LOOK_SECONDS = 0.03
END_SECONDS = 60.0


def spawn_detached(
    argv: Sequence[str], folder: StateFolder, *, progress: Callable[[LandscapeState], None] | None = None
) -> LandscapeState:
    """Starts `argv` (which must end in `serve` for this folder) in a session of its own, output to logs/supervisor.log.

    Answers its state once all is healthy; `progress` is called with each state on the way. `StartError` says why it
    did not come up, and nothing of it runs then; nor does it after a Ctrl-C while waiting.
    """
    folder.create()
    output = log_path(folder.logs, SUPERVISOR)
    with disk_trouble(output):
        if output.exists() and output.stat().st_size > MAX_BYTES:
            output.replace(output.with_name(f"{output.name}.1"))
        log = os.open(output, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        begin = os.fstat(log).st_size
        process = subprocess.Popen(list(argv), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    finally:
        os.close(log)
    try:
        return _wait(process, folder, output, begin, progress)
    except BaseException:
        _end(process)
        raise


def _wait(
    process: subprocess.Popen[bytes],
    folder: StateFolder,
    output: Path,
    begin: int,
    progress: Callable[[LandscapeState], None] | None,
) -> LandscapeState:
    seen: LandscapeState | None = None
    while True:
        ended = process.poll() is not None
        state = read_state(folder) if not ended else None
        if state is not None and state.pid == process.pid:
            if state != seen and progress:
                progress(state)
            seen = state
            if state.phase is Phase.RUNNING:
                return state
        if ended:
            failure = last_failure(folder)
            if failure is not None and failure.pid == process.pid:
                raise StartError(failure.error)
            raise StartError(_words(process.returncode, output, begin))
        time.sleep(LOOK_SECONDS)


def _words(code: int, output: Path, begin: int) -> str:
    """What the supervisor said before it ended, for want of a state."""
    with output.open("rb") as file:
        file.seek(begin)
        said = file.read().decode("utf-8", "replace").strip()
    return said or f"the supervisor ended with exit code {code} and said nothing; see {shown(output)}"


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
