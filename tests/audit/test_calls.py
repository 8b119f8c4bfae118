"""Calls through an edge that records: what is kept of them, and what is told about each kind of refusal."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from harness.audit.causes import CAUSES
from harness.audit.recorder import Recorder, Sink
from harness.audit.tree import tree
from harness.identity import Credentials, Role
from harness.wire import HttpRequest
from tests.access.landscape import NOON, ORDERS, STOREFRONT, WORKBENCH, a_role, a_sealer, a_session, allow, signed
from tests.audit.landscape import Audited
from tests.gateway.asking import Address
from tests.gateway.landscape import API_ARN, INVOKE, PUBLIC_ADDRESS, WORKBENCH_ADDRESS

CALLER = a_role(STOREFRONT, "storefront", allow([INVOKE, "sts:AssumeRole"], "*"))
OTHER = a_role(STOREFRONT, "other", allow(INVOKE, f"{API_ARN}/*"))
GONE = a_role(STOREFRONT, "gone", allow(INVOKE, f"{API_ARN}/*"))
GUARDED = a_role(
    ORDERS,
    "support",
    trust=[
        {
            "Effect": "Allow",
            "Principal": {"AWS": STOREFRONT},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": "seventeen"}},
        }
    ],
)
RESOURCE = [allow(INVOKE, "execute-api:/*", Principal={"AWS": CALLER.arn})]
NAMED = (b"x-apigw-api-id", b"orders")


def issued(role: Role = CALLER, **more: Any) -> Credentials:
    return a_sealer().issue(a_session(role, **more))


CREDENTIALS = issued()


def call(path: bytes = b"/v2/orders", *, role: Role | None = None, api: bytes = b"orders", **more: Any) -> HttpRequest:
    headers = [(b"x-apigw-api-id", api), *more.pop("headers", ())]
    return signed(CREDENTIALS if role is None else issued(role), path=path, headers=headers, **more)


def sent(request: HttpRequest, **changed: Any) -> HttpRequest:
    """The signed request with something else in it."""
    return replace(request, **changed)


def header(request: HttpRequest, name: bytes, change: Callable[[bytes], bytes]) -> HttpRequest:
    pairs = [(key, change(value) if key == name else value) for key, value in request.headers]
    return replace(request, headers=pairs)


def scoped(old: bytes, new: bytes) -> HttpRequest:
    return header(call(), b"authorization", lambda value: value.replace(old, new))


UNSIGNED = HttpRequest("GET", b"/v2/orders", b"", [(b"host", b"localhost:4566"), NAMED], b"")


def sts(**more: str) -> HttpRequest:
    parameters = "&".join(f"{name}={value}" for name, value in {"Action": "AssumeRole", **more}.items())
    return signed(
        CREDENTIALS,
        service="sts",
        method="POST",
        path=b"/",
        body=f"{parameters}&Version=2011-06-15".encode(),
        headers=[(b"content-type", b"application/x-www-form-urlencoded")],
    )


ASK = {"RoleArn": GUARDED.arn, "RoleSessionName": "someone"}

REFUSALS: list[tuple[str, HttpRequest, Address, str, str]] = [
    ("an unsigned call", UNSIGNED, WORKBENCH_ADDRESS, "missing", "sign the request with SigV4 for service execute-api"),
    ("half a header", scoped(b"Signature=", b"Sig="), WORKBENCH_ADDRESS, "incomplete", "once each"),
    ("another region", call(region="us-east-1"), WORKBENCH_ADDRESS, "scope-region", "sign for region eu-west-1"),
    ("another service", call(service="sqs"), WORKBENCH_ADDRESS, "scope-service", "sign for service execute-api"),
    ("another date", scoped(b"/20260115/", b"/20260114/"), WORKBENCH_ADDRESS, "scope-date", "both dates"),
    ("another end", scoped(b"aws4_request", b"aws5_request"), WORKBENCH_ADDRESS, "scope-terminator", "aws4_request"),
    ("too late", call(now=NOON - timedelta(minutes=6)), WORKBENCH_ADDRESS, "expired", "clock"),
    ("too early", call(now=NOON + timedelta(minutes=6)), WORKBENCH_ADDRESS, "not-yet", "clock"),
    ("another path", sent(call(), raw_path=b"/v2/orders/"), WORKBENCH_ADDRESS, "mismatch-path", "sign the path"),
    ("a path below the stage", sent(call(b"/orders"), raw_path=b"/v2/orders"), WORKBENCH_ADDRESS, "mismatch-path", ""),
    ("another query", sent(call(), raw_query=b"a=1"), WORKBENCH_ADDRESS, "mismatch-query", "sign the query"),
    ("another method", sent(call(), method="POST"), WORKBENCH_ADDRESS, "mismatch-method", "sign for POST"),
    (
        "another host",
        header(call(), b"host", lambda _: b"127.0.0.1:4566"),
        WORKBENCH_ADDRESS,
        "mismatch-header",
        "sign the headers",
    ),
    (
        "a body that was not signed",
        sent(call(method="POST"), body=b"{}"),
        WORKBENCH_ADDRESS,
        "mismatch-body",
        "hash of the body",
    ),
    ("another secret", call(secret="x" * 40), WORKBENCH_ADDRESS, "mismatch", "sign exactly what is sent"),
    ("a key from elsewhere", scoped(CREDENTIALS.access_key_id.encode(), b"AKIAIOSFODNN7EXAMPLE"), WORKBENCH_ADDRESS,
     "unknown-key", "harness credentials"),
    ("no token", call(token=None), WORKBENCH_ADDRESS, "no-token", "X-Amz-Security-Token"),
    ("the token of another key", call(token=issued(OTHER).session_token), WORKBENCH_ADDRESS, "token-of-another-key",
     "from one answer"),
    ("a role that is gone", call(role=GONE), WORKBENCH_ADDRESS, "role-gone", "declare the role"),
    ("an unknown API", call(api=b"oders"), WORKBENCH_ADDRESS, "unknown-api", "call one of: orders"),
    ("a private API from the internet", call(), PUBLIC_ADDRESS, "private-from-public", "through a VPC endpoint"),
    ("an unknown stage", call(b"/v3/orders"), WORKBENCH_ADDRESS, "unknown-stage", "one of: /v2"),
    ("an unknown route", call(b"/v2/ordrs"), WORKBENCH_ADDRESS, "unknown-route", "a path of the contract"),
    ("an unknown method", call(method="DELETE"), WORKBENCH_ADDRESS, "unknown-method", "use GET, POST"),
    ("a strange path", call(b"/v2/orders/%2e%2e"), WORKBENCH_ADDRESS, "bad-request", "RFC"),
    ("headers without end", call(headers=[(b"x-long", b"x" * 11_000)]), WORKBENCH_ADDRESS, "head-too-large", "fewer"),
    ("nothing named", HttpRequest("GET", b"/", b"", [(b"host", b"localhost:4566")], b""), WORKBENCH_ADDRESS,
     "no-target", "x-apigw-api-id"),
    ("a resource policy that is silent", call(role=OTHER), WORKBENCH_ADDRESS, "resource-silent", "add a statement"),
    ("an external id that is missing", sts(**ASK), WORKBENCH_ADDRESS, "external-id-missing", "= seventeen"),
    ("another external id", sts(**ASK, ExternalId="eighteen"), WORKBENCH_ADDRESS, "external-id", "sent eighteen"),
    ("a role that is not there", sts(**{**ASK, "RoleArn": GUARDED.arn + "s"}), WORKBENCH_ADDRESS, "unknown-role",
     "declare"),
    ("a parameter out of bounds", sts(**{**ASK, "RoleSessionName": "x"}), WORKBENCH_ADDRESS, "sts:ValidationError",
     "names it"),
    ("a changed call of STS", sent(sts(**ASK), raw_path=b"/x"), WORKBENCH_ADDRESS, "mismatch-path", "sign the path"),
]  # fmt: skip


@pytest.fixture
def audited() -> Audited:
    return Audited(CALLER, OTHER, GUARDED, resource=RESOURCE)


@pytest.mark.parametrize(
    ("request_", "address", "cause", "change"), [pytest.param(*rest, id=name) for name, *rest in REFUSALS]
)
def test_a_refusal_is_told_with_its_cause_and_change(
    audited: Audited, request_: HttpRequest, address: Address, cause: str, change: str
) -> None:
    got = audited.send(request_, address)

    told = audited.explain()

    assert got.status >= 400
    assert (told["status"], told["allowed"]) == (got.status, False)
    assert told["cause"] == cause
    assert change in told["changes"][0]["text"]
    assert told["why"]
    assert told["requestID"] in tree(told)
    assert "{" not in told["why"]


def test_an_expired_token_is_told() -> None:
    late = Audited(CALLER, resource=RESOURCE, now=NOON + timedelta(hours=2))
    late.send(call(now=NOON + timedelta(hours=2)))

    assert late.explain()["cause"] == "expired-token"


@pytest.mark.parametrize(
    "request_",
    [pytest.param(request_, id=name) for name, request_, *_ in REFUSALS]
    + [
        pytest.param(call(), id="a call that is allowed"),
        pytest.param(sts(**ASK, ExternalId="seventeen"), id="a session"),
    ],
)
def test_no_record_holds_a_token_a_signature_or_a_secret(audited: Audited, request_: HttpRequest) -> None:
    audited.send(request_)

    [record] = audited.records()

    text = json.dumps(record) + json.dumps(audited.explain())
    for name, value in request_.headers:
        if name == b"x-amz-security-token":
            assert value.decode()[:24] not in text
        if name == b"authorization":
            assert value.decode()[-64:] not in text
    assert CREDENTIALS.secret_access_key not in text
    assert "SecretAccessKey" not in text


class TestRecord:
    def test_of_an_allowed_call_is_cloudtrails(self, audited: Audited) -> None:
        got = audited.send(call(headers=[(b"user-agent", b"curl/8")]))

        [record] = audited.records()

        assert got.status == 200
        assert record["eventSource"] == "execute-api.amazonaws.com"
        assert record["requestID"] == got.header(b"x-amzn-requestid")
        assert record["eventTime"] == "2026-01-15T12:00:00Z"
        assert (record["sourceIPAddress"], record["userAgent"]) == ("10.0.0.7", "curl/8")
        assert record["userIdentity"]["arn"] == f"arn:aws:sts::{STOREFRONT}:assumed-role/storefront/session"
        assert record["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] == CALLER.arn
        assert record["recipientAccountId"] == ORDERS
        assert record["vpcEndpointId"]
        assert record["requestParameters"] == {
            "restApiId": "orders",
            "stage": "v2",
            "httpMethod": "GET",
            "path": "/orders",
            "resourceArn": f"{API_ARN}/v2/GET/orders",
        }
        assert "errorCode" not in record

    def test_of_a_bad_signature_does_not_say_that_the_claimed_role_called(self, audited: Audited) -> None:
        audited.send(call(secret="x" * 40))

        [record] = audited.records()

        assert record["userIdentity"] == {
            "type": "Unknown",
            "accessKeyId": CREDENTIALS.access_key_id,
            "accountId": STOREFRONT,
        }

    def test_of_a_session_names_the_role_and_not_the_credentials(self, audited: Audited) -> None:
        audited.send(sts(**ASK, ExternalId="seventeen"))

        [record] = audited.records()

        assert (record["eventSource"], record["eventName"]) == ("sts.amazonaws.com", "AssumeRole")
        assert record["requestParameters"]["roleArn"] == GUARDED.arn
        assert record["responseElements"] is None
        assert record["recipientAccountId"] == ORDERS

    def test_is_one_for_each_call(self, audited: Audited) -> None:
        for request in (call(), call(secret="x" * 40), UNSIGNED, sts(**ASK)):
            audited.send(request)

        records = audited.records()

        assert len(records) == 4
        assert len({record["eventID"] for record in records}) == 4


def _into(held: list[bytes]) -> Sink:
    async def sink(lines: Sequence[bytes]) -> bool:
        held.extend(lines)
        return True

    return sink


class TestRecorder:
    def test_keeps_what_the_store_does_not_take_and_hands_it_over_later(self, audited: Audited) -> None:
        audited.kept.working = False
        audited.send(call())
        assert audited.records() == []

        audited.kept.working = True

        assert len(audited.records()) == 1
        assert len(audited.records()) == 1

    def test_counts_what_found_no_room_and_says_so(self, audited: Audited, caplog: pytest.LogCaptureFixture) -> None:
        small = Recorder(lambda batch: [b"{}" for _ in batch], audited.kept.append, size=2)
        for _ in range(5):
            small.passed(NOON, call(), WORKBENCH, "orders", "GET", 200)

        asyncio.run(small.flush())

        assert small.dropped == 3
        assert len(audited.kept.lines) == 2
        assert "3 calls were not recorded" in caplog.text

    def test_a_body_is_not_held(self) -> None:
        held: list[bytes] = []
        kept = Recorder(lambda batch: [seen.request.body for seen in batch], _into(held))
        kept.passed(NOON, call(method="POST", body=b"x" * 1000), WORKBENCH, "orders", "POST", 200)

        asyncio.run(kept.flush())

        assert held == [b""]


def test_the_policies_of_now_are_told_when_they_allow(audited: Audited) -> None:
    audited.send(call(role=OTHER))
    record = audited.records()[-1]
    opened = Audited(CALLER, OTHER, GUARDED, resource=[allow(INVOKE, "execute-api:/*", Principal="*")])

    told = opened.explainer.explain(record)

    assert (told["cause"], told["changes"]) == ("allowed-now", [])
    assert "no change is needed now" in tree(told)


def test_what_a_caller_sends_does_not_steer_the_terminal(audited: Audited) -> None:
    audited.send(call(role=OTHER))
    told = audited.explain()
    told["call"] = "GET /\x1b[2J"

    assert "\x1b" not in tree(told)


def test_there_are_at_least_thirty_causes() -> None:
    assert len({row[3] for row in REFUSALS}) >= 30
    assert len(CAUSES) >= 30


@pytest.mark.parametrize(
    "value",
    [b"\xff\xfe", b"%ED%A0%80", b"{}", b"\x80=%", b"a" * 5000],
    ids=["bytes", "surrogate", "braces", "half", "long"],
)
def test_whatever_a_caller_sends_is_recorded_and_explained(audited: Audited, value: bytes) -> None:
    audited.send(call(headers=[(b"user-agent", value)], role=OTHER))
    audited.send(sts(**ASK, ExternalId=value.decode("latin-1")))
    audited.send(call(query=value, headers=[(b"referer", value)], secret="x" * 40))

    records = audited.records()

    assert len(records) == 3
    assert all(tree(audited.explainer.explain(record)) for record in records)
