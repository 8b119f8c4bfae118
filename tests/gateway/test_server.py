"""The edge in a real server, spoken to in bytes: hostile heads, framing, streaming, connections that die."""

import asyncio
import gc
import threading
from collections.abc import Iterator

import orjson
import pytest

from harness.gateway.call import Call
from harness.gateway.exchange import Exchange
from harness.gateway.passage import Passage
from harness.gateway.protocol import EdgeProtocol
from tests.access.landscape import NOON
from tests.gateway.containers import OK, Wire
from tests.gateway.landscape import a_call
from tests.gateway.running import Answered, RawClient, Running, on_the_wire, running

SIGNED = on_the_wire(a_call())
SIGNED_POST = a_call("POST", body=b'{"sku":"A-1"}')


async def echo(wire: Wire) -> None:
    """Answers with the request's head and body as JSON; understands lengths only, as the gateway always sends one."""
    while True:
        head = await wire.request()
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length: "):
                length = int(line[16:])
        body = await wire.reader.readexactly(length)
        told = orjson.dumps({"head": head.decode("latin-1").split("\r\n")[:-2], "body": body.decode("latin-1")})
        if head.startswith(b"HEAD"):
            told = b""
        await wire.say(
            b"HTTP/1.1 200 OK\r\ndate: then\r\nserver: container\r\ncontent-type: application/json\r\n"
            b"content-length: %d\r\n\r\n" % len(told),
            told,
        )


@pytest.fixture(scope="module")
def edge() -> Iterator[Running]:
    with running(echo) as started:
        yield started


@pytest.fixture
def client(edge: Running) -> Iterator[RawClient]:
    opened = RawClient(edge.address)
    yield opened
    opened.close()


def container_saw(answer: Answered) -> list[str]:
    lines: list[str] = orjson.loads(answer.body)["head"]
    return lines


def test_a_signed_call_comes_back_with_the_gateways_headers(client: RawClient) -> None:
    client.send(SIGNED)
    got = client.answer()
    assert got.status == 200
    assert container_saw(got)[0] == "GET /v2/orders HTTP/1.1"
    assert len(got.headers["x-amzn-requestid"]) == 36
    assert got.headers["x-amz-apigw-id"].endswith("=")
    assert got.headers["x-amzn-remapped-date"] == "then"
    assert got.headers["x-amzn-remapped-server"] == "container"
    assert got.headers["date"] != "then"
    assert "server" not in got.headers


def test_calls_on_one_connection_share_it_and_the_containers(edge: Running, client: RawClient) -> None:
    for _ in range(5):
        client.send(SIGNED)
        assert client.answer().status == 200
    assert edge.open_upstream_connections() == 1


@pytest.mark.slow
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_call_that_is_over_leaves_nothing_for_the_collector_of_cycles(client: RawClient, method: str) -> None:
    body = b"abc" if method == "PUT" else b""
    gc.collect()
    gc.disable()
    try:
        for _ in range(20):
            client.send(on_the_wire(a_call(method, b"/v2/orders/17", body=body)))
            assert client.answer().status == 200
        left = [each for each in gc.get_objects() if isinstance(each, Call | Exchange | Passage)]
    finally:
        gc.enable()
    assert len(left) < 10


def test_pipelined_calls_are_answered_in_order(client: RawClient) -> None:
    paths = [b"/v2/orders/%d" % number for number in range(8)]
    client.send(b"".join(on_the_wire(a_call(path=path)) for path in paths))
    seen = [container_saw(client.answer())[0].split(" ")[1].encode() for _ in paths]
    assert seen == paths


def test_a_refused_call_does_not_disturb_the_one_behind_it(client: RawClient) -> None:
    client.send(on_the_wire(a_call(path=b"/v2/orders/secret")) + SIGNED)
    assert [client.answer().status, client.answer().status] == [403, 200]


