"""Lines of many processes on one terminal: `orders  | GET /v2/orders 200`."""

import threading
from collections.abc import Sequence
from typing import TextIO

from harness.runtime.logs import SUPERVISOR


class PrefixedConsole:
    """Writes `name | line`, names padded to one width. A terminal that went away ends only the writing."""

    def __init__(self, stream: TextIO, names: Sequence[str]) -> None:
        self._stream: TextIO | None = stream
        self._width = max(len(name) for name in (*names, SUPERVISOR))
        self._lock = threading.Lock()

    def __call__(self, name: str, line: str) -> None:
        with self._lock:
            if self._stream is None:
                return
            try:
                self._stream.write(f"{name:<{self._width}} | {line}\n")
                self._stream.flush()
            except (OSError, ValueError):  # closed pipe, closed stream
                self._stream = None
