from collections.abc import Sequence

import pytest

from harness.gateway.answer_head import answer_headers
from harness.gateway.client_head import MAX_HEAD_BYTES, ClientHead, layout_of
from harness.gateway.exchange import Answer
from harness.gateway.forward import place_lines, request_bytes
from harness.wire import NetworkPlace, PlaceKind
from tests.access.landscape import WORKBENCH

Headers = Sequence[tuple[bytes, bytes]]


def forwarded(headers: Headers, *, method: str = "GET", body: bytes = b"") -> list[tuple[bytes, bytes]]:
    """The headers that the container gets for a client's `headers`, the gateway's own among them."""
    message = request_bytes(
        method,
        b"/v2/orders",
        ClientHead(headers),
        body,
        host=b"localhost:4566",
        client_ip="10.0.0.7",
        place_fields=place_lines(WORKBENCH, 4566, "http"),
        trace_id="Root=1-x",
        request_context=b"{}",
        lambda_context=b"[]",
    )
    head, _, rest = message.partition(b"\r\n\r\n")
    assert rest == body
    lines = head.split(b"\r\n")
    assert lines[0] == method.encode() + b" /v2/orders HTTP/1.1"
    return [(name, value) for name, _, value in (line.partition(b": ") for line in lines[1:])]


OWN = [
    (b"host", b"localhost:4566"),
    (b"x-forwarded-for", b"10.0.0.7"),
    (b"x-forwarded-port", b"4566"),
    (b"x-forwarded-proto", b"http"),
    (b"x-amzn-vpce-id", b"vpce-0workbench"),
    (b"x-amzn-vpc-id", b"vpc-0workbench"),
    (b"x-amzn-vpce-config", b"1"),
    (b"x-amzn-trace-id", b"Root=1-x"),
    (b"x-amzn-request-context", b"{}"),
    (b"x-amzn-lambda-context", b"[]"),
]


@pytest.mark.parametrize(
    ("sent", "passed"),
    [
        pytest.param([], [], id="nothing sent"),
        pytest.param([(b"accept", b"*/*"), (b"x-a", b"1"), (b"x-a", b"2")], None, id="order and repetition are kept"),
        pytest.param([(b"user-agent", b"curl"), (b"x-apigw-api-id", b"orders")], None, id="agent and API id pass"),
        pytest.param([(b"x-amz-date", b"d"), (b"x-amz-security-token", b"t")], None, id="date and token pass"),
        pytest.param([(b"authorization", b"AWS4-HMAC-SHA256 x")], [], id="the signature is dropped"),
        pytest.param(
            [
                (b"connection", b"keep-alive"),
                (b"keep-alive", b"5"),
                (b"proxy-authorization", b"x"),
                (b"proxy-connection", b"close"),
                (b"te", b"trailers"),
                (b"trailer", b"x"),
                (b"transfer-encoding", b"chunked"),
                (b"upgrade", b"h2c"),
                (b"expect", b"100-continue"),
            ],
            [],
            id="hop-by-hop headers are dropped",
        ),
        pytest.param(
            [(b"x-hop", b"1"), (b"connection", b"close, X-Hop"), (b"x-end", b"2")],
            [(b"x-end", b"2")],
            id="a header named in Connection is dropped, whichever comes first",
        ),
        pytest.param(
            [(b"connection", b"x-forwarded-for, x-amzn-request-context, host")],
            [],
            id="naming the gateway's headers in Connection does not drop them",
        ),
        pytest.param([(b"x-amzn-request-context", b"{}")], [], id="a client's request context"),
        pytest.param([(b"x_amzn_request_context", b"{}")], [], id="a request context with underscores"),
        pytest.param([(b"x-amzn_request-context", b"{}")], [], id="a request context with one underscore"),
        pytest.param([(b"x.amzn.request.context", b"{}")], [], id="a request context with dots"),
        pytest.param([(b"x_amzn_lambda_context", b"{}")], [], id="a lambda context with underscores"),
        pytest.param([(b"x-amzn-trace-id", b"x"), (b"x_amzn_trace_id", b"x")], [], id="a client's trace id"),
        pytest.param([(b"x-amzn-vpce-id", b"vpce-1"), (b"x-amzn_vpc-id", b"vpc-1")], [], id="a client's endpoint"),
        pytest.param(
            [(b"x-forwarded-for", b"1.1.1.1"), (b"x_forwarded_proto", b"https")], [], id="a client's forwarded headers"
        ),
        pytest.param([(b"x-amz-tenant-id", b"t")], [], id="a client's tenant"),
        pytest.param([(b"content_length", b"9"), (b"transfer_encoding", b"x")], [], id="framing with underscores"),
        pytest.param([(b"x-http-method-override", b"DELETE")], [], id="the method override, already applied"),
        pytest.param([(b"x-amzn-request-contexts", b"1")], None, id="a name that is only similar passes"),
        pytest.param([(b"x-latin", b"caf\xe9")], None, id="bytes beyond ASCII pass as they are"),
    ],
)
def test_a_clients_headers_on_their_way_to_the_container(sent: Headers, passed: Headers | None) -> None:
    """`passed` None: all of them."""
    got = forwarded(sent)
    assert [header for header in got if header not in OWN] == list(sent if passed is None else passed)
    assert [header for header in got if header in OWN] == OWN


