"""The table of rules in docs/reference/diff.md, with an example of each out of the labelled pairs.

`.venv/bin/python -m tests.contracts.diff.reference` writes it anew.
"""

from collections.abc import Mapping
from pathlib import Path

from harness.contracts.diff import RULES
from harness.contracts.finding import Finding
from tests.contracts.diff.corpus import pairs

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "diff.md"
START, END = "<!-- rules: written by tests/contracts/diff/reference.py -->\n", "<!-- end of the rules -->\n"


def table() -> str:
    examples = _examples()
    rows = [
        f"| `{rule.id}` | {rule.level} | {rule.why} | {examples.get(rule.id, rule.text)} |" for rule in RULES.values()
    ]
    return "\n".join(["| rule | level | why | such as |", "|---|---|---|---|", *rows]) + "\n"


def _examples() -> Mapping[str, str]:
    found: dict[str, str] = {}
    for pair in pairs():
        if not pair.rules <= found.keys():
            for finding in pair.diff().findings:
                found.setdefault(finding.rule, _words(finding))
    return found


def _words(finding: Finding) -> str:
    text = f"`{finding.place.label}`: {finding.text}"
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*") if "`" not in finding.text else text


def page() -> str:
    """The page with the table as it should be."""
    text = PAGE.read_text()
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}{table()}{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page())
