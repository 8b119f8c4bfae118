"""The sample landscape as read, and a landscape's folder."""

from pathlib import Path

import pytest

from harness import manifest
from harness.runtime.folder import StateFolder

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def landscape() -> manifest.Landscape:
    return manifest.load(ROOT / "harness.yaml")


@pytest.fixture
def folder(tmp_path: Path) -> StateFolder:
    made = StateFolder(tmp_path / "state")
    made.create()
    return made


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
