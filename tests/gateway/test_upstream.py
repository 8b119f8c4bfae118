"""The pooled client against containers that behave, and that do not."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import uvloop

from harness.gateway.exchange import Answer, UpstreamFault
from harness.gateway.upstream import PooledClient
from tests.gateway.containers import OK, Container, Wire, container, until

GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


async def get(
    client: PooledClient,
    to: Container,
    *,
    head: bool = False,
    repeatable: bool = True,
    message: bytes = GET,
    timeout: float = 29.0,
) -> Answer | UpstreamFault:
    return await client.exchange(to.origin, message, head=head, repeatable=repeatable, timeout=timeout)


async def whole(answer: Answer | UpstreamFault) -> tuple[int, bytes] | UpstreamFault:
    if isinstance(answer, UpstreamFault):
        return answer
    return answer.status, answer.body + b"".join([piece async for piece in answer.rest()])


def run(scene: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60):
            await scene()

    uvloop.run(bounded())


def saying(*pieces: bytes, then_close: bool = False) -> Callable[[Wire], Awaitable[None]]:
    """Answers every request of a connection with `pieces`."""

    async def script(wire: Wire) -> None:
        while True:
            await wire.request()
            await wire.say(*pieces)
            if then_close:
                return

    return script


@pytest.mark.parametrize(
    ("said", "closes", "got"),
    [
        pytest.param([OK], False, (200, b"ok"), id="a length"),
        pytest.param(
            [b"HTTP/1.1 200 OK\r\ncont", b"ent-length: 2\r\n", b"\r\no", b"k"], False, (200, b"ok"), id="in pieces"
        ),
        pytest.param([b"HTTP/1.1 500 Oh no\r\ncontent-length: 0\r\n\r\n"], False, (500, b""), id="an empty body"),
        pytest.param(
            [b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\no\r\n", b"1;ext=1\r\nk\r\n0\r\n\r\n"],
            False,
            (200, b"ok"),
            id="chunks",
        ),
        pytest.param(
            [b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nx-trailer: 1\r\n\r\n"],
            False,
            (200, b"ok"),
            id="chunks with a trailer",
        ),
        pytest.param([b"HTTP/1.1 200 OK\r\n\r\n", b"o", b"k"], True, (200, b"ok"), id="until the connection closes"),
        pytest.param([b"HTTP/1.0 200 OK\r\n\r\nok"], True, (200, b"ok"), id="HTTP/1.0"),
        pytest.param([b"HTTP/1.1 204 No Content\r\n\r\n"], False, (204, b""), id="204 has no body"),
        pytest.param(
            [b"HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n"], False, (304, b""), id="304 has no body"
        ),
        pytest.param([b"HTTP/1.1 100 Continue\r\n\r\n", OK], False, (200, b"ok"), id="100 comes before the answer"),
        pytest.param(
            [b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + OK],
            False,
            (200, b"ok"),
            id="early hints are not the answer",
        ),
    ],
)
def test_an_answer_is_read_to_its_end(said: list[bytes], closes: bool, got: tuple[int, bytes]) -> None:
    async def scene() -> None:
        async with container(saying(*said, then_close=closes)) as to:
            client = PooledClient()
            for _ in range(3):
                answer = await get(client, to)
                assert await whole(answer) == got
                assert isinstance(answer, Answer)
                assert all(name not in (b"x-trailer", b"link") for name, _ in answer.headers)
            assert to.connections == (3 if closes else 1)

    run(scene)


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        pytest.param([], UpstreamFault.NETWORK, id="it closes without a word"),
        pytest.param([b"HTTP/1.1 200 OK\r\ncontent-le"], UpstreamFault.MALFORMED, id="it closes within the head"),
        pytest.param([b"SSH-2.0-OpenSSH\r\n"], UpstreamFault.MALFORMED, id="it speaks something else"),
        pytest.param([b"HTTP/1.1 abc OK\r\n\r\n"], UpstreamFault.MALFORMED, id="a status that is no number"),
        pytest.param(
            [b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok"],
            UpstreamFault.MALFORMED,
            id="two lengths",
        ),
        pytest.param([b"HTTP/1.1 200 OK\r\nx-a: 1\r\n folded\r\n\r\n"], UpstreamFault.MALFORMED, id="a folded header"),
        pytest.param(
            [b"HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"],
            UpstreamFault.MALFORMED,
            id="an upgrade nobody asked for",
        ),
        pytest.param(
            [b"HTTP/1.1 200 OK\r\nx-long: " + b"x" * 200_000], UpstreamFault.MALFORMED, id="a head without end"
        ),
        pytest.param(
            [b"HTTP/1.1 099 Early\r\ncontent-length: 5\r\n\r\nhello", OK],
            UpstreamFault.MALFORMED,
            id="a status below 100, with a body that would come before the answer's",
        ),
        pytest.param(
            [b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" * 10_000],
            UpstreamFault.MALFORMED,
            id="early hints without end",
        ),
    ],
)
def test_what_is_no_answer_is_a_fault(said: list[bytes], fault: UpstreamFault) -> None:
    async def scene() -> None:
        async with container(saying(*said, then_close=True)) as to:
            client = PooledClient()
            assert await get(client, to) is fault
            await until(lambda: client.open_connections(to.origin) == 0)

    run(scene)


def test_nothing_listens() -> None:
    async def scene() -> None:
        client = PooledClient()
        with socket.socket() as held:  # bound, so that nobody else listens there, and not listening either
            held.bind(("127.0.0.1", 0))
            to = Container(f"http://127.0.0.1:{held.getsockname()[1]}")
            assert await get(client, to) is UpstreamFault.NETWORK
        assert client.open_connections(to.origin) == 0

    run(scene)


def test_an_answer_that_does_not_come_in_time() -> None:
    async def silent(wire: Wire) -> None:
        await wire.gone()
        closed.set()

    closed = asyncio.Event()

    async def scene() -> None:
        async with container(silent) as to:
            client = PooledClient()
            assert await get(client, to, timeout=0.05) is UpstreamFault.TIMEOUT
            await closed.wait()
            assert client.open_connections(to.origin) == 0

    run(scene)


def test_an_answer_to_head_has_no_body_and_ends_its_connection() -> None:
    async def scene() -> None:
        async with container(saying(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n")) as to:
            client = PooledClient()
            for number in (1, 2):
                answer = await get(client, to, head=True, message=b"HEAD / HTTP/1.1\r\n\r\n")
                assert await whole(answer) == (200, b"")
                assert to.connections == number

    run(scene)


@pytest.mark.parametrize(
    ("repeatable", "got", "connections"),
    [
        pytest.param(True, (200, b"ok"), 2, id="an idempotent request is sent once more"),
        pytest.param(False, UpstreamFault.NETWORK, 1, id="another one is not"),
    ],
)
def test_a_kept_connection_that_closes_as_the_request_arrives(repeatable: bool, got: Any, connections: int) -> None:
    async def closes_on_second(wire: Wire) -> None:
        await wire.request()
        await wire.say(OK)
        await wire.request()
        if wire.number > 1:
            raise AssertionError("the retry has a connection of its own")

    async def scene() -> None:
        async with container(closes_on_second) as to:
            client = PooledClient()
            await get(client, to)
            assert await whole(await get(client, to, repeatable=repeatable)) == got
            assert to.connections == connections

    run(scene)


def test_a_request_is_not_repeated_once_a_byte_came_back() -> None:
    async def half(wire: Wire) -> None:
        await wire.request()
        await wire.say(OK)
        await wire.request()
        await wire.say(b"HTTP/1.1 200 ")

    async def scene() -> None:
        async with container(half) as to:
            client = PooledClient()
            await get(client, to)
            assert await get(client, to) is UpstreamFault.MALFORMED
            assert to.connections == 1

    run(scene)


def test_a_request_is_repeated_once_only() -> None:
    async def scene() -> None:
        async def script(wire: Wire) -> None:
            await wire.request()
            if wire.number == 1:
                await wire.say(OK)
                await wire.request()

        async with container(script) as to:
            client = PooledClient()
            await get(client, to)
            assert await get(client, to) is UpstreamFault.NETWORK
            assert to.connections == 2

    run(scene)


def test_an_idle_connection_that_the_container_closes_is_forgotten() -> None:
    async def scene() -> None:
        async with container(saying(OK, then_close=True)) as to:
            client = PooledClient()
            for _ in range(3):
                assert await whole(await get(client, to, repeatable=False)) == (200, b"ok")
                await until(lambda: client.open_connections(to.origin) == 0)

    run(scene)


def test_a_connection_idle_for_too_long_is_not_used() -> None:
    async def scene() -> None:
        async with container(saying(OK)) as to:
            client = PooledClient(max_idle_seconds=-1.0)
            for _ in range(3):
                assert await whole(await get(client, to)) == (200, b"ok")
            assert to.connections == 3

    run(scene)


@pytest.mark.parametrize(
    "surplus",
    [
        pytest.param((OK + OK, b""), id="a second answer in one packet"),
        pytest.param((OK + b"HTTP/1.1 204 No Content\r\n\r\n", b""), id="a second answer without body in one packet"),
        pytest.param((OK + b"x", b""), id="one byte too many"),
        pytest.param((OK, b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil"), id="a second answer later"),
    ],
)
def test_bytes_nobody_asked_for_never_become_an_answer(surplus: tuple[bytes, bytes]) -> None:
    answered = asyncio.Event()

    async def script(wire: Wire) -> None:
        await wire.request()
        if wire.number == 1:
            await wire.say(surplus[0])
            await answered.wait()
            await wire.say(surplus[1])
        else:
            await wire.say(OK)
        await wire.gone()

    async def scene() -> None:
        async with container(script) as to:
            client = PooledClient()
            assert await whole(await get(client, to)) == (200, b"ok")
            answered.set()
            await until(lambda: client.open_connections(to.origin) == 0)
            assert await whole(await get(client, to)) == (200, b"ok")
            assert to.connections == 2

    run(scene)


def test_a_body_sent_after_the_head_of_a_head_request_goes_nowhere() -> None:
    async def scene() -> None:
        async with container(saying(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n", b"evil")) as to:
            client = PooledClient()
            assert await whole(await get(client, to, head=True)) == (200, b"")
            assert await whole(await get(client, to)) == (200, b"evil")
            assert to.connections == 2

    run(scene)


def test_answers_of_many_calls_at_once_are_never_mixed() -> None:
    async def echo(wire: Wire) -> None:
        while True:
            number = (await wire.request()).split(b" ")[1][1:]
            for _ in range(int(number) % 7):
                await asyncio.sleep(0)
            body = number * (1 + int(number) % 3000)
            head = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body)
            await wire.say(head, body[: len(body) // 2], body[len(body) // 2 :])

    async def scene() -> None:
        async with container(echo) as to:
            client = PooledClient(max_connections=8)

            async def ask(number: int) -> None:
                answer = await get(client, to, message=b"GET /%d HTTP/1.1\r\n\r\n" % number)
                assert await whole(answer) == (200, str(number).encode() * (1 + number % 3000))

            await asyncio.gather(*(ask(number) for number in range(400)))
            assert to.connections <= 8

    run(scene)


def test_a_call_waits_for_its_turn_no_longer_than_the_timeout() -> None:
    async def silent(wire: Wire) -> None:
        await wire.gone()

    async def scene() -> None:
        async with container(silent) as to:
            client = PooledClient(max_connections=1)
            first, second = await asyncio.gather(get(client, to, timeout=0.05), get(client, to, timeout=0.05))
            assert (first, second) == (UpstreamFault.TIMEOUT, UpstreamFault.TIMEOUT)

    run(scene)


def test_a_call_that_is_cancelled_closes_its_connection() -> None:
    arrived, closed = asyncio.Event(), asyncio.Event()

    async def silent(wire: Wire) -> None:
        await wire.request()
        arrived.set()
        await wire.gone()
        closed.set()

    async def scene() -> None:
        async with container(silent) as to:
            client = PooledClient()
            call = asyncio.create_task(get(client, to))
            await arrived.wait()
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            await closed.wait()
            await until(lambda: client.open_connections(to.origin) == 0)

    run(scene)


def test_no_more_idle_connections_are_kept_than_allowed() -> None:
    together = asyncio.Barrier(4)

    async def at_once(wire: Wire) -> None:
        await wire.request()
        await together.wait()
        await wire.say(OK)
        await wire.request()

    async def scene() -> None:
        async with container(at_once) as to:
            client = PooledClient(max_idle=1)
            await asyncio.gather(*(get(client, to) for _ in range(4)))
            await until(lambda: client.open_connections(to.origin) == 1)
            client.close()
            await until(lambda: client.open_connections(to.origin) == 0)

    run(scene)


def test_an_upstream_is_plain_http() -> None:
    async def scene() -> None:
        with pytest.raises(ValueError, match="an upstream is http://host:port"):
            await PooledClient().exchange("https://x", GET, head=False, repeatable=True)

    run(scene)


def test_an_answer_that_comes_before_the_request_was_read_leaves_no_connection() -> None:
    asserted = asyncio.Event()
    message = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9000000\r\n\r\n" + b"x" * 9_000_000

    async def early(wire: Wire) -> None:
        await wire.say(b"HTTP/1.1 413 Content Too Large\r\ncontent-length: 2\r\n\r\nno")
        await asserted.wait()

    async def scene() -> None:
        async with container(early) as to:
            client = PooledClient()
            answer = await get(client, to, message=message, repeatable=False)
            assert await whole(answer) == (413, b"no")
            try:
                await until(lambda: client.open_connections(to.origin) == 0, seconds=15)
            finally:
                asserted.set()

    run(scene)
