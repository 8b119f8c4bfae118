"""Cases as data, one file a subject; the name of a case is its test's id."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml


def load(name: str) -> list[Any]:
    cases = json.loads((Path(__file__).parent / f"{name}.json").read_text())
    return [pytest.param(case, id=case["name"]) for case in cases]


def load_yaml(name: str) -> list[Any]:
    cases = yaml.load((Path(__file__).parent / f"{name}.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader)
    return [pytest.param(case, id=case["name"]) for case in cases]


OPERATIONS = Path(__file__).parent / "operations"


def _operations() -> list[tuple[str, dict[str, Any]]]:
    return [
        (file.stem, case)
        for file in sorted(OPERATIONS.glob("*.yaml"))
        for case in yaml.load(file.read_text(encoding="utf-8"), yaml.CSafeLoader)
    ]


def load_operations() -> list[Any]:
    """Each with the calls that go before, the call, and its answer or refusal."""
    return [pytest.param(case, id=f"{subject}: {case['name']}") for subject, case in _operations()]


def operations_of_cases() -> tuple[set[str], set[str]]:
    """Those that a case has answered, those that one has refused."""
    cases = [case for _, case in _operations()]
    return (
        {case["call"][0] for case in cases if "answer" in case},
        {case["call"][0] for case in cases if "refused" in case},
    )
