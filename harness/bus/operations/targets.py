"""Targets of rules: put, removed, listed, and what is refused of them.

Source: EventBridge API reference, PutTargets; user guide, "Permissions for event bus targets". A mistake in the form of
a target refuses the call; a target that leads nowhere is an entry of the answer, and the others are put.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from harness.bus import documents
from harness.bus.documents import Document
from harness.bus.operations.call import TOO_MANY, Answer, Call, invalid, not_found
from harness.bus.operations.paging import page
from harness.bus.operations.places import account_of, bus_of, conditions_of_rule
from harness.bus.operations.receivers import receiver_refused
from harness.bus.operations.roles import may_pass
from harness.bus.put_events import RequestError
from harness.bus.shaping.shape import compile_input
from harness.policy import ContextValue
from harness.wire import rule_arn

_ARN = re.compile(r"arn:aws[\w-]*:([a-z0-9-]+):([a-z0-9-]*):(\d{12})?:(\S+)", re.ASCII)
_QUEUE = re.compile(r"arn:aws[\w-]*:sqs:[a-z0-9-]+:\d{12}:[\w-]{1,80}", re.ASCII)

SERVICES: Final = frozenset(
    {
        "appsync", "batch", "codebuild", "codepipeline", "ec2", "ecs", "events", "execute-api", "firehose", "glue",
        "inspector", "kinesis", "lambda", "logs", "redshift", "redshift-serverless", "sagemaker", "sns", "sqs",
        "ssm", "ssm-incidents", "states",
    }
)  # fmt: skip
"""Whose resources AWS takes as targets. Which of them are delivered to here is the delivery's to say."""

_WITH_ROLE: Final = frozenset(
    {
        "batch", "codebuild", "codepipeline", "ecs", "execute-api", "firehose", "glue", "kinesis", "redshift",
        "redshift-serverless", "sagemaker", "ssm-incidents", "states",
    }
)  # fmt: skip
_PARAMETERS: Final[Mapping[str, str]] = {"ecs": "EcsParameters", "batch": "BatchParameters"}
_INPUTS = ("Input", "InputPath", "InputTransformer")


def conditions_of_put(call: Call) -> Mapping[str, ContextValue]:
    arns = tuple(dict.fromkeys(target["Arn"] for target in call.request["Targets"]))
    rule = conditions_of_rule(call, call.bus_arn(), call.request["Rule"])
    return {**rule, "events:targetarn": arns[0] if len(arns) == 1 else arns}


async def put(call: Call) -> Answer:
    account, bus = bus_of(call.bus_arn())
    rule = rule_arn(call.desk.region, account, bus, call.request["Rule"])
    for number, target in enumerate(call.request["Targets"], start=1):
        refused = _refused(call, target, number, rule)
        if refused is not None:
            return refused
    failed = [entry for target in call.request["Targets"] if (entry := _leads_nowhere(call, target))]
    names = {entry["TargetId"] for entry in failed}
    good = {target["Id"]: dict(target) for target in call.request["Targets"] if target["Id"] not in names}

    def add(targets: Mapping[str, Document]) -> Mapping[str, Document] | RequestError:
        together = {**targets, **good}
        return TOO_MANY if len(together) > call.desk.limits.targets_per_rule else together

    return await _change(call, add, failed)


async def remove(call: Call) -> Answer:
    name, rule = call.request["Rule"], call.desk.catalogue.rule(call.bus_arn(), call.request["Rule"])
    there = {target.id for target in rule.targets} if rule else set()
    gone = dict.fromkeys(call.request["Ids"])
    failed = [
        _failed(identity, not_found(f"Rule '{name}' does not have a target with the Id '{identity}'."))
        for identity in gone
        if identity not in there
    ]
    return await _change(call, lambda targets: {key: targets[key] for key in targets if key not in gone}, failed)


async def list_targets(call: Call) -> Answer:
    rule = call.desk.catalogue.rule(call.bus_arn(), call.request["Rule"])
    assert rule is not None  # the operation needs it
    if rule.managed:
        shown = [_shown(target.id, target.arn, target.dead_letter) for target in rule.targets]
    else:
        document = call.document(documents.rule_key(*bus_of(rule.bus_arn), rule.name)) or {}
        shown = document.get("Targets", [])
    ordered = sorted(shown, key=lambda target: str(target["Id"]))
    return page(call, "Targets", ordered, name=lambda target: str(target["Id"]), show=lambda target: target)


def _shown(identity: str, arn: str, dead_letter: str) -> Document:
    return {"Id": identity, "Arn": arn, **({"DeadLetterConfig": {"Arn": dead_letter}} if dead_letter else {})}


_Edit = Callable[[Mapping[str, Document]], Mapping[str, Document] | RequestError]


