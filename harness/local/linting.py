"""Contract files held against the rules of the lint: those that are named, or all that the manifests name."""

import os
from collections.abc import Iterable
from pathlib import Path

from harness import manifest
from harness.contracts.finding import Finding
from harness.contracts.lint import lint
from harness.errors import InputError, Problem
from harness.local.contract_files import contract_text


def contracts_of(file: Path) -> list[Path]:
    """Every contract that the landscape's manifests name."""
    landscape = manifest.load(file)
    found = {version.contract for api in landscape.apis().values() for version in api.versions.values()}
    found |= {event.contract for domain in landscape.domains.values() for event in domain.publishes}
    return [Path(os.path.relpath(path)) for path in sorted(found)]


def lint_files(files: Iterable[Path]) -> list[Finding]:
    """Findings by file. Raises `InputError` with every file that cannot be read or is no contract."""
    findings: list[Finding] = []
    problems: list[Problem] = []
    for file in files:
        try:
            findings += lint(file.as_posix(), contract_text)
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return findings
