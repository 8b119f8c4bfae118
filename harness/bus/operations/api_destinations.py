"""API destinations: their documents. Who invokes them is elsewhere.

Source: EventBridge API reference, CreateApiDestination.
"""

from typing import Final

from harness.bus import documents
from harness.bus.documents import Document
from harness.bus.operations.call import TOO_MANY, Answer, Call, exists, given, not_found
from harness.bus.operations.connections import AUTHORIZED
from harness.bus.operations.endpoints import endpoint_refused
from harness.bus.operations.paging import page
from harness.bus.operations.places import account_of
from harness.bus.put_events import RequestError

DEFAULT_RATE: Final = 300
_SETTINGS = ("Description", "ConnectionArn", "InvocationEndpoint", "HttpMethod", "InvocationRateLimitPerSecond")
_TIMES = ("CreationTime", "LastModifiedTime")


async def create(call: Call) -> Answer:
    name = call.request["Name"]
    refused = _refused(call)
    if refused is not None:
        return refused
    if len(call.desk.replica.below((*documents.API_DESTINATIONS, call.account))) >= call.desk.limits.api_destinations:
        return TOO_MANY
    made = {
        "InvocationRateLimitPerSecond": DEFAULT_RATE,
        **given(call.request, *_SETTINGS),
        "Id": call.desk.new_id(),
        "CreationTime": call.time,
        "LastModifiedTime": call.time,
    }

    def put(document: Document | None) -> Document | RequestError:
        return made if document is None else exists(f"An api-destination '{name}' already exists.")

    changed = await call.put(documents.api_destination_key(call.account, name), put)
    return changed if isinstance(changed, RequestError) else _answer(call, name, made)


def _refused(call: Call) -> RequestError | None:
    connection, endpoint = call.request.get("ConnectionArn"), call.request.get("InvocationEndpoint")
    if connection is not None and _connection(call, connection) is None:
        name = connection.split("/")[1]
        return not_found(f"Failed to describe the connection(s). Connection '{name}' does not exist.")
    return None if endpoint is None else endpoint_refused("InvocationEndpoint", endpoint)


def _connection(call: Call, arn: str) -> Document | None:
    _, name, identifier = arn.split(":", 5)[5].split("/")
    if account_of(arn) != call.account or arn.split(":")[3] != call.desk.region:
        return None
    document = call.document(documents.connection_key(call.account, name))
    return document if document is not None and document["Id"] == identifier else None


def _answer(call: Call, name: str, document: Document) -> Document:
    connection = _connection(call, document["ConnectionArn"]) or {}
    return {
        "ApiDestinationArn": documents.api_destination_arn(call.desk.region, call.account, name, document["Id"]),
        "ApiDestinationState": "ACTIVE" if connection.get("ConnectionState") == AUTHORIZED else "INACTIVE",
        **{each: document[each] for each in _TIMES},
    }


async def describe(call: Call) -> Answer:
    name = call.request["Name"]
    document = call.document(documents.api_destination_key(call.account, name))
    return _missing("describe", name) if document is None else _shown(call, name, document)


def _missing(verb: str, name: str) -> RequestError:
    return not_found(f"Failed to {verb} the api-destination(s). An api-destination '{name}' does not exist.")


async def update(call: Call) -> Answer:
    name = call.request["Name"]
    refused = _refused(call)
    if refused is not None:
        return refused

    def put(document: Document | None) -> Document | RequestError:
        if document is None:
            return _missing("update", name)
        return {**document, **given(call.request, *_SETTINGS), "LastModifiedTime": call.time}

    changed = await call.put(documents.api_destination_key(call.account, name), put)
    return changed if isinstance(changed, RequestError) else _answer(call, name, changed)


async def delete(call: Call) -> Answer:
    name = call.request["Name"]
    changed = await call.change(
        documents.api_destination_key(call.account, name),
        lambda document: None if document else _missing("delete", name),
    )
    return changed if isinstance(changed, RequestError) else {}


async def list_api_destinations(call: Call) -> Answer:
    wanted = call.request.get("ConnectionArn")
    found = [
        (entry.key[3], document)
        for entry in call.desk.replica.below((*documents.API_DESTINATIONS, call.account))
        if entry.key[3].startswith(call.request.get("NamePrefix", ""))
        and (document := documents.read(entry))["ConnectionArn"] in (wanted or document["ConnectionArn"],)
    ]
    return page(call, "ApiDestinations", found, name=lambda item: item[0], show=lambda item: _listed(call, *item))


def _listed(call: Call, name: str, document: Document) -> Document:
    return {each: value for each, value in _shown(call, name, document).items() if each != "Description"}


def _shown(call: Call, name: str, document: Document) -> Document:
    settings = {each: document[each] for each in _SETTINGS if each in document}
    return {"Name": name, **settings, **_answer(call, name, document)}
