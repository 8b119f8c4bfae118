from typing import Any

import pytest

from harness.gateway.paths import refusal_reason, spellings
from tests.gateway.cases import load, named

CASES = load("paths")


@pytest.mark.parametrize("case", named(CASES))
def test_a_path_is_refused_when_decoding_changes_its_structure(case: dict[str, Any]) -> None:
    assert refusal_reason(case["path"].encode()) == case["refused"]


@pytest.mark.parametrize("case", named([case for case in CASES if not case["refused"]]))
def test_a_path_is_asked_about_under_all_its_spellings(case: dict[str, Any]) -> None:
    assert list(spellings(case["path"])) == case["spellings"]
