"""The application as a server sees it: scopes in, messages out, a recording client in place of the container."""

import asyncio
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from harness.gateway.exchange import Answer, UpstreamFault
from harness.gateway.limits import Limit, Per, Quota, Throttling, UsagePlan
from harness.wire import HttpRequest, HttpResponse, NetworkPlace
from tests.access.landscape import STOREFRONT
from tests.gateway.asking import Address, Got, bare, send, ways
from tests.gateway.landscape import (
    API_ARN,
    CALLER,
    CREDENTIALS_ADDRESS,
    ORDERS_ADDRESS,
    PLACES,
    PUBLIC_ADDRESS,
    STRANGER,
    WORKBENCH_ADDRESS,
    Recorded,
    a_call,
    an_api,
    an_edge,
)


@pytest.fixture(autouse=True, params=["in a task", "at once"])
def way(request: pytest.FixtureRequest) -> Iterator[None]:
    """Both ways through the edge give the same answers."""
    ways.append(request.param)
    yield
    ways.clear()


def test_a_signed_call_reaches_the_container_byte_for_byte() -> None:
    client = Recorded()
    call = a_call("PUT", b"/v2/orders/a%20b/", query=b"x=1&x=%2F", body=b'{"a": 1}', headers=[(b"x-own", b"1")])
    got = send(an_edge(client), call)
    assert (got.status, got.body) == (200, b"{}")
    head, _, body = client.messages[0].partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"PUT /v2/orders/a%20b/?x=1&x=%2F HTTP/1.1"
    assert body == b'{"a": 1}'
    assert b"x-own: 1" in lines
    assert b"host: localhost:4566" in lines
    assert not [line for line in lines if line.startswith(b"authorization")]
    context = next(line for line in lines if line.startswith(b"x-amzn-request-context: "))
    read = orjson.loads(context.partition(b": ")[2])
    assert read["identity"]["accountId"] == STOREFRONT
    assert read["path"] == "/v2/orders/a%20b/"
    assert read["requestId"] == got.header(b"x-amzn-requestid")
    assert read["extendedRequestId"] == got.header(b"x-amz-apigw-id")
    lambda_context = next(line for line in lines if line.startswith(b"x-amzn-lambda-context: "))
    assert orjson.loads(lambda_context.partition(b": ")[2])["xray_trace_id"] == got.header(b"x-amzn-trace-id")


@pytest.mark.parametrize(
    ("request_", "address", "says"),
    [
        pytest.param(
            bare(path=b"/v2/orders", x_apigw_api_id=b"orders"),
            WORKBENCH_ADDRESS,
            "403 MissingAuthenticationTokenException Missing Authentication Token",
            id="an unsigned call",
        ),
        pytest.param(
            a_call(), PUBLIC_ADDRESS, "403 ForbiddenException Forbidden", id="a private API from the internet"
        ),
        pytest.param(
            bare(x_apigw_api_id=b"nothing"),
            PUBLIC_ADDRESS,
            "403 ForbiddenException Forbidden",
            id="an unknown API there",
        ),
        pytest.param(bare(), PUBLIC_ADDRESS, "403 ForbiddenException Forbidden", id="no API there"),
        pytest.param(
            bare("POST", body=b"Action=GetCallerIdentity"),
            PUBLIC_ADDRESS,
            "403 ForbiddenException Forbidden",
            id="no AWS service is reachable from the internet",
        ),
        pytest.param(
            bare("POST", body=b"Action=GetCallerIdentity"),
            ORDERS_ADDRESS,
            "403 ForbiddenException Forbidden",
            id="nor through a listener for one API",
        ),
        pytest.param(
            a_call(),
            CREDENTIALS_ADDRESS,
            "403 ForbiddenException Forbidden",
            id="an API through the credentials listener",
        ),
        pytest.param(bare(), WORKBENCH_ADDRESS, "403 ForbiddenException Forbidden", id="neither an API nor a service"),
        pytest.param(
            bare(x_amz_target=b"AmazonSQS.SendMessage"),
            WORKBENCH_ADDRESS,
            "403 ForbiddenException Forbidden",
            id="a service that is not served",
        ),
        pytest.param(
            bare(authorization=b"AWS4-HMAC-SHA256 Credential=A/20260115/eu-west-1/credentials/aws4_request"),
            WORKBENCH_ADDRESS,
            "403 ForbiddenException Forbidden",
            id="the credentials handler cannot be named by a scope",
        ),
        pytest.param(
            bare(path=b"/_harness/health"),
            PUBLIC_ADDRESS,
            "403 ForbiddenException Forbidden",
            id="health is not public",
        ),
        pytest.param(a_call(), ("127.0.0.1", 1), "403 ForbiddenException Forbidden", id="a listener nobody knows"),
        pytest.param(
            a_call(headers=[(b"host", b"stock.execute-api.localhost")]),
            WORKBENCH_ADDRESS,
            "400 BadRequestException Bad Request",
            id="two hosts",
        ),
        pytest.param(
            HttpRequest(
                "GET", b"/", b"", [(b"host", b"stock.execute-api.localhost"), (b"x-apigw-api-id", b"orders")], b""
            ),
            WORKBENCH_ADDRESS,
            "403 ForbiddenException Forbidden",
            id="host and header that differ",
        ),
        pytest.param(
            bare(x_own=b"x" * 10_240),
            WORKBENCH_ADDRESS,
            "431 BadRequestException Request Header Fields Too Large",
            id="431",
        ),
        pytest.param(
            bare("POST", transfer_encoding=b"gzip, chunked"),
            WORKBENCH_ADDRESS,
            "400 BadRequestException Bad Request",
            id="a coded body",
        ),
        pytest.param(
            bare("POST", content_length=b"10485761"),
            WORKBENCH_ADDRESS,
            "413 RequestEntityTooLargeException HTTP content length exceeded 10485760 bytes.",
            id="a length over the limit, before a byte is read",
        ),
    ],
)
def test_a_refusal_is_answered_in_api_gateways_words(request_: HttpRequest, address: Address, says: str) -> None:
    client = Recorded()
    got = send(an_edge(client), request_, address=address)
    assert got.says == says
    assert len(got.header(b"x-amzn-requestid") or "") == 36
    assert client.messages == []


