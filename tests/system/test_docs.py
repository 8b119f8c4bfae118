"""The code blocks of the documentation that are marked for it, run against a landscape."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.system.landscapes import landscape
from tests.system.walkthrough import ROOT, Running

pytestmark = pytest.mark.slow

MARKED = re.compile(r"<!-- runs in CI: a landscape is up -->\n```(console|python)\n(.*?)```", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """`line` is where the block begins in its file."""

    file: str
    line: int
    language: str
    text: str


def blocks() -> Iterator[Block]:
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        text = path.read_text()
        for found in MARKED.finditer(text):
            line = text[: found.start()].count("\n") + 2
            yield Block(str(path.relative_to(ROOT)), line, found[1], found[2])


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("docs") / "state"


@pytest.fixture(scope="module")
def running(state: Path) -> Iterator[Running]:
    with landscape(state) as up:
        up.call("orders", "POST", "/v2/orders", "storefront", {"lines": [{"sku": "chair-oak", "quantity": 1}]})
        yield up


@pytest.mark.parametrize("block", [pytest.param(each, id=f"{each.file} line {each.line}") for each in blocks()])
def test_a_marked_block_does_what_it_shows(block: Block, running: Running, state: Path) -> None:
    environment = {**os.environ, "HARNESS_STATE": str(state), "USER": ""}
    text = block.text.replace("http://localhost:4566", running.workbench)
    if block.language == "python":
        done = run([sys.executable, "-c", text], environment)
        assert done.returncode == 0, done.stderr
        return
    for command, shown in commands(text):
        done = run(["bash", "-c", command], environment)
        for line in shown:
            assert line in done.stdout.splitlines(), f"{command} printed\n{done.stdout}{done.stderr}"
        if not shown:
            assert done.returncode == 0, f"{command} printed\n{done.stdout}{done.stderr}"


def commands(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each `$ command` with the lines that the block shows below it."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command, [line for line in output.splitlines() if line]


def run(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, env=environment, text=True, capture_output=True, timeout=300)


def test_there_are_blocks_to_run() -> None:
    assert len(list(blocks())) >= 3
