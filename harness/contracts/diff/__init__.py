"""What changed between two versions of an OpenAPI document, and whom that breaks."""

from harness.contracts.contract import Contract, is_openapi, read_contract
from harness.contracts.diff.document import Diff, diff, diff_contracts
from harness.contracts.diff.rules import RULES, Rule
from harness.contracts.diff.settings import Ignore, Ignored, Settings, applied, read_settings

__all__ = [
    "RULES",
    "Contract",
    "Diff",
    "Ignore",
    "Ignored",
    "Rule",
    "Settings",
    "applied",
    "diff",
    "diff_contracts",
    "is_openapi",
    "read_contract",
    "read_settings",
]
