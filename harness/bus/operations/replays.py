"""Replays: their documents. Who replays is elsewhere. Source: EventBridge API reference, StartReplay."""

import re

from harness.bus import documents
from harness.bus.documents import Document
from harness.bus.operations.archives import one_filter, source_missing
from harness.bus.operations.call import TOO_MANY, Answer, Call, exists, given, invalid, not_found
from harness.bus.operations.paging import page
from harness.bus.operations.places import account_of
from harness.bus.put_events import RequestError

_BUS = re.compile(r"arn:aws[\w-]*:events:[\w-]+:\d{12}:event-bus/[/.\-\w]+", re.ASCII)
_ARCHIVE = re.compile(r"arn:aws[\w-]*:events:[\w-]+:\d{12}:archive/[.\-\w]+", re.ASCII)
_RULE = re.compile(r"arn:aws[\w-]*:events:[\w-]+:\d{12}:rule/(?:[/.\-\w]+/)?(?P<name>[.\-\w]+)", re.ASCII)
ACTIVE = frozenset({"STARTING", "RUNNING", "CANCELLING"})
_CANCELLED_FROM = frozenset({"STARTING", "RUNNING"})
_LISTED = (
    "EventSourceArn", "State", "StateReason", "EventStartTime", "EventEndTime", "EventLastReplayedTime",
    "ReplayStartTime", "ReplayEndTime",
)  # fmt: skip
_SHOWN = (*_LISTED, "Description", "Destination")


async def start(call: Call) -> Answer:
    name = call.request["ReplayName"]
    refused = _destination_refused(call) or _archive_refused(call) or _window_refused(call)
    if refused is not None:
        return refused
    made = {
        **given(call.request, "Description", "EventSourceArn", "EventStartTime", "EventEndTime", "Destination"),
        "State": "STARTING",
        "ReplayStartTime": call.time,
    }
    key = documents.replay_key(call.account, name)

    def put(document: Document | None) -> Document | RequestError:
        if document is not None:
            return exists(f"Replay {name} already exists.")
        return TOO_MANY if _active(call) >= call.desk.limits.replays else made

    changed = await call.put(key, put)
    if isinstance(changed, RequestError):
        return changed
    return {**_state(call, name, made), "ReplayStartTime": made["ReplayStartTime"]}


def _active(call: Call) -> int:
    entries = call.desk.replica.below((*documents.REPLAYS, call.account))
    return sum(documents.read(entry)["State"] in ACTIVE for entry in entries)


def _destination_refused(call: Call) -> RequestError | None:
    bus = call.request["Destination"]["Arn"]
    if _BUS.fullmatch(bus) is None:
        return invalid("Parameter Destination.Arn is not valid. Reason: Must contain an event bus ARN.")
    missing = source_missing(call, bus)
    if missing is not None:
        return missing
    for arn in call.request["Destination"].get("FilterArns", ()):
        found = _RULE.fullmatch(arn)
        rule = call.desk.catalogue.rule(bus, found["name"]) if found else None
        if rule is None or rule.arn != arn:
            return invalid(f"Parameter Destination.FilterArns is not valid. Reason: {arn} is no rule of the event bus.")
    return None


def _archive_refused(call: Call) -> RequestError | None:
    arn = call.request["EventSourceArn"]
    if _ARCHIVE.fullmatch(arn) is None:
        return invalid("Parameter EventSourceArn is not valid. Reason: Must contain an archive ARN.")
    name = arn.rpartition("/")[2]
    mine = account_of(arn) == call.account and arn.split(":")[3] == call.desk.region
    document = call.document(documents.archive_key(call.account, name)) if mine else None
    if document is None:
        return invalid(f"Parameter EventSourceArn is not valid. Reason: Archive {name} does not exist.")
    if document["EventSourceArn"] != call.request["Destination"]["Arn"]:
        return invalid("Parameter Destination.Arn is not valid. Reason: Cross event bus replay is not permitted.")
    return None


def _window_refused(call: Call) -> RequestError | None:
    if call.request["EventStartTime"] < call.request["EventEndTime"]:
        return None
    return invalid("Parameter EventEndTime is not valid. Reason: EventStartTime must be before EventEndTime.")


def _state(call: Call, name: str, document: Document) -> Document:
    reason = {"StateReason": document["StateReason"]} if "StateReason" in document else {}
    return {
        "ReplayArn": documents.replay_arn(call.desk.region, call.account, name),
        "State": document["State"],
        **reason,
    }


async def describe(call: Call) -> Answer:
    name = call.request["ReplayName"]
    document = call.document(documents.replay_key(call.account, name))
    if document is None:
        return _missing(name)
    shown = {each: document[each] for each in _SHOWN if each in document}
    return {"ReplayName": name, **shown, **_state(call, name, document)}


def _missing(name: str) -> RequestError:
    return not_found(f"Replay {name} does not exist.")


async def cancel(call: Call) -> Answer:
    name = call.request["ReplayName"]

    def put(document: Document | None) -> Document | RequestError:
        if document is None:
            return _missing(name)
        if document["State"] not in _CANCELLED_FROM:
            text = f"Replay {name} is not in a valid state for this operation."
            return RequestError("IllegalStatusException", text)
        return {**document, "State": "CANCELLING"}

    changed = await call.put(documents.replay_key(call.account, name), put)
    return changed if isinstance(changed, RequestError) else _state(call, name, changed)


async def list_replays(call: Call) -> Answer:
    refused = one_filter(call)
    if refused is not None:
        return refused
    wanted = {name: call.request[name] for name in ("EventSourceArn", "State") if name in call.request}
    found = [
        {"ReplayName": entry.key[3], **{name: document[name] for name in _LISTED if name in document}}
        for entry in call.desk.replica.below((*documents.REPLAYS, call.account))
        if entry.key[3].startswith(call.request.get("NamePrefix", ""))
        and (document := documents.read(entry)).items() >= wanted.items()
    ]
    return page(call, "Replays", found, name=lambda item: str(item["ReplayName"]), show=lambda item: item)
