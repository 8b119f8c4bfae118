"""`harness compose`."""

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Run


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in ("harness.yaml", "domains", "contracts", "policies"):
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    return tmp_path


def test_writes_the_file_once(run: Run, copy: Path) -> None:
    first, second = run("--file", str(copy), "compose"), run("--file", str(copy), "compose")

    assert (first.code, first.out, second.code) == (0, "", 0)
    assert first.err == f"{copy}/docker-compose.yml: written\n"
    assert second.err == f"{copy}/docker-compose.yml: unchanged\n"


def test_checks_without_writing_and_says_the_mend(run: Run, copy: Path) -> None:
    done = run("--file", str(copy), "compose", "--check")

    assert done.code == 1
    assert done.err == (
        f"{copy}/docker-compose.yml is not what the manifests say; write it with: harness --file {copy} compose\n"
    )
    assert not (copy / "docker-compose.yml").exists()


def test_the_one_of_this_repository_is_current(run: Run) -> None:
    assert run("compose", "--check").code == 0


def test_a_domain_that_has_no_image_is_refused_with_file_and_mend(run: Run, copy: Path) -> None:
    manifest = copy / "domains" / "stock" / "domain.yaml"
    manifest.write_text(manifest.read_text().replace("  dockerfile: Dockerfile\n", ""))

    done = run("--file", str(copy), "compose")

    assert done.code == 2
    assert done.err == "domains/stock/domain.yaml: run needs `dockerfile` or `image` to run as a container\n"
    assert not (copy / "docker-compose.yml").exists()


def test_a_folder_that_cannot_be_written_is_told(run: Run, copy: Path) -> None:
    (copy / "docker-compose.yml").mkdir()

    done = run("--file", str(copy), "compose")

    assert done.code == 1
    assert done.err == f"harness: {copy}/docker-compose.yml cannot be written: Is a directory\n"
