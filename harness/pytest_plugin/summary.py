"""How much was tried: a green run that sent nothing must not look like one that did.

Items put their counts into their reports' user properties, which pytest-xdist brings from its workers.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from harness.pytest_plugin.counts import EVENTS, INTERACTIONS, REQUESTS
from harness.pytest_plugin.workers import Left


@dataclass
class Totals:
    phases: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    interactions: int = 0
    events: int = 0

    def add(self, properties: Iterable[tuple[str, Any]]) -> None:
        for name, value in properties:
            if name == REQUESTS:
                self.phases.update(value["phases"])
                self.statuses.update(value["statuses"])
            elif name == INTERACTIONS:
                self.interactions += value
            elif name == EVENTS:
                self.events += value

    def lines(self) -> list[str]:
        """Empty when no contract was checked."""
        if not self.phases and not self.interactions and not self.events:
            return []
        by_phase = ", ".join(f"{phase} {count}" for phase, count in self.phases.items() if count)
        by_status = ", ".join(f"{status or 'none'}: {self.statuses[status]}" for status in sorted(self.statuses))
        sent = self.phases.total()
        return [
            f"{sent} signed requests ({by_phase}); answers {by_status}" if sent else "no request was generated",
            f"{self.interactions} expectations of consumers verified",
            f"{self.events} published events validated",
        ]


def write_summary(reporter: Any, left: list[Left]) -> None:
    totals = Totals(events=sum(each.events for each in left))
    for reports in reporter.stats.values():
        for report in reports:
            if getattr(report, "when", None) == "call":
                totals.add(report.user_properties)
    findings = [finding for each in left for finding in each.findings]
    lines = totals.lines()
    if not lines and not findings:
        return
    reporter.section("contracts")
    for node, text in findings:
        reporter.line(f"FAILED {node} (events of another worker)", red=True)
        reporter.line(text)
    for line in lines:
        reporter.line(line)
