"""A call as CloudTrail records it, and what an explanation needs beside.

Source: CloudTrail User Guide, "CloudTrail record contents" and "userIdentity element". What the format has no place for
is in `additionalEventData`. No header, token, signature or body is in a record.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

import orjson

from harness.access import Authority, Caller, Question, network_context
from harness.audit.causes import SERVICE_FAULTS
from harness.audit.diagnosis import key_trouble, signature_trouble
from harness.audit.recorder import Seen, body_hash
from harness.clock import extended_iso
from harness.identity import Directory, RecentlyUsed, Sealer, Session, account_of
from harness.policy import ContextValue, PrincipalType
from harness.sigv4 import Fault, FaultKind, Presented, SigningKeys, check_scope, read_authorization
from harness.wire import HttpRequest, method_arn

log = logging.getLogger("harness.audit")

VERSION = "1.11"
INVOKE = "execute-api:Invoke"
ACCESS_DENIED = "access-denied"
# A diagnosis tries a signature some thirty times; whoever sends many bad ones does not get one for each.
MOST_DIAGNOSES = 16
# A caller need not have proved anything to be recorded, so what it sends is recorded up to the service's own limits: a
# record must fit a message of the store. Entries of PutEvents, fields of a form, characters of a value (an ARN's).
MOST_ENTRIES = 10
MOST_FIELDS = 500
MOST_FORM_BYTES = 16_384
MOST_CHARACTERS = 2048

SERVICE_SKEW_SECONDS = 900
# What the gateway finds only once the signature is good.
_AFTER_SIGNATURE = frozenset(
    {
        ACCESS_DENIED, "unknown-route", "throttled", "quota-exceeded",
        "upstream-timeout", "upstream-unreachable", "upstream-malformed",
    }
)  # fmt: skip
_SIGNATURE_CAUSES = frozenset(kind.value for kind in FaultKind)
# The parameters of calls of services that are recorded; a web identity token never is, nor a message.
_PARAMETERS = (
    "RoleArn", "RoleSessionName", "DurationSeconds", "ExternalId", "SourceIdentity", "AccessKeyId", "ProviderId",
    "PolicySourceArn", "CallerArn", "QueueUrl", "QueueName", "TopicArn", "SubscriptionArn",
    "Name", "Rule", "EventBusName", "ArchiveName", "ReplayName", "EventSourceArn", "ConnectionArn", "TargetArn",
    "ResourceARN", "StatementId", "Principal",
)  # fmt: skip
_READ_ONLY = ("sts", "iam")
_READS = ("Describe", "List", "Get", "Test")
_EVENT_SOURCES = {"": "execute-api.amazonaws.com"}


class Scribe:
    """`accounts`: the owner of each API by its id."""

    def __init__(self, authority: Authority, sealer: Sealer, accounts: Mapping[str, str]) -> None:
        self._authority = authority
        self._directory: Directory = authority.directory
        self._sealer = sealer
        self._accounts = accounts
        self._keys = SigningKeys()
        self._callers: RecentlyUsed[tuple[str, str], Caller] = RecentlyUsed(1024)

    def lines(self, batch: Sequence[Seen]) -> list[bytes]:
        """A record for each call, JSON without line breaks."""
        diagnoses = MOST_DIAGNOSES
        lines = []
        for seen in batch:
            wanted = seen.status == 403 and (seen.refusal is None or seen.refusal.cause == FaultKind.MISMATCH.value)
            diagnoses -= wanted
            try:
                lines.append(orjson.dumps(self.record(seen, diagnose=diagnoses >= 0)))
            except (ValueError, TypeError):  # whatever a caller sent: the records of the others go on
                log.exception("no record of the call %s could be made", seen.request.request_id)
        return lines

    def record(self, seen: Seen, *, diagnose: bool = True) -> dict[str, Any]:
        request, place = seen.request, seen.place
        presented = read_authorization(request)
        known = presented if isinstance(presented, Presented) else None
        more: dict[str, Any] = {"status": seen.status, "place": place.name if place else ""}
        code, message = self._outcome(seen, known, more, diagnose=diagnose)
        caller = self._caller(known) if known and _verified(seen) else None
        questions = list(seen.questions)
        if not seen.service and caller is not None:
            questions = self._asked(seen, caller)
        if questions:
            more["questions"] = [_question(each) for each in questions if code or not each.trust or each.allowed]
        if caller is not None and caller.session is not None and code:
            more["session"] = session_json(caller.session)
        record: dict[str, Any] = {
            "eventVersion": VERSION,
            "userIdentity": _identity(caller, known, questions),
            "eventTime": _iso(int(seen.at.timestamp())),
            "eventSource": _EVENT_SOURCES.get(seen.service, f"{seen.service}.amazonaws.com"),
            "eventName": _event_name(seen),
            "awsRegion": self._directory.region,
            "sourceIPAddress": request.client_ip,
            "userAgent": _text(request.header(b"user-agent")),
            "requestID": request.request_id,
            # As unique as the request's id, and the same when a record is written again.
            "eventID": request.request_id[-8:] + request.request_id[8:-8] + request.request_id[:8],
            "readOnly": _reads(seen),
            "eventType": "AwsApiCall",
            "managementEvent": bool(seen.service),
            "eventCategory": "Management" if seen.service else "Data",
            "recipientAccountId": self._recipient(seen, questions),
            "requestParameters": _service_parameters(seen) if seen.service else self._api_parameters(seen),
            "responseElements": None,
            "additionalEventData": more,
        }
        if place is not None and place.vpce_id:
            record["vpcEndpointId"] = place.vpce_id
            record["vpcEndpointAccountId"] = place.account
        if code:
            record["errorCode"] = code
            record["errorMessage"] = message
        return record

    def _outcome(
        self, seen: Seen, presented: Presented | None, more: dict[str, Any], *, diagnose: bool
    ) -> tuple[str, str]:
        """Error code and text, both empty for a good answer; fills cause and details into `more`."""
        if seen.service:
            code, message = _service_outcome(seen, more)
            cause = SERVICE_FAULTS.get(code, "") if more.get("cause") != ACCESS_DENIED else ""
            if cause:
                more["cause"] = self._service_fault(seen, presented, cause)
            digest = body_hash(seen.request.body)
        elif seen.refusal is not None:
            code, cause, message, digest = seen.refusal
            more["cause"], more["reason"] = cause, message
        else:
            return "", ""
        if presented is not None and more.get("cause") in _SIGNATURE_CAUSES:
            more["signature"] = _shown_signature(presented)
            self._diagnose(seen, presented, digest, more, diagnose=diagnose)
        return code, message

    def _service_fault(self, seen: Seen, presented: Presented | None, cause: str) -> str:
        """STS and events have one code for several faults of a scope."""
        if presented is None or cause != FaultKind.MISMATCH.value:
            return cause
        regions = {presented.region} & {"us-east-1"} if seen.service == "sts" else set()
        fault = check_scope(
            presented,
            region=regions.pop() if regions else self._directory.region,
            service=seen.service,
            now=seen.at,
            skew_seconds=SERVICE_SKEW_SECONDS,
        )
        return fault.kind.value if isinstance(fault, Fault) else cause

    def _diagnose(self, seen: Seen, presented: Presented, digest: str, more: dict[str, Any], *, diagnose: bool) -> None:
        if more["cause"] == FaultKind.UNKNOWN_KEY.value:
            more["detail"] = key_trouble(presented, self._sealer, self._directory, seen.at)
        elif more["cause"] == FaultKind.MISMATCH.value and diagnose:
            token = presented.security_token
            if token is None or self._sealer.open(presented.access_key_id, token) is None:
                return
            secret = self._sealer.secret_for(presented.access_key_id)
            more["detail"], more["signed"] = signature_trouble(seen.request, digest, presented, secret, self._keys)

    def _caller(self, presented: Presented) -> Caller | None:
        token = presented.security_token
        if token is None:
            return None
        place = (presented.access_key_id, token)
        caller = self._callers.get(place)
        if caller is None:
            session = self._sealer.open(*place)
            caller = None if session is None else self._authority.caller_of(session)
            if caller is not None:
                self._callers.put(place, caller)
        return caller

    def _asked(self, seen: Seen, caller: Caller) -> list[Question]:
        """The question that the gateway decided, put together again."""
        cause = seen.refusal.cause if seen.refusal else ""
        account = self._accounts.get(seen.api)
        if account is None or cause not in ("", ACCESS_DENIED):
            return []
        context: Mapping[str, ContextValue] = {}
        if cause and seen.place is not None:
            context = network_context(seen.request, seen.place, now=seen.at, region=self._directory.region)
        return [Question(caller, INVOKE, self._resource(seen, account), account, context, not cause)]

    def _resource(self, seen: Seen, account: str) -> str:
        stage, path = split_path(seen.request.raw_path)
        return method_arn(self._directory.region, account, seen.api, stage, seen.method, path)

    def _api_parameters(self, seen: Seen) -> dict[str, Any]:
        stage, path = split_path(seen.request.raw_path)
        account = self._accounts.get(seen.api)
        parameters = {"restApiId": seen.api, "stage": stage, "httpMethod": seen.method, "path": path}
        if account is not None:
            parameters["resourceArn"] = self._resource(seen, account)
        return parameters

    def _recipient(self, seen: Seen, questions: Sequence[Question]) -> str:
        if not seen.service:
            return self._accounts.get(seen.api, "")
        return questions[0].resource_account if questions else ""


def _verified(seen: Seen) -> bool:
    """Whether the edge came as far as to find the signature good. A token alone does not tell who sent a request."""
    if seen.service:
        return seen.status < 400 or any(question.caller.session for question in seen.questions)
    why = seen.refusal
    return why is None or why.cause in _AFTER_SIGNATURE or why.reason == "no such stage"


def split_path(raw_path: bytes) -> tuple[str, str]:
    """Stage and path below it, as text."""
    text = raw_path.decode("ascii", "backslashreplace")
    end = text.find("/", 1)
    return (text[1:], "/") if end < 0 else (text[1:end], text[end:])


def _event_name(seen: Seen) -> str:
    if not seen.service:
        return "Invoke"
    target = seen.request.header(b"x-amz-target")
    if target is not None:
        return _text(target).rpartition(".")[2]
    return _form(seen.request).get("Action", "")


def _reads(seen: Seen) -> bool:
    if not seen.service:
        return seen.method in ("GET", "HEAD", "OPTIONS")
    return seen.service in _READ_ONLY or _event_name(seen).startswith(_READS)


def _form(request: HttpRequest) -> dict[str, str]:
    form = request.raw_query if request.method == "GET" else request.body
    if len(form) > MOST_FORM_BYTES:
        return {}
    try:
        fields = parse_qsl(form.decode("latin-1"), max_num_fields=MOST_FIELDS)
    except ValueError:  # more fields than that
        return {}
    return {name: value[:MOST_CHARACTERS] for name, value in fields}


def _service_parameters(seen: Seen) -> dict[str, Any]:
    if seen.service == "events" and _event_name(seen) == "PutEvents":
        return {"entries": _entries(seen.request.body)}
    if seen.request.header(b"x-amz-target") is not None:
        return _named_in_json(seen.request.body)
    form = _form(seen.request)
    return {name[0].lower() + name[1:]: form[name] for name in _PARAMETERS if name in form}


def _entries(body: bytes) -> list[dict[str, str]]:
    """Source, type and bus of each; what an event says is not recorded."""
    try:
        payload = orjson.loads(body)
    except orjson.JSONDecodeError:
        return []
    entries = payload.get("Entries") if isinstance(payload, dict) else None
    names = {"source": "Source", "detailType": "DetailType", "eventBusName": "EventBusName"}
    return [
        {shown: _short(entry.get(name)) for shown, name in names.items()}
        for entry in (entries[:MOST_ENTRIES] if isinstance(entries, list) else ())
        if isinstance(entry, dict)
    ]


def _named_in_json(body: bytes) -> dict[str, Any]:
    """What the call was about; what a message says is not recorded."""
    try:
        payload = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    if not isinstance(payload, dict):
        return {}
    return {name[0].lower() + name[1:]: _short(payload[name]) for name in _PARAMETERS if name in payload}


def _short(value: object) -> str:
    """A text, cut off; of anything else nothing, since the service refuses it."""
    return value[:MOST_CHARACTERS] if isinstance(value, str) else ""


def _service_outcome(seen: Seen, more: dict[str, Any]) -> tuple[str, str]:
    if seen.status < 400 or seen.answer is None:
        return "", ""
    body = seen.answer.body
    code = _between(body, b"<Code>", b"</Code>") or _json_type(body)
    denied = next((question for question in seen.questions if not question.allowed), None)
    more["cause"] = ACCESS_DENIED if denied is not None else f"{seen.service}:{code}"
    if denied is None:
        # Its text may repeat what the caller sent.
        return code, ""
    who = denied.caller.principal.arn
    return code, f"User: {who} is not authorized to perform: {denied.action} on resource: {denied.resource}"


def _between(body: bytes, start: bytes, end: bytes) -> str:
    return body.partition(start)[2].partition(end)[0].decode("ascii", "replace")


def _json_type(body: bytes) -> str:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    # Some services name the shape in full: `com.amazonaws.sqs#QueueDoesNotExist`.
    return str(answer.get("__type", "")).rpartition("#")[2] if isinstance(answer, dict) else ""


def _identity(caller: Caller | None, presented: Presented | None, questions: Sequence[Question]) -> dict[str, Any]:
    if caller is None and questions:
        principal = questions[0].caller.principal
        if principal.type is PrincipalType.WEB_IDENTITY:
            return {"type": "WebIdentityUser", "principalId": principal.user_id, "identityProvider": principal.arn}
    if caller is None or caller.session is None or caller.role is None:
        # Who signed is not known when the signature is not good: the key id is what was claimed.
        identity: dict[str, Any] = {"type": "Unknown"}
        if presented is not None:
            identity["accessKeyId"] = presented.access_key_id
            account = account_of(presented.access_key_id)
            if account is not None:
                identity["accountId"] = account
        return identity
    session, role = caller.session, caller.role
    return {
        "type": "AssumedRole",
        "principalId": caller.principal.user_id,
        "arn": caller.principal.arn,
        "accountId": caller.account,
        "accessKeyId": caller.access_key_id,
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": role.role_id,
                "arn": role.arn,
                "accountId": role.account,
                "userName": role.name,
            },
            "attributes": {"creationDate": _iso(int(session.issued.timestamp())), "mfaAuthenticated": "false"},
            **({"sourceIdentity": session.source_identity} if session.source_identity else {}),
        },
    }


def _question(question: Question) -> dict[str, Any]:
    principal = question.caller.principal
    asked = {
        "action": question.action,
        "resource": question.resource,
        "resourceAccount": question.resource_account,
        "allowed": question.allowed,
        "trust": question.trust,
    }
    if not question.allowed:
        asked["context"] = dict(question.context)
        asked["principal"] = {
            "type": principal.type.value,
            "arn": principal.arn,
            "account": principal.account,
            "roleArn": principal.role_arn,
            "userId": principal.user_id,
        }
    return asked


def _shown_signature(presented: Presented) -> dict[str, Any]:
    return {
        "date": presented.date,
        "region": presented.region,
        "service": presented.service,
        "terminator": presented.terminator,
        "amzDate": presented.amz_date,
        "signedHeaders": list(presented.signed_headers),
        "presigned": presented.presigned,
        "expires": presented.expires,
    }


@lru_cache(maxsize=256)
def _iso(second: int) -> str:
    return extended_iso(datetime.fromtimestamp(second, UTC))


def _text(value: bytes | None) -> str:
    return "" if value is None else value.decode("latin-1")


def session_json(session: Session) -> dict[str, Any]:
    """All but the key id's secret and token, which no record has."""
    return {
        "roleArn": session.role_arn,
        "sessionName": session.session_name,
        "accessKeyId": session.access_key_id,
        "issued": int(session.issued.timestamp()),
        "expires": int(session.expires.timestamp()),
        "sourceIdentity": session.source_identity,
        "tags": dict(session.tags),
        "transitiveTagKeys": list(session.transitive_tag_keys),
        "policies": None if session.policies is None else list(session.policies),
        "chained": session.chained,
        "provider": session.provider,
    }


def session_of(read: Mapping[str, Any]) -> Session:
    policies = read["policies"]
    return Session(
        role_arn=read["roleArn"],
        session_name=read["sessionName"],
        access_key_id=read["accessKeyId"],
        issued=datetime.fromtimestamp(read["issued"], UTC),
        expires=datetime.fromtimestamp(read["expires"], UTC),
        source_identity=read["sourceIdentity"],
        tags=read["tags"],
        transitive_tag_keys=tuple(read["transitiveTagKeys"]),
        policies=None if policies is None else tuple(policies),
        chained=read["chained"],
        provider=read["provider"],
    )
