"""Rules: put, described, switched, deleted, listed. Source: EventBridge API reference, PutRule and its neighbours."""

from collections.abc import Mapping
from typing import Any

import orjson

from harness.bus import documents
from harness.bus.documents import DEFAULT, Document
from harness.bus.model import Rule
from harness.bus.operations.call import TOO_MANY, Answer, Call, given, invalid, not_found
from harness.bus.operations.paging import page
from harness.bus.operations.places import bus_of, conditions_of_rule, managed_by, of_request_tags
from harness.bus.operations.roles import may_pass
from harness.bus.operations.tags import in_order, may_tag
from harness.bus.patterns.pattern import PatternError, compile_pattern
from harness.bus.put_events import RequestError
from harness.bus.schedule import ScheduleError, parse_schedule
from harness.policy import ContextValue
from harness.wire import rule_arn

_GIVEN = ("EventPattern", "ScheduleExpression", "State", "Description", "RoleArn")
_SHOWN = ("EventPattern", "ScheduleExpression", "State", "Description", "RoleArn")
_DEFAULTS: Mapping[str, Any] = {"State": "ENABLED"}

# The fields of a pattern that a policy can ask for. Source: EventBridge user guide, "Using IAM policy conditions".
_PATTERN_KEYS = (
    ("source",),
    ("detail-type",),
    ("detail", "userIdentity", "principalId"),
    ("detail", "service"),
    ("detail", "eventTypeCode"),
)


def conditions_of_put(call: Call) -> Mapping[str, ContextValue]:
    name = call.request["Name"]
    rule = conditions_of_rule(call, call.bus_arn(), name)
    return {**rule, **of_request_tags(call), **_pattern_values(call.request.get("EventPattern", ""))}


def _pattern_values(text: str) -> dict[str, ContextValue]:
    """What a pattern wants literally: one text alone, several as a set."""
    try:
        pattern = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}  # refused when it is compiled
    found: dict[str, ContextValue] = {}
    for path in _PATTERN_KEYS:
        wanted = pattern
        for name in path:
            wanted = wanted.get(name) if isinstance(wanted, dict) else None
        texts = tuple(each for each in wanted if isinstance(each, str)) if isinstance(wanted, list) else ()
        if texts:
            found[f"events:{'.'.join(path)}".lower()] = texts[0] if len(texts) == 1 else texts
    return found


async def put(call: Call) -> Answer:
    name, (account, bus) = call.request["Name"], bus_of(call.bus_arn())
    arn = rule_arn(call.desk.region, account, bus, name)
    refused = _trigger_refused(call, bus) or may_pass(call, call.request.get("RoleArn"), arn)
    if refused is not None:
        return refused
    if call.desk.catalogue.rule(call.bus_arn(), name) is None:
        refused = may_tag(call, arn, account)
        if refused is not None:
            return refused
        if len(call.desk.catalogue.rules(call.bus_arn())) >= call.desk.limits.rules_per_bus:
            return TOO_MANY

    def replace(document: Document | None) -> Document:
        return _replaced(call, document)

    changed = await call.put(documents.rule_key(account, bus, name), replace)
    return changed if isinstance(changed, RequestError) else {"RuleArn": arn}


def _trigger_refused(call: Call, bus: str) -> RequestError | None:
    pattern, schedule = call.request.get("EventPattern"), call.request.get("ScheduleExpression")
    if not pattern and not schedule:
        return invalid("Parameter(s) EventPattern or ScheduleExpression must be specified.")
    if schedule:
        if bus != DEFAULT:
            return invalid("ScheduleExpression is supported only on the default event bus.")
        try:
            parse_schedule(schedule)
        except ScheduleError:
            return invalid("Parameter ScheduleExpression is not valid.")
    return pattern_refused(call, pattern) if pattern else None


def pattern_refused(call: Call, pattern: str) -> RequestError | None:
    try:
        compile_pattern(pattern, characters=call.desk.pattern_characters(call.bus_arn()))
    except PatternError as error:
        return invalid_pattern(error)
    return None


