"""Labelled pairs of schemas: `backward`, `both` or `none`. Where the answer here differs, the case file says why."""

import json
from pathlib import Path
from typing import Any

import pytest

from harness.contracts.schemas import Comparison, Verdict, compare, load_schema

DIFFERENCES = json.loads((Path(__file__).parent / "cases" / "conformance_differences.json").read_text())


@pytest.fixture(scope="module")
def pairs(conformance: Path) -> list[dict[str, Any]]:
    found = json.loads((conformance / "json-schema-compatibility" / "apicurio.json").read_text())
    return [pair for pair in found["tests"] if pair.get("enabled", True)]


def label(comparison: Comparison) -> str:
    backward = comparison.backward.verdict is Verdict.YES
    forward = comparison.forward.verdict is Verdict.YES
    return {(True, True): "both", (True, False): "backward", (False, True): "forward"}.get((backward, forward), "none")


def compared(pair: dict[str, Any]) -> Comparison:
    return compare(load_schema("original.json", pair["original"]), load_schema("updated.json", pair["updated"]))


def agrees(expected: str, answered: str) -> bool:
    """The labels say nothing of what is forward compatible alone: to them it is `none`."""
    return answered == expected or (expected == "none" and answered == "forward")


def test_every_pair_has_its_label_or_a_written_reason(pairs: list[dict[str, Any]]) -> None:
    differing = []
    for number, pair in enumerate(pairs):
        answered = label(compared(pair))
        if not agrees(pair["compatibility"], answered):
            differing.append((number, pair["id"], pair["compatibility"], answered))

    assert differing == [(each["pair"], each["id"], each["labelled"], each["answered"]) for each in DIFFERENCES]


def test_every_no_has_a_value_that_shows_it(pairs: list[dict[str, Any]]) -> None:
    """Each was tried with both validators before it was given."""
    without = [
        pair["id"]
        for pair in pairs
        for side in (compared(pair).backward, compared(pair).forward)
        if side.verdict is Verdict.NO and side.witness is None
    ]

    assert without == []


def test_every_reason_is_written() -> None:
    assert all(len(reason["reason"]) > 40 for reason in DIFFERENCES)
