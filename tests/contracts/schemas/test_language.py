"""The texts of a regular expression, also of one that is written to have too many."""

from random import Random

import pytest

from harness.contracts.schemas.language import MOST_TEXTS, all_texts, drawn_texts


@pytest.mark.parametrize(
    ("pattern", "texts"),
    [
        pytest.param("^(EUR|USD)$", ("EUR", "USD"), id="alternatives"),
        pytest.param("a?b{1,2}", ("b", "bb", "ab", "abb"), id="repetitions with a bound"),
        pytest.param("v[12]", ("v1", "v2"), id="a set"),
        pytest.param("", ("",), id="nothing"),
        pytest.param("a+", None, id="a repetition without a bound"),
        pytest.param(".", None, id="any character"),
        pytest.param("[0-9]{3}", None, id="more than are listed"),
        pytest.param("(?i)eur", None, id="no expression of ECMA"),
    ],
)
def test_all_texts(pattern: str, texts: tuple[str, ...] | None) -> None:
    assert all_texts(pattern) == texts


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param("(" * 45 + "a*" + ")*" * 45, id="stars within stars"),
        pytest.param("(" * 20 + "a{0,2}" + "){0,2}" * 20, id="bounds within bounds"),
        pytest.param("((a{300}){300}){300}", id="a text of many millions"),
    ],
)
def test_a_pattern_that_explodes_is_given_up(pattern: str) -> None:
    assert all_texts(pattern) is None
    assert drawn_texts(pattern, (0, 9), Random(0)) == ()


def test_at_the_bound_all_are_listed() -> None:
    assert len(all_texts("[a-p][a-p]") or ()) == MOST_TEXTS
    assert all_texts("[a-p][a-p]|z") is None
