"""What roles may do and never did, and what they were refused, from the records of calls."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from harness.audit.slots import statements_of, texts
from harness.identity import Role
from harness.policy import AccessRequest, Document, PolicyKind, Principal, PrincipalType, compile_document
from harness.policy.evaluate import any_allows

Json = dict[str, Any]
_Use = tuple[str, str]


def usage(records: Iterable[Mapping[str, Any]], roles: Mapping[str, Role]) -> list[Json]:
    """By role, in their order: what was used, `unused` permissions and `refused` calls. `roles` by ARN."""
    used: dict[str, Counter[_Use]] = defaultdict(Counter)
    refused: dict[str, Counter[tuple[str, str, str]]] = defaultdict(Counter)
    seen: set[str] = set()
    for record in records:
        if record["requestID"] in seen:  # stored twice, after a confirmation that was lost
            continue
        seen.add(record["requestID"])
        issuer = record["userIdentity"].get("sessionContext", {}).get("sessionIssuer")
        if issuer is None:
            continue
        for question in record["additionalEventData"].get("questions", ()):
            asked = (question["action"], question["resource"])
            if question["allowed"]:
                used[issuer["arn"]][asked] += 1
            else:
                refused[issuer["arn"]][(*asked, record["requestID"])] += 1
    return [_of_role(role, used[arn], refused[arn]) for arn, role in roles.items()]


def _of_role(role: Role, used: Counter[_Use], refused: Counter[tuple[str, str, str]]) -> Json:
    calls: dict[_Use, Json] = {}
    for action, resource, request_id in refused:
        call = calls.setdefault((action, resource), {"action": action, "resource": resource, "count": 0})
        call["count"] += 1
        call["latest"] = request_id
    return {
        "role": role.name,
        "account": role.account,
        "arn": role.arn,
        "calls": sum(used.values()),
        "unused": [row for document in role.policies for row in _unused(role, document, used)],
        "refused": list(calls.values()),
    }


def _unused(role: Role, document: Document, used: Counter[_Use]) -> list[Json]:
    rows = []
    for statement, written in zip(document.statements, statements_of(document), strict=True):
        if not statement.allows or "Action" not in written or "Resource" not in written:
            continue
        for action in texts(written["Action"]):
            for resource in texts(written["Resource"]):
                if not _was_used(role, action, resource, used):
                    rows.append(
                        {
                            "file": document.file,
                            "line": statement.line,
                            "sid": statement.sid,
                            "action": action,
                            "resource": resource,
                        }
                    )
    return rows


def _was_used(role: Role, action: str, resource: str, used: Counter[_Use]) -> bool:
    one = {"Effect": "Allow", "Action": action, "Resource": resource}
    document = compile_document(
        json.dumps({"Version": "2012-10-17", "Statement": one}), kind=PolicyKind.IDENTITY, name="permission"
    )
    principal = Principal(PrincipalType.ASSUMED_ROLE, role.arn, role.account, role.arn)
    return any(any_allows(AccessRequest(principal, did, on, ""), (document,)) for did, on in used)


def shown(rows: list[Json]) -> str:
    """For a terminal."""
    lines = []
    for row in rows:
        lines.append(f"{row['role']} ({row['account']}): {row['calls']} calls allowed")
        for each in row["unused"]:
            lines.append(f"  never used  {each['action']} {each['resource']}")
            lines.append(f"              {each['file']}:{each['line']} {each['sid']}".rstrip())
        for each in row["refused"]:
            times = "once" if each["count"] == 1 else f"{each['count']} times"
            lines.append(f"  refused     {each['action']} {each['resource']} {times}")
            lines.append(f"              why: harness explain {each['latest']}")
        if not row["unused"] and not row["refused"]:
            lines.append("  every permission was used, nothing was refused")
    return "\n".join(lines)
