"""With pytest-xdist every worker has a landscape, and events, of its own; an event's item runs in one worker only.

So each worker judges at its end what none of its items did, and tells the controller.
"""

from dataclasses import dataclass
from typing import Any, Self

import pytest

from harness.errors import HarnessError
from harness.pytest_plugin.landscape import Landscape


@dataclass(frozen=True, slots=True)
class Left:
    """`events`: how many were validated. `findings`: (node id, text)."""

    events: int = 0
    findings: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of_worker(cls, session: pytest.Session, landscape: Landscape) -> Self:
        harness = landscape.started
        if harness is None:
            return cls()
        from harness.pytest_plugin.items import EventItem

        events = 0
        findings = []
        for item in session.items:
            if not isinstance(item, EventItem) or item.has_run:
                continue
            try:
                count, found = item.judge(harness)
            except HarnessError as error:
                count, found = 0, f"could not be validated: {error}"
            events += count
            if found:
                findings.append((item.nodeid, found))
        return cls(events, tuple(findings))

    def to_wire(self) -> dict[str, Any]:
        """As execnet can carry it."""
        return {"events": self.events, "findings": [list(finding) for finding in self.findings]}

    @classmethod
    def from_wire(cls, said: dict[str, Any]) -> Self:
        return cls(said["events"], tuple((node, text) for node, text in said["findings"]))


LEFT = pytest.StashKey[list[Left]]()


def exit_status(before: int | pytest.ExitCode, left: list[Left]) -> int | pytest.ExitCode:
    """What a worker found at its end fails the run as any finding does."""
    found = any(each.findings for each in left)
    return pytest.ExitCode.TESTS_FAILED if found and before == pytest.ExitCode.OK else before
