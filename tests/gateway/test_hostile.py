"""What a client may do to the edge in bytes, in numbers and in time; the edge stays up and answers everybody else."""

from collections.abc import Iterator

import orjson
import pytest

from harness.gateway.protocol import MAX_WAITING, EdgeProtocol
from harness.gateway.server import affordable_connections
from tests.gateway.cases.hostile import BYTES, GET, HOST, NEXT, POST, SMUGGLED
from tests.gateway.containers import OK, Wire
from tests.gateway.landscape import a_call
from tests.gateway.running import RawClient, Running, on_the_wire, running
from tests.gateway.test_server import SIGNED, SIGNED_POST, container_saw, echo


@pytest.fixture(scope="module")
def edge() -> Iterator[Running]:
    with running(echo) as started:
        yield started


@pytest.fixture
def client(edge: Running) -> Iterator[RawClient]:
    opened = RawClient(edge.address)
    yield opened
    opened.close()


@pytest.mark.parametrize(("sent", "status"), [pytest.param(sent, status, id=name) for name, sent, status in BYTES])
def test_bytes_that_are_no_text_are_refused_and_break_nothing(client: RawClient, sent: bytes, status: int) -> None:
    client.send(sent)
    got = client.answer()
    assert got.status == status
    assert got.headers["x-amzn-requestid"]
    assert set(orjson.loads(got.body)) == {"message"}


@pytest.mark.parametrize("sent", [pytest.param(sent, id=name) for name, sent in SMUGGLED])
def test_what_could_be_cut_apart_in_two_ways_ends_the_connection(client: RawClient, sent: bytes) -> None:
    client.send(sent + NEXT)
    assert client.answer().status == 400
    assert client.ended()


def test_a_header_that_is_spelt_almost_like_a_framing_one_frames_nothing(client: RawClient) -> None:
    client.send(on_the_wire(SIGNED_POST, b"transfer_encoding: chunked") + SIGNED)
    got = client.answer()
    assert got.status == 200
    assert not [line for line in container_saw(got) if line.startswith("transfer")]
    assert client.answer().status == 200


def test_http_1_1_has_a_host(client: RawClient) -> None:
    client.send(b"GET /v2/orders HTTP/1.1\r\nx-apigw-api-id: orders\r\n\r\n")
    assert client.answer().status == 400


def test_a_head_begun_behind_a_long_body_is_not_counted_with_it(client: RawClient) -> None:
    call = a_call("POST", body=b"x" * 200_000)
    half = len(SIGNED) // 2
    for _ in range(20):  # how much of it arrives in one piece is the system's to say
        client.send(on_the_wire(call) + SIGNED[:half])
        assert client.answer().status == 200
        client.send(SIGNED[half:])
        assert client.answer().status == 200


def test_a_flood_of_pipelined_requests_is_answered_as_far_as_they_may_wait(client: RawClient) -> None:
    client.send_until_refused(SIGNED * 1000, most=1)
    answered = 1
    while (got := client.answer()).headers.get("connection") != "close":
        assert got.status == 200
        answered += 1
    assert got.status == 200
    assert MAX_WAITING < answered < 1000
    assert client.ended()


def test_a_flood_does_not_disturb_the_others(edge: Running, client: RawClient) -> None:
    flood = RawClient(edge.address)
    flood.send_until_refused(GET + b"\r\n", most=5_000)
    client.send(SIGNED)
    assert client.answer().status == 200
    flood.close()


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(b"authorization: AWS4-HMAC-SHA256 SignedHeaders=" + b"a;" * 4_500 + b"\r\n", id="signed headers"),
        pytest.param(b"authorization: AWS4-HMAC-SHA256 " + b"a=b," * 2_200 + b"\r\n", id="parts of a signature"),
        pytest.param(b"x-amz-security-token: " + b"A" * 9_000 + b"\r\n", id="a token"),
        pytest.param(b"a:\r\n" * 2_000, id="headers"),
        pytest.param(b"connection: " + b"a," * 4_500 + b"\r\n", id="named in connection"),
    ],
)
def test_as_much_of_everything_as_a_head_may_have_is_answered(client: RawClient, lines: bytes) -> None:
    client.send(GET + lines + b"\r\n")
    assert client.answer().status == 403


