"""`harness diff`: what a person reads, what a program reads, exit codes, revisions and settings."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Run

OLD = "contracts/orders/v2/openapi.yaml"
EVENT = "contracts/orders/events/OrderPlaced.v1.json"


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    """The contract with another status, fewer lines and another operation id."""
    text = (ROOT / OLD).read_text()
    text = text.replace("enum: [pending, confirmed, rejected]", "enum: [pending, confirmed, rejected, cancelled]")
    text = text.replace("maxItems: 20", "maxItems: 10").replace("operationId: getOrder", "operationId: readOrder")
    file = tmp_path / "contracts" / "orders" / "v2" / "openapi.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    return file


def line(file: Path, text: str) -> int:
    return next(number for number, each in enumerate(file.read_text().splitlines(), 1) if text in each)


def test_it_tells_the_worst_first_with_lines_and_an_example(run: Run, changed: Path) -> None:
    done = run("diff", OLD, str(changed))

    lists = line(changed, "maxItems: 10")
    said = done.out.splitlines()
    assert done.code == 1
    assert said[:2] == [f"{OLD} -> {changed}: 4 breaking, 1 risky, 1 safe", ""]
    assert said[2] == "BREAKING"
    at = said.index("  POST /orders body $.lines: lines: maxItems is 10, was 20  [request-items-narrowed]")
    assert said[at + 1] == f"    old {OLD}:{lists}, new {changed}:{lists}"
    assert said[at + 2].startswith('    accepted before, refused now: {"')
    answered = next(each for each in said if "[response-enum-value-added]" in each)
    assert 'items[].status may be "cancelled"' in answered
    assert said.index("RISKY") > at
    assert any("may be given now, and was never promised: {" in each for each in said)


def test_what_one_line_changes_in_many_places_is_said_once(run: Run, changed: Path) -> None:
    said = run("diff", OLD, str(changed)).out

    assert said.count("[response-enum-value-added]") == 1
    assert "also POST /orders 201 $.status, GET /orders/{orderId} 200 $.status" in said


def test_for_programs_it_is_json(run: Run, changed: Path) -> None:
    done = run("diff", OLD, str(changed), "--json")

    said = json.loads(done.out)
    (found,) = [each for each in said["findings"] if each["rule"] == "request-items-narrowed"]
    assert (done.code, said["counts"]) == (1, {"breaking": 4, "risky": 1, "safe": 1})
    assert found["level"] == "breaking"
    assert found["place"] == {
        "label": "POST /orders body $.lines",
        "kind": "api",
        "part": "request-body",
        "method": "POST",
        "path": "/orders",
        "mediaType": "application/json",
        "field": ["lines"],
    }
    assert found["old"] == {"file": OLD, "line": line(changed, "maxItems: 10")}
    assert found["example"]["acceptedBy"] == "old"
    assert len(found["example"]["value"]["lines"]) == 11


def test_the_same_contract_has_no_changes(run: Run) -> None:
    done = run("diff", OLD, OLD)

    assert (done.code, done.err) == (0, "")
    assert done.out == f"{OLD} -> {OLD}: no changes that matter\n"


def test_a_revision_of_the_repository(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With the files that the contract refers to, as they were then."""
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    (tmp_path / "api.yaml").write_text(
        "openapi: 3.1.0\ninfo: {title: a, version: '1'}\npaths:\n  /a:\n    get:\n      responses:\n        '200':\n"
        "          description: good\n          content: {application/json: {schema: {$ref: 'common.yaml#/Thing'}}}\n"
    )
    (tmp_path / "common.yaml").write_text("Thing: {type: string, enum: [a]}\n")
    subprocess.run([*git, "init", "-q"], cwd=tmp_path, check=True)
    subprocess.run([*git, "add", "."], cwd=tmp_path, check=True)
    subprocess.run([*git, "commit", "-qm", "first"], cwd=tmp_path, check=True)
    (tmp_path / "common.yaml").write_text("Thing: {type: string, enum: [a, b]}\n")
    monkeypatch.chdir(tmp_path)

    done = run("diff", "HEAD:api.yaml", "api.yaml")

    assert done.code == 1
    assert "old common.yaml:1, new common.yaml:1" in done.out
    assert '{"a"' not in done.out
    assert 'was never promised: "b"' in done.out


