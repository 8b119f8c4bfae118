"""`harness lint`: lines, JSON and exit codes."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Run

CONTRACT = "contracts/orders/v2/openapi.yaml"


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    file = tmp_path / "v2" / "openapi.yaml"
    file.parent.mkdir()
    file.write_text((ROOT / CONTRACT).read_text().replace("operationId: listOrders", "operationId: list_orders"))
    return file


def test_all_contracts_of_the_sample_pass(run: Run) -> None:
    done = run("lint")

    assert (done.code, done.out, done.err) == (0, "", "nothing found in 6 files\n")


def test_a_finding_is_a_line_with_its_place_and_exit_code_1(run: Run, broken: Path) -> None:
    line = broken.read_text().splitlines().index("      operationId: list_orders") + 1

    done = run("lint", str(broken), CONTRACT)

    assert done.code == 1
    text = 'the operationId "list_orders" is not lowerCamelCase [operation-id-form]'
    assert done.out == f"{broken}:{line}: GET /orders: {text}\n"
    assert done.err == "1 finding in 2 files\n"


def test_for_programs_it_is_json(run: Run, broken: Path) -> None:
    done = run("lint", str(broken), "--json")

    assert [(each["rule"], each["file"]) for each in json.loads(done.out)] == [("operation-id-form", str(broken))]
    assert (done.code, done.err) == (1, "")


def test_nothing_found_is_an_empty_list_for_programs(run: Run) -> None:
    assert json.loads(run("lint", CONTRACT, "--json").out) == []


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (["nowhere.yaml"], ["nowhere.yaml: does not exist"]),
        (["docs"], ["docs: is a folder"]),
        (["harness.yaml"], ["harness.yaml: is neither an OpenAPI document"]),
        (["README.md", "nowhere.yaml"], ["README.md:", "nowhere.yaml: does not exist"]),
        (["contracts/orders/v2/openapi.yml"], ['does not exist (did you mean "openapi.yaml"?)']),
    ],
)
def test_what_is_no_contract_is_misuse(files: list[str], said: list[str], run: Run) -> None:
    done = run("lint", *files)

    assert (done.code, done.out) == (2, "")
    assert all(text in done.err for text in said)


def test_a_reference_to_a_file_that_is_not_there_is_a_finding(run: Run, broken: Path) -> None:
    broken.write_text(broken.read_text().replace("$ref: '#/components/schemas/Line'", "$ref: lines.yaml#/Line"))

    done = run("lint", str(broken))

    assert done.code == 1
    assert f"{broken.parent}/lines.yaml" in done.out
