"""Labelled pairs get their level and their rules; each rule has a pair that trips it and one that nearly does."""

from typing import Any

import pytest

from harness.contracts.diff import RULES, Diff
from harness.contracts.diff.rules_of_schemas import SCHEMA_RULES
from harness.contracts.finding import Finding, Level
from tests.contracts.diff.corpus import Pair, pairs
from tests.contracts.diff.validity import accepts, is_judged

PAIRS = list(pairs())
DIFFS: dict[str, Diff] = {}
NO_VALUE_SHOWS = {
    "request-default-changed",  # the same request means something else
    "response-property-became-write-only",  # beside response-property-became-optional, which has one
    "discriminator-changed",
    "discriminator-value-removed",
    "discriminator-value-moved",
}


def diff_of(pair: Pair) -> Diff:
    """Each pair is compared once."""
    if pair.name not in DIFFS:
        DIFFS[pair.name] = pair.diff()
    return DIFFS[pair.name]


def _params(chosen: list[Pair]) -> list[Any]:
    return [pytest.param(pair, id=pair.name) for pair in chosen]


@pytest.mark.parametrize("pair", _params(PAIRS))
def test_a_pair_gets_its_level_and_its_rules(pair: Pair) -> None:
    found = diff_of(pair).findings
    worst = found[0].level if found else Level.SAFE
    assert {finding.rule for finding in found} == pair.rules, [str(finding.text) for finding in found]
    assert worst == pair.level


def test_there_are_at_least_150_pairs_and_no_two_of_a_name() -> None:
    assert len({pair.name for pair in PAIRS}) == len(PAIRS) >= 150


@pytest.mark.parametrize("rule", [rule for rule in RULES if not rule.startswith("event-")])
def test_every_rule_has_a_pair_that_trips_it_and_one_that_nearly_does(rule: str) -> None:
    trips = [pair.name for pair in PAIRS if rule in pair.rules]
    nearly = [pair.name for pair in PAIRS if rule in pair.nearly]
    assert trips
    assert nearly


@pytest.mark.parametrize("pair", _params([pair for pair in PAIRS if pair.nearly]))
def test_what_a_pair_nearly_trips_it_does_not_trip(pair: Pair) -> None:
    assert not set(pair.nearly) & {finding.rule for finding in diff_of(pair).findings}


BROKEN = [(pair, finding) for pair in PAIRS for finding in diff_of(pair).findings if is_judged(pair, finding)]


@pytest.mark.parametrize(
    ("pair", "finding"), [pytest.param(pair, found, id=f"{pair.name}: {found.rule}") for pair, found in BROKEN]
)
def test_an_example_is_accepted_by_one_side_alone(pair: Pair, finding: Finding) -> None:
    """By the validators, on schemas as the documents have them, not as the diff normalised them."""
    example = finding.example
    assert example is not None
    sides = {
        side: accepts(document, finding, example.value) for side, document in (("old", pair.old), ("new", pair.new))
    }
    assert sides == {"old": example.accepted_by == "old", "new": example.accepted_by == "new"}


def test_every_breaking_finding_about_a_schema_has_an_example() -> None:
    schema_rules = {row[0] for row in SCHEMA_RULES} - NO_VALUE_SHOWS
    missing = [
        f"{pair.name}: {finding.rule}"
        for pair in PAIRS
        for finding in diff_of(pair).findings
        if finding.level is Level.BREAKING and finding.rule in schema_rules and finding.example is None
    ]
    assert missing == []
