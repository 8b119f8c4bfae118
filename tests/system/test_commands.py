"""Part of a landscape, of a manifest with another name, started from another folder: what the commands say works there.

The tests share the landscape; the last one ends it, and whichever comes after that starts it again.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.system.walkthrough import HARNESS, ROOT

pytestmark = pytest.mark.slow

MANIFEST = "../landscape/other.yaml"


@dataclass(frozen=True)
class Elsewhere:
    """`folder` is where commands are typed, `said` what `up` printed to stderr, `table` what it printed to stdout."""

    folder: Path
    manifest: str
    said: str
    table: str

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return _run(self.folder, "--file", self.manifest, *arguments)


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(HARNESS), *arguments], cwd=folder, text=True, capture_output=True, timeout=300)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("elsewhere")
    for name in ("domains", "contracts", "policies"):
        shutil.copytree(ROOT / name, root / "landscape" / name)
    shutil.copy(ROOT / "harness.yaml", root / "landscape" / "other.yaml")
    folder = root / "typed here"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def started(folder: Path) -> Iterator[list[Elsewhere]]:
    """Each time that it was started, the last one last."""
    yield []
    _run(folder, "--file", MANIFEST, "down")


@pytest.fixture
def elsewhere(folder: Path, started: list[Elsewhere]) -> Elsewhere:
    """Up; again, if the test before has ended it."""
    if not started or started[-1].run("status").returncode:
        done = _run(folder, "--file", MANIFEST, "up", "stock", "--detach", "--free-ports")
        assert done.returncode == 0, done.stderr
        started.append(Elsewhere(folder, MANIFEST, done.stderr, done.stdout))
    return started[-1]


def test_only_the_part_that_was_named_runs(elsewhere: Elsewhere) -> None:
    names = [line.split()[0] for line in elsewhere.table.splitlines()[1:] if "127.0.0.1" in line or "healthy" in line]

    assert names == ["postgres", "nats", "edge", "router", "stock"]


def test_its_state_is_beside_its_manifest(elsewhere: Elsewhere) -> None:
    assert (elsewhere.folder.parent / "landscape" / ".harness" / "run" / "state.json").is_file()
    assert list(elsewhere.folder.iterdir()) == []


def test_the_line_to_try_works_as_it_is_printed(elsewhere: Elsewhere) -> None:
    (line,) = re.findall(r"^try: (.*)$", elsewhere.said, re.MULTILINE)

    tried = subprocess.run(["bash", "-c", line], cwd=elsewhere.folder, text=True, capture_output=True, timeout=300)

    assert tried.returncode == 0, tried.stdout + tried.stderr
    assert tried.stdout.startswith("200 OK\n")


def test_a_role_that_may_not_call_is_refused_with_exit_code_1(elsewhere: Elsewhere) -> None:
    done = elsewhere.run("call", "stock", "PUT", "/v1/items/chair-oak", "--as", "storefront", "--data", "{}")

    assert done.returncode == 1
    assert done.stdout.startswith("403 Forbidden\n")


def test_logs_that_are_followed_end_with_the_landscape(elsewhere: Elsewhere) -> None:
    command = [str(HARNESS), "--file", elsewhere.manifest, "logs", "--follow"]
    with subprocess.Popen(command, cwd=elsewhere.folder, stdout=subprocess.PIPE, text=True) as follower:
        assert follower.stdout is not None
        assert follower.stdout.readline()
        (stop,) = re.findall(r"^stop: (.*)$", elsewhere.said, re.MULTILINE)

        subprocess.run(["bash", "-c", stop], cwd=elsewhere.folder, check=True, capture_output=True, timeout=300)

        rest, _ = follower.communicate(timeout=300)

    assert follower.returncode == 0
    assert "Application shutdown complete" in rest
    assert elsewhere.run("status").returncode == 1
