"""Why a recorded call was answered as it was: decided once more, with the smallest change that would allow it."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.access import Authority
from harness.audit.causes import CAUSES, OTHER, Cause
from harness.audit.changes import smallest_changes
from harness.audit.record import ACCESS_DENIED, session_of
from harness.audit.slots import Documents, Slot
from harness.errors import did_you_mean
from harness.policy import (
    AccessRequest,
    Document,
    Outcome,
    PolicySet,
    Principal,
    PrincipalType,
    StatementOutcome,
)
from harness.policy.statement import Statement

INVOKE_SERVICE = "execute-api"
_ABOUT = (
    "roleArn", "queueUrl", "queueName", "topicArn", "subscriptionArn", "name", "rule", "archiveName", "replayName",
    "resourceARN", "eventBusName",
)  # fmt: skip
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class KnownApi:
    """`stages`: methods and path templates of each."""

    account: str
    policy: Document | None
    stages: Mapping[str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True)
class Landscape:
    """What calls were about. `buses`: policies by ARN; `endpoints`: policies by the VPC endpoint's id.

    `made`: the policy of what the API makes and changes, by ARN, as it is now.
    """

    authority: Authority
    apis: Mapping[str, KnownApi] = field(default_factory=dict)
    buses: Mapping[str, Document | None] = field(default_factory=dict)
    endpoints: Mapping[str, Document] = field(default_factory=dict)
    made: Callable[[str], Document | None] = lambda arn: None


class Explainer:
    """`explain` takes a record and gives the shape of `harness explain --json`."""

    def __init__(self, landscape: Landscape) -> None:
        self._landscape = landscape
        self._directory = landscape.authority.directory

    def explain(self, record: Mapping[str, Any]) -> Json:
        more = record["additionalEventData"]
        told: Json = {
            "requestID": record["requestID"],
            "time": record["eventTime"],
            "call": _call(record),
            "who": self._who(record),
            "from": _place(record),
            "status": more["status"],
            "code": record.get("errorCode", ""),
            "allowed": "errorCode" not in record,
            "cause": "",
            "why": "",
            "policies": [],
            "changes": [],
            "suffices": False,
        }
        refused = [question for question in more.get("questions", ()) if not question["allowed"]]
        if "errorCode" not in record:
            told["why"] = "the call was allowed"
            return told
        if refused and more.get("cause") == ACCESS_DENIED:
            self._decided(told, record, refused[0])
        else:
            self._told(told, record)
        return told

    # Decided by policies

    def _decided(self, told: Json, record: Mapping[str, Any], question: Mapping[str, Any]) -> None:
        request = _request(question)
        documents = self._documents(record, question, request)
        told["action"], told["resource"] = request.action, request.resource
        if documents is None:
            told["cause"] = "resource-gone"
            told["why"] = f"{request.resource}, or the role that called, is not in the manifests any more"
            return
        decision = documents.decide(request)
        told["policies"] = [_policy(slot, request) for slot in documents.slots()]
        if decision.allowed:
            told["cause"] = "allowed-now"
            told["why"] = "it was refused then; as the policies are now, it would be allowed"
            told["suffices"] = True
            return
        kind = decision.deciding
        assert kind is not None  # every refusal has its kind
        if decision.outcome is Outcome.EXPLICIT_DENY and _denying(documents, request):
            told["why"] = f"explicit deny in {kind.with_article}: {_denying(documents, request)}"
        else:
            told["why"] = f"no {kind.value} allows {request.action}"
        told["deciding"] = kind.value
        changes, told["suffices"] = smallest_changes(request, documents)
        told["cause"] = changes[0].kind if changes else "policy"
        told["changes"] = [
            {
                "kind": change.kind,
                "text": change.text,
                "policy": change.policy.value,
                "file": change.file,
                "line": change.line,
                "statement": change.statement,
                "call": change.call,
            }
            for change in changes
        ]

    def _documents(
        self, record: Mapping[str, Any], question: Mapping[str, Any], request: AccessRequest
    ) -> Documents | None:
        own = PolicySet()
        session = record["additionalEventData"].get("session")
        if session is not None:
            caller = self._landscape.authority.caller_of(session_of(session))
            if caller is None:
                return None
            own = caller.own
        if question["trust"]:
            role = self._directory.roles.get(request.resource)
            return None if role is None else Documents(own, role.trust)
        service = request.resource.split(":")[2] if request.resource.startswith("arn:") else ""
        resource, api_arn = self._landscape.buses.get(request.resource) or self._landscape.made(request.resource), ""
        if service == INVOKE_SERVICE:
            api_arn = request.resource.partition("/")[0]
            api = self._landscape.apis.get(api_arn.rpartition(":")[2])
            if api is None:
                return None
            resource = api.policy
        endpoint = self._landscape.endpoints.get(record.get("vpcEndpointId", ""))
        policies = PolicySet(
            identity=own.identity,
            boundary=own.boundary,
            sessions=own.sessions,
            scps=own.scps,
            resource=resource,
            endpoint=endpoint,
        )
        return Documents(policies, api_arn=api_arn)

    # Refused before any policy

    def _told(self, told: Json, record: Mapping[str, Any]) -> None:
        facts = self._facts(record)
        code = self._cause(record, facts)
        row = CAUSES.get(code, OTHER)
        told["cause"] = code
        told["why"] = row.why.format_map(facts)
        told["changes"] = [_call_change(code, row, facts)]

    def _facts(self, record: Mapping[str, Any]) -> defaultdict[str, str]:
        more, parameters = record["additionalEventData"], record["requestParameters"]
        signature = more.get("signature", {})
        stage, below = parameters.get("stage", ""), parameters.get("path", "")
        facts = {
            "service": record["eventSource"].removesuffix(".amazonaws.com"),
            "source": record["eventSource"],
            "action": record["eventName"],
            "code": record.get("errorCode", ""),
            "region": record["awsRegion"],
            "time": record["eventTime"],
            "reason": more.get("reason", ""),
            "place": more.get("place", ""),
            "signed": more.get("signed", ""),
            "signed_region": signature.get("region", ""),
            "signed_service": signature.get("service", ""),
            "signed_date": signature.get("date", ""),
            "signed_terminator": signature.get("terminator", ""),
            "amz_date": signature.get("amzDate", ""),
            "headers": ", ".join(signature.get("signedHeaders", ())),
            "key": record["userIdentity"].get("accessKeyId", ""),
            "api": parameters.get("restApiId", ""),
            "stage": stage,
            "below": below,
            "path": f"/{stage}{below}",
            "method": parameters.get("httpMethod", ""),
            "role": parameters.get("roleArn", ""),
        }
        return defaultdict(str, facts)

    def _cause(self, record: Mapping[str, Any], facts: dict[str, str]) -> str:
        """The row of `CAUSES`; adds to `facts` what that row needs beside."""
        more = record["additionalEventData"]
        cause: str = more.get("cause", "")
        if more.get("detail"):
            return str(more["detail"])
        if cause == "forbidden":
            return self._forbidden(facts)
        if cause == "unknown-route":
            return self._unknown_route(facts)
        role = facts["role"]
        if role and record.get("errorCode") == "AccessDenied" and role not in self._directory.roles:
            facts["role_meant"] = did_you_mean(role, list(self._directory.roles))
            return "unknown-role"
        return cause

    def _forbidden(self, facts: dict[str, str]) -> str:
        apis = self._landscape.apis
        api = apis.get(facts["api"])
        if "two ways" in facts["reason"]:
            return "ambiguous-api"
        if not facts["api"]:
            return "no-target"
        if api is None:
            facts["apis"] = ", ".join(apis)
            facts["api_meant"] = did_you_mean(facts["api"], list(apis))
            return "unknown-api"
        if facts["reason"].startswith("not reachable"):
            return "private-from-public"
        facts["stages"] = ", ".join(f"/{stage}" for stage in api.stages)
        facts["stage_meant"] = did_you_mean(facts["stage"], list(api.stages))
        return "unknown-stage"

    def _unknown_route(self, facts: dict[str, str]) -> str:
        api = self._landscape.apis.get(facts["api"])
        routes = api.stages.get(facts["stage"], ()) if api else ()
        here = sorted(method for method, template in routes if _fits(template, facts["below"]))
        if here:
            facts["methods"] = ", ".join(here)
            return "unknown-method"
        facts["route_meant"] = did_you_mean(facts["below"], [template for _, template in routes])
        return "unknown-route"

    def _who(self, record: Mapping[str, Any]) -> str:
        identity = record["userIdentity"]
        issuer = identity.get("sessionContext", {}).get("sessionIssuer")
        if issuer is not None:
            account = issuer["accountId"]
            name = self._directory.accounts.get(account, "unknown")
            session = identity["arn"].rpartition("/")[2]
            return f'role {issuer["userName"]} of account {name} ({account}), session "{session}"'
        if identity["type"] == "WebIdentityUser":
            return f"web identity {identity['principalId']}"
        key = identity.get("accessKeyId")
        return f"not known: claims to be key {key}" if key else "not known: not signed"


def _fits(template: str, path: str) -> bool:
    parts, wanted = template.rstrip("/").split("/"), path.rstrip("/").split("/")
    if parts and parts[-1].endswith("+}"):
        return len(wanted) >= len(parts) and parts[:-1] == wanted[: len(parts) - 1]
    return len(parts) == len(wanted) and all(
        part.startswith("{") or part == got for part, got in zip(parts, wanted, strict=True)
    )


def _call(record: Mapping[str, Any]) -> str:
    parameters = record["requestParameters"]
    if "httpMethod" in parameters:
        path = parameters["path"] if parameters["stage"] else ""
        api = f" of API {parameters['restApiId']}" if parameters["restApiId"] else ""
        return f"{parameters['httpMethod']} /{parameters['stage']}{path}{api}"
    service = record["eventSource"].partition(".")[0]
    about = next((parameters[name] for name in _ABOUT if name in parameters), "")
    if "entries" in parameters:
        about = ", ".join(f"{entry['source']} {entry['detailType']}" for entry in parameters["entries"])
    return f"{service}:{record['eventName']} {about}".strip()


def _place(record: Mapping[str, Any]) -> str:
    name = record["additionalEventData"]["place"] or "no known listener"
    endpoint = record.get("vpcEndpointId")
    through = f" (VPC endpoint {endpoint})" if endpoint else ""
    return f"{name}{through}, {record['sourceIPAddress']}"


def _request(question: Mapping[str, Any]) -> AccessRequest:
    who = question["principal"]
    context = {
        key: tuple(value) if isinstance(value, list) else str(value) for key, value in question["context"].items()
    }
    return AccessRequest(
        principal=Principal(PrincipalType(who["type"]), who["arn"], who["account"], who["roleArn"], who["userId"]),
        action=question["action"],
        resource=question["resource"],
        resource_account=question["resourceAccount"],
        context=context,
    )


def _denying(documents: Documents, request: AccessRequest) -> str:
    """The Deny that decides, by name and place; empty when a silence counts as a deny."""
    for slot in documents.slots():
        for statement in slot.document.statements:
            if not statement.allows and statement.outcome("", slot.kind, request).applies:
                return _statement_name(slot.document, statement)
    return ""


def _statement_name(document: Document, statement: Statement) -> str:
    name = f'"{statement.sid}"' if statement.sid else f"statement {statement.index + 1}"
    return f"{name} ({document.file or document.name}:{statement.line})"


def _policy(slot: Slot, request: AccessRequest) -> Json:
    document = slot.document
    return {
        "kind": slot.kind.value,
        "name": document.name,
        "file": document.file,
        "statements": [
            _statement(statement.outcome(document.name, slot.kind, request)) for statement in document.statements
        ],
    }


def _statement(outcome: StatementOutcome) -> Json:
    return {
        "sid": outcome.sid,
        "index": outcome.index,
        "effect": outcome.effect,
        "line": outcome.line,
        "applies": outcome.applies,
        "principal": outcome.principal_matches,
        "action": outcome.action_matches,
        "resource": outcome.resource_matches,
        "conditions": [
            {
                "operator": each.operator,
                "key": each.key,
                "wanted": list(each.wanted),
                "found": list(each.found) if isinstance(each.found, tuple) else each.found,
                "holds": each.holds,
            }
            for each in outcome.conditions
        ],
    }


def _call_change(code: str, row: Cause, facts: Mapping[str, str]) -> Json:
    text = row.change.format_map(facts)
    return {"kind": code, "text": text, "policy": "", "file": "", "line": 0, "statement": None, "call": None}
