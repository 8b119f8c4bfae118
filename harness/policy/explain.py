"""A decision together with every statement that took part in it."""

from harness.policy.model import AccessRequest, Decision, PolicySet


def explain(request: AccessRequest, policies: PolicySet) -> Decision:
    raise NotImplementedError
