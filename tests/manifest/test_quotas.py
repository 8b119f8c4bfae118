"""What `quotas` is read as, and what the edge is told."""

from pathlib import Path

from harness.bus.limits import Limits
from harness.manifest import load
from tests.manifest import landscape

QUOTAS = "quotas: {rules-per-bus: 1000, targets-per-rule: 10, put-events-bytes: 262144}\n\n"


def test_without_quotas_they_are_awss(tmp_path: Path) -> None:
    assert load(landscape.copy(tmp_path)).limits == Limits()


def test_a_quota_that_is_raised_leaves_the_others(tmp_path: Path) -> None:
    file = landscape.copy(tmp_path)
    file.write_text(QUOTAS + file.read_text())
    assert load(file).limits == Limits(rules_per_bus=1000, targets_per_rule=10, put_events_bytes=262_144)
