"""Connections: their documents and secrets. Who authorises and invokes is elsewhere.

Source: EventBridge API reference, CreateConnection. A secret is put before the connection names it, and taken away
after no connection does.
"""

import hashlib
from typing import Any, Final

from harness.bus import documents
from harness.bus.documents import Document
from harness.bus.operations.call import TOO_MANY, Answer, Call, exists, given, invalid, not_found
from harness.bus.operations.endpoints import endpoint_refused
from harness.bus.operations.paging import page
from harness.bus.operations.secrets import merged, mistake, without_secrets
from harness.bus.put_events import RequestError
from harness.wire import PARTITION

AUTHORIZED: Final = "AUTHORIZED"
_SETTINGS = ("Description", "AuthorizationType", "InvocationConnectivityParameters", "KmsKeyIdentifier")
_TIMES = ("CreationTime", "LastModifiedTime", "LastAuthorizedTime")
_LISTED = ("ConnectionState", "StateReason", "AuthorizationType", *_TIMES)
_SHOWN = (*_LISTED, "Description", "InvocationConnectivityParameters", "KmsKeyIdentifier", "AuthParameters")


async def create(call: Call) -> Answer:
    name, parameters = call.request["Name"], call.request["AuthParameters"]
    key = documents.connection_key(call.account, name)
    if call.document(key) is not None:
        return exists(f"Connection {name} already exists.")
    refused = _refused(call.request["AuthorizationType"], parameters)
    if refused is not None:
        return refused
    if len(call.desk.replica.below((*documents.CONNECTIONS, call.account))) >= call.desk.limits.connections:
        return TOO_MANY
    made = {
        **given(call.request, *_SETTINGS),
        "Id": call.desk.new_id(),
        "CreationTime": call.time,
        **await _authorized(call, call.request["AuthorizationType"], parameters),
    }

    def put(document: Document | None) -> Document | RequestError:
        return made if document is None else exists(f"Connection {name} already exists.")

    changed = await call.put(key, put)
    if isinstance(changed, RequestError):
        await _forget(call, made)
        return changed
    return _answer(call, name, made, *(each for each in _TIMES if each != "LastAuthorizedTime"))


def _refused(authorization: str, parameters: Document) -> RequestError | None:
    text = mistake(authorization, parameters)
    if text:
        return invalid(text)
    endpoint = (parameters.get("OAuthParameters") or {}).get("AuthorizationEndpoint")
    return None if endpoint is None else endpoint_refused("AuthorizationEndpoint", endpoint)


async def _authorized(call: Call, authorization: str, parameters: Document) -> Document:
    """What a connection has of its authorisation, its secret put away."""
    secret = call.desk.new_id()
    key = documents.secret_key(call.account, secret)
    await call.desk.replica.put(key, documents.seal_secret(call.desk.box, key, parameters), expected=0)
    # A token has to be fetched first, by whoever invokes.
    state = "AUTHORIZING" if authorization == "OAUTH_CLIENT_CREDENTIALS" else AUTHORIZED
    return {
        "AuthParameters": without_secrets(parameters),
        "Secret": secret,
        "ConnectionState": state,
        "LastModifiedTime": call.time,
        "LastAuthorizedTime": call.time,
    }


async def _forget(call: Call, document: Document) -> None:
    if "Secret" in document:
        await call.desk.replica.delete(documents.secret_key(call.account, document["Secret"]))


def _answer(call: Call, name: str, document: Document, *names: str) -> Document:
    arn = documents.connection_arn(call.desk.region, call.account, name, document["Id"])
    shown = ("ConnectionState", *names)
    return {"ConnectionArn": arn, **{each: document[each] for each in shown if each in document}}


async def describe(call: Call) -> Answer:
    name = call.request["Name"]
    document = call.document(documents.connection_key(call.account, name))
    if document is None:
        return _missing("describe", name)
    arn = _answer(call, name, document)["ConnectionArn"]
    secret = {"SecretArn": _secret_arn(call, name, document["Secret"])} if "Secret" in document else {}
    return {
        "ConnectionArn": arn,
        "Name": name,
        **secret,
        **{each: document[each] for each in _SHOWN if each in document},
    }