@pytest.mark.parametrize(
    ("method", "sent", "body", "length"),
    [
        pytest.param("GET", [], b"", None, id="a GET without body has none"),
        pytest.param("POST", [], b"", b"0", id="a POST without body says so"),
        pytest.param("POST", [(b"transfer-encoding", b"chunked")], b"abc", b"3", id="a chunked body gets its length"),
        pytest.param("GET", [(b"content-length", b"3")], b"abc", b"3", id="a GET with a body"),
        pytest.param("DELETE", [(b"content-length", b"0")], b"", None, id="a DELETE without body"),
    ],
)
def test_the_container_gets_the_length_of_the_body(
    method: str, sent: Headers, body: bytes, length: bytes | None
) -> None:
    got = forwarded(sent, method=method, body=body)
    assert [value for name, value in got if name == b"content-length"] == ([] if length is None else [length])


def test_a_call_from_the_public_internet_has_no_endpoint_headers() -> None:
    fields = place_lines(NetworkPlace("public", PlaceKind.PUBLIC), 4567, "http")
    assert fields == b"x-forwarded-port: 4567\r\nx-forwarded-proto: http\r\n"


@pytest.mark.parametrize(
    ("headers", "problem"),
    [
        pytest.param([(b"host", b"a"), (b"host", b"a")], "two host headers", id="two hosts, even equal ones"),
        pytest.param(
            [(b"x-apigw-api-id", b"a"), (b"x-apigw-api-id", b"b")],
            "two different x-apigw-api-id headers",
            id="two APIs",
        ),
        pytest.param([(b"x-apigw-api-id", b"a"), (b"x-apigw-api-id", b"a")], "", id="the same API twice"),
        pytest.param(
            [(b"x-http-method-override", b"PUT"), (b"x-http-method-override", b"DELETE")],
            "two different x-http-method-override headers",
            id="two methods",
        ),
        pytest.param(
            [(b"user-agent", b"trusted"), (b"user-agent", b"other")],
            "two different user-agent headers",
            id="two programs, of which a policy would see the one and the container the other",
        ),
        pytest.param(
            [(b"transfer-encoding", b"gzip, chunked")], "a transfer coding other than chunked", id="a coded body"
        ),
        pytest.param([(b"content-length", b"1x")], "content-length is not a number", id="a length that is no number"),
    ],
)
def test_a_head_that_can_be_read_in_two_ways_is_a_problem(headers: Headers, problem: str) -> None:
    assert ClientHead(headers).problem == problem


def test_values_lose_the_white_space_around_them() -> None:
    head = ClientHead([(b"x-a", b" 1\t"), (b"host", b"h ")])
    assert head.headers == [(b"x-a", b"1"), (b"host", b"h")]
    assert (head.host, head.size) == (b"h", 9)


def test_the_memory_of_header_names_is_bounded() -> None:
    for number in range(2_000):
        ClientHead([(b"x-%d" % number, b"")])
    known = layout_of.cache_info()
    assert known.maxsize is not None
    assert known.currsize == known.maxsize < 2_000


