"""Archives: their documents. Who archives is elsewhere. Source: EventBridge API reference, CreateArchive."""

from harness.bus import documents
from harness.bus.archives import archive_of
from harness.bus.catalogue import archive_pattern
from harness.bus.documents import Document
from harness.bus.operations.call import Answer, Call, exists, given, invalid, not_found
from harness.bus.operations.paging import page
from harness.bus.operations.places import account_of, bus_of
from harness.bus.operations.rules import invalid_pattern
from harness.bus.patterns.pattern import PatternError
from harness.bus.put_events import RequestError

_SETTINGS = ("Description", "EventPattern", "RetentionDays", "KmsKeyIdentifier")
_LISTED = ("EventSourceArn", "State", "StateReason", "RetentionDays", "CreationTime")
_SHOWN = (*_LISTED, "Description", "EventPattern", "KmsKeyIdentifier")


async def create(call: Call) -> Answer:
    name, bus = call.request["ArchiveName"], call.request["EventSourceArn"]
    refused = source_missing(call, bus) or _pattern_refused(call)
    if refused is not None:
        return refused
    rule = documents.archive_rule(name)
    if call.document(documents.rule_key(*bus_of(bus), rule)) is not None:
        return exists(f"Rule {rule} already exists.")
    made = {
        "RetentionDays": 0,
        **given(call.request, *_SETTINGS),
        "EventSourceArn": bus,
        "State": "ENABLED",
        "CreationTime": call.time,
    }

    def put(document: Document | None) -> Document | RequestError:
        return made if document is None else exists(f"Archive {name} already exists.")

    changed = await call.put(documents.archive_key(call.account, name), put)
    return changed if isinstance(changed, RequestError) else _made(call, name, made)


def source_missing(call: Call, arn: str) -> RequestError | None:
    """Only a bus of the own account can be archived."""
    if account_of(arn) == call.account and call.desk.catalogue.bus(arn) is not None:
        return None
    return not_found(f"Event bus {bus_of(arn)[1]} does not exist.")


def _pattern_refused(call: Call) -> RequestError | None:
    try:
        archive_pattern(call.request.get("EventPattern"), characters=call.desk.pattern_characters())
    except PatternError as error:
        return invalid_pattern(error)
    return None


def _made(call: Call, name: str, document: Document) -> Document:
    return {
        "ArchiveArn": documents.archive_arn(call.desk.region, call.account, name),
        "State": document["State"],
        "CreationTime": document["CreationTime"],
    }


async def describe(call: Call) -> Answer:
    name = call.request["ArchiveName"]
    document = call.document(documents.archive_key(call.account, name))
    if document is None:
        return _missing(name)
    return {**await _with_size(call, name, document, _SHOWN), "ArchiveArn": _made(call, name, document)["ArchiveArn"]}


def _missing(name: str) -> RequestError:
    return not_found(f"Archive {name} does not exist.")


async def update(call: Call) -> Answer:
    name = call.request["ArchiveName"]
    refused = _pattern_refused(call)
    if refused is not None:
        return refused

    def put(document: Document | None) -> Document | RequestError:
        return _missing(name) if document is None else {**document, **given(call.request, *_SETTINGS)}

    changed = await call.put(documents.archive_key(call.account, name), put)
    return changed if isinstance(changed, RequestError) else _made(call, name, changed)


async def delete(call: Call) -> Answer:
    name = call.request["ArchiveName"]
    changed = await call.change(
        documents.archive_key(call.account, name), lambda document: None if document else _missing(name)
    )
    return changed if isinstance(changed, RequestError) else {}


async def list_archives(call: Call) -> Answer:
    refused = one_filter(call)
    if refused is not None:
        return refused
    source = call.request.get("EventSourceArn")
    if source is not None:
        refused = source_missing(call, source)
        if refused is not None:
            return refused
    wanted = {name: call.request[name] for name in ("EventSourceArn", "State") if name in call.request}
    found = [
        (entry.key[3], await _with_size(call, entry.key[3], document, _LISTED))
        for entry in call.desk.replica.below((*documents.ARCHIVES, call.account))
        if entry.key[3].startswith(call.request.get("NamePrefix", ""))
        and (document := documents.read(entry)).items() >= wanted.items()
    ]
    return page(call, "Archives", found, name=lambda item: item[0], show=lambda item: item[1])


def one_filter(call: Call) -> RequestError | None:
    """Of archives and replays."""
    if sum(name in call.request for name in ("NamePrefix", "State", "EventSourceArn")) < 2:
        return None
    return invalid(
        f"At most one filter is allowed for {call.operation}. Use either : State, EventSourceArn, or NamePrefix."
    )


async def _with_size(call: Call, name: str, document: Document, names: tuple[str, ...]) -> Document:
    archive = archive_of(documents.archive_arn(call.desk.region, call.account, name), document)
    kept = await call.desk.store.archive_kept(archive)
    shown = {each: document[each] for each in names if each in document}
    return {"ArchiveName": name, **shown, "EventCount": kept.messages, "SizeBytes": kept.bytes}
