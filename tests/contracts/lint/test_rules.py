"""Each rule finds what it is about, where it is written, and not what only looks like it."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.contracts.finding import Finding
from harness.contracts.lint import RULES, lint
from harness.contracts.schemas import read_document
from harness.errors import InputError, Problem

ROOT = Path(__file__).resolve().parents[3]
CASES: dict[str, Any] = yaml.load((Path(__file__).parent / "cases/rules.yaml").read_text(), yaml.CSafeLoader)
API, EVENT = "contracts/orders/v2/openapi.yaml", "contracts/orders/events/OrderPlaced.v1.json"


def changed(document: Any, case: dict[str, Any]) -> Any:
    """A copy: first what is moved, then what is set, then what is removed."""
    made = copy.deepcopy(document)
    for old, new in case.get("move", {}).items():
        value = _pop(made, old)
        _set(made, new, value)
    for pointer, value in case.get("set", {}).items():
        moved = case.get("move", {})
        _set(
            made,
            next(
                (pointer.replace(old, new, 1) for old, new in moved.items() if pointer.startswith(old + "/")), pointer
            ),
            value,
        )
    for pointer in case.get("remove", ()):
        moved = case.get("move", {})
        _pop(
            made,
            next(
                (pointer.replace(old, new, 1) for old, new in moved.items() if pointer.startswith(old + "/")), pointer
            ),
        )
    return made


def steps(pointer: str, document: Any) -> tuple[str | int, ...]:
    found: list[str | int] = []
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        step: str | int = int(name) if isinstance(document, list) else name
        found.append(step)
        known = isinstance(document, list) or step in document
        document = document[step] if known else {}
    return tuple(found)


def _set(document: Any, pointer: str, value: Any) -> None:
    *above, last = steps(pointer, document)
    for step in above:
        document = document.setdefault(step, {}) if isinstance(document, dict) else document[step]
    document[last] = value


def _pop(document: Any, pointer: str) -> Any:
    *above, last = steps(pointer, document)
    for step in above:
        document = document[step]
    return document.pop(last)


def found_in(file: str, text: str) -> list[Finding]:
    def read(name: str) -> str:
        if name != file:
            raise InputError([Problem(name, 0, "no such file")])
        return text

    return lint(file, read)


def written(rule: str, case: dict[str, Any]) -> tuple[str, str]:
    """The file's name and its text."""
    base = API if RULES[rule].kind == "api" else EVENT
    document = changed(yaml.load((ROOT / base).read_text(), yaml.CSafeLoader), case)
    text = json.dumps(document, indent=1) if base is EVENT else yaml.safe_dump(document, sort_keys=False)
    return case.get("file", base), text


def cases(kind: str) -> Iterator[Any]:
    for rule, both in CASES.items():
        for number, case in enumerate(both[kind], 1):
            yield pytest.param(rule, case, id=f"{rule} {number}")


@pytest.mark.parametrize(("rule", "case"), list(cases("trips")))
def test_a_rule_finds_what_breaks_it(rule: str, case: dict[str, Any]) -> None:
    file, text = written(rule, case)
    document = read_document(file, text)

    found = [finding for finding in found_in(file, text) if finding.rule == rule]

    assert document.source(steps(case["at"], document.value)) in [finding.new for finding in found], found


@pytest.mark.parametrize(("rule", "case"), list(cases("nearly")))
def test_a_rule_lets_pass_what_nearly_does(rule: str, case: dict[str, Any]) -> None:
    found = found_in(*written(rule, case))

    assert [finding for finding in found if finding.rule == rule] == []
    assert not any(RULES[finding.rule].first for finding in found), found  # else the rule was not asked


def test_every_rule_has_cases_of_both_kinds() -> None:
    assert list(CASES) == list(RULES)
    assert all(both["trips"] and both["nearly"] for both in CASES.values())


def test_the_reference_says_of_each_rule_what_the_table_says() -> None:
    rows = (ROOT / "docs/reference/lint.md").read_text().splitlines()

    for rule in RULES.values():
        assert f"| `{rule.id}` | {rule.reason} | {rule.example} |" in rows
    assert len([row for row in rows if row.startswith("| `")]) == len(RULES)


CONTRACTS = sorted([*ROOT.glob("contracts/*/v*/openapi.yaml"), *ROOT.glob("contracts/*/events/*.json")])


@pytest.mark.parametrize("path", CONTRACTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_sample_contracts_pass(path: Path) -> None:
    assert found_in(str(path.relative_to(ROOT)), path.read_text()) == []
