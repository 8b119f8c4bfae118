"""Event schemas against released ones, in every mode."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from harness.contracts.field_path import show_field_path
from harness.contracts.finding import Finding
from harness.contracts.release import DEFAULT_MODE, Mode, ReleasedSchema, incompatibilities, mode_of
from harness.contracts.schemas import load_schema

CASES = json.loads((Path(__file__).parent / "cases" / "compatibility.json").read_text())


def found(case: dict[str, Any]) -> tuple[Finding, ...]:
    released = [
        ReleasedSchema(f"release {number}", load_schema("old.json", old)) for number, old in enumerate(case["released"])
    ]
    return incompatibilities("OrderPlaced.v1", released, load_schema("new.json", case["new"]), Mode(case["mode"]))


@pytest.mark.parametrize("case", [pytest.param(each, id=each["name"]) for each in CASES])
def test_a_mode(case: dict[str, Any]) -> None:
    findings = found(case)

    assert [
        [
            finding.level.value,
            finding.rule.removeprefix("event-not-").removesuffix("-compatible"),
            show_field_path(finding.place.field),
        ]
        for finding in findings
    ] == case["found"]
    for finding in findings:
        assert finding.example is not None
        accepts = {"old": case["released"][0], "new": case["new"]}
        side = finding.example.accepted_by
        assert jsonschema_rs.is_valid(accepts[side], finding.example.value)
        assert not jsonschema_rs.is_valid(accepts["new" if side == "old" else "old"], finding.example.value)


def test_what_is_by_the_letter_alone_is_explained() -> None:
    (finding,) = found(CASES[0])

    assert "the old schema is open and does not name it" in finding.reason
    assert "total" in finding.text


def test_the_mode_of_a_schema() -> None:
    assert mode_of({"x-event": {"compatibility": "FORWARD"}}) is Mode.FORWARD
    assert mode_of({"type": "object"}) is DEFAULT_MODE
    with pytest.raises(ValueError, match='"FORWRAD" is no mode \\(did you mean "FORWARD"'):
        mode_of({"x-event": {"compatibility": "FORWRAD"}})
