"""Event buses: made, described, changed, deleted, listed. A manifest's bus can be described and listed."""

import logging

from harness.bus import documents
from harness.bus.documents import DEFAULT, Document
from harness.bus.model import Bus
from harness.bus.operations.call import TOO_MANY, Answer, Call, exists, given, invalid, not_found
from harness.bus.operations.paging import page
from harness.bus.operations.places import MANAGED_BY_MANIFEST, bus_of
from harness.bus.operations.tags import in_order, may_tag
from harness.bus.put_events import RequestError
from harness.storage.held import StoreFull, StoreUnavailable

log = logging.getLogger(__name__)

_SETTINGS = ("Description", "KmsKeyIdentifier", "DeadLetterConfig", "LogConfig")
_SHOWN = (*_SETTINGS, "Policy", "CreationTime", "LastModifiedTime")


async def create(call: Call) -> Answer:
    name, arn = call.request["Name"], call.bus_arn("Name")
    refused = _refused(call, name, arn)
    if refused is not None:
        return refused
    settings = given(call.request, *_SETTINGS)
    made = {**settings, "CreationTime": call.time, "LastModifiedTime": call.time}
    if call.request.get("Tags"):
        made["Tags"] = in_order(call.request["Tags"])

    def put(document: Document | None) -> Document | RequestError:
        return made if document is None else exists(f"Event bus {name} already exists.")

    # Its place first: routers turn to a bus as soon as they hear of it.
    await call.desk.store.prepare([arn])
    key = documents.bus_key(call.account, name)
    changed = await call.put(key, put)
    if isinstance(changed, RequestError):
        return changed
    try:
        # What a bus of this name has left, when its deletion was interrupted, is not the new bus's.
        await call.desk.store.clear(arn)
    except (StoreUnavailable, StoreFull):
        await call.change(key, lambda _: None)
        raise
    return {"EventBusArn": arn, **settings}


def _refused(call: Call, name: str, arn: str) -> RequestError | None:
    source = call.request.get("EventSourceName")
    if source is not None:
        return not_found(f"Event source {source} does not exist.")
    if "/" in name:
        return invalid("Event bus name must not contain '/'.")
    if call.desk.catalogue.bus(arn) is not None:
        return exists(f"Event bus {name} already exists.")
    if len(own_buses(call)) >= call.desk.limits.buses:
        return TOO_MANY
    return may_tag(call, arn, call.account)


async def describe(call: Call) -> Answer:
    bus = call.desk.catalogue.bus(call.bus_arn("Name"))
    assert bus is not None  # the operation needs it
    return _shown(call, bus)


async def update(call: Call) -> Answer:
    name, arn = bus_of(call.bus_arn("Name"))[1], call.bus_arn("Name")
    changes = given(call.request, *_SETTINGS)

    def put(document: Document | None) -> Document | RequestError:
        if document is None and name != DEFAULT:
            return not_found(f"Event bus {name} does not exist.")
        return {**(document or {}), **changes, "LastModifiedTime": call.time}

    changed = await call.put(documents.bus_key(call.account, name), put)
    if isinstance(changed, RequestError):
        return changed
    return {"Arn": arn, "Name": name, **{each: changed[each] for each in _SETTINGS if each in changed}}


async def delete(call: Call) -> Answer:
    name, arn = call.request["Name"], call.bus_arn("Name")
    if name == DEFAULT:
        return invalid("Cannot delete event bus default.")
    if call.desk.catalogue.bus(arn) is None:
        return {}
    if call.desk.catalogue.rules(arn):
        return invalid("EventBus can't be deleted since it has rules.")
    changed = await call.change(documents.bus_key(call.account, name), lambda _: None)
    if isinstance(changed, RequestError):
        return changed
    await call.desk.store.drop([arn])
    return {}


async def list_buses(call: Call) -> Answer:
    prefix = call.request.get("NamePrefix", "")
    found = [bus for bus in own_buses(call) if bus.name.startswith(prefix)]
    return page(call, "EventBuses", found, name=lambda bus: bus.name, show=lambda bus: _listed(call, bus))


def own_buses(call: Call) -> list[Bus]:
    return sorted((bus for bus in call.desk.catalogue.buses() if bus.account == call.account), key=lambda bus: bus.name)


def _shown(call: Call, bus: Bus) -> Document:
    shown: Document = {"Name": bus.name, "Arn": bus.arn}
    if bus.managed:
        return {**shown, **({"Policy": bus.policy.text} if bus.policy else {}), "ManagedBy": MANAGED_BY_MANIFEST}
    document = call.document(documents.bus_key(bus.account, bus.name)) or {}
    return {**shown, **{name: document[name] for name in _SHOWN if name in document}}


def _listed(call: Call, bus: Bus) -> Document:
    unlisted = ("KmsKeyIdentifier", "DeadLetterConfig", "LogConfig")
    return {name: value for name, value in _shown(call, bus).items() if name not in unlisted}
