"""import-linter holds the layers, and a planted violation makes it fail."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINT = Path(sys.executable).parent / "lint-imports"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("layers")
    shutil.copy(ROOT / "pyproject.toml", folder)
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
    shutil.copytree(ROOT / "harness", folder / "harness", ignore=ignored)
    for name in ("kit", "orders", "stock"):
        shutil.copytree(ROOT / "domains" / name / name, folder / name, ignore=ignored)
    return folder


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    command = [sys.executable, "-P", str(LINT), "--no-cache"]
    return subprocess.run(command, cwd=folder, env=environment, text=True, capture_output=True, timeout=300)


def test_the_layers_hold(copy: Path) -> None:
    done = lint(copy)

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("file", "line", "broken"),
    [
        pytest.param("harness/policy/evaluate.py", "import harness.gateway", "lower one", id="policy imports gateway"),
        pytest.param(
            "harness/gateway/edge.py", "import harness.sts", "lower one", id="gateway imports its sibling sts"
        ),
        pytest.param("harness/bus/model.py", "import harness.manifest", "lower one", id="bus imports manifest"),
        pytest.param("harness/wire.py", "import stock", "Harness imports no domain", id="harness imports a domain"),
        pytest.param("orders/settings.py", "import harness.wire", "wire contract", id="a domain imports harness"),
        pytest.param("orders/settings.py", "import stock", "independent", id="a domain imports another domain"),
    ],
)
def test_a_planted_violation_is_found(file: str, line: str, broken: str, copy: Path) -> None:
    target = copy / file
    before = target.read_text()
    target.write_text(f"{before}\n{line}\n")
    try:
        done = lint(copy)
    finally:
        target.write_text(before)

    assert done.returncode == 1, done.stdout
    verdicts = [text for text in done.stdout.splitlines() if text.endswith("BROKEN")]
    assert any(broken in text for text in verdicts), done.stdout
