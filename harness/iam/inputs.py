"""The parameters of the four operations, checked for form and compiled. A refusal is AWS's.

Source: IAM API Reference, SimulateCustomPolicy and SimulatePrincipalPolicy; botocore's model of iam 2010-05-08.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from harness.errors import InputError
from harness.iam.callers import Entity, Simulated, read_entity
from harness.iam.context_entries import read_context
from harness.iam.paging import cost
from harness.policy import ContextValue, Document, PolicyKind, PolicySet, compile_document
from harness.policy.evaluate import attached
from harness.query_protocol import constraints
from harness.query_protocol.answers import Refusal
from harness.query_protocol.calls import Parameters, members
from harness.query_protocol.constraints import Text, Whole

_PRINTABLE = r"[\u0009\u000A\u000D\u0020-\u00FF]+"
_POLICY = Text(1, 131_072, _PRINTABLE)

CONSTRAINTS: Mapping[str, Text | Whole] = {
    "PolicySourceArn": Text(20, 2048),
    "CallerArn": Text(1, 2048),
    "ResourceOwner": Text(1, 2048),
    "ResourcePolicy": _POLICY,
    "ResourceHandlingOption": Text(1, 64),
    "MaxItems": Whole(1, 1000),
    "Marker": Text(1, 320, r"[\u0020-\u00FF]+"),
}
LISTS: Mapping[str, Text] = {
    "ActionNames": Text(3, 128),
    "ResourceArns": Text(1, 2048),
    "PolicyInputList": _POLICY,
    "PermissionsBoundaryPolicyInputList": _POLICY,
}
# A few policies are simulated at a time; a request full of them would hold up the edge.
MAX_POLICIES = 20
MAX_LEVELS = 7

_EXCLUSIONS = ("inline", "aws-managed", "user-managed", "permission-boundary", "scp", "rcp")


@dataclass(frozen=True, slots=True)
class Asked:
    """What both simulations read from a request. `owner`: the account of `ResourceOwner`, empty without one."""

    actions: Sequence[str]
    resources: Sequence[str]
    owner: str
    context: Mapping[str, ContextValue]
    identity: tuple[Document, ...]
    boundary: Document | None
    resource_policy: Document | None

    def cost(self, policies: PolicySet) -> int:
        """The work of one action, see `paging.cost`."""
        documents = [document for _, level in attached(policies) for document in level]
        values = [text for value in self.context.values() for text in ((value,) if isinstance(value, str) else value)]
        return cost(
            resources=len(self.resources),
            policy_characters=sum(len(document.text) for document in documents),
            value_characters=sum(map(len, values)) + max(map(len, self.resources)),
        )


def invalid(text: str) -> Refusal:
    return Refusal("InvalidInput", text)


def texts(parameters: Parameters, name: str) -> list[str]:
    return [member[""] for member in members(parameters, name) if "" in member]


def check(parameters: Parameters, *, required: Iterable[str], lists: Iterable[str] = ()) -> Refusal | None:
    """`required`: names of parameters and of lists."""
    more = []
    for name in lists:
        more += [
            constraints.violation(text, f"{constraints.member(name)}.{number}.member", sentence)
            for number, text in enumerate(texts(parameters, name), start=1)
            for sentence in LISTS[name].violations(text)
        ]
    missing = [name for name in required if name in LISTS and not texts(parameters, name)]
    more += [
        f"Value null at '{constraints.member(name)}' failed to satisfy constraint: Member must not be null"
        for name in missing
    ]
    return constraints.check(
        parameters,
        CONSTRAINTS,
        required=[name for name in required if name not in LISTS],
        optional=[name for name in CONSTRAINTS if name not in required],
        more=more,
    )


def read_asked(parameters: Parameters) -> Asked | Refusal:
    """Everything but who calls and what is attached to it; the first mistake is the answer."""
    if isinstance(actions := read_actions(parameters), Refusal):
        return actions
    if isinstance(resources := read_resources(parameters), Refusal):
        return resources
    if isinstance(owner := read_owner(parameters), Refusal):
        return owner
    if isinstance(context := read_context(parameters), Refusal):
        return context
    if isinstance(identity := compile_list(parameters, "PolicyInputList", PolicyKind.IDENTITY), Refusal):
        return identity
    if isinstance(boundary := read_boundary(parameters), Refusal):
        return boundary
    if isinstance(resource_policy := read_resource_policy(parameters, resources), Refusal):
        return resource_policy
    return Asked(actions, resources, owner, context, identity, boundary, resource_policy)


def read_actions(parameters: Parameters) -> list[str] | Refusal:
    actions = texts(parameters, "ActionNames")
    for action in actions:
        service, colon, name = action.partition(":")
        if not (service and colon and name) or set(action) & set("*?"):
            return invalid(f"Invalid Action Name: {action}. Write service:Action, without wildcards.")
    return actions


def read_resources(parameters: Parameters) -> list[str] | Refusal:
    """ARNs, or `*` alone."""
    resources = texts(parameters, "ResourceArns") or ["*"]
    for resource in resources:
        parts = resource.split(":", 5)
        is_arn = len(parts) == 6 and parts[0] == "arn" and parts[1] and parts[2] and parts[5]
        if not is_arn and resources != ["*"]:
            return invalid(f"ResourceNames are not in a valid ARN format: {resource}.")
    return resources


def read_owner(parameters: Parameters) -> str | Refusal:
    """The account of `ResourceOwner`, empty without one."""
    arn = parameters.get("ResourceOwner", "")
    account = arn.removeprefix("arn:aws:iam::").removesuffix(":root")
    if arn and not (arn == f"arn:aws:iam::{account}:root" and _is_account(account)):
        return invalid(f"'{arn}' is not a valid as a Resource Owner.")
    return account


def owner_of(resource: str, *, named: str, otherwise: str) -> str:
    """The account that owns a resource: the ARN says it, else `ResourceOwner`, else it is the caller's."""
    parts = resource.split(":", 5)
    written = parts[4] if len(parts) == 6 else ""
    return written if _is_account(written) else named or otherwise


