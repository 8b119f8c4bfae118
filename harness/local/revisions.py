"""What a git repository had at another revision, put into a folder. Nothing of the repository is changed."""

import os
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

from harness.errors import InputError, Problem, did_you_mean

_MOST_HISTORY = 1000
# Set while git runs a hook; they would lead away from the folder that is asked about.
_OF_HOOKS = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")


@dataclass(frozen=True, slots=True)
class Revision:
    """`name` as it was asked for, `commit` the full hash, `repository` the folder with `.git`, absolute."""

    name: str
    commit: str
    repository: Path

    @property
    def shown(self) -> str:
        short = self.commit[:10]
        return short if self.commit.startswith(self.name) else f"{self.name} ({short})"


def find_revision(name: str, folder: Path, *, asked: str = "--against", instead: str = "folder") -> Revision:
    """A branch, tag or commit of the repository that `folder` lies in. Raises `InputError` about what was `asked`.

    `instead`: what else could have been named there.
    """
    top = _git(["rev-parse", "--show-toplevel"], folder)
    if top is None:
        raise _mistake(f"{folder} is in no git repository: give a {instead} to compare with", asked)
    repository = Path(top.strip())
    commit = _git(["rev-parse", "--quiet", "--verify", "--end-of-options", f"{name}^{{commit}}"], repository)
    if commit is None:
        known = (_git(["for-each-ref", "--format=%(refname:short)"], repository) or "").split()
        hint = did_you_mean(name, known) or f": fetch it, or name a branch, a tag, a commit or a {instead}"
        raise _mistake(f'"{name}" is neither a {instead} nor a revision of {repository}{hint}', asked)
    return Revision(name, commit.strip(), repository)


def unpack(revision: Revision, into: Path) -> None:
    """All files of a revision below `into`."""
    command = ["git", "archive", "--format=tar", revision.commit]
    with subprocess.Popen(
        command, cwd=revision.repository, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=_environment()
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        with tarfile.open(fileobj=process.stdout, mode="r|") as archive:
            archive.extractall(into, filter=_plain)
        said = process.stderr.read().decode(errors="replace").strip()
    if process.returncode:
        raise _mistake(f"cannot be unpacked: {said}", f"git archive {revision.shown}")


def _plain(member: tarfile.TarInfo, into: str) -> tarfile.TarInfo | None:
    """Links that lead out of the folder are left out: no contract lies behind one."""
    try:
        return tarfile.data_filter(member, into)
    except tarfile.FilterError:
        return None


def commits_of(file: Path, revision: Revision) -> tuple[str, ...]:
    """The commits up to a revision that changed a file, newest first; at most a thousand."""
    path = os.path.relpath(file, revision.repository)
    said = _git(["log", f"-{_MOST_HISTORY}", "--format=%H", revision.commit, "--", path], revision.repository)
    return tuple((said or "").split())


def text_at(commit: str, file: Path, repository: Path) -> str | None:
    """A file's text at a commit; None where the commit has no such file (a folder is none)."""
    path = Path(os.path.relpath(file, repository)).as_posix()
    return _git(["cat-file", "blob", f"{commit}:{path}"], repository)


def _git(arguments: list[str], folder: Path) -> str | None:
    """What git prints; None when it says no."""
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, env=_environment(), timeout=120)
    except FileNotFoundError as error:
        raise _mistake("is not installed, and is needed to read another revision", "git") from error
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _OF_HOOKS}
    return {**kept, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"}


def _mistake(text: str, about: str) -> InputError:
    return InputError([Problem(about, 0, text)])
