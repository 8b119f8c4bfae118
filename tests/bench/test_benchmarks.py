"""The benchmarks run and print what they promise. Their figures are nobody's business here."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.slow


def run(name: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", f"bench.{name}", *arguments], cwd=ROOT, text=True, capture_output=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(
    not shutil.which("wrk") or not (shutil.which("nginx") or Path("/usr/sbin/nginx").exists()),
    reason="needs wrk and nginx",
)
def test_the_gateway_is_measured_beside_the_bare_upstream_and_nginx() -> None:
    table = run("gateway", "--seconds", "1", "--rounds", "1")

    for row in ("gateway", "nginx", "p50", "p99"):
        assert row in table
    assert json.loads((ROOT / "bench" / "results" / "gateway.json").read_text())


def test_the_bus_is_measured() -> None:
    assert "events/s" in run("bus", "--seconds", "1", "--rounds", "1")


def test_what_an_event_costs_each_process_is_measured() -> None:
    table = run("bus_cost", "--events", "100", "--rounds", "1")
    for row in ("edge, CPU us", "router, CPU us", "nats-server, CPU us"):
        assert row in table


def test_the_diff_is_held_against_its_labelled_pairs_and_timed() -> None:
    table = run("diff", "--rounds", "1")

    for row in ("label, and what was said", "specshift: not measured", "30 schemas changed", "reading both, YAML"):
        assert row in table
