"""A change that is known to break a real contract is never called safe, and what is called broken can be shown."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.contracts.diff import Diff, diff
from harness.contracts.finding import Level
from harness.errors import InputError, Problem
from tests.contracts.diff.corpus import TODAY
from tests.contracts.diff.mutations import MUTATIONS, mutated
from tests.contracts.diff.validity import accepts, is_judged_in
from tests.contracts.diff.vandalism import vandalised

ROOT = Path(__file__).resolve().parents[3]
FILES = sorted(ROOT.glob("contracts/*/*/openapi.yaml"))
CONTRACTS = {str(file.relative_to(ROOT)): yaml.load(file.read_text(), yaml.CSafeLoader) for file in FILES}
SEEDS = range(6)


def compared(old: Any, new: Any) -> Diff:
    texts = {"old.json": json.dumps(old), "new.json": json.dumps(new)}
    return diff("old.json", "new.json", texts.__getitem__, today=TODAY)


@pytest.mark.parametrize("contract", CONTRACTS)
@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_change_that_breaks_is_never_called_safe(mutation: str, contract: str) -> None:
    document = CONTRACTS[contract]
    for seed in SEEDS:
        changed = mutated(document, MUTATIONS[mutation], seed)
        if changed is None or changed == document:
            continue
        found = compared(document, changed).findings
        assert found, f"seed {seed}"
        assert found[0].level is Level.BREAKING, f"seed {seed}: {[finding.text for finding in found]}"
        for finding in found:
            if is_judged_in(document, changed, finding):
                assert finding.example is not None
                sides = [accepts(side, finding, finding.example.value) for side in (document, changed)]
                assert sides == [finding.example.accepted_by == "old", finding.example.accepted_by == "new"], finding


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_every_mutation_finds_a_place(mutation: str) -> None:
    assert any(mutated(document, MUTATIONS[mutation], 1) for document in CONTRACTS.values())


@pytest.mark.parametrize("contract", CONTRACTS)
def test_a_contract_is_the_same_as_itself(contract: str) -> None:
    assert compared(CONTRACTS[contract], CONTRACTS[contract]).findings == ()


@pytest.mark.parametrize("seed", range(60))
def test_a_file_that_is_no_contract_is_refused_in_words(seed: int) -> None:
    """Any value anywhere: a diff or an `InputError`, nothing else."""
    document = next(iter(CONTRACTS.values()))
    broken = vandalised(document, seed)
    files = {problem.file for sides in ((document, broken), (broken, document)) for problem in refusal(*sides)}
    assert files <= {"old.json", "new.json"}


def refusal(old: Any, new: Any) -> tuple[Problem, ...]:
    try:
        compared(old, new)
    except InputError as error:
        return error.problems
    return ()
