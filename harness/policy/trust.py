"""May a role be assumed: the role's trust policy together with the caller's own policies."""

from harness.policy.document import Document
from harness.policy.model import AccessRequest, Decision, PolicySet


def evaluate_trust(request: AccessRequest, trust: Document, policies: PolicySet) -> Decision:
    raise NotImplementedError
