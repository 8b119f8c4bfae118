"""One action on one resource, decided by the engine that the gateway asks, and told in the words of IAM's simulator.

Source: IAM API Reference, EvaluationResult and ResourceSpecificResult.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.access import Authority, Caller
from harness.iam.context_keys import distinct, keys_of_statement
from harness.iam.positions import end_of, start_of
from harness.policy import Document, Outcome, PolicyKind, PolicySet, StatementOutcome
from harness.policy.evaluate import attached
from harness.policy.statement import Statement
from harness.query_protocol.answers import Entries, Member, Members

SOURCE_TYPES: Mapping[PolicyKind, str] = {
    PolicyKind.IDENTITY: "IAM Policy",
    PolicyKind.RESOURCE: "Resource Policy",
    PolicyKind.BOUNDARY: "Permissions Boundary Policy",
}
"""`SourcePolicyType`, and the keys of `EvalDecisionDetails`: what AWS sends, which is not what its model lists."""

# `EvalResourceName` of a simulation with several resources (Service Authorization Reference, resource types).
TEMPLATES: Mapping[str, str] = {
    "execute-api:invoke": (
        "arn:${Partition}:execute-api:${Region}:${Account}:${ApiId}/${Stage}/${Method}/${ApiSpecificResourcePath}"
    ),
    "events:putevents": "arn:${Partition}:events:${Region}:${Account}:event-bus/${EventBusName}",
    "sts:assumerole": "arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}",
}

# Keys of the resource that `Authority` adds by itself.
_OF_THE_RESOURCE = frozenset({"aws:resourceaccount", "aws:resourceorgid", "aws:resourceorgpaths"})
_STRICTEST_FIRST = (Outcome.EXPLICIT_DENY, Outcome.IMPLICIT_DENY, Outcome.ALLOWED)


@dataclass(frozen=True, slots=True)
class Row:
    """A statement that was looked at. `level`: the place of its documents among those of the set."""

    level: int
    document: Document
    statement: Statement
    outcome: StatementOutcome


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is decided about one resource. `across`: it belongs to another account than the caller."""

    resource: str
    outcome: Outcome
    deciding: PolicyKind | None
    rows: tuple[Row, ...]
    missing: tuple[str, ...]
    across: bool
    policies: PolicySet

    def of(self, kind: PolicyKind) -> Outcome:
        """What the policies of one kind say, together."""
        effects = {row.outcome.effect for row in self.rows if row.outcome.kind is kind and row.outcome.applies}
        if "Deny" in effects:
            return Outcome.EXPLICIT_DENY
        return Outcome.ALLOWED if "Allow" in effects else Outcome.IMPLICIT_DENY

    @property
    def allowed_by_organisation(self) -> bool:
        """Each level of service control policies allows, and none denies."""
        rows = [row for row in self.rows if row.outcome.kind is PolicyKind.SCP and row.outcome.applies]
        levels = {row.level for row in rows}
        return len(levels) == len(self.policies.scps) and all(row.outcome.effect == "Allow" for row in rows)


def decide(
    authority: Authority, caller: Caller, *, action: str, resource: str, owner: str, resource_policy: Document | None
) -> Verdict:
    decision = authority.explain(
        caller,
        action=action,
        resource=resource,
        resource_account=owner,
        resource_policy=resource_policy,
        context={},
    )
    policies = caller.policies(resource_policy, None)
    rows = tuple(
        Row(level, document, statement, outcome)
        for (level, document, statement), outcome in zip(_statements(policies), decision.statements, strict=True)
    )
    return Verdict(
        resource,
        decision.outcome,
        decision.deciding,
        rows,
        tuple(_missing(rows, action, caller)),
        across=bool(caller.account) and caller.account != owner,
        policies=policies,
    )


