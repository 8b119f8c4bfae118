from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson
import pytest

from harness.access import UNSIGNED, Caller
from harness.gateway.admission import Admitted
from harness.gateway.request_context import ContextWriter, request_time
from harness.wire import HttpRequest, NetworkPlace, PlaceKind
from tests.access.landscape import NOON, ORDERS, REGION, STOREFRONT, WORKBENCH
from tests.gateway.landscape import CALLER, a_call, an_api, an_authority

EPOCH_MS = int(NOON.timestamp() * 1000) + 123


def a_caller() -> Caller:
    caller = an_authority().authenticate(a_call(), service="execute-api")
    assert isinstance(caller, Caller)
    return caller


def written(
    caller: Caller, place: NetworkPlace = WORKBENCH, *, writer: ContextWriter | None = None, **more: Any
) -> dict[str, Any]:
    api = an_api()
    stage = api.stages["v2"]
    route = stage.routes.match("GET", "/orders/17")
    assert route is not None
    request = HttpRequest(
        "GET", more.pop("path", b"/v2/orders/17"), b"a=1", [], b"", "the-request-id", more.pop("client_ip", "10.0.0.7")
    )
    context = (writer or ContextWriter(REGION)).request_context(
        Admitted(api, stage, route, caller),
        request,
        place,
        **{
            "method": "GET",
            "host": b"orders.execute-api.localhost:4566",
            "user_agent": b"botocore/1",
            "extended_id": "ext=",
            "epoch_ms": EPOCH_MS,
            **more,
        },
    )
    assert context.isascii()
    read: dict[str, Any] = orjson.loads(context)
    return read


def test_the_request_context_of_a_role_through_a_private_endpoint() -> None:
    caller = a_caller()
    assert written(caller) == {
        "accountId": ORDERS,
        "apiId": "orders",
        "resourceId": written(caller)["resourceId"],
        "resourcePath": "/orders/{order_id}",
        "httpMethod": "GET",
        "path": "/v2/orders/17",
        "protocol": "HTTP/1.1",
        "stage": "v2",
        "domainName": "orders.execute-api.localhost",
        "domainPrefix": "orders",
        "deploymentId": written(caller)["deploymentId"],
        "requestId": "the-request-id",
        "extendedRequestId": "ext=",
        "requestTime": "15/Jan/2026:12:00:00 +0000",
        "requestTimeEpoch": 1768478400123,
        "identity": {
            "accessKey": caller.access_key_id,
            "accountId": STOREFRONT,
            "caller": f"{CALLER.role_id}:session",
            "user": f"{CALLER.role_id}:session",
            "userArn": f"arn:aws:sts::{STOREFRONT}:assumed-role/storefront/session",
            "principalOrgId": "o-example",
            "sourceIp": "10.0.0.7",
            "vpceId": "vpce-0workbench",
            "vpcId": "vpc-0workbench",
            "cognitoIdentityId": None,
            "cognitoIdentityPoolId": None,
            "cognitoAuthenticationType": None,
            "cognitoAuthenticationProvider": None,
            "userAgent": "botocore/1",
        },
    }


def test_endpoint_keys_are_absent_from_the_public_internet() -> None:
    identity = written(a_caller(), NetworkPlace("public", PlaceKind.PUBLIC))["identity"]
    assert not identity.keys() & {"vpceId", "vpcId"}


def test_without_a_signature_there_is_no_access_key() -> None:
    identity = written(UNSIGNED)["identity"]
    assert (identity["accessKey"], identity["accountId"], identity["principalOrgId"]) == (None, None, None)


@pytest.mark.parametrize(
    ("host", "name", "prefix"),
    [
        pytest.param(b"orders.execute-api.localhost:4566", "orders.execute-api.localhost", "orders", id="with a port"),
        pytest.param(b"localhost", "localhost", "localhost", id="a plain name"),
        pytest.param(b"[::1]:4566", "[::1]", "[::1]", id="an IPv6 address"),
        pytest.param(
            b"orders-vpce-0a.execute-api.eu-west-1.amazonaws.com",
            "orders-vpce-0a.execute-api.eu-west-1.amazonaws.com",
            "orders-vpce-0a",
            id="an alias",
        ),
        pytest.param(b"orders.internal.example", "orders.internal.example", "orders", id="a custom domain name"),
        pytest.param(
            b"vpce-0a-1b.execute-api.eu-west-1.vpce.amazonaws.com",
            "vpce-0a-1b.execute-api.eu-west-1.vpce.amazonaws.com",
            "vpce-0a-1b",
            id="an endpoint's own name",
        ),
    ],
)
def test_the_domain_name_is_the_host_without_its_port(host: bytes, name: str, prefix: str) -> None:
    context = written(a_caller(), host=host)
    assert (context["domainName"], context["domainPrefix"]) == (name, prefix)


