"""What is said about a pattern that does not match."""

from typing import Any

import pytest

from harness.bus.patterns.mismatch import Reason, explain
from harness.bus.patterns.pattern import compile_pattern
from tests.bus.cases import load


@pytest.mark.parametrize("case", load("mismatches"))
def test_mismatch(case: dict[str, Any]) -> None:
    mismatch = explain(compile_pattern(case["pattern"]), case["event"])
    assert mismatch is not None
    assert (str(mismatch), mismatch.reason, mismatch.path) == (case["says"], Reason(case["reason"]), case["path"])


@pytest.mark.parametrize("case", load("pattern_matches"))
def test_there_is_something_to_say_just_where_nothing_matches(case: dict[str, Any]) -> None:
    assert (explain(compile_pattern(case["pattern"]), case["event"]) is None) is case["matches"]


def test_long_values_and_long_lists_are_cut() -> None:
    mismatch = explain(compile_pattern({"a": ["x"]}), {"a": [*map(str, range(50)), "y" * 500]})
    assert mismatch is not None
    assert len(str(mismatch)) < 200