def _secret_arn(call: Call, name: str, secret: str) -> str:
    suffix = hashlib.sha256(secret.encode()).hexdigest()[:6]
    place = f"arn:{PARTITION}:secretsmanager:{call.desk.region}:{call.account}"
    return f"{place}:secret:events!connection/{name}/{secret}-{suffix}"


def _missing(verb: str, name: str) -> RequestError:
    return not_found(f"Failed to {verb} the connection(s). Connection '{name}' does not exist.")


async def update(call: Call) -> Answer:
    name = call.request["Name"]
    key = documents.connection_key(call.account, name)
    before = call.document(key)
    if before is None:
        return _missing("update", name)
    changes = {**given(call.request, *_SETTINGS), "LastModifiedTime": call.time}
    if "AuthorizationType" in call.request or "AuthParameters" in call.request:
        authorization = call.request.get("AuthorizationType", before["AuthorizationType"])
        parameters = await _parameters(call, before, authorization)
        refused = _refused(authorization, parameters)
        if refused is not None:
            return refused
        changes |= await _authorized(call, authorization, parameters)

    def put(document: Document | None) -> Document | RequestError:
        if document is None:
            return _missing("update", name)
        # Made of the secret as it was: another's change meanwhile must not be mixed with it.
        mixed = "Secret" in changes and document.get("Secret") != before.get("Secret")
        if mixed:
            return _CHANGED_MEANWHILE
        kept = {each: value for each, value in document.items() if each != "StateReason" or "Secret" not in changes}
        return {**kept, **changes}

    changed = await call.put(key, put)
    if isinstance(changed, RequestError):
        await _forget(call, changes)
        return changed
    if "Secret" in changes:
        await _forget(call, before)
    return _answer(call, name, changed, *_TIMES)


_CHANGED_MEANWHILE = RequestError(
    "ConcurrentModificationException", "The connection has been changed meanwhile: try again."
)


async def _parameters(call: Call, before: Document, authorization: str) -> dict[str, Any]:
    """Those that there are with the changes; of another kind of authorisation only the new ones."""
    changes = call.request.get("AuthParameters", {})
    kept = _secret(call, before)
    if authorization != before["AuthorizationType"]:
        kept = {each: kept[each] for each in ("InvocationHttpParameters", "ConnectivityParameters") if each in kept}
    return merged(kept, changes)


def _secret(call: Call, document: Document) -> Document:
    entry = call.desk.replica.get(documents.secret_key(call.account, document.get("Secret", "")))
    return (documents.open_secret(call.desk.box, entry) or {}) if entry is not None else {}


async def delete(call: Call) -> Answer:
    return await _end(call, "delete", "DELETING", keep=False)


async def deauthorize(call: Call) -> Answer:
    """Its secret is gone; the connection stays until it is authorised again (UpdateConnection)."""
    return await _end(call, "deauthorize", "DEAUTHORIZED", keep=True)


async def _end(call: Call, verb: str, state: str, *, keep: bool) -> Answer:
    name = call.request["Name"]
    before: Document = {}

    def end(document: Document | None) -> Document | RequestError | None:
        if document is None:
            return _missing(verb, name)
        before.clear()
        before.update(document)
        if not keep:
            return None
        kept = {each: value for each, value in document.items() if each != "Secret"}
        return {**kept, "ConnectionState": state, "LastModifiedTime": call.time}

    changed = await call.change(documents.connection_key(call.account, name), end)
    if isinstance(changed, RequestError):
        return changed
    await _forget(call, before)
    return _answer(call, name, {**before, "ConnectionState": state}, *_TIMES)


async def list_connections(call: Call) -> Answer:
    wanted = call.request.get("ConnectionState")
    found = [
        (entry.key[3], document)
        for entry in call.desk.replica.below((*documents.CONNECTIONS, call.account))
        if entry.key[3].startswith(call.request.get("NamePrefix", ""))
        and (document := documents.read(entry))["ConnectionState"] in (wanted or document["ConnectionState"],)
    ]
    return page(call, "Connections", found, name=lambda item: item[0], show=lambda item: _listed(call, *item))


def _listed(call: Call, name: str, document: Document) -> Document:
    return {"Name": name, **_answer(call, name, document, *_LISTED)}
