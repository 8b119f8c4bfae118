"""Settings of a team: what is wrong in them is told at its line, with the mend."""

import pytest

from harness.contracts.diff import read_settings
from harness.errors import InputError

WRONG = {
    "an unknown key": ("levls: {}", 'rules.yaml:1: unknown key "levls" (did you mean "levels"?)'),
    "an unknown rule": ("levels:\n  operation-removd: risky", 'rules.yaml:2: unknown rule "operation-removd" (did you'),
    "an unknown level": ("levels: {operation-removed: bad}", "must be breaking, risky or safe"),
    "levels that are a list": ("levels: [a]", "levels: must be a mapping"),
    "ignores that are a mapping": ("ignores: {a: b}", "ignores: must be a list"),
    "an ignore that is text": ("ignores:\n  - operation-removed", "rules.yaml:2: an ignore must be a mapping"),
    "an ignore without a reason": (
        "ignores:\n  - {rule: operation-removed, at: GET /a, until: 2027-01-31}",
        "rules.yaml:2: an ignore must have reason: why it may be ignored",
    ),
    "an ignore without an end": (
        "ignores:\n  - {rule: operation-removed, at: GET /a, reason: mine}",
        "rules.yaml:2: an ignore must have until: the last day",
    ),
    "an ignore of an unknown rule": (
        "ignores:\n  - {rule: operation-gone, at: GET /a, reason: mine, until: 2027-01-31}",
        'rules.yaml:2: unknown rule "operation-gone"',
    ),
    "an end that is no date": (
        "ignores:\n  - {rule: operation-removed, at: GET /a, reason: mine, until: 2027-02-31}",
        'until: "2027-02-31" is no date such as 2027-01-31',
    ),
    "an unknown key of an ignore": (
        "ignores:\n  - {rule: operation-removed, at: GET /a, reason: mine, until: 2027-01-31, who: me}",
        'unknown key "who"',
    ),
    "a notice that is no number": ("sunset-notice-days: many", "sunset-notice-days: must be a number of days"),
    "a notice below zero": ("sunset-notice-days: -1", "sunset-notice-days: must be a number of days"),
    "a list": ("- levels", "must be a mapping with levels, ignores, sunset-notice-days"),
}


@pytest.mark.parametrize(("text", "said"), WRONG.values(), ids=WRONG)
def test_a_mistake_is_told_at_its_line(text: str, said: str) -> None:
    with pytest.raises(InputError) as refused:
        read_settings("rules.yaml", text)

    assert said in str(refused.value)


def test_every_mistake_is_told() -> None:
    with pytest.raises(InputError) as refused:
        read_settings("rules.yaml", "levels: {a: risky, b: risky}\nsunset-notice-days: many")

    assert len(refused.value.problems) == 3
