"""Files of another revision of a git repository."""

import subprocess
from pathlib import Path

import pytest

from harness.errors import InputError
from harness.local.revisions import commits_of, find_revision, text_at, unpack


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=Anna", "-c", "user.email=anna@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """`main` has the text "one", the working tree "two"."""
    folder = tmp_path / "repository"
    (folder / "contracts" / "orders").mkdir(parents=True)
    git(folder.parent, "init", "-q", "-b", "main", str(folder))
    file = folder / "contracts" / "orders" / "a.txt"
    file.write_text("one")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    file.write_text("two")
    return folder


def test_a_revision_is_unpacked_beside_the_working_tree(repository: Path, tmp_path: Path) -> None:
    revision = find_revision("main", repository / "contracts")

    unpack(revision, tmp_path / "base")

    assert (tmp_path / "base" / "contracts" / "orders" / "a.txt").read_text() == "one"
    assert (repository / "contracts" / "orders" / "a.txt").read_text() == "two"
    assert revision.shown == f"main ({revision.commit[:10]})"


def test_a_link_that_leads_out_of_the_repository_is_left_out(repository: Path, tmp_path: Path) -> None:
    (repository / "elsewhere").symlink_to("/etc")
    (repository / "within").symlink_to("contracts/orders")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "links")

    unpack(find_revision("HEAD", repository), tmp_path / "base")

    assert not (tmp_path / "base" / "elsewhere").is_symlink()
    assert (tmp_path / "base" / "within" / "a.txt").read_text() == "two"


def test_the_history_of_a_file(repository: Path) -> None:
    git(repository, "commit", "-q", "-a", "-m", "second")
    file = repository / "contracts" / "orders" / "a.txt"

    revision = find_revision("HEAD", repository)
    newest, oldest = commits_of(file, revision)

    assert (text_at(newest, file, repository), text_at(oldest, file, repository)) == ("two", "one")
    assert text_at(oldest, repository / "b.txt", repository) is None


@pytest.mark.parametrize(
    ("name", "said"),
    [
        pytest.param("mian", 'a revision of {repository} (did you mean "main"?)', id="a slip"),
        pytest.param("--all", "a revision of {repository}: fetch it", id="what looks like an option"),
        pytest.param("main:contracts", "neither a folder nor a revision", id="no commit"),
    ],
)
def test_what_is_no_revision_is_refused(repository: Path, name: str, said: str) -> None:
    with pytest.raises(InputError) as refused:
        find_revision(name, repository)

    assert said.format(repository=repository) in str(refused.value)


def test_outside_of_a_repository_a_folder_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is in no git repository: give a folder"):
        find_revision("main", tmp_path)


def test_a_hook_of_another_repository_does_not_mislead(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", "/nowhere")

    assert find_revision("main", repository).repository == repository
