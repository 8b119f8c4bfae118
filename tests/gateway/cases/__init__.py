"""The cases of this folder as pytest parameters, each with its name as id."""

import json
from pathlib import Path
from typing import Any

import pytest


def load(name: str) -> Any:
    return json.loads((Path(__file__).parent / f"{name}.json").read_text())


def named(cases: list[dict[str, Any]]) -> list[Any]:
    return [pytest.param(case, id=case["name"]) for case in cases]