def test_a_denied_call_has_a_capital_message() -> None:
    got = send(an_edge(Recorded()), a_call(role=STRANGER))
    assert list(orjson.loads(got.body)) == ["Message"]
    assert "execute-api:Invoke on resource: arn:aws:execute-api:eu-west-1:********1111:orders/v2/GET/orders" in got.says


def test_no_more_of_a_body_is_read_than_the_limit() -> None:
    request = bare("POST", b"/v2/orders", transfer_encoding=b"chunked", x_apigw_api_id=b"orders")
    got = send(an_edge(Recorded()), request, pieces=[b"x" * 10_485_760, b"x", AssertionError("read too far")])
    assert got.status == 413


@pytest.mark.parametrize(
    ("size", "status"),
    [pytest.param(10_485_760, 403, id="10 MiB are read"), pytest.param(10_485_761, 413, id="one byte more is not")],
)
def test_a_chunked_body_is_counted_as_it_arrives(size: int, status: int) -> None:
    pieces = [b"x" * 1_048_576] * (size // 1_048_576) + [b"x" * (size % 1_048_576)]
    request = bare("POST", b"/v2/orders", transfer_encoding=b"chunked", x_apigw_api_id=b"orders")
    assert send(an_edge(Recorded()), request, pieces=pieces).status == status


def test_a_chunked_body_is_verified_as_the_whole_that_it_is() -> None:
    client = Recorded()
    call = a_call("POST", body=b"abcdef")
    call.headers.append((b"transfer-encoding", b"chunked"))  # type: ignore[attr-defined]
    got = send(
        an_edge(client), HttpRequest("POST", call.raw_path, b"", call.headers, b""), pieces=[b"abc", b"", b"def"]
    )
    assert got.status == 200
    assert client.messages[0].endswith(b"\r\n\r\nabcdef")


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (UpstreamFault.TIMEOUT, "504 InternalServerErrorException Endpoint request timed out"),
        (UpstreamFault.NETWORK, "504 InternalServerErrorException Network error communicating with endpoint"),
        (UpstreamFault.MALFORMED, "502 InternalServerErrorException Internal server error"),
    ],
)
def test_what_goes_wrong_upstream_is_answered_as_an_integration_failure(fault: UpstreamFault, says: str) -> None:
    assert send(an_edge(Recorded(answer=fault)), a_call()).says == says


