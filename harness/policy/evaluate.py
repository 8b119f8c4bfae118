"""The decision on one request, by the evaluation logic of the IAM User Guide."""

from harness.policy.model import AccessRequest, Decision, PolicySet


def evaluate(request: AccessRequest, policies: PolicySet) -> Decision:
    raise NotImplementedError
