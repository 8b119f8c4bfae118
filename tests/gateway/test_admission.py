"""The decision on a call, with the real authority and policies."""

from dataclasses import replace
from typing import Any

import pytest

from harness.gateway.admission import Admitted, Gate, Refused
from harness.gateway.refusals import Condition
from harness.sigv4 import FaultKind
from harness.wire import HttpRequest, NetworkPlace, PlaceKind
from tests.access.landscape import NOON, REGION, WORKBENCH
from tests.gateway.landscape import API_ARN, STRANGER, a_call, an_api, an_authority

PUBLIC = NetworkPlace("public", PlaceKind.PUBLIC)
CREDENTIALS = NetworkPlace("credentials", PlaceKind.CREDENTIALS)
MASKED = API_ARN.replace("111111111111", "********1111")


def admitted(
    request: HttpRequest,
    *,
    place: NetworkPlace = WORKBENCH,
    api: str = "orders",
    method: str = "",
    private: bool = True,
) -> Admitted | Refused:
    gate = Gate({"orders": an_api(private=private)}, an_authority(), REGION)
    return gate.admit(request, place, api, method or request.method, NOON)


def unsigned(request: HttpRequest, *more: tuple[bytes, bytes]) -> HttpRequest:
    dropped = (b"authorization", b"x-amz-date", b"x-amz-security-token")
    return replace(request, headers=[*(header for header in request.headers if header[0] not in dropped), *more])


@pytest.mark.parametrize(
    ("request_", "template"),
    [
        pytest.param(a_call(), "/orders", id="a plain call"),
        pytest.param(a_call(path=b"/v2/orders/"), "/orders", id="a trailing slash"),
        pytest.param(a_call(path=b"/v2"), "/", id="the root of the stage"),
        pytest.param(a_call("POST", body=b'{"a":1}'), "/orders", id="a body"),
        pytest.param(
            a_call(path=b"/v2/orders/a%20b", query=b"x=1&x=2"), "/orders/{order_id}", id="escapes and a query"
        ),
    ],
)
def test_a_signed_and_allowed_call_is_admitted(request_: HttpRequest, template: str) -> None:
    got = admitted(request_)
    assert isinstance(got, Admitted)
    assert (got.route.template, got.stage.name, got.caller.account) == (template, "v2", "333333333333")


def test_where_a_path_leads_is_remembered_and_nothing_else_of_the_call() -> None:
    gate = Gate({"orders": an_api()}, an_authority(), REGION)
    calls = [
        a_call(path=b"/v2/orders/17"),
        a_call("DELETE", path=b"/v2/orders/17"),
        a_call(path=b"/v2/orders/17", role=STRANGER),
        unsigned(a_call(path=b"/v2/orders/17")),
        replace(a_call(path=b"/v2/orders/17"), body=b"x"),
        a_call(path=b"/v2/orders/recent"),
        a_call("DELETE", path=b"/v2/orders/recent"),
        a_call(path=b"/v2/orders/%73ecret"),
        a_call(path=b"/v2/orders/secret;a"),
    ]
    for call in calls * 2:
        got, fresh = gate.admit(call, WORKBENCH, "orders", call.method, NOON), admitted(call)
        if isinstance(fresh, Refused):
            assert got == fresh
        else:
            assert isinstance(got, Admitted)
            assert (got.route.method, got.route.template) == (fresh.route.method, fresh.route.template)


def test_the_memory_of_paths_is_bounded() -> None:
    gate = Gate({"orders": an_api()}, an_authority(), REGION)
    call = unsigned(a_call())
    numbers = [str(number).encode() for number in range(3000)]
    for path in (*(b"orders/" + each for each in numbers), *(b"nowhere/" + each for each in numbers), b"x" * 300):
        gate.admit(replace(call, raw_path=b"/v2/" + path), WORKBENCH, "orders", "GET", NOON)
    gate.admit(replace(call, raw_path=b"/v2/orders/" + b"x" * 300), WORKBENCH, "orders", "GET", NOON)
    assert 0 < len(gate._targets) <= 2048
    assert all(b"nowhere" not in path and len(path) <= 256 for _, _, path in gate._targets)