def test_settings_beside_the_contract_are_used(run: Run, changed: Path) -> None:
    rules = changed.parents[2] / "rules.yaml"
    rules.write_text(
        "levels: {response-enum-value-added: safe, operation-id-changed: safe}\n"
        "ignores:\n"
        "  - {rule: request-items-narrowed, at: POST /orders body*, reason: none sends as many, until: '2999-12-31'}\n"
    )

    done = run("diff", OLD, str(changed))

    assert done.code == 0
    assert "BREAKING" not in done.out
    assert done.out.splitlines()[-2:] == [
        "IGNORED",
        "  POST /orders body $.lines: lines: maxItems is 10, was 20  [request-items-narrowed] "
        "until 2999-12-31: none sends as many",
    ]


def test_settings_elsewhere_are_not(run: Run, changed: Path) -> None:
    (changed.parents[3] / "rules.yaml").write_text("levels: {nonsense: safe}\n")

    assert run("diff", OLD, str(changed)).code == 1


def test_schemas_of_an_event_are_compared_in_their_mode(run: Run, tmp_path: Path) -> None:
    schema = json.loads((ROOT / EVENT).read_text())
    schema["properties"]["data"]["required"].remove("placedAt")
    file = tmp_path / "OrderPlaced.v1.json"
    file.write_text(json.dumps(schema, indent=2))

    done = run("diff", EVENT, str(file))

    assert done.code == 1
    assert "  OrderPlaced.v1 $.data.placedAt: " in done.out
    assert "[event-not-forward-compatible]" in done.out
    assert "    an event of the new schema, refused by the old one: {" in done.out


MISUSE = {
    "no name before": (["", OLD], "OLD: is empty: name a contract file, or REVISION:FILE"),
    "no name after": ([OLD, ""], "NEW: is empty: name a contract file, or REVISION:FILE"),
    "a revision without a file": (["main:", OLD], 'OLD: "main:" has no file after the colon: write REVISION:FILE'),
    "a file without a revision": ([OLD, ":a.yaml"], 'NEW: ":a.yaml" has no revision before the colon: write'),
    "a file that is not there": (["nowhere.yaml", OLD], "nowhere.yaml: does not exist"),
    "a revision that is not there": (
        [f"no-such-branch:{OLD}", OLD],
        f'no-such-branch:{OLD}: "no-such-branch" is neither a file nor a revision of ',
    ),
    "a file that a revision does not have": (["HEAD:nowhere.yaml", OLD], "HEAD:nowhere.yaml: is no file of HEAD ("),
    "a folder": (["contracts", OLD], "contracts: is a folder: name a contract in it"),
    "a folder of a revision": (["HEAD:contracts", OLD], "HEAD:contracts: is no file of HEAD ("),
    "a revision that looks like an option": (["--output=x:nowhere.yaml", OLD], "No such option"),
    "an API and an event": ([EVENT, OLD], f"{OLD}: is an OpenAPI document, and {EVENT} is the schema of an event"),
    "what is no contract": (["harness.yaml", OLD], "harness.yaml: neither an OpenAPI document"),
    "what is no YAML": (["README.md", OLD], "README.md:"),
    "settings that are not there": ([OLD, OLD, "--rules", "nowhere.yaml"], "nowhere.yaml: does not exist"),
    "one file alone": ([OLD], "Missing argument 'NEW'"),
}


@pytest.mark.parametrize(("arguments", "said"), MISUSE.values(), ids=MISUSE)
def test_misuse_is_a_line_and_exit_code_2(arguments: list[str], said: str, run: Run) -> None:
    done = run("diff", *arguments)

    assert (done.code, done.out) == (2, "")
    assert said in done.err
