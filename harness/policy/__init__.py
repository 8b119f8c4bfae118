"""AWS's policy language: documents are compiled once, a request is decided in microseconds and explained on demand.

`compile_document` refuses what AWS would refuse, and names that can never match; everything after it works on
compiled values and does no I/O.
"""

from harness.policy.document import Document, compile_document
from harness.policy.evaluate import evaluate
from harness.policy.explain import explain
from harness.policy.message import denial_message, mask_account
from harness.policy.model import (
    ANONYMOUS,
    AccessRequest,
    ConditionOutcome,
    ContextValue,
    Decision,
    Outcome,
    PolicyKind,
    Principal,
    PrincipalType,
    StatementOutcome,
)
from harness.policy.policy_set import PolicySet
from harness.policy.trust import evaluate_trust

__all__ = [
    "ANONYMOUS",
    "AccessRequest",
    "ConditionOutcome",
    "ContextValue",
    "Decision",
    "Document",
    "Outcome",
    "PolicyKind",
    "PolicySet",
    "Principal",
    "PrincipalType",
    "StatementOutcome",
    "compile_document",
    "denial_message",
    "evaluate",
    "evaluate_trust",
    "explain",
    "mask_account",
]
