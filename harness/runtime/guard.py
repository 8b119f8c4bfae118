"""Ends a landscape's process groups when their supervisor dies: run as `python -I -S guard.py`, told over its input.

The kernel kills a supervisor's children with it (launch.py), but not their children, and only on Linux. This process
learns each group (`+PID`, `-PID`, a line each); when its input ends, and only the supervisor holds the other end, it
kills the groups it knows of. A supervisor that ends well has none left by then.
"""

import os
import signal
import sys
from collections.abc import Iterable


def groups_left(lines: Iterable[str]) -> list[int]:
    """Groups that were begun and not ended, oldest first."""
    groups: dict[int, None] = {}
    for line in lines:
        number = int(line[1:])
        if line[0] == "+":
            groups[number] = None
        else:
            groups.pop(number, None)
    return list(groups)


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # it ends when its input does, not before
    for group in groups_left(sys.stdin):
        try:
            os.killpg(group, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue


if __name__ == "__main__":
    main()
