"""One compiled statement: it applies when principal, action, resource and every condition match."""

from dataclasses import dataclass, field

from harness.policy.conditions import Check, Condition, Context
from harness.policy.globs import Test, always, filled_arn_test
from harness.policy.model import AccessRequest, PolicyKind, Principal, StatementOutcome
from harness.policy.principals import Principals, Reach
from harness.policy.variables import Template, fill


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """`action` and `resource` test the positive patterns; the `not_` flags turn them round (NotAction, NotResource).

    `principals` is None where the grammar has none; then the statement is about whoever the policy is attached to.
    `open_resources` are the resource patterns in which variables wait; `resource` tests the others. `span`: where the
    statement begins and ends in the document's text.
    """

    sid: str
    index: int
    line: int
    allows: bool
    action: Test
    not_action: bool = False
    principals: Principals | None = None
    resource: Test = always
    open_resources: tuple[Template, ...] = ()
    not_resource: bool = False
    conditions: tuple[Condition, ...] = ()
    span: tuple[int, int] = (0, 0)
    names_all: bool = field(init=False, repr=False)
    _checks: tuple[Check, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names_all", self.principals is None or self.principals.everyone)
        object.__setattr__(self, "_checks", tuple(condition.holds for condition in self.conditions))

    def matches_action(self, action: str) -> bool:
        return bool(self.action(action)) is not self.not_action

    def reach(self, request: AccessRequest) -> int:
        """How the caller is named (bits of `Reach`); a policy attached to the caller names nobody else."""
        return self.names(request.principal)

    def names(self, principal: Principal) -> int:
        return Reach.CALLER if self.principals is None else self.principals.reach(principal)

    def covers(self, request: AccessRequest) -> bool:
        """Whether resource and conditions match, the rest having matched."""
        context = request.context
        if self.open_resources:
            if not self._matches_open(request.resource, context):
                return False
        elif (not self.resource(request.resource)) is not self.not_resource:
            return False
        for holds in self._checks:  # noqa: SIM110 (a generator costs more than most conditions)
            if not holds(context):
                return False
        return True

    def matches_resource(self, resource: str, context: Context) -> bool:
        if self.open_resources:
            return self._matches_open(resource, context)
        return bool(self.resource(resource)) is not self.not_resource

    def _matches_open(self, resource: str, context: Context) -> bool:
        filled = [fill(pattern, context) for pattern in self.open_resources]
        tests = [filled_arn_test(pattern) for pattern in filled if pattern is not None]
        if len(tests) != len(filled):
            return False  # an unresolved variable: neither Resource nor NotResource matches
        return (bool(self.resource(resource)) or any(test(resource) for test in tests)) is not self.not_resource

    def outcome(self, policy: str, kind: PolicyKind, request: AccessRequest) -> StatementOutcome:
        """Each part that was reached; later parts are None or empty after one that failed."""
        principal = bool(self.reach(request))
        action = self.matches_action(request.action) if principal else None
        resource = self.matches_resource(request.resource, request.context) if action else None
        conditions = tuple(c.outcome(request.context) for c in self.conditions) if resource else ()
        return StatementOutcome(
            policy=policy,
            kind=kind,
            index=self.index,
            sid=self.sid,
            effect="Allow" if self.allows else "Deny",
            line=self.line,
            principal_matches=principal,
            action_matches=action,
            resource_matches=resource,
            conditions=conditions,
            applies=bool(resource) and all(condition.holds for condition in conditions),
        )
