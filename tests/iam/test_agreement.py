"""What the simulator says is what the gateway does: every case of the policy engine is put to both.

Cases that `SimulateCustomPolicy` has no parameter for are named with the reason. A case file without a row in `FILES`
fails.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from harness.access import Authority, Caller
from harness.errors import InputError
from harness.policy import ContextValue, Document, PolicyKind, PolicySet, PrincipalType, compile_document
from tests.access.landscape import a_sealer
from tests.iam.landscape import DIRECTORY, entry
from tests.policy import samples
from tests.policy.samples import ACTION, API_ARN, CALLERS, METHOD_ARN, OWNER, Case, compiled, own, policy_set

ALLOW: Case = {"Effect": "Allow", "Action": "*", "Resource": "*"}
AUTHORITY = Authority(DIRECTORY, a_sealer())

NO_SESSION_POLICIES = "the simulator takes no session policies"
NO_ENDPOINT_POLICIES = "the simulator knows no VPC endpoint"
NO_SUCH_CALLER = "CallerArn names a user, a role or a group: no root user, service, federated or anonymous caller"
NO_SESSION = "CallerArn names a role, the policy one of its sessions"
NO_UNIQUE_IDS = "CallerArn names a role by its ARN, the policy by its unique id"
NO_OTHER_API = "a simulated resource policy is that of the simulated resource, its short form means that API"
NO_TRUST = "a role's trust policy decides about sts:AssumeRole, which is asked of STS itself"
NO_DECISION = "a table of texts, there is nothing to decide"


@dataclass(frozen=True)
class Question:
    policies: PolicySet
    caller: str = "session of the owner"
    action: str = ACTION
    resource: str = METHOD_ARN
    context: Mapping[str, ContextValue] = field(default_factory=dict)


def normal(context: Case) -> dict[str, ContextValue]:
    return {key.lower(): tuple(value) if isinstance(value, list) else value for key, value in context.items()}


def identity(statement: Case, version: str = "2012-10-17") -> PolicySet:
    return PolicySet(identity=(compiled([statement], PolicyKind.IDENTITY, version),))


def decision(case: Case) -> Question | str:
    if "sessions" in case:
        return NO_SESSION_POLICIES
    return NO_ENDPOINT_POLICIES if "endpoint" in case else Question(policy_set(case), case["caller"])


def principal(case: Case) -> Question | str:
    statement = ALLOW | {case["element"]: case["value"]}
    resource = compiled([statement | {"Effect": "Deny"}], PolicyKind.RESOURCE)
    return Question(PolicySet(identity=(own("allow", PolicyKind.IDENTITY),), resource=resource), case["caller"])


def action(case: Case) -> Question | str:
    rest = {key: value for key, value in ALLOW.items() if key != "Action"}
    return Question(identity(rest | {case["element"]: case["value"]}), action=case["action"])


def resource(case: Case) -> Question | str:
    statement = {key: value for key, value in ALLOW.items() if key != "Resource"} | {case["element"]: case["pattern"]}
    if "execute-api:/" not in str(case["pattern"]):
        return Question(identity(statement), resource=case["arn"])
    if not case["arn"].startswith(API_ARN):
        return NO_OTHER_API
    policy = compiled([statement | {"Principal": "*"}], PolicyKind.RESOURCE)
    return Question(PolicySet(resource=policy), resource=case["arn"])


def condition(case: Case) -> Question | str:
    return Question(identity(ALLOW | {"Condition": case["condition"]}), context=normal(case["context"]))


def variable(case: Case) -> Question | str:
    arn = case.get("arn", METHOD_ARN)
    return Question(identity(case["statement"], case["version"]), resource=arn, context=normal(case["context"]))


FILES: Mapping[str, Callable[[Case], Question | str]] = {
    "actions.json": action,
    "conditions.json": condition,
    "decisions.json": decision,
    "messages.json": lambda case: NO_DECISION,
    "principals.json": principal,
    "resources.json": resource,
    "trust.json": lambda case: NO_TRUST,
    "variables.json": variable,
}
OF_GRAMMAR = "grammar.json"


def caller_arn(asked: Question) -> str | None:
    """None for a caller that has no place in a simulation."""
    caller = CALLERS[asked.caller]
    if caller.type is PrincipalType.ASSUMED_ROLE:
        return caller.role_arn
    return caller.arn if caller.type is PrincipalType.USER else None


def why_not(asked: Question | str) -> str:
    if isinstance(asked, str):
        return asked
    if caller_arn(asked) is None:
        return NO_SUCH_CALLER
    named = asked.policies.resource.text if asked.policies.resource else ""
    if "assumed-role/" in named:
        return NO_SESSION
    return NO_UNIQUE_IDS if '"AROA' in named or '"AIDA' in named else ""


def rows(*, representable: bool) -> list[Any]:
    found = []
    for file, read in FILES.items():
        for row in samples.cases(file):
            asked = read(row.values[0])
            reason = why_not(asked)
            if representable is not bool(reason):
                found.append(pytest.param(asked if representable else reason, id=f"{file[:-5]}: {row.id}"))
    return found


def texts(documents: Sequence[Document]) -> list[str]:
    return [document.text for document in documents]


def simulated(client: Any, asked: Question) -> str:
    policies = asked.policies
    more: dict[str, Any] = {}
    if policies.boundary:
        more["PermissionsBoundaryPolicyInputList"] = [policies.boundary.text]
    if policies.resource:
        more["ResourcePolicy"] = policies.resource.text
    if policies.scps:
        levels = [{"ServiceControlPolicyInputList": texts(level)} for level in policies.scps]
        more["OrderedOrganizationPolicyInputList"] = levels
    entries = [
        entry(key, "string", value) if isinstance(value, str) else entry(key, "stringList", *value)
        for key, value in asked.context.items()
    ]
    (result,) = client.simulate_custom_policy(
        PolicyInputList=texts(policies.identity) or [NOTHING],
        ActionNames=[asked.action],
        ResourceArns=[asked.resource],
        CallerArn=caller_arn(asked),
        ContextEntries=entries,
        **more,
    )["EvaluationResults"]
    return str(result["EvalDecision"])


NOTHING = own("silent", PolicyKind.IDENTITY).text


def gateways(asked: Question) -> str:
    """The decision of the authority that the gateway asks."""
    caller = Caller(
        CALLERS[asked.caller],
        access_key_id="",
        session=None,
        role=None,
        context=asked.context,
        own=asked.policies,
    )
    return AUTHORITY.authorize(
        caller,
        action=asked.action,
        resource=asked.resource,
        resource_account=OWNER,
        resource_policy=asked.policies.resource,
        context={},
    ).outcome.value


@pytest.mark.parametrize("asked", rows(representable=True))
def test_simulator_and_gateway_agree(iam: Any, asked: Question) -> None:
    assert simulated(iam, asked) == gateways(asked)


REASONS = {
    NO_SESSION_POLICIES,
    NO_ENDPOINT_POLICIES,
    NO_SUCH_CALLER,
    NO_SESSION,
    NO_UNIQUE_IDS,
    NO_OTHER_API,
    NO_TRUST,
    NO_DECISION,
}


def test_each_reason_to_leave_a_case_out_is_needed() -> None:
    assert {row.values[0] for row in rows(representable=False)} == REASONS


def test_every_case_file_is_put_to_both() -> None:
    folder = Path(samples.__file__).parent / "cases"
    assert {path.name for path in folder.glob("*.json")} == {*FILES, OF_GRAMMAR}


LIST_OF = {
    PolicyKind.BOUNDARY: "PermissionsBoundaryPolicyInputList",
    PolicyKind.IDENTITY: "PolicyInputList",
    PolicyKind.RESOURCE: "ResourcePolicy",
    PolicyKind.SCP: "OrderedOrganizationPolicyInputList",
}


def grammar_rows() -> list[Any]:
    """Texts of the kinds that a simulation takes; an SDK sends no empty one."""
    cases = samples.cases(OF_GRAMMAR)
    return [row for row in cases if PolicyKind(row.values[0]["kind"]) in LIST_OF and any(row.values[0]["text"])]


@pytest.mark.parametrize("case", grammar_rows())
def test_a_policy_that_does_not_load_is_not_simulated_either(iam: Any, case: Case) -> None:
    text, kind = "\n".join(case["text"]), PolicyKind(case["kind"])
    try:
        compile_document(text, kind=kind, name="sample", api_arn=API_ARN if kind is PolicyKind.RESOURCE else "")
        loads = True
    except InputError:
        loads = False
    given: Any = text if kind is PolicyKind.RESOURCE else [text]
    if kind is PolicyKind.SCP:
        given = [{"ServiceControlPolicyInputList": [text]}]
    asked = {"PolicyInputList": [NOTHING], LIST_OF[kind]: given}
    arn = f"arn:aws:iam::{OWNER}:role/app"
    try:
        iam.simulate_custom_policy(**asked, ActionNames=[ACTION], ResourceArns=[METHOD_ARN], CallerArn=arn)
        code = ""
    except ClientError as refused:
        code = refused.response["Error"]["Code"]
    assert code in (("",) if loads else ("InvalidInput", "ValidationError"))
