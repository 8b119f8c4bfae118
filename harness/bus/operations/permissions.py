"""Bus policies: a statement at a time, or all of it. Source: EventBridge API reference, PutPermission."""

import json
from collections.abc import Callable
from typing import Any, Final

from harness.bus import documents
from harness.bus.documents import DEFAULT, Document
from harness.bus.operations.call import Answer, Call, invalid, not_found
from harness.bus.operations.places import bus_of
from harness.bus.put_events import RequestError
from harness.errors import InputError
from harness.policy import PolicyKind, compile_document
from harness.wire import PARTITION

MAX_POLICY_CHARACTERS: Final = 10_240
_STATEMENT = ("Action", "Principal", "StatementId")
_TOO_LONG = RequestError(
    "PolicyLengthExceededException", f"The event bus policy is longer than {MAX_POLICY_CHARACTERS} characters."
)
_EMPTY = invalid("Parameter Policy is not valid. Reason: it is empty.")
_NO_STATEMENT = not_found("Statement with the provided id does not exist.")


async def put(call: Call) -> Answer:
    whole = call.request.get("Policy")
    if whole is not None:
        others = [name for name in (*_STATEMENT, "Condition") if name in call.request]
        if others:
            return invalid(f"Parameter(s) {', '.join(others)} must not be specified together with Policy.")
        return await _change(call, lambda _: whole) if whole else _EMPTY
    refused = _statement_refused(call)
    if refused is not None:
        return refused
    statement = _statement(call)

    def add(text: str) -> str:
        kept = [each for each in _statements(text) if each.get("Sid") != statement["Sid"]]
        return _policy([*kept, statement])

    return await _change(call, add)


async def remove(call: Call) -> Answer:
    sid = call.request.get("StatementId")
    if call.request.get("RemoveAllPermissions"):
        return await _change(call, lambda _: "")
    if sid is None:
        return invalid("Parameter(s) StatementId must be specified.")

    def take(text: str) -> str | RequestError:
        statements = _statements(text)
        kept = [each for each in statements if each.get("Sid") != sid]
        if len(kept) == len(statements):
            return _NO_STATEMENT
        return _policy(kept) if kept else ""

    return await _change(call, take)


async def _change(call: Call, edit: Callable[[str], str | RequestError]) -> Answer:
    name = bus_of(call.bus_arn())[1]

    def put_policy(document: Document | None) -> Document | RequestError:
        if document is None and name != DEFAULT:
            return not_found(f"Event bus {name} does not exist.")
        kept = document or {}
        text = edit(kept.get("Policy", ""))
        refused = text if isinstance(text, RequestError) else _policy_refused(text, name)
        if refused is not None:
            return refused
        changed = {**kept, "Policy": text, "LastModifiedTime": call.time}
        return changed if text else {each: value for each, value in changed.items() if each != "Policy"}

    changed = await call.put(documents.bus_key(call.account, name), put_policy)
    return changed if isinstance(changed, RequestError) else {}


def _policy_refused(text: str, bus: str) -> RequestError | None:
    if len(text) > MAX_POLICY_CHARACTERS:
        return _TOO_LONG
    if not text:
        return None
    try:
        compile_document(text, kind=PolicyKind.RESOURCE, name=f"policy of the bus {bus}")
    except InputError as error:
        return invalid(f"Parameter Policy is not valid. Reason: {error.problems[0].text}")
    return None


def _statement_refused(call: Call) -> RequestError | None:
    missing = [name for name in _STATEMENT if name not in call.request]
    if missing:
        return invalid(f"Parameter(s) {', '.join(missing)} must be specified.")
    if call.request["Action"] != "events:PutEvents":
        return invalid("Provided value in parameter 'action' is not supported.")
    condition = call.request.get("Condition")
    if condition is None:
        return None
    if (condition["Type"], condition["Key"]) != ("StringEquals", "aws:PrincipalOrgID"):
        return invalid("Parameter Condition is not valid. Reason: it must be StringEquals of aws:PrincipalOrgID.")
    if call.request["Principal"] != "*":
        return invalid("Parameter Principal is not valid. Reason: with a Condition it must be *.")
    return None


def _statement(call: Call) -> dict[str, Any]:
    principal, condition = call.request["Principal"], call.request.get("Condition")
    statement = {
        "Sid": call.request["StatementId"],
        "Effect": "Allow",
        "Principal": "*" if principal == "*" else {"AWS": f"arn:{PARTITION}:iam::{principal}:root"},
        "Action": call.request["Action"],
        "Resource": call.bus_arn(),
    }
    if condition is not None:
        statement["Condition"] = {condition["Type"]: {condition["Key"]: condition["Value"]}}
    return statement


def _statements(text: str) -> list[dict[str, Any]]:
    written = json.loads(text)["Statement"] if text else []
    return written if isinstance(written, list) else [written]


def _policy(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))