def invalid_pattern(error: PatternError) -> RequestError:
    return RequestError("InvalidEventPatternException", f"Event pattern is not valid. Reason: {error.text}")


def _replaced(call: Call, document: Document | None) -> Document:
    """PutRule replaces what it is given or not given; targets and tags are not its to change."""
    now = {**_DEFAULTS, **given(call.request, *_GIVEN)}
    if document is None:
        tags = {"Tags": in_order(call.request["Tags"])} if call.request.get("Tags") else {}
        return {**now, **tags, "CreatedBy": call.account, "Since": call.time}
    kept: Document = {name: document[name] for name in ("Targets", "Tags", "CreatedBy") if name in document}
    same = document.get("ScheduleExpression") == now.get("ScheduleExpression")
    goes_on = same and document.get("State") == now["State"]
    return {**now, **kept, "Since": document.get("Since", call.time) if goes_on else call.time}


async def describe(call: Call) -> Answer:
    rule = call.desk.catalogue.rule(call.bus_arn(), call.request["Name"])
    assert rule is not None  # the operation needs it
    shown = _shown(call, rule)
    document = call.document(documents.rule_key(*bus_of(rule.bus_arn), rule.name)) or {}
    return {**shown, "CreatedBy": document.get("CreatedBy", rule.account)}


async def enable(call: Call) -> Answer:
    return await _switch(call, "ENABLED")


async def disable(call: Call) -> Answer:
    return await _switch(call, "DISABLED")


async def _switch(call: Call, state: str) -> Answer:
    name, (account, bus) = call.request["Name"], bus_of(call.bus_arn())

    def switch(document: Document | None) -> Document | RequestError:
        if document is None:
            return not_found(f"Rule {name} does not exist on EventBus {bus}.")
        since = document.get("Since", call.time) if document.get("State") == state else call.time
        return {**document, "State": state, "Since": since}

    changed = await call.put(documents.rule_key(account, bus, name), switch)
    return changed if isinstance(changed, RequestError) else {}


async def delete(call: Call) -> Answer:
    """One that is not there is deleted already."""
    account, bus = bus_of(call.bus_arn())

    def take(document: Document | None) -> RequestError | None:
        has_targets = document is not None and document.get("Targets")
        return invalid("Rule can't be deleted since it has targets.") if has_targets else None

    changed = await call.change(documents.rule_key(account, bus, call.request["Name"]), take)
    return changed if isinstance(changed, RequestError) else {}


async def list_rules(call: Call) -> Answer:
    prefix = call.request.get("NamePrefix", "")
    found = [rule for rule in call.desk.catalogue.rules(call.bus_arn()) if rule.name.startswith(prefix)]
    return page(call, "Rules", found, name=lambda rule: rule.name, show=lambda rule: _shown(call, rule))


async def list_names_by_target(call: Call) -> Answer:
    target = call.request["TargetArn"]
    rules = call.desk.catalogue.rules(call.bus_arn())
    found = [rule.name for rule in rules if any(each.arn == target for each in rule.targets)]
    return page(call, "RuleNames", found, name=str, show=str)


def _shown(call: Call, rule: Rule) -> Document:
    _, bus = bus_of(rule.bus_arn)
    shown: Document = {"Name": rule.name, "Arn": rule.arn, "EventBusName": bus}
    if not rule.managed:
        document = call.document(documents.rule_key(*bus_of(rule.bus_arn), rule.name)) or {}
        return {**shown, **{name: document[name] for name in _SHOWN if name in document}}
    shown |= {
        "State": "ENABLED" if rule.enabled else "DISABLED",
        "ManagedBy": managed_by(rule.name, rule.targets[0].arn if rule.targets else ""),
    }
    if rule.pattern is not None:
        shown["EventPattern"] = orjson.dumps(rule.pattern.source).decode()
    return shown | ({"ScheduleExpression": rule.schedule} if rule.schedule else {})
