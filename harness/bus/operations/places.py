"""Which resource an operation is about: its ARN, what is known of it, and why it cannot be worked on."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from harness.bus import documents
from harness.bus.documents import DEFAULT, Document
from harness.bus.operations.call import Call, invalid, not_found
from harness.bus.put_events import RequestError
from harness.policy import ContextValue
from harness.wire import PARTITION, rule_arn

MANAGED_BY_MANIFEST: Final = "harness.manifest"
MANAGED_BY_ARCHIVE: Final = "prod.vhs.events.aws.internal"

_TAGGED = re.compile(
    r"arn:aws[\w-]*:events:[\w-]+:\d{12}:"
    r"(?:event-bus/(?P<bus>[/.\-\w]+)|rule/(?:(?P<of>[/.\-\w]+)/)?(?P<rule>[.\-\w]+))",
    re.ASCII,
)

About = Callable[[Call], str | RequestError]
"""The ARN that a caller must be allowed to act on."""

Need = Callable[[Call], RequestError | None]
"""What must be so before an operation is done."""

Conditions = Callable[[Call], Mapping[str, ContextValue]]
"""Condition keys of the request and of the resource, in lower case."""


def bus_of(arn: str) -> tuple[str, str]:
    """Account and name in a bus's ARN."""
    _, _, _, _, account, rest = arn.split(":", 5)
    return account, rest.removeprefix("event-bus/")


def account_of(arn: str) -> str:
    """Of a resource's ARN."""
    return arn.split(":", 5)[4]


# About


def anything(call: Call) -> str:
    """Of actions that are not about a resource."""
    return "*"


def a_bus(member: str) -> About:
    return lambda call: call.bus_arn(member)


def a_rule(member: str) -> About:
    def about(call: Call) -> str:
        account, bus = bus_of(call.bus_arn())
        return rule_arn(call.desk.region, account, bus, call.request[member])

    return about


def rules_of_a_bus(call: Call) -> str:
    account, bus = bus_of(call.bus_arn())
    return rule_arn(call.desk.region, account, bus, "*")


def own(kind: str, member: str = "Name") -> About:
    """A resource of the caller's account by its name."""
    return lambda call: f"arn:{PARTITION}:events:{call.desk.region}:{call.account}:{kind}/{call.request[member]}"


def every(kind: str) -> About:
    return lambda call: f"arn:{PARTITION}:events:{call.desk.region}:{call.account}:{kind}/*"


def tagged(call: Call) -> str | RequestError:
    arn: str = call.request["ResourceARN"]
    if _TAGGED.fullmatch(arn) is None:
        return invalid(f"Parameter {arn} is not valid. Reason: Provided Arn is not in correct format.")
    return arn


def tagged_resource(arn: str) -> tuple[str, str, str]:
    """Account, bus and rule; without a rule it is the bus."""
    found = _TAGGED.fullmatch(arn)
    assert found is not None  # `tagged` has looked
    account = account_of(arn)
    return (account, found["bus"], "") if found["bus"] else (account, found["of"] or DEFAULT, found["rule"])


# What must be so


def bus_exists(member: str = "EventBusName") -> Need:
    def need(call: Call) -> RequestError | None:
        arn = call.bus_arn(member)
        return None if call.desk.catalogue.bus(arn) else not_found(f"Event bus {bus_of(arn)[1]} does not exist.")

    return need


def bus_is_not_a_manifests(member: str = "EventBusName") -> Need:
    def need(call: Call) -> RequestError | None:
        return managed_bus(call, call.bus_arn(member))

    return need


def managed_bus(call: Call, arn: str) -> RequestError | None:
    bus = call.desk.catalogue.bus(arn)
    if bus is None or not bus.managed:
        return None
    text = f"Event bus {bus.name} is declared in a manifest: change it and its policy there."
    return RequestError("OperationDisabledException", text)


def rule_exists(member: str = "Name") -> Need:
    return lambda call: missing_rule(call, call.bus_arn(), call.request[member])


def missing_rule(call: Call, arn: str, name: str) -> RequestError | None:
    if call.desk.catalogue.rule(arn, name) is not None:
        return None
    return not_found(f"Rule {name} does not exist on EventBus {bus_of(arn)[1]}.")


def rule_is_not_managed(member: str = "Name") -> Need:
    return lambda call: managed_rule(call, call.bus_arn(), call.request[member])


def managed_rule(call: Call, arn: str, name: str) -> RequestError | None:
    rule = call.desk.catalogue.rule(arn, name)
    if rule is None or not rule.managed:
        return None
    if managed_by(name, rule.targets[0].arn if rule.targets else "") == MANAGED_BY_ARCHIVE:
        mend = f"it belongs to the archive {name.removeprefix(documents.ARCHIVE_RULE_PREFIX)}, delete that"
    else:
        mend = "it is declared in a manifest, change it there (Force does not change it either)"
    return RequestError("ManagedRuleException", f"Rule {name} is managed: {mend}.")


def managed_by(name: str, target: str) -> str:
    """Of a managed rule, by its name and its first target."""
    of_archive = name.startswith(documents.ARCHIVE_RULE_PREFIX) and ":archive/" in target
    return MANAGED_BY_ARCHIVE if of_archive else MANAGED_BY_MANIFEST


# Conditions


def no_conditions(call: Call) -> Mapping[str, ContextValue]:
    return {}


def of_request_tags(call: Call) -> Mapping[str, ContextValue]:
    tags = call.request.get("Tags") or ()
    keys = [tag["Key"] for tag in tags] or call.request.get("TagKeys") or ()
    found: dict[str, ContextValue] = {f"aws:requesttag/{tag['Key'].lower()}": tag["Value"] for tag in tags}
    return {**found, "aws:tagkeys": tuple(dict.fromkeys(keys))} if keys else found


def of_tags(document: Document | None) -> dict[str, ContextValue]:
    return {f"aws:resourcetag/{tag['Key'].lower()}": tag["Value"] for tag in (document or {}).get("Tags", ())}


def of_bus(member: str) -> Conditions:
    return lambda call: of_tags(call.document(documents.bus_key(*bus_of(call.bus_arn(member)))))


def of_rule(member: str = "Name") -> Conditions:
    return lambda call: conditions_of_rule(call, call.bus_arn(), call.request[member])


def conditions_of_rule(call: Call, arn: str, name: str) -> Mapping[str, ContextValue]:
    """Of a new rule its creator is the caller."""
    rule = call.desk.catalogue.rule(arn, name)
    document = call.document(documents.rule_key(*bus_of(arn), name))
    creator = (document or {}).get("CreatedBy") or (rule.account if rule else call.account)
    found: dict[str, ContextValue] = {"events:creatoraccount": creator, **of_tags(document)}
    if rule is not None and rule.managed:
        found["events:managedby"] = managed_by(name, rule.targets[0].arn if rule.targets else "")
    return found


def of_tagged(call: Call) -> Mapping[str, ContextValue]:
    account, bus, rule = tagged_resource(call.request["ResourceARN"])
    if not rule:
        return {**of_request_tags(call), **of_tags(call.document(documents.bus_key(account, bus)))}
    arn = f"arn:{PARTITION}:events:{call.desk.region}:{account}:event-bus/{bus}"
    return {**of_request_tags(call), **conditions_of_rule(call, arn, rule)}
