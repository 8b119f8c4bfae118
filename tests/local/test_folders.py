"""Which harness.yaml and which state folder are meant."""

from pathlib import Path

import pytest

from harness.errors import InputError
from harness.local.folders import find_manifest, state_folder


@pytest.fixture
def landscape(tmp_path: Path) -> Path:
    (tmp_path / "harness.yaml").touch()
    (tmp_path / "domains" / "orders").mkdir(parents=True)
    return tmp_path.resolve()


class TestManifest:
    def test_of_the_folder_above_is_found_from_below(self, landscape: Path) -> None:
        assert find_manifest(None, start=landscape / "domains" / "orders") == landscape / "harness.yaml"

    def test_of_the_nearest_folder_wins(self, landscape: Path) -> None:
        nearer = landscape / "domains" / "harness.yaml"
        nearer.touch()

        assert find_manifest(None, start=landscape / "domains" / "orders") == nearer

    def test_is_looked_for_from_the_current_folder(self, landscape: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(landscape / "domains")

        assert find_manifest(None) == landscape / "harness.yaml"

    def test_may_be_named_by_its_folder(self, landscape: Path) -> None:
        assert find_manifest(landscape) == landscape / "harness.yaml"

    def test_may_have_another_name_and_is_absolute(self, landscape: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (landscape / "other.yaml").touch()
        monkeypatch.chdir(landscape / "domains")

        assert find_manifest(Path("../other.yaml")) == landscape / "other.yaml"

    @pytest.mark.parametrize("named", ["missing.yaml", "domains"])
    def test_that_is_named_and_missing_is_refused_with_the_mend(self, landscape: Path, named: str) -> None:
        with pytest.raises(InputError) as refused:
            find_manifest(landscape / named)

        (problem,) = refused.value.problems
        assert "no such file: name a harness.yaml or a folder that has one" in str(problem)

    def test_that_is_nowhere_is_refused_with_the_mend(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"no harness\.yaml here or in a folder above; name one with --file"):
            find_manifest(None, start=tmp_path)


class TestStateFolder:
    def test_is_beside_the_manifest(self, tmp_path: Path) -> None:
        assert state_folder(tmp_path / "harness.yaml", None) == tmp_path / ".harness"

    def test_that_is_named_counts_from_the_current_folder(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)

        assert state_folder(Path("/elsewhere/harness.yaml"), Path("run")) == tmp_path.resolve() / "run"

    def test_that_is_a_file_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()

        with pytest.raises(InputError, match="is not a folder: name one, or one that can be made"):
            state_folder(tmp_path / "harness.yaml", tmp_path / "file")
