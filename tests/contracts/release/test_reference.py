"""docs/reference/releases.md names every rule, and no other."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
SOURCES = [
    *(ROOT / "harness" / "contracts" / "consumers").glob("*.py"),
    *(ROOT / "harness" / "contracts" / "release").glob("*.py"),
]
FAMILIES = "expected|recorded|pattern|input|event|version|release"
RULE = re.compile(rf'"((?:{FAMILIES})-[a-z-]+)"')
# Faults of a request become `expected-…`; these are no rules.
FAULT = re.compile(r'Fault\(\s*"([a-z-]+)"')
NO_RULES = {"event-detail"}


def rules_of_code() -> set[str]:
    text = "\n".join(source.read_text() for source in SOURCES)
    return ({*RULE.findall(text)} | {f"expected-{fault}" for fault in FAULT.findall(text)}) - NO_RULES


def rules_of_reference() -> set[str]:
    found: set[str] = set()
    for line in (ROOT / "docs" / "reference" / "releases.md").read_text().splitlines():
        first = line.split("|")[1] if line.startswith("| `") else ""
        if not re.match(rf" `(?:{FAMILIES})-", first):
            continue
        stem = ""
        for name in re.findall(r"`([a-z-]+)`", first):
            # "`expected-parameter-unknown`, `-missing`": the same rule with another end.
            stem = stem if name.startswith("-") else name.rpartition("-")[0]
            found.add(stem + name if name.startswith("-") else name)
    return found


def test_the_reference_names_every_rule_and_no_other() -> None:
    assert rules_of_reference() == rules_of_code()
