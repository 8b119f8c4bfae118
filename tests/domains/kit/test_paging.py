"""Cursors: every text of their form is one, and none leaves a bigint."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.paging import CURSOR_PATTERN, cursor_of, position_of


@given(st.integers(0, 2**48 - 1))
def test_a_position_comes_back(position: int) -> None:
    cursor = cursor_of(position)
    assert re.fullmatch(CURSOR_PATTERN, cursor)
    assert position_of(cursor) == position


@given(st.from_regex(CURSOR_PATTERN, fullmatch=True).filter(lambda text: not text.endswith("\n")))
def test_every_text_of_the_form_is_a_position(cursor: str) -> None:
    assert 0 <= position_of(cursor) < 2**63


def test_a_position_beyond_six_bytes_is_refused() -> None:
    with pytest.raises(OverflowError):
        cursor_of(2**48)