@pytest.mark.parametrize(
    ("request_", "asked", "cause", "reason"),
    [
        pytest.param(a_call(), {"api": "ordrs"}, Condition.FORBIDDEN, "no such API", id="an unknown API"),
        pytest.param(
            a_call(),
            {"place": PUBLIC},
            Condition.FORBIDDEN,
            "not reachable from public",
            id="a private API from the internet, however well signed",
        ),
        pytest.param(
            a_call(),
            {"place": CREDENTIALS, "private": False},
            Condition.FORBIDDEN,
            "not reachable from credentials",
            id="any API through the credentials listener",
        ),
        pytest.param(a_call(path=b"/v9/orders"), {}, Condition.FORBIDDEN, "no such stage", id="an unknown stage"),
        pytest.param(a_call(path=b"/"), {}, Condition.FORBIDDEN, "no such stage", id="no stage"),
        pytest.param(a_call(path=b"/%762/orders"), {}, Condition.FORBIDDEN, "no such stage", id="an encoded stage"),
        pytest.param(
            a_call(path=b"/v2/orders/%2e%2e"),
            {},
            Condition.BAD_REQUEST,
            "a dot segment in the path",
            id="a path of two meanings",
        ),
        pytest.param(
            a_call(path=b"/v2/nothing"), {}, Condition.UNKNOWN_ROUTE, "unknown route", id="a signed unknown path"
        ),
        pytest.param(a_call("PATCH"), {}, Condition.UNKNOWN_ROUTE, "unknown route", id="a signed unknown method"),
        pytest.param(
            unsigned(a_call(path=b"/v2/nothing")),
            {},
            Condition.UNKNOWN_ROUTE,
            "unknown route",
            id="an unsigned unknown path",
        ),
        pytest.param(
            unsigned(a_call(path=b"/v2/nothing"), (b"authorization", b"Bearer x=1")),
            {},
            FaultKind.INCOMPLETE,
            "unknown route, incomplete",
            id="an unknown path with another Authorization",
        ),
        pytest.param(
            unsigned(a_call(path=b"/v9/orders")),
            {},
            Condition.FORBIDDEN,
            "no such stage",
            id="an unsigned unknown stage",
        ),
        pytest.param(
            unsigned(a_call(path=b"/v2/orders/%2e%2e")),
            {},
            Condition.BAD_REQUEST,
            "a dot segment in the path",
            id="an unsigned path of two meanings",
        ),
        pytest.param(
            replace(a_call("PUT", b"/v2/orders/17"), method="POST"),
            {},
            FaultKind.MISMATCH,
            "unknown route, mismatch",
            id="an unknown method that was not signed",
        ),
        pytest.param(
            a_call(path=b"/v2/orders/" + b"x" * 1600),
            {},
            Condition.URI_TOO_LONG,
            "the method ARN is too long",
            id="a method ARN over 1,600 bytes",
        ),
        pytest.param(unsigned(a_call()), {}, FaultKind.MISSING, "missing", id="no signature"),
        pytest.param(replace(a_call(), body=b"x"), {}, FaultKind.MISMATCH, "mismatch", id="a body that was not signed"),
        pytest.param(
            replace(a_call(), raw_path=b"/v2/orders/1"), {}, FaultKind.MISMATCH, "mismatch", id="another path"
        ),
        pytest.param(
            a_call(role=STRANGER),
            {},
            Condition.ACCESS_DENIED,
            "not allowed by resource-based policy",
            id="a role that the resource policy does not name",
        ),
        pytest.param(
            a_call(path=b"/v2/orders/secret"),
            {},
            Condition.ACCESS_DENIED,
            "explicit deny in resource-based policy",
            id="an explicit deny",
        ),
        pytest.param(
            a_call(path=b"/v2/orders/%73ecret"),
            {},
            Condition.ACCESS_DENIED,
            "explicit deny in resource-based policy",
            id="an explicit deny under another spelling of the path",
        ),
        pytest.param(
            a_call(path=b"/v2/orders/secret;x=1"),
            {},
            Condition.ACCESS_DENIED,
            "explicit deny in resource-based policy",
            id="an explicit deny and parameters after a semicolon",
        ),
        pytest.param(
            a_call(path=b"/v2/orders/17"),
            {"method": "DELETE"},
            FaultKind.MISMATCH,
            "mismatch",
            id="a method overridden by a header that is not signed",
        ),
        pytest.param(
            a_call(path=b"/v2/orders"),
            {"method": "DELETE"},
            Condition.UNKNOWN_ROUTE,
            "unknown route",
            id="an overridden method is the one that is routed",
        ),
    ],
)
def test_a_call_is_refused(
    request_: HttpRequest, asked: dict[str, Any], cause: FaultKind | Condition, reason: str
) -> None:
    got = admitted(request_, **asked)
    assert isinstance(got, Refused)
    assert (got.cause, got.reason) == (cause, reason)


CALLED = b"/v2/orders/17"
CHANGED = [
    CALLED[:at] + bytes([byte]) + CALLED[at + 1 :]
    for at in range(1, len(CALLED))
    for byte in b"/.%;\\2xO~"
    if byte != CALLED[at]
]


@pytest.mark.parametrize("path", CHANGED, ids=bytes.decode)
def test_a_path_with_one_byte_changed_is_an_invalid_signature(path: bytes) -> None:
    """Wherever it leads: to another route, to none, to no stage, or to a path that is refused for its form."""
    got = admitted(replace(a_call(path=CALLED), raw_path=path))
    assert isinstance(got, Refused)
    assert got.cause is FaultKind.MISMATCH
    assert got.text.startswith("The request signature we calculated does not match")


def test_the_client_is_told_amazons_text_with_the_owners_account_masked() -> None:
    got = admitted(a_call(path=b"/v2/orders/%73ecret"))
    assert isinstance(got, Refused)
    assert got.text == (
        "User: arn:aws:sts::333333333333:assumed-role/storefront/session is not authorized to perform: "
        f"execute-api:Invoke on resource: {MASKED}/v2/GET/orders/%73ecret "
        "with an explicit deny in a resource-based policy"
    )
    assert got.caller == "arn:aws:sts::333333333333:assumed-role/storefront/session"


def test_a_trailing_slash_stays_in_the_arn() -> None:
    got = admitted(a_call(path=b"/v2/orders/", role=STRANGER))
    assert isinstance(got, Refused)
    assert f"{MASKED}/v2/GET/orders/ because" in got.text


def test_the_reason_in_the_log_holds_nothing_of_the_request() -> None:
    """The text of a mismatch echoes the canonical request, session token included: it is for the client alone."""
    got = admitted(replace(a_call(), body=b"x"))
    assert isinstance(got, Refused)
    assert "x-amz-security-token" in got.text
    assert got.reason == "mismatch"
