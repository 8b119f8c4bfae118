"""Rules on one contract: of an API, or of an event. Pure: text in, findings out."""

from harness.contracts.lint.lint import lint
from harness.contracts.lint.rules import RULES, Rule

__all__ = ["RULES", "Rule", "lint"]