def test_a_head_that_is_too_large_is_read_no_further() -> None:
    layout_of.cache_clear()
    head = ClientHead([(b"x-%05d" % number, b"") for number in range(8000)])
    assert head.size > MAX_HEAD_BYTES
    assert layout_of.cache_info().currsize == 0


def test_a_percent_sign_in_a_name_is_no_placeholder() -> None:
    assert [header for header in forwarded([(b"x-%b", b"1"), (b"x-%", b"%d")]) if header not in OWN] == [
        (b"x-%b", b"1"),
        (b"x-%", b"%d"),
    ]
    answer = Answer(200, [(b"x-%b", b"%b")], b"")
    assert answer_headers(answer, "GET", ("id", "ext", "trace"))[0] == (b"x-%b", b"%b")


IDS = [(b"x-amzn-requestid", b"id"), (b"x-amz-apigw-id", b"ext"), (b"x-amzn-trace-id", b"trace")]


@pytest.mark.parametrize(
    ("status", "method", "answer", "complete", "got"),
    [
        pytest.param(
            200,
            "GET",
            [(b"content-type", b"a/b"), (b"content-length", b"2")],
            True,
            [
                (b"content-type", b"a/b"),
                *IDS,
                (b"content-length", b"2"),
                (b"x-amzn-remapped-content-length", b"2"),
            ],
            id="the length stays right, and is remapped too",
        ),
        pytest.param(
            200,
            "GET",
            [(b"date", b"d"), (b"server", b"s"), (b"www-authenticate", b"w")],
            True,
            [
                (b"x-amzn-remapped-date", b"d"),
                (b"x-amzn-remapped-server", b"s"),
                (b"x-amzn-remapped-www-authenticate", b"w"),
                *IDS,
                (b"content-length", b"2"),
            ],
            id="date, server and challenge are remapped",
        ),
        pytest.param(
            200,
            "GET",
            [(b"x-amzn-requestid", b"forged"), (b"x-amzn-errortype", b"forged")],
            True,
            [
                (b"x-amzn-remapped-x-amzn-requestid", b"forged"),
                (b"x-amzn-remapped-x-amzn-errortype", b"forged"),
                *IDS,
                (b"content-length", b"2"),
            ],
            id="a container cannot speak for the gateway",
        ),
        pytest.param(
            200,
            "GET",
            [(b"x-hop", b"1"), (b"connection", b"x-hop, x-amzn-requestid"), (b"keep-alive", b"5"), (b"a", b"1")],
            True,
            [(b"a", b"1"), *IDS, (b"content-length", b"2")],
            id="hop-by-hop headers end here",
        ),
        pytest.param(
            200,
            "GET",
            [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")],
            True,
            [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2"), *IDS, (b"content-length", b"2")],
            id="repeated headers stay apart",
        ),
        pytest.param(200, "GET", [(b"transfer-encoding", b"chunked")], False, IDS, id="a stream has no length"),
        pytest.param(
            200,
            "GET",
            [(b"content-length", b"99")],
            False,
            [*IDS, (b"content-length", b"99"), (b"x-amzn-remapped-content-length", b"99")],
            id="a long body keeps its length while it streams",
        ),
        pytest.param(
            200,
            "HEAD",
            [(b"content-length", b"99")],
            True,
            [*IDS, (b"content-length", b"99"), (b"x-amzn-remapped-content-length", b"99")],
            id="HEAD tells the length of what GET would send",
        ),
        pytest.param(204, "DELETE", [(b"content-length", b"0")], True, IDS, id="204 has no length"),
        pytest.param(304, "GET", [(b"etag", b"1"), (b"content-length", b"9")], True, [(b"etag", b"1"), *IDS], id="304"),
    ],
)
def test_an_answers_headers_on_their_way_to_the_client(
    status: int, method: str, answer: Headers, complete: bool, got: Headers
) -> None:
    passed_on = Answer(status, list(answer), b"{}")
    passed_on.complete = complete
    assert answer_headers(passed_on, method, ("id", "ext", "trace")) == got