def test_head_is_answered_without_a_body(client: RawClient) -> None:
    call = a_call("HEAD", b"/v2/orders/17")
    client.send(on_the_wire(call) + SIGNED)
    assert client.answer("HEAD").status == 200
    assert client.answer().status == 200


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([b"d\r\n" + SIGNED_POST.body + b"\r\n0\r\n\r\n"], id="in one chunk"),
        pytest.param([b'3\r\n{"s\r\n', b'a;x=y\r\nku":"A-1"}\r\n', b"0\r\nx-trailer: 1\r\n\r\n"], id="in several"),
    ],
)
def test_a_chunked_body_reaches_the_container_with_its_length(client: RawClient, pieces: list[bytes]) -> None:
    client.send(on_the_wire(SIGNED_POST, b"transfer-encoding: chunked", body=False), *pieces)
    got = client.answer()
    assert got.status == 200
    assert orjson.loads(got.body)["body"] == '{"sku":"A-1"}'
    assert "content-length: 13" in container_saw(got)
    assert not [line for line in container_saw(got) if line.startswith(("transfer-encoding", "x-trailer"))]


@pytest.mark.parametrize(
    "trailer",
    [
        pytest.param(b"x-apigw-api-id: stock", id="the API"),
        pytest.param(b"host: evil", id="the host"),
        pytest.param(b"authorization: x", id="another signature"),
        pytest.param(b"x-amz-security-token: x", id="another token"),
        pytest.param(b"x-own: 1", id="a header of its own"),
    ],
)
def test_a_trailer_that_arrives_with_the_head_is_no_header(client: RawClient, trailer: bytes) -> None:
    head = on_the_wire(SIGNED_POST, b"transfer-encoding: chunked", body=False)
    client.send(head + b"d\r\n" + SIGNED_POST.body + b"\r\n0\r\n" + trailer + b"\r\n\r\n")
    got = client.answer()
    assert got.status == 200
    assert not [line for line in container_saw(got) if line.startswith(("x-own", "host: evil"))]


CHUNKED = b"POST /v2/orders HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("begin", "more"),
    [
        pytest.param(b"0\r\n", b"x-a: 1\r\n" * 1024, id="trailers"),
        pytest.param(b"0\r\nx-a: ", b"x" * 8192, id="one trailer"),
        pytest.param(b"1;", b"x" * 8192, id="the extension of a chunk"),
    ],
)
def test_what_follows_a_head_without_end_is_refused(client: RawClient, begin: bytes, more: bytes) -> None:
    client.send(CHUNKED + begin)
    client.send_until_refused(more, most=64)
    assert client.answer().status == 431


def test_the_rest_of_a_refused_body_does_not_hide_the_refusal(client: RawClient) -> None:
    client.send(b"POST /v2/orders HTTP/1.1\r\nhost: x\r\nhost: y\r\ncontent-length: 1000000\r\n\r\n")
    client.send(b"x" * 1_000_000, SIGNED)
    assert [client.answer().status, client.answer().status] == [400, 200]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EdgeProtocol, "patience", 0.05)