@pytest.mark.parametrize(
    ("plan", "says"),
    [
        pytest.param(UsagePlan(Limit(1, 1)), "429 TooManyRequestsException Too Many Requests", id="a limit"),
        pytest.param(UsagePlan(quota=Quota(1, Per.DAY)), "429 LimitExceededException Limit Exceeded", id="a quota"),
    ],
)
def test_a_call_over_its_callers_plan_does_not_reach_the_container(
    plan: UsagePlan, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = Recorded()
    edge = an_edge(client, apis={"orders": an_api(throttling=Throttling(plans={CALLER.arn: plan}))})
    assert send(edge, a_call()).status == 200
    got = send(edge, a_call())
    assert got.says == says
    assert got.header(b"x-amzn-requestid")
    assert len(client.messages) == 1
    assert "over the caller's" in caplog.text


def test_a_call_that_is_denied_is_not_counted() -> None:
    throttling = Throttling(Limit(1, 1))
    edge = an_edge(Recorded(), apis={"orders": an_api(throttling=throttling)})
    assert [send(edge, a_call(role=STRANGER)).status for _ in range(3)] == [403, 403, 403]
    assert [send(edge, a_call()).status for _ in range(2)] == [200, 429]
    assert send(edge, a_call(role=STRANGER)).status == 403


def test_the_container_has_the_apis_own_time() -> None:
    client = Recorded()
    assert send(an_edge(client, apis={"orders": an_api(timeout=2.5)}), a_call()).status == 200
    assert client.timeouts == [2.5]


@pytest.mark.parametrize(("size", "status"), [(1600, 200), (1601, 414)])
def test_a_method_arn_has_1600_bytes_at_most(size: int, status: int) -> None:
    path = b"/orders/"
    path += b"x" * (size - len(f"{API_ARN}/v2/GET") - len(path))
    got = send(an_edge(Recorded()), a_call(path=b"/v2" + path))
    assert got.status == status
    if status == 414:
        assert got.says == "414 None Request URI too long"


def test_a_status_that_is_no_status_is_malformed() -> None:
    assert send(an_edge(Recorded(answer=Answer(999, [], b""))), a_call()).status == 502


def test_a_method_override_is_routed_authorised_and_forwarded_as_that_method() -> None:
    client = Recorded()
    call = a_call("POST", b"/v2/orders/17", headers=[(b"x-http-method-override", b"delete")])
    assert send(an_edge(client), call).status == 200
    assert client.messages[0].startswith(b"DELETE /v2/orders/17 HTTP/1.1\r\n")
    assert b"method-override" not in client.messages[0]


@pytest.mark.parametrize(
    ("request_", "address", "body"),
    [
        pytest.param(bare(path=b"/_harness/health"), WORKBENCH_ADDRESS, b'{"status":"ok"}', id="health"),
        pytest.param(
            bare("POST", body=b"Action=GetCallerIdentity"),
            WORKBENCH_ADDRESS,
            b"workbench Action=GetCallerIdentity",
            id="an AWS service",
        ),
        pytest.param(bare(path=b"/v2/credentials/orders"), CREDENTIALS_ADDRESS, b"credentials ", id="credentials"),
    ],
)
def test_a_request_that_names_no_api(request_: HttpRequest, address: Address, body: bytes) -> None:
    got = send(an_edge(Recorded()), request_, address=address)
    assert (got.status, got.body) == (200, body)
    assert got.header(b"content-length") == str(len(body))
    assert got.header(b"x-amzn-requestid")


def test_an_api_may_be_called_that_looks_like_the_health_path() -> None:
    got = send(an_edge(Recorded()), bare(path=b"/_harness/health", x_apigw_api_id=b"orders"))
    assert got.says == "403 ForbiddenException Forbidden"


def test_a_services_own_request_id_stays() -> None:
    async def service(request: HttpRequest, place: NetworkPlace) -> HttpResponse:
        return HttpResponse(200, [(b"x-amzn-requestid", request.request_id.encode())], b"")

    got = send(an_edge(Recorded(), services={"sts": service}), bare("POST", body=b"Action=AssumeRole"))
    assert len([name for name, _ in got.headers if name == b"x-amzn-requestid"]) == 1


@pytest.mark.parametrize("patient", [True, False], ids=["a patient service", "a quick one"])
def test_a_service_that_waits_is_stopped_when_the_client_leaves(patient: bool) -> None:
    ended: list[str] = []
    waits = asyncio.Event()

    async def service(request: HttpRequest, place: NetworkPlace) -> HttpResponse:
        waits.set()
        try:
            await asyncio.sleep(3600 if patient else 0.1)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise
        ended.append("answered")
        return HttpResponse(200, [], b"")

    async def life() -> list[Any]:
        sent: list[Any] = []
        messages = [{"type": "http.request", "body": b"Action=AssumeRole", "more_body": False}]

        async def receive() -> dict[str, Any]:
            if messages:
                return messages.pop()
            await waits.wait()
            return {"type": "http.disconnect"}

        async def send_(message: Any) -> None:
            sent.append(message)

        edge = an_edge(Recorded(), services={"sts": service}, patient={"sts"} if patient else ())
        await edge(a_form_scope(), receive, send_)
        return sent

    sent = asyncio.run(life())
    assert (ended, bool(sent)) == ((["cancelled"], False) if patient else (["answered"], True))


def a_form_scope() -> dict[str, Any]:
    """Of a POST with `Action=AssumeRole` in its body."""
    return {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "raw_path": b"/",
        "query_string": b"",
        "headers": [(b"host", b"localhost:4566"), (b"content-length", b"17")],
        "server": WORKBENCH_ADDRESS,
        "client": ("10.0.0.7", 1),
    }


def test_a_fault_of_a_service_is_answered_and_goes_on_up() -> None:
    async def broken(request: HttpRequest, place: NetworkPlace) -> HttpResponse:
        raise ZeroDivisionError

    messages: list[Any] = []

    async def answer(message: Any) -> None:
        messages.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"Action=AssumeRole", "more_body": False}

    with pytest.raises(ZeroDivisionError):
        asyncio.run(an_edge(Recorded(), services={"sts": broken})(a_form_scope(), receive, answer))
    got = Got(messages)
    assert got.says == "500 InternalServerErrorException Internal server error"
    assert got.header(b"x-amzn-requestid")