def test_more_clients_than_may_be_are_told_so_and_those_that_are_stay() -> None:
    with running(echo, most_connections=2) as edge:
        first, second = RawClient(edge.address), RawClient(edge.address)
        for client in (first, second):
            client.send(SIGNED)
            assert client.answer().status == 200
        third = RawClient(edge.address)
        got = third.answer()
        assert (got.status, orjson.loads(got.body)) == (503, {"message": "Service Unavailable"})
        assert (got.headers["x-amzn-errortype"], got.headers["connection"]) == ("ServiceUnavailableException", "close")
        assert third.ended()
        first.send(SIGNED)
        assert first.answer().status == 200


def test_a_client_that_leaves_makes_room() -> None:
    with running(echo, most_connections=1) as edge:
        first = RawClient(edge.address)
        first.send(on_the_wire(a_call(), b"connection: close"))
        assert first.answer().status == 200
        assert first.ended()
        second = RawClient(edge.address)
        second.send(SIGNED)
        assert second.answer().status == 200


def test_there_are_descriptors_for_the_connections_that_may_be() -> None:
    assert 1 <= affordable_connections() <= 4096
    assert affordable_connections() == affordable_connections()


def test_an_unsigned_body_is_read_to_its_end_before_the_next_request(client: RawClient) -> None:
    client.send(POST + b"content-length: %d\r\n\r\n" % len(NEXT) + NEXT + b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
    assert [client.answer().status, client.answer().status] == [403, 403]
    client.send(SIGNED)
    assert client.answer().status == 200


def test_a_call_with_something_else_behind_it_is_not_forwarded() -> None:
    asked: list[bytes] = []

    async def noting(wire: Wire) -> None:
        while True:
            asked.append(await wire.request())
            await wire.say(OK)

    with running(noting) as edge:
        client = RawClient(edge.address)
        client.send(SIGNED + b"\0\r\n\r\n")
        assert client.answer().status == 400
        assert client.ended()
        assert asked == []


def test_nothing_stands_in_the_midst_of_an_answer_that_has_begun() -> None:
    async def begins(wire: Wire) -> None:
        await wire.request()
        await wire.say(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        await wire.gone()

    with running(begins) as edge:
        client = RawClient(edge.address)
        client.send(SIGNED)
        client.read_until(lambda arrived: b"first" in arrived)
        client.send(SIGNED + b"\0\r\n\r\n")
        got = client.answer()
        assert (got.status, got.body, got.whole) == (200, b"first", False)
        assert client.ended()


def test_a_client_that_reads_nothing_gets_no_further_calls_answered() -> None:
    asked: list[bytes] = []
    large = b"HTTP/1.1 200 OK\r\ncontent-length: 8388608\r\n\r\n" + b"x" * 8_388_608

    async def large_answers(wire: Wire) -> None:
        while True:
            asked.append(await wire.request())
            await wire.say(large)

    with running(large_answers) as edge:
        client = RawClient(edge.address)
        client.send(SIGNED * 10)
        other = RawClient(edge.address)
        other.send(SIGNED)
        assert other.answer().status == 200
        assert len(asked) <= 3
        for _ in range(10):
            assert len(client.answer().body) == 8_388_608
        assert len(asked) == 11


def test_an_idle_connection_is_closed() -> None:
    with running(echo, keep_alive_seconds=1) as edge:
        client = RawClient(edge.address)
        client.send(SIGNED * 2)  # at once: it is not idle between them, however late a busy machine sends
        assert [client.answer().status, client.answer().status] == [200, 200]
        assert client.ended()


def test_a_connection_is_idle_since_its_latest_answer() -> None:
    def look_now(connection: EdgeProtocol) -> None:
        assert connection._idle_timer is not None
        connection._idle_timer.cancel()
        connection._look_whether_idle()

    def look_late(connection: EdgeProtocol) -> None:
        connection._keep_alive_seconds = 0
        look_now(connection)

    with running(echo) as edge:
        client = RawClient(edge.address)
        for _ in range(2):
            client.send(SIGNED)
            assert client.answer().status == 200
            edge.with_each_connection(look_now)
        edge.with_each_connection(look_late)
        assert client.ended()
