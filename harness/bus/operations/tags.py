"""Tags of buses and rules. Source: EventBridge API reference, TagResource; IAM User Guide, "Tagging rules"."""

from collections.abc import Callable, Iterable, Mapping

from harness.bus import documents
from harness.bus.documents import DEFAULT, Document
from harness.bus.operations.call import TOO_MANY, Answer, Call, invalid, not_found
from harness.bus.operations.places import managed_bus, managed_rule, missing_rule, tagged_resource
from harness.bus.put_events import RequestError
from harness.storage.state import Key
from harness.wire import bus_arn

_RESERVED = "aws:"


def check_tags(call: Call, given: Iterable[Mapping[str, str]]) -> RequestError | None:
    keys = [tag["Key"] for tag in given]
    if len(keys) != len(set(keys)):
        return invalid("Invalid parameter: Duplicated keys are not allowed.")
    if any(key.lower().startswith(_RESERVED) for key in keys):
        return invalid("aws: prefixed tag key names are not allowed for external use.")
    return TOO_MANY if len(keys) > call.desk.limits.tags else None


def in_order(tags: Iterable[Mapping[str, str]]) -> list[dict[str, str]]:
    return sorted(({"Key": tag["Key"], "Value": tag["Value"]} for tag in tags), key=lambda tag: tag["Key"])


def may_tag(call: Call, arn: str, account: str) -> RequestError | None:
    """Who makes a resource with tags needs the permission to tag as well."""
    tags = call.request.get("Tags")
    if not tags:
        return None
    refused = call.authorize(action="events:TagResource", resource=arn, account=account, context=call.network)
    return refused or check_tags(call, tags)


async def tag(call: Call) -> Answer:
    refused = check_tags(call, call.request["Tags"])
    if refused is not None:
        return refused
    added = {each["Key"]: each["Value"] for each in call.request["Tags"]}
    return await _change(call, lambda tags: {**tags, **added})


async def untag(call: Call) -> Answer:
    gone = set(call.request["TagKeys"])
    return await _change(call, lambda tags: {key: value for key, value in tags.items() if key not in gone})


async def list_tags(call: Call) -> Answer:
    account, bus, rule = tagged_resource(call.request["ResourceARN"])
    missing = _missing(call, account, bus, rule)
    if missing is not None:
        return missing
    document = call.document(_key(account, bus, rule)) or {}
    return {"Tags": document.get("Tags", [])}


async def _change(call: Call, edit: Callable[[dict[str, str]], dict[str, str]]) -> Answer:
    account, bus, rule = tagged_resource(call.request["ResourceARN"])
    arn = bus_arn(call.desk.region, account, bus)
    refused = _missing(call, account, bus, rule) or (managed_rule(call, arn, rule) if rule else managed_bus(call, arn))
    if refused is not None:
        return refused

    def put(document: Document | None) -> Document | RequestError:
        if document is None and (rule or bus != DEFAULT):
            return _gone(bus, rule)
        kept = {each["Key"]: each["Value"] for each in (document or {}).get("Tags", ())}
        tags = edit(kept)
        if len(tags) > call.desk.limits.tags:
            return TOO_MANY
        edited = {**(document or {}), "Tags": in_order({"Key": key, "Value": value} for key, value in tags.items())}
        return edited if tags else {name: value for name, value in edited.items() if name != "Tags"}

    changed = await call.put(_key(account, bus, rule), put)
    return changed if isinstance(changed, RequestError) else {}


def _missing(call: Call, account: str, bus: str, rule: str) -> RequestError | None:
    arn = bus_arn(call.desk.region, account, bus)
    if call.desk.catalogue.bus(arn) is None:
        return _gone(bus, "")
    return missing_rule(call, arn, rule) if rule else None


def _gone(bus: str, rule: str) -> RequestError:
    return not_found(f"Rule {rule} does not exist on EventBus {bus}." if rule else f"Event bus {bus} does not exist.")


def _key(account: str, bus: str, rule: str) -> Key:
    return documents.rule_key(account, bus, rule) if rule else documents.bus_key(account, bus)