def test_a_fault_of_ours_in_a_call_is_answered_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Recorded):
        async def exchange(self, *_: Any, **__: Any) -> Answer | UpstreamFault:
            raise ZeroDivisionError

    ways[:] = ["at once"]  # the server answers for an ASGI application
    edge = an_edge(Broken())
    got = send(edge, a_call("POST", body=b"abc"))
    assert got.says == "500 InternalServerErrorException Internal server error"
    assert str(got.header(b"x-amzn-requestid")) in caplog.text
    assert "ZeroDivisionError" in caplog.text
    assert edge._bodies.held == 0


@pytest.mark.parametrize("value", [b"1\r\nset-cookie: evil=1", b"1\n2", b"1\r2", b"1\0"])
def test_a_header_that_would_begin_another_does_not_reach_the_client(value: bytes) -> None:
    ways[:] = ["at once"]
    got = send(an_edge(Recorded(answer=Answer(200, [(b"x-a", value)], b"ok"))), a_call())
    assert got.says == "500 InternalServerErrorException Internal server error"


def test_a_listener_on_all_addresses_counts_for_its_port() -> None:
    places = {("0.0.0.0", 4566): PLACES[WORKBENCH_ADDRESS]}
    got = send(an_edge(Recorded(), places=places), a_call(), address=("172.18.0.2", 4566))
    assert got.status == 200


def test_addresses_behind_a_listener_on_all_of_them_are_not_collected() -> None:
    edge = an_edge(Recorded(), places={("0.0.0.0", 4566): PLACES[WORKBENCH_ADDRESS]})
    for number in range(3):
        assert send(edge, a_call(), address=(f"127.0.0.{number}", 4566)).status == 200
    assert edge._intake._listeners == {}


def test_a_client_that_reset_before_its_address_was_known_is_refused() -> None:
    """Policies rely on the address; a call without one must not pass for a call from nowhere."""
    client = Recorded()
    got = send(an_edge(client), a_call(), client=None)
    assert got.says == "400 BadRequestException Bad Request"
    assert client.messages == []


@pytest.mark.parametrize(
    ("wire", "routed", "length"),
    [
        pytest.param("GET", b"HEAD", "0", id="a GET that is routed as HEAD has no body"),
        pytest.param("HEAD", b"GET", "2", id="a HEAD that is routed as GET has the length alone"),
    ],
)
def test_an_answer_is_framed_for_the_method_on_the_wire(wire: str, routed: bytes, length: str) -> None:
    body = b"" if routed == b"HEAD" else b"{}"
    client = Recorded(answer=Answer(200, [(b"content-length", b"2")], body))
    got = send(an_edge(client), a_call(wire, b"/v2/orders/17", headers=[(b"x-http-method-override", routed)]))
    assert (got.status, got.header(b"content-length")) == (200, length)


def test_a_body_is_released_once_it_is_answered() -> None:
    edge = an_edge(Recorded())
    assert send(edge, a_call("POST", body=b"abc")).status == 200
    assert edge._bodies.held == 0


def test_through_a_listener_for_one_api_nothing_need_name_it() -> None:
    call = HttpRequest("GET", b"/v2/orders", b"", [(b"host", b"127.0.0.1:9001")], b"")
    got = send(an_edge(Recorded()), call, address=ORDERS_ADDRESS)
    assert got.says == "403 MissingAuthenticationTokenException Missing Authentication Token"


def test_the_lifespan_ends_by_closing_the_client() -> None:
    client = Recorded()
    arriving = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    sent: list[str] = []

    async def receive() -> dict[str, Any]:
        return next(arriving)

    async def answer(message: Any) -> None:
        sent.append(message["type"])

    asyncio.run(an_edge(client)({"type": "lifespan"}, receive, answer))
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert client.closed


def test_a_client_that_leaves_before_its_body_is_whole_gets_nothing() -> None:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def answer(message: Any) -> None:
        sent.append(message)

    request = bare("POST", content_length=b"3")
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "raw_path": b"/",
        "query_string": b"",
        "headers": request.headers,
        "server": WORKBENCH_ADDRESS,
        "client": ("10.0.0.7", 1),
    }
    asyncio.run(an_edge(Recorded())(scope, receive, answer))
    assert sent == []
