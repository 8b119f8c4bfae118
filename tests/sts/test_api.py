"""The wire form of STS: operations, errors of the signature, and what is not a call at all."""

from dataclasses import replace
from datetime import timedelta
from xml.etree import ElementTree

import pytest

from harness.query_protocol.calls import MAX_FORM_BYTES
from harness.query_protocol.signatures import FAULTS, refusal_of
from harness.sigv4 import Fault, FaultKind
from harness.wire import HttpRequest
from tests.access.landscape import NOON, ORDERS, a_directory, a_role, a_session, allow, deny, signed
from tests.sts.client import an_api, ask, form, issued, read, send

ROLE = a_role(ORDERS, "orders", allow("sts:GetAccessKeyInfo"))
DIRECTORY = a_directory(ROLE)
SESSION = a_session(ROLE)
HOST = (b"host", b"localhost")
FORM = (b"content-type", b"application/x-www-form-urlencoded")

INVALID_KEY = (403, "InvalidClientTokenId", "The security token included in the request is invalid.")


def test_the_caller_is_told_who_it_is() -> None:
    answer = ask(DIRECTORY, "GetCallerIdentity", session=SESSION)

    assert answer.result == {
        "UserId": f"{ROLE.role_id}:session",
        "Account": ORDERS,
        "Arn": "arn:aws:sts::111111111111:assumed-role/orders/session",
    }


def test_the_caller_is_told_even_under_an_explicit_deny() -> None:
    denied = a_role(ORDERS, "orders", deny("*"), boundary=[deny("*")])

    assert ask(a_directory(denied), "GetCallerIdentity", session=a_session(denied)).status == 200


def test_the_path_of_a_role_is_not_in_the_arn_of_its_session() -> None:
    role = a_role(ORDERS, "orders", path="/services/")

    answer = ask(a_directory(role), "GetCallerIdentity", session=a_session(role))

    assert answer.result["Arn"] == "arn:aws:sts::111111111111:assumed-role/orders/session"


def test_a_call_may_be_a_signed_get() -> None:
    request = signed(issued(SESSION), service="sts", path=b"/", query=form("GetCallerIdentity", {}))

    answer = read("GetCallerIdentity", send(an_api(DIRECTORY), request))

    assert answer.result["Account"] == ORDERS


def test_the_global_endpoint_is_signed_for_us_east_1() -> None:
    assert ask(DIRECTORY, "GetCallerIdentity", session=SESSION, region="us-east-1").status == 200


def test_the_answer_is_the_xml_of_the_query_protocol() -> None:
    request = replace(
        signed(issued(SESSION), service="sts", path=b"/", query=form("GetCallerIdentity", {})),
        request_id="7f6b1c2e-0000-4000-8000-000000000001",
    )

    response = send(an_api(DIRECTORY), request)
    root = ElementTree.fromstring(response.body)

    space = "{https://sts.amazonaws.com/doc/2011-06-15/}"
    assert (b"content-type", b"text/xml") in response.headers
    assert [element.tag for element in root.iter()] == [
        f"{space}GetCallerIdentityResponse",
        f"{space}GetCallerIdentityResult",
        f"{space}UserId",
        f"{space}Account",
        f"{space}Arn",
        f"{space}ResponseMetadata",
        f"{space}RequestId",
    ]
    assert root.findtext(f".//{space}RequestId") == "7f6b1c2e-0000-4000-8000-000000000001"


def test_an_error_is_the_xml_of_the_query_protocol() -> None:
    response = send(an_api(DIRECTORY), HttpRequest("POST", b"/", b"", [HOST], form("GetCallerIdentity", {}), "r-1"))
    root = ElementTree.fromstring(response.body)

    space = "{https://sts.amazonaws.com/doc/2011-06-15/}"
    assert response.status == 403
    assert [(element.tag.removeprefix(space), (element.text or "").strip()) for element in root.iter()] == [
        ("ErrorResponse", ""),
        ("Error", ""),
        ("Type", "Sender"),
        ("Code", "MissingAuthenticationToken"),
        ("Message", "Request is missing Authentication Token"),
        ("RequestId", "r-1"),
    ]


def test_each_fault_has_its_code_here() -> None:
    assert FAULTS.keys() == set(FaultKind)


def test_a_fault_keeps_its_text() -> None:
    assert refusal_of(Fault(FaultKind.EXPIRED, "too late")).message == "too late"


def test_a_session_that_has_expired_is_told_so() -> None:
    answer = ask(DIRECTORY, "GetCallerIdentity", session=SESSION, now=NOON + timedelta(hours=1))

    assert (answer.status, answer.code, answer.message) == (
        403,
        "ExpiredToken",
        "The security token included in the request is expired",
    )


@pytest.mark.parametrize(
    "request_",
    [
        signed(issued(SESSION), service="sts", token="forged"),
        signed(issued(SESSION), service="sts", token=None),
        signed(issued(a_session(a_role(ORDERS, "gone"))), service="sts"),
    ],
    ids=["a forged token", "no token", "a role that is gone"],
)
def test_a_token_that_does_not_fit_is_invalid(request_: HttpRequest) -> None:
    request_ = replace(request_, raw_query=form("GetCallerIdentity", {}))

    answer = read("GetCallerIdentity", send(an_api(DIRECTORY), request_))

    assert (answer.status, answer.code, answer.message) == INVALID_KEY


def test_a_parameter_changed_after_signing_does_not_match() -> None:
    request = signed(issued(SESSION), service="sts", method="POST", path=b"/", body=form("GetCallerIdentity", {}))

    answer = read(
        "GetCallerIdentity", send(an_api(DIRECTORY), replace(request, body=form("GetCallerIdentity", {"a": "b"})))
    )

    assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch")
    assert answer.message.startswith("The request signature we calculated does not match")