def lose_patience(edge: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on, with clients whose calls have arrived, however late a busy machine sent them."""

    def look_again(connection: EdgeProtocol) -> None:
        if connection._watch is not None:
            connection._watch.cancel()
        connection._look()

    monkeypatch.setattr(EdgeProtocol, "patience", 0.05)
    edge.with_each_connection(look_again)


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"GET /v2/orders HTTP/1.1\r\nhost: x\r\n", id="half a head"),
        pytest.param(b"POST /v2/orders HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nabc", id="half a body"),
        pytest.param(CHUNKED + b"3\r\nabc\r\n", id="chunks without the last"),
        pytest.param(CHUNKED + b"0\r\nx-a: 1\r\n", id="trailers without end"),
    ],
)
@pytest.mark.usefixtures("impatient")
def test_a_client_that_owes_the_rest_is_not_waited_for(edge: Running, sent: bytes) -> None:
    client = RawClient(edge.address)
    client.send(sent)
    assert client.ended()


def test_empty_lines_do_not_keep_an_idle_connection(edge: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    client = RawClient(edge.address)
    client.send(SIGNED)
    assert client.answer().status == 200
    lose_patience(edge, monkeypatch)
    client.send(b"\r\n")
    assert client.ended()


def test_a_slow_container_is_not_the_clients_debt(monkeypatch: pytest.MonkeyPatch) -> None:
    arrived, more = threading.Event(), threading.Event()

    async def late(wire: Wire) -> None:
        await wire.request()
        arrived.set()
        await asyncio.to_thread(more.wait, 60)
        await wire.say(OK)

    with running(late) as edge:
        client = RawClient(edge.address)
        client.send(SIGNED)
        assert arrived.wait(60)
        lose_patience(edge, monkeypatch)
        other = RawClient(edge.address)
        assert other.ended()  # which sent nothing, and so waited longer than the clients' time
        more.set()
        assert client.answer().body == b"ok"


def test_a_client_that_does_not_read_is_left_and_the_containers_connection_freed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arrived, closed = threading.Event(), threading.Event()

    async def pour(wire: Wire) -> None:
        await wire.request()
        arrived.set()
        try:
            await wire.say(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
            while True:
                await wire.say(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
        finally:
            closed.set()

    with running(pour) as edge:
        client = RawClient(edge.address)
        client.send(SIGNED)
        assert arrived.wait(60)
        lose_patience(edge, monkeypatch)
        assert closed.wait(60)


def test_a_client_that_waits_is_told_to_continue(client: RawClient) -> None:
    head, _, body = on_the_wire(SIGNED_POST, b"expect: 100-continue").partition(b"\r\n\r\n")
    client.send(head + b"\r\n\r\n")
    assert client.answer().status == 100
    client.send(body)
    got = client.answer()
    assert got.status == 200
    assert not [line for line in container_saw(got) if line.startswith("expect")]


def test_a_client_that_waits_with_too_much_is_refused_before_it_sends(client: RawClient) -> None:
    client.send(b"POST /v2/orders HTTP/1.1\r\nhost: x\r\ncontent-length: 10485761\r\nexpect: 100-continue\r\n\r\n")
    got = client.answer()
    assert (got.status, orjson.loads(got.body)) == (413, {"message": "HTTP content length exceeded 10485760 bytes."})


def test_http_1_0_is_served_and_its_connection_closed(client: RawClient) -> None:
    client.send(on_the_wire(a_call(), version=b"1.0"))
    assert client.answer().status == 200
    assert client.ended()


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(
            b"POST /v2/orders HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\na", id="two lengths"
        ),
        pytest.param(b"POST /v2/orders HTTP/1.1\r\nhost: x\r\ncontent-length: 1, 1\r\n\r\na", id="a list of lengths"),
        pytest.param(b"POST /v2/orders HTTP/1.1\r\nhost: x\r\ncontent-length: +1\r\n\r\na", id="a length with a sign"),
        pytest.param(
            b"POST /v2/orders HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            id="length and chunks",
        ),
        pytest.param(
            b"POST /v2/orders HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n",
            id="chunks and length",
        ),
        pytest.param(
            b"POST /v2/orders HTTP/1.1\r\nhost: x\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
            id="an unknown coding",
        ),
        pytest.param(
            b"POST /v2/orders HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
            id="chunked not last",
        ),
        pytest.param(
            b"POST /v2/orders HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
            id="a chunk without size",
        ),
        pytest.param(b"GET /v2/orders HTTP/1.1\r\nhost: x\r\nx-a: 1\r\n folded\r\n\r\n", id="a folded header"),
        pytest.param(b"GET /v2/orders HTTP/1.1\r\nhost: x\r\nx-a: 1\rx-b: 2\r\n\r\n", id="a bare CR"),
        pytest.param(b"GET /v2/orders HTTP/1.1\nhost: x\n\n", id="bare LFs"),
        pytest.param(b"GET /v2/orders HTTP/1.1\r\nhost: x\r\nx-a: 1\x00\r\n\r\n", id="a NUL in a value"),
        pytest.param(b"GET /v2/orders HTTP/1.1\r\nhost: x\r\nx-a : 1\r\n\r\n", id="a space before the colon"),
        pytest.param(b"GET /v2/orders HTTP/1.1\r\nhost: x\r\nx a: 1\r\n\r\n", id="a space in a name"),
        pytest.param(b"GET /v2/orders HTTP/1.1\r\nhost: x\r\nnocolon\r\n\r\n", id="a header without colon"),
        pytest.param(b"GET /v2/caf\xc3\xa9 HTTP/1.1\r\nhost: x\r\n\r\n", id="raw bytes in the path"),
        pytest.param(b"GET http://evil/v2/orders HTTP/1.1\r\nhost: x\r\n\r\n", id="an absolute target"),
        pytest.param(b"GET /v2/orders#a HTTP/1.1\r\nhost: x\r\n\r\n", id="a fragment"),
        pytest.param(b"GET /v2/orders?a=1#a HTTP/1.1\r\nhost: x\r\n\r\n", id="a fragment behind a query"),
        pytest.param(b"OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n", id="an asterisk"),
        pytest.param(b"CONNECT evil:443 HTTP/1.1\r\nhost: x\r\n\r\n", id="CONNECT"),
        pytest.param(b"get /v2/orders HTTP/1.1\r\nhost: x\r\n\r\n", id="a method in lower case"),
        pytest.param(b"GET /v2/orders\r\n\r\n", id="HTTP/0.9"),
        pytest.param(b"GET /v2/orders HTTP/2.0\r\nhost: x\r\n\r\n", id="HTTP/2.0"),
        pytest.param(b"GET /v2/orders HTTP/1.2\r\nhost: x\r\n\r\n", id="HTTP/1.2"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00", id="a TLS hello"),
        pytest.param(
            b"POST /v2/orders HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: x\r\ncontent-length: 2\r\n\r\nab",
            id="an upgrade with a body",
        ),
        pytest.param(
            b"GET /v2/orders HTTP/1.1\r\nhost: orders.execute-api.localhost\r\nhost: x\r\n\r\n", id="two hosts"
        ),
    ],
)
def test_a_head_with_two_readings_is_a_bad_request_with_an_id(client: RawClient, head: bytes) -> None:
    client.send(head)
    got = client.answer()
    assert (got.status, orjson.loads(got.body)) == (400, {"message": "Bad Request"})
    assert len(got.headers["x-amzn-requestid"]) == 36
    assert got.headers["x-amzn-errortype"] == "BadRequestException"


def test_an_offer_to_upgrade_is_declined_by_answering(client: RawClient) -> None:
    client.send(on_the_wire(a_call(), b"connection: Upgrade, HTTP2-Settings", b"upgrade: h2c", b"http2-settings: AAAA"))
    got = client.answer()
    assert got.status == 200
    assert not [line for line in container_saw(got) if line.startswith(("upgrade", "connection", "http2-settings"))]


@pytest.mark.parametrize(
    ("pieces", "status"),
    [
        pytest.param([b"GET /v2/orders HTTP/1.1\r\nx-a: " + b"x" * 11_000 + b"\r\n\r\n"], 431, id="a long header"),
        pytest.param([b"GET /v2/orders?" + b"x" * 11_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n"], 431, id="a long query"),
        pytest.param([b"GET /v2/orders HTTP/1.1\r\nx-a: ", *[b"x" * 8192] * 8], 431, id="a header without end"),
        pytest.param([b"GET /", *[b"x" * 8192] * 8], 431, id="a target without end"),
        pytest.param([b"GET / HTTP/1.1\r\n", *[b"x-a: 1\r\n" * 1024] * 8], 431, id="headers without end"),
    ],
)
def test_huge_heads_are_refused(client: RawClient, pieces: list[bytes], status: int) -> None:
    client.send(*pieces)
    got = client.answer()
    assert got.status == status
    assert got.headers["x-amzn-requestid"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        pytest.param(b"/v2/orders/%2e%2e/orders", 400, id="encoded dots"),
        pytest.param(b"/v2/orders/../orders", 400, id="dots"),
        pytest.param(b"/v2/orders/..;/orders", 400, id="dots with a semicolon"),
        pytest.param(b"/v2/orders%2F17", 400, id="an encoded slash"),
        pytest.param(b"/v2/orders/%00", 400, id="an encoded NUL"),
        pytest.param(b"/v2/orders/%5c", 400, id="an encoded backslash"),
        pytest.param(b"/v2/orders/\\", 400, id="a backslash"),
        pytest.param(b"/v2/orders/%", 400, id="half an escape"),
        pytest.param(b"//v2/orders", 403, id="two slashes before the stage"),
        pytest.param(b"/v2//orders", 403, id="two slashes in the path"),
        pytest.param(b"/v2/orders//", 403, id="two slashes at the end"),
        pytest.param(b"/V2/orders", 403, id="the stage in another case"),
        pytest.param(b"/v2/Orders", 403, id="the path in another case"),
        pytest.param(b"/v2/orders/secret", 403, id="a denied path"),
        pytest.param(b"/v2/orders/%73ecret", 403, id="a denied path with an escape"),
        pytest.param(b"/v2/orders/secret;a=b", 403, id="a denied path with parameters"),
        pytest.param(b"/v2/orders/secret%3Ba", 403, id="a denied path with encoded parameters"),
    ],
)
def test_no_path_is_authorised_under_one_name_and_served_under_another(
    client: RawClient, path: bytes, status: int
) -> None:
    client.send(on_the_wire(a_call(path=path)))
    assert client.answer().status == status


@pytest.mark.parametrize(
    "path",
    [
        b"/v2/orders/",
        b"/v2/orders/a%20b",
        b"/v2/orders/a;b",
        b"/v2/orders/%e2%82%ac",
        b"/v2/orders/a:b@c,d",
        b"/v2/orders/~x",
    ],
)
def test_a_path_is_forwarded_exactly_as_it_was_authorised(client: RawClient, path: bytes) -> None:
    client.send(on_the_wire(a_call(path=path, query=b"a=%2F&b=..%2f&c")))
    got = client.answer()
    assert got.status == 200
    assert container_saw(got)[0] == f"GET {path.decode()}?a=%2F&b=..%2f&c HTTP/1.1"


def test_a_clients_copies_of_the_gateways_headers_do_not_reach_the_container(client: RawClient) -> None:
    forged = [
        b'x-amzn-request-context: {"forged":1}',
        b'X_Amzn_Request_Context: {"forged":1}',
        b'X-AMZN_request-context: {"forged":1}',
        b'x-amzn-lambda-context: {"forged":1}',
        b"x_amzn_lambda_context: forged",
        b"x-amzn-trace-id: forged",
        b"x-amzn-vpce-id: forged",
        b"x-forwarded-for: forged",
        b"x_forwarded_for: forged",
        b"x-forwarded-proto: forged",
        b"connection: x-amzn-request-context, x-amzn-lambda-context",
    ]
    client.send(on_the_wire(a_call(), *forged))
    lines = container_saw(client.answer())
    assert not [line for line in lines if "forged" in line]
    names = [line.partition(":")[0] for line in lines[1:]]
    for name in (
        "x-amzn-request-context",
        "x-amzn-lambda-context",
        "x-amzn-trace-id",
        "x-amzn-vpce-id",
        "x-forwarded-for",
    ):
        assert names.count(name) == 1
    assert "authorization" not in names


def test_a_body_beside_the_one_that_was_signed_is_refused(client: RawClient) -> None:
    client.send(on_the_wire(SIGNED_POST).replace(b"A-1", b"A-2"))
    got = client.answer()
    assert (got.status, got.headers["x-amzn-errortype"]) == (403, "InvalidSignatureException")


def test_bytes_after_a_request_are_the_next_request_and_nothing_else(client: RawClient) -> None:
    """What a smuggler hides behind a signed request is answered on its own, without a signature."""
    client.send(SIGNED + b"GET /v2/orders HTTP/1.1\r\nhost: x\r\nx-apigw-api-id: orders\r\n\r\n")
    assert client.answer().status == 200
    got = client.answer()
    assert (got.status, orjson.loads(got.body)) == (403, {"message": "Missing Authentication Token"})


def test_the_request_context_names_the_moment(client: RawClient) -> None:
    client.send(SIGNED)
    context = next(line for line in container_saw(client.answer()) if line.startswith("x-amzn-request-context: "))
    assert orjson.loads(context.partition(": ")[2])["requestTimeEpoch"] == int(NOON.timestamp() * 1000)