async def _change(call: Call, edit: _Edit, failed: Sequence[Mapping[str, str]]) -> Answer:
    name, (account, bus) = call.request["Rule"], bus_of(call.bus_arn())

    def put_targets(document: Document | None) -> Document | RequestError:
        if document is None:
            return not_found(f"Rule {name} does not exist on EventBus {bus}.")
        targets = edit({target["Id"]: target for target in document.get("Targets", ())})
        return targets if isinstance(targets, RequestError) else {**document, "Targets": list(targets.values())}

    changed = await call.put(documents.rule_key(account, bus, name), put_targets)
    if isinstance(changed, RequestError):
        return changed
    return {"FailedEntryCount": len(failed), "FailedEntries": list(failed)}


def _refused(call: Call, target: Mapping[str, Any], number: int, rule: str) -> RequestError | None:
    """The first mistake of a target, else whether its role may be passed and its receiver takes what is sent."""
    arn = target["Arn"]
    found = _ARN.fullmatch(arn)
    if found is None or found[1] not in SERVICES:
        return _no_arn(arn)
    text = (
        _place_mistake(call, target, rule)
        or _input_mistake(target, number, rule)
        or _parameter_mistake(target, found[1])
        or _role_mistake(call, target)
    )
    if text:
        return invalid(text)
    letters = (target.get("DeadLetterConfig") or {}).get("Arn")
    if letters is not None and (_QUEUE.fullmatch(letters) is None or letters.split(":")[3] != call.desk.region):
        return _no_arn(letters)
    return may_pass(call, target.get("RoleArn"), rule) or receiver_refused(call, target, rule)


def _no_arn(arn: str) -> RequestError:
    return invalid(f"Parameter {arn} is not valid. Reason: Provided Arn is not in correct format.")


def _place_mistake(call: Call, target: Mapping[str, Any], rule: str) -> str:
    """On another account's bus one sends to what is one's own, or to a queue, whose policy decides."""
    arn = target["Arn"]
    if account_of(rule) == call.account or account_of(arn) == call.account or arn.split(":")[2] == "sqs":
        return ""
    return f"Target {arn} is of another account: a rule on another account's event bus sends to queues and your own."


def _input_mistake(target: Mapping[str, Any], number: int, rule: str) -> str:
    shape = compile_input(target, number=number)
    if isinstance(shape, str):
        return shape
    abroad = _is_bus(target["Arn"]) and account_of(target["Arn"]) != account_of(rule)
    if abroad and any(target.get(name) is not None for name in _INPUTS):
        return f"Input, InputPath and InputTransformer are not supported for target {target['Arn']}."
    return ""


def _parameter_mistake(target: Mapping[str, Any], service: str) -> str:
    needed = _PARAMETERS.get(service)
    if service == "sqs" and target["Arn"].endswith(".fifo"):
        needed = "SqsParameters"
    if needed is None or target.get(needed):
        return ""
    return f"Parameter(s) {needed} must be specified for target: {target['Id']}."


def _role_mistake(call: Call, target: Mapping[str, Any]) -> str:
    arn = target["Arn"]
    service = arn.split(":")[2]
    needed = service in _WITH_ROLE or ":api-destination/" in arn
    # An event bus in the own account and region takes events without a role.
    needed = needed or (_is_bus(arn) and (account_of(arn) != call.account or arn.split(":")[3] != call.desk.region))
    if needed and not target.get("RoleArn"):
        return f"RoleArn is required for target {arn}."
    if service == "logs" and target.get("RoleArn"):
        return f"RoleArn is not supported for target {arn}."
    return ""


def _is_bus(arn: str) -> bool:
    return arn.split(":")[2] == "events" and arn.split(":", 5)[5].startswith("event-bus/")


def _leads_nowhere(call: Call, target: Mapping[str, Any]) -> dict[str, str] | None:
    """Of what EventBridge itself has, in the own account."""
    arn = target["Arn"]
    if account_of(arn) != call.account or arn.split(":")[3] != call.desk.region:
        return None
    if _is_bus(arn) and call.desk.catalogue.bus(arn) is None:
        return _failed(target["Id"], not_found(f"Event bus {bus_of(arn)[1]} does not exist."))
    kind, _, rest = arn.split(":", 5)[5].partition("/")
    if arn.split(":")[2] != "events" or kind != "api-destination":
        return None
    name, _, identifier = rest.partition("/")
    document = call.document(documents.api_destination_key(call.account, name))
    if document is not None and document["Id"] == identifier:
        return None
    return _failed(target["Id"], not_found(f"An api-destination '{name}' does not exist."))


def _failed(identity: str, error: RequestError) -> dict[str, str]:
    return {"TargetId": identity, "ErrorCode": error.type, "ErrorMessage": error.message}
