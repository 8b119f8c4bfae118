"""Cases as data, one file a subject; the name of a case is its test's id."""

import json
from pathlib import Path
from typing import Any

import pytest


def load(name: str) -> list[Any]:
    cases = json.loads((Path(__file__).parent / f"{name}.json").read_text())
    return [pytest.param(case, id=case["name"]) for case in cases]