@pytest.mark.parametrize(("minutes", "status"), [(14, 200), (16, 403), (-14, 200), (-16, 403)])
def test_the_window_is_a_quarter_of_an_hour(minutes: int, status: int) -> None:
    answer = ask(DIRECTORY, "GetCallerIdentity", session=SESSION, signed_at=NOON - timedelta(minutes=minutes))

    assert answer.status == status
    assert answer.code == ("" if status == 200 else "SignatureDoesNotMatch")
    assert status == 200 or "15 min.)" in answer.message


@pytest.mark.parametrize("wrong", [{"service": "events"}, {"region": "eu-central-1"}], ids=["service", "region"])
def test_a_signature_for_another_place_does_not_match(wrong: dict[str, str]) -> None:
    request = signed(issued(SESSION), **{"service": "sts", **wrong}, path=b"/", query=form("GetCallerIdentity", {}))  # type: ignore[arg-type]

    assert read("GetCallerIdentity", send(an_api(DIRECTORY), request)).code == "SignatureDoesNotMatch"


def test_an_authorization_that_cannot_be_read_is_incomplete() -> None:
    request = HttpRequest("GET", b"/", form("GetCallerIdentity", {}), [HOST, (b"authorization", b"Bearer x")], b"")

    answer = read("GetCallerIdentity", send(an_api(DIRECTORY), request))

    assert (answer.status, answer.code) == (400, "IncompleteSignature")


def test_a_session_token_is_not_given_for_a_session() -> None:
    answer = ask(DIRECTORY, "GetSessionToken", session=SESSION)

    assert (answer.status, answer.code, answer.message) == (
        403,
        "AccessDenied",
        "Cannot call GetSessionToken with session credentials",
    )


def test_a_key_id_tells_its_account() -> None:
    answer = ask(DIRECTORY, "GetAccessKeyInfo", {"AccessKeyId": "ASIAQNZGKIQY56JQ7WML"}, session=SESSION)

    assert answer.result == {"Account": "029608264753"}


def test_a_key_id_tells_nothing_to_those_without_permission() -> None:
    silent = a_role(ORDERS, "orders")

    answer = ask(
        a_directory(silent), "GetAccessKeyInfo", {"AccessKeyId": "ASIAQNZGKIQY56JQ7WML"}, session=a_session(silent)
    )

    assert (answer.status, answer.code) == (403, "AccessDenied")


@pytest.mark.parametrize("key", ["short", "ASIAQNZGKIQY56JQ7WM1"])
def test_what_is_no_key_id_is_refused(key: str) -> None:
    assert ask(DIRECTORY, "GetAccessKeyInfo", {"AccessKeyId": key}, session=SESSION).code == "ValidationError"


V = "Version=2011-06-15"
NOT_CALLS = {
    "an operation that is unknown": (f"Action=Dance&{V}", "InvalidAction"),
    "an operation that is left out": (f"Action=AssumeRoleWithSAML&{V}", "InvalidAction"),
    "another version": ("Action=GetCallerIdentity&Version=2010-05-08", "InvalidAction"),
    "no version": ("Action=GetCallerIdentity", "InvalidAction"),
    "no operation": (V, "MissingAction"),
    "nothing": ("", "MissingAction"),
    "an operation given twice": (f"Action=GetCallerIdentity&Action=AssumeRole&{V}", "MalformedQueryString"),
    "bytes that are not UTF-8": (f"Action=GetCallerIdentity&{V}&RoleArn=%ff", "MalformedQueryString"),
    "more parameters than any call has": ("&".join(f"a{n}=b" for n in range(501)), "MalformedQueryString"),
}


@pytest.mark.parametrize(("text", "code"), NOT_CALLS.values(), ids=NOT_CALLS.keys())
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_not_a_call(method: str, text: str, code: str) -> None:
    query, body = (b"", text.encode()) if method == "POST" else (text.encode(), b"")

    answer = read("GetCallerIdentity", send(an_api(DIRECTORY), HttpRequest(method, b"/", query, [HOST, FORM], body)))

    assert (answer.status, answer.code) == (400, code)


@pytest.mark.parametrize(
    ("size", "status", "code"),
    [
        pytest.param(MAX_FORM_BYTES, 400, "InvalidAction", id="the longest is read"),
        pytest.param(MAX_FORM_BYTES + 1, 413, "RequestEntityTooLarge", id="a longer one is not"),
    ],
)
def test_no_form_is_read_without_bound(size: int, status: int, code: str) -> None:
    """Before it is known who calls: ten megabytes of escapes would stop the edge for seconds."""
    body = b"Action=Dance&Version=2011-06-15&a=".ljust(size, b"x")

    answer = read("GetCallerIdentity", send(an_api(DIRECTORY), HttpRequest("POST", b"/", b"", [HOST, FORM], body)))

    assert (answer.status, answer.code) == (status, code)


def test_bytes_beyond_ascii_on_the_wire_are_no_form() -> None:
    request = HttpRequest("POST", b"/", b"", [HOST, FORM], b"Action=\xff")

    assert read("GetCallerIdentity", send(an_api(DIRECTORY), request)).code == "MalformedQueryString"


def test_the_text_of_an_unknown_operation_is_that_of_aws() -> None:
    answer = ask(DIRECTORY, "Dance", session=SESSION)

    assert answer.message == "Could not find operation Dance for version 2011-06-15"