def told(action: str, verdicts: Sequence[Verdict]) -> Members:
    """One `EvaluationResult`: the strictest decision over all resources, and that of each."""
    outcome = strictest(verdict.outcome for verdict in verdicts)
    specific = [verdict.resource for verdict in verdicts] != ["*"]
    decisive = [verdict for verdict in verdicts if verdict.outcome is outcome]
    content: dict[str, Member] = {
        "EvalActionName": action,
        "EvalResourceName": verdicts[0].resource if len(verdicts) == 1 else TEMPLATES.get(action.lower(), "*"),
        "EvalDecision": outcome.value,
        "MatchedStatements": [] if outcome is Outcome.IMPLICIT_DENY else _once(map(_matched, decisive)),
        "MissingContextValues": distinct(key for verdict in verdicts for key in verdict.missing),
    }
    if verdicts[0].policies.scps:
        content["OrganizationsDecisionDetail"] = {
            "AllowedByOrganizations": all(verdict.allowed_by_organisation for verdict in verdicts)
        }
    content.update(_boundary_detail(verdicts))
    details = [_details(verdict) for verdict in verdicts if verdict.deciding is not PolicyKind.SCP]
    if specific and details:
        kinds = list(dict.fromkeys(kind for detail in details for kind in detail))
        content["EvalDecisionDetails"] = Entries(
            {kind: strictest(detail[kind] for detail in details if kind in detail).value for kind in kinds}
        )
    if specific:
        content["ResourceSpecificResults"] = [_specific(verdict) for verdict in verdicts]
    return content


def strictest(outcomes: Iterable[Outcome]) -> Outcome:
    return min(outcomes, key=_STRICTEST_FIRST.index)


def _specific(verdict: Verdict) -> dict[str, Member]:
    content: dict[str, Member] = {
        "EvalResourceName": verdict.resource,
        "EvalResourceDecision": verdict.outcome.value,
        "MatchedStatements": _matched(verdict),
        "MissingContextValues": list(verdict.missing),
    }
    if verdict.across and verdict.deciding is not PolicyKind.SCP:
        content["EvalDecisionDetails"] = Entries({kind: outcome.value for kind, outcome in _details(verdict).items()})
    content.update(_boundary_detail([verdict]))
    return content


def _details(verdict: Verdict) -> dict[str, Outcome]:
    """Empty within one account, as at AWS."""
    if not verdict.across:
        return {}
    kinds = [PolicyKind.IDENTITY, PolicyKind.RESOURCE]
    if verdict.policies.boundary is not None:
        kinds.append(PolicyKind.BOUNDARY)
    return {SOURCE_TYPES[kind]: verdict.of(kind) for kind in kinds}


def _boundary_detail(verdicts: Sequence[Verdict]) -> dict[str, Member]:
    if verdicts[0].policies.boundary is None:
        return {}
    allowed = all(verdict.of(PolicyKind.BOUNDARY) is Outcome.ALLOWED for verdict in verdicts)
    return {"PermissionsBoundaryDecisionDetail": {"AllowedByPermissionsBoundary": allowed}}


def _matched(verdict: Verdict) -> list[dict[str, Member]]:
    """The denies when one denied, else the allows; of identity and resource policies only."""
    effect = "Deny" if verdict.outcome is Outcome.EXPLICIT_DENY else "Allow"
    return [
        _reference(row)
        for row in verdict.rows
        if row.outcome.applies
        and row.outcome.effect == effect
        and row.outcome.kind in (PolicyKind.IDENTITY, PolicyKind.RESOURCE)
    ]


def _reference(row: Row) -> dict[str, Member]:
    text = row.document.text
    return {
        "SourcePolicyId": row.document.name,
        "SourcePolicyType": SOURCE_TYPES[row.outcome.kind],
        "StartPosition": _position(start_of(row.statement, text)),
        "EndPosition": _position(end_of(row.statement, text)),
    }


def _position(place: tuple[int, int]) -> dict[str, int]:
    return {"Line": place[0], "Column": place[1]}


def _once(lists: Iterable[list[dict[str, Member]]]) -> list[dict[str, Member]]:
    found: list[dict[str, Member]] = []
    for references in lists:
        found += [reference for reference in references if reference not in found]
    return found


def _statements(policies: PolicySet) -> Iterator[tuple[int, Document, Statement]]:
    """In the order of a decision's outcomes."""
    for level, (_, documents) in enumerate(attached(policies)):
        for document in documents:
            for statement in document.statements:
                yield level, document, statement


def _missing(rows: Iterable[Row], action: str, caller: Caller) -> list[str]:
    """Keys that statements about this action and resource ask for and nobody gave; not those of SCPs."""
    wanted: list[str] = []
    for row in rows:
        about = row.outcome.principal_matches and row.outcome.action_matches
        reached = row.outcome.resource_matches or row.statement.open_resources
        if about and reached and row.outcome.kind is not PolicyKind.SCP:
            wanted += keys_of_statement(row.statement)
    given = caller.context.keys() | _OF_THE_RESOURCE
    return [key for key in distinct(wanted) if key.lower() not in given]
