"""can-release and release: exit codes, shapes, and what goes where."""

import io
import json
from pathlib import Path

import pytest

from harness.cli import release as commands
from tests.cli.conftest import ROOT, Run
from tests.domains.processes import wait_until
from tests.local.scratch import edit, make_repository

REMOVED = {
    "file": "contracts/orders/v2/openapi.yaml",
    "replace": [["        - $ref: '#/components/parameters/Limit'\n", ""]],
}


@pytest.fixture(scope="module")
def landscape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A branch that takes a parameter away which the storefront sends."""
    manifest = make_repository(tmp_path_factory.mktemp("cli") / "landscape")
    edit(manifest.parent, REMOVED)
    return manifest


def test_a_domain_that_may_ship(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "_QUIET_SECONDS", 600)  # however busy the machine is
    done = run("can-release", "stock", "--against", ".")

    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == ["stock may ship, compared with .", "", "consumers asked: orders"]


def test_a_domain_that_may_not(landscape: Path, run: Run) -> None:
    done = run("--file", str(landscape), "can-release", "orders", "--against", "main")

    assert done.code == 1
    assert "it hurts storefront" in done.out.splitlines()[0]


def test_json(landscape: Path, run: Run) -> None:
    done = run("--file", str(landscape), "can-release", "orders", "--against", "main", "--json")

    assert done.code == 1
    said = json.loads(done.out)
    assert [each["rule"] for each in said["findings"] if each["refuses"]] == ["request-parameter-removed"]


def test_markdown(landscape: Path, run: Run) -> None:
    done = run("--file", str(landscape), "can-release", "orders", "--against", "main", "--markdown")

    assert done.code == 1
    assert done.out.startswith("### ❌ orders may not ship")
    assert done.out.endswith(".\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["can-release"], "Missing argument 'DOMAIN'", id="no domain"),
        pytest.param(["can-release", "ordrs", "--against", "."], 'DOMAIN: unknown domain "ordrs"', id="a slip"),
        pytest.param(["can-release", "orders", "--against", "docs"], "docs has no harness.yaml", id="a wrong folder"),
        pytest.param(["can-release", "orders", "--against", "no/such"], '"no/such" is neither', id="no revision"),
        pytest.param(
            ["can-release", "orders", "--json", "--markdown"], "--markdown: give it or --json", id="two shapes"
        ),
        pytest.param(["can-release", "orders", "--forget-after", "-1"], "--forget-after", id="days below none"),
        pytest.param(["release", "orders@v9"], 'orders has no version or event "v9"', id="no such version"),
    ],
)
def test_misuse(arguments: list[str], said: str, run: Run) -> None:
    done = run(*arguments)

    assert (done.code, done.out) == (2, "")
    assert any(said in line for line in done.err.splitlines())


def test_what_is_released_already_is_said(run: Run) -> None:
    before = (ROOT / "contracts" / "released.lock").read_text()

    done = run("release", "stock", "--json")

    assert (done.code, json.loads(done.out)) == (0, {"added": {"contracts/released.lock": []}, "refused": []})
    assert (ROOT / "contracts" / "released.lock").read_text() == before


def test_a_release_that_breaks_an_earlier_one_is_refused(tmp_path: Path, run: Run) -> None:
    manifest = make_repository(tmp_path / "landscape")
    edit(manifest.parent, REMOVED)

    done = run("--file", str(manifest), "release", "orders@v2")

    assert done.code == 1
    assert done.out.startswith("nothing was recorded: what was released before may only change compatibly\n")
    assert "the query parameter limit is gone" in done.out
    # No consumer was asked.
    assert "hurts" not in done.out


def test_what_takes_long_says_what_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "_QUIET_SECONDS", 0.01)
    told = io.StringIO()  # nothing that a timer's thread writes is lost, unlike what is read from capsys meanwhile
    monkeypatch.setattr("sys.stderr", told)
    with commands._stages() as stages:
        stages.enter("reading contracts")
        wait_until(lambda: told.getvalue() != "", what="the first stage")
        stages.enter("comparing")

    assert told.getvalue() == "reading contracts …\ncomparing …\n"


def test_what_is_quick_says_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(commands, "_QUIET_SECONDS", 600)  # so that this is quick on any machine
    with commands._stages() as stages:
        stages.enter("reading contracts")

    assert capsys.readouterr().err == ""
