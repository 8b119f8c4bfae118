"""A decision together with every statement that took part in it."""

from collections.abc import Iterator
from dataclasses import replace

from harness.policy.document import Document
from harness.policy.evaluate import attached, evaluate
from harness.policy.model import (
    AccessRequest,
    Decision,
    PolicyKind,
    StatementOutcome,
)
from harness.policy.policy_set import PolicySet


def explain(request: AccessRequest, policies: PolicySet) -> Decision:
    """`evaluate`'s decision, with the outcome of every statement of every attached document."""
    return replace(evaluate(request, policies), statements=tuple(outcomes(request, policies)))


def outcomes(request: AccessRequest, policies: PolicySet, trust: Document | None = None) -> Iterator[StatementOutcome]:
    if trust is not None:
        yield from _of(PolicyKind.TRUST, trust, request)
    for kind, documents in attached(policies):
        for document in documents:
            yield from _of(kind, document, request)


def _of(kind: PolicyKind, document: Document, request: AccessRequest) -> Iterator[StatementOutcome]:
    for statement in document.statements:
        yield statement.outcome(document.name, kind, request)