@pytest.mark.parametrize(
    ("agent", "read"),
    [
        pytest.param(None, None, id="none sent"),
        pytest.param(b'say "hi"\\', 'say "hi"\\', id="quotes and a backslash"),
        pytest.param(b"caf\xe9", "caf\u00e9", id="a byte beyond ASCII"),
        pytest.param(b'"},"identity":{}}', '"},"identity":{}}', id="an attempt at injection"),
    ],
)
def test_whatever_the_user_agent_says_stays_text(agent: bytes | None, read: str | None) -> None:
    identity = written(a_caller(), user_agent=agent)["identity"]
    assert identity["userAgent"] == read
    assert identity["accountId"] == STOREFRONT


def test_a_path_with_quotes_stays_text() -> None:
    assert written(a_caller(), path=b'/v2/"x"')["path"] == '/v2/"x"'


def test_what_is_kept_for_a_session_is_not_given_to_another_caller_or_place() -> None:
    writer = ContextWriter(REGION)
    caller = a_caller()
    written(caller, writer=writer)
    elsewhere = replace(WORKBENCH, name="elsewhere", vpce_id="vpce-other")
    assert written(caller, elsewhere, writer=writer)["identity"]["vpceId"] == "vpce-other"
    impostor = replace(caller, context={})
    assert written(impostor, writer=writer)["identity"]["principalOrgId"] is None


@pytest.mark.parametrize(
    ("changed", "where", "told"),
    [
        pytest.param({"path": b"/v2/orders/18"}, ("path",), "/v2/orders/18", id="the path"),
        pytest.param({"method": "PUT"}, ("httpMethod",), "PUT", id="the method"),
        pytest.param({"host": b"[::1]:80"}, ("domainName",), "[::1]", id="the host"),
        pytest.param({"user_agent": b"curl"}, ("identity", "userAgent"), "curl", id="the agent"),
        pytest.param({"user_agent": None}, ("identity", "userAgent"), None, id="no agent"),
        pytest.param({"extended_id": "other="}, ("extendedRequestId",), "other=", id="the extended id"),
        pytest.param({"epoch_ms": EPOCH_MS + 1}, ("requestTimeEpoch",), EPOCH_MS + 1, id="the time"),
        pytest.param({"client_ip": "10.0.0.8"}, ("identity", "sourceIp"), "10.0.0.8", id="the address"),
    ],
)
def test_what_is_kept_is_not_told_of_another_call(
    changed: dict[str, Any], where: tuple[str, ...], told: object
) -> None:
    writer, caller = ContextWriter(REGION), a_caller()
    for what in ({}, changed, {}):
        read: Any = written(caller, writer=writer, **what)
        assert read == written(caller, **what)
        for name in where:
            read = read[name]
        assert (read == told) is (what is changed)


def test_what_is_kept_is_bounded() -> None:
    writer, caller = ContextWriter(REGION), a_caller()
    for number in range(3000):
        written(caller, writer=writer, user_agent=b"agent %d" % number)
    written(caller, writer=writer, user_agent=b"x" * 9000)
    assert 0 < len(writer._common) <= 2048
    assert all(len(before) + len(after) < 9000 for before, after, _ in writer._common.values())


def test_the_lambda_context_has_the_apis_own_deadline() -> None:
    writer = ContextWriter(REGION)
    for seconds in (0.05, 29.0, 2.5):
        context = writer.lambda_context(an_api(timeout=seconds), "the-request-id", "Root=1-x", EPOCH_MS)
        assert orjson.loads(context)["deadline"] == EPOCH_MS + int(seconds * 1000)


def test_the_lambda_context_has_the_adapters_form() -> None:
    context = orjson.loads(ContextWriter(REGION).lambda_context(an_api(), "the-request-id", "Root=1-x", EPOCH_MS))
    assert context == {
        "request_id": "the-request-id",
        "deadline": EPOCH_MS + 29_000,
        "invoked_function_arn": f"arn:aws:lambda:{REGION}:{ORDERS}:function:orders",
        "xray_trace_id": "Root=1-x",
        "client_context": None,
        "identity": None,
        "env_config": {
            "function_name": "orders",
            "memory": 512,
            "version": "$LATEST",
            "log_stream": "",
            "log_group": "/aws/lambda/orders",
        },
    }


def test_request_time_has_english_months_and_utc() -> None:
    assert (
        request_time(int(datetime.fromisoformat("2026-12-03T04:05:06+00:00").timestamp()))
        == "03/Dec/2026:04:05:06 +0000"
    )
