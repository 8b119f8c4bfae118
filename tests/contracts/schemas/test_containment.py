"""Is one schema part of another, where not, and does the value that shows it really show it?"""

from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from harness.contracts.finding import Place
from harness.contracts.schemas import Containment, Verdict, contained, load_schema

CASES = yaml.load((Path(__file__).parent.parent / "cases" / "containment.yaml").read_text(), yaml.CBaseLoader)
TYPED = yaml.load((Path(__file__).parent.parent / "cases" / "containment.yaml").read_text(), yaml.CSafeLoader)


def answer(case: dict[str, Any]) -> Containment:
    return contained(load_schema("narrow.json", case["narrow"]), load_schema("wide.json", case["wide"]))


@pytest.mark.parametrize(
    ("case", "verdict"),
    [pytest.param(typed, case["verdict"], id=case["name"]) for case, typed in zip(CASES, TYPED, strict=True)],
)
def test_containment(case: dict[str, Any], verdict: str) -> None:
    said = answer(case)
    where = [f"{found.kind} {Place('event', 'event-detail', field=found.path).label}" for found in said.differences]
    assert (said.verdict, sorted(where)) == (verdict, sorted(case.get("differences", where)))


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in TYPED])
def test_a_witness_is_valid_on_one_side_alone(case: dict[str, Any]) -> None:
    said = answer(case)
    shown = [found.witness for found in said.differences] + [said.witness]
    for witness in filter(None, shown):
        assert jsonschema_rs.is_valid(case["narrow"], witness.value, validate_formats=True)
        refused = not jsonschema_rs.is_valid(case["wide"], witness.value, validate_formats=True)
        assert refused or witness.value == 2**31, "int32 is a format that no JSON Schema validator knows"
    assert (said.verdict is Verdict.NO) == (said.witness is not None)