def read_caller(parameters: Parameters) -> Entity | Refusal | None:
    arn = parameters.get("CallerArn")
    if arn is None:
        return None
    return read_entity(arn) or invalid("Invalid caller - Caller must be an IAM user, role or group in this context.")


def compile_list(parameters: Parameters, name: str, kind: PolicyKind) -> tuple[Document, ...] | Refusal:
    """Each is named after its place, `PolicyInputList.1`, as `SourcePolicyId` shows it."""
    written = texts(parameters, name)
    if len(written) > MAX_POLICIES:
        return invalid(f"{name} holds {len(written)} policies; the harness simulates {MAX_POLICIES} at most.")
    documents = []
    for number, text in enumerate(written, start=1):
        document = compile_policy(text, kind, f"{name}.{number}")
        if isinstance(document, Refusal):
            return document
        documents.append(document)
    return tuple(documents)


def compile_policy(text: str, kind: PolicyKind, name: str, *, api_arn: str = "") -> Document | Refusal:
    try:
        return compile_document(text, kind=kind, name=name, api_arn=api_arn)
    except InputError as wrong:
        return invalid(f"Invalid policy: {'; '.join(str(problem) for problem in wrong.problems)}")


def read_boundary(parameters: Parameters) -> Document | Refusal | None:
    name = "PermissionsBoundaryPolicyInputList"
    boundaries = compile_list(parameters, name, PolicyKind.BOUNDARY)
    if isinstance(boundaries, Refusal):
        return boundaries
    if len(boundaries) > 1:
        return invalid(f"{name} holds {len(boundaries)} policies; an entity has one permissions boundary.")
    return boundaries[0] if boundaries else None


def read_levels(parameters: Parameters) -> tuple[tuple[Document, ...], ...] | Refusal:
    """Service control policies, a tuple for each level from the root of the organisation down to the account."""
    name = "OrderedOrganizationPolicyInputList"
    levels: list[tuple[Document, ...]] = []
    for level in members(parameters, name):
        documents = compile_list(level, "ServiceControlPolicyInputList", PolicyKind.SCP)
        if isinstance(documents, Refusal):
            return documents
        levels.append(documents)
    if len(levels) > MAX_LEVELS:
        return invalid(f"{name} has {len(levels)} levels; an organization has {MAX_LEVELS} at most.")
    return tuple(levels)


def read_resource_policy(parameters: Parameters, resources: Sequence[str]) -> Document | Refusal | None:
    """The short form `execute-api:/…` is that of the API which all resources belong to."""
    text = parameters.get("ResourcePolicy")
    if text is None:
        return None
    if "CallerArn" not in parameters and "PolicySourceArn" not in parameters:
        return invalid("Invalid caller - Caller cannot be null or empty.")
    if resources == ["*"]:
        return invalid("Invalid Entity Arn: * does not clearly define entity type and name.")
    apis = {resource.partition("/")[0] for resource in resources}
    api_arn = apis.pop() if len(apis) == 1 and resources[0].split(":")[2] == "execute-api" else ""
    return compile_policy(text, PolicyKind.RESOURCE, "ResourcePolicy", api_arn=api_arn)


def exclude(parameters: Parameters, role: str, who: Simulated) -> PolicySet | Refusal:
    """What is left of the role's own policies after `PolicyExclusionList`; what matches nothing is ignored."""
    own = who.own
    identity, boundary, scps = own.identity, own.boundary, own.scps
    for excluded in members(parameters, "PolicyExclusionList"):
        kind = excluded.get("PolicyType", "")
        if kind and kind not in _EXCLUSIONS:
            return invalid(f"There is no policy type {kind}; choose one of {', '.join(_EXCLUSIONS)}.")
        named = excluded.get("InlinePolicyIdentifier.PolicyName", "")
        of_role = excluded.get("InlinePolicyIdentifier.AttachmentType") == "role" and fnmatchcase(
            role, excluded.get("InlinePolicyIdentifier.AttachmentName", "")
        )
        identity = tuple(
            document for document in identity if kind != "inline" and not (of_role and document.name == named)
        )
        boundary = None if kind == "permission-boundary" else boundary
        scps = () if kind == "scp" else scps
    return PolicySet(identity=identity, boundary=boundary, scps=scps)


def _is_account(text: str) -> bool:
    return len(text) == 12 and text.isascii() and text.isdecimal()
