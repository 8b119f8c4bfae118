"""How an answer is framed, and what is never sent. The sender alone, on a transport that keeps what is written."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any, cast

import pytest
from uvicorn.protocols.http.flow_control import FlowControl

from harness.gateway.cycle import EdgeCycle
from harness.gateway.framing import UnsafeHeader


class Transport:
    """What the sender needs of a transport."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        self.writes.append(data)

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


def sent(
    *bodies: bytes,
    status: int = 200,
    headers: Sequence[tuple[bytes, bytes]] = (),
    method: str = "GET",
    keep_alive: bool = True,
) -> Transport:
    """All `bodies` as one answer, the last of them with `more_body` false."""
    transport = Transport()

    async def scene() -> None:
        cycle = EdgeCycle(
            scope=cast(Any, {"method": method, "type": "http"}),
            transport=cast(asyncio.Transport, transport),
            flow=FlowControl(cast(asyncio.Transport, transport)),
            logger=logging.getLogger(),
            access_logger=logging.getLogger(),
            access_log=False,
            default_headers=[(b"date", b"now")],
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=keep_alive,
            on_response=lambda: None,
        )
        await cycle.send({"type": "http.response.start", "status": status, "headers": list(headers)})
        for number, body in enumerate(bodies, start=1):
            await cycle.send({"type": "http.response.body", "body": body, "more_body": number < len(bodies)})

    asyncio.run(scene())
    return transport


OK = b"HTTP/1.1 200 OK\r\ndate: now\r\n"


@pytest.mark.parametrize(
    ("transport", "writes"),
    [
        pytest.param(
            sent(b"ok", headers=[(b"content-length", b"2")]),
            [OK + b"content-length: 2\r\n\r\nok"],
            id="a whole answer is written at once",
        ),
        pytest.param(
            sent(b"ok", headers=[(b"Content-Length", b"2")]),
            [OK + b"content-length: 2\r\n\r\nok"],
            id="names are sent in lower case",
        ),
        pytest.param(
            sent(b"a", b"", b"b", b""),
            [OK + b"transfer-encoding: chunked\r\n\r\n1\r\na\r\n", b"1\r\nb\r\n", b"0\r\n\r\n"],
            id="without a length in chunks, and an empty piece does not end them",
        ),
        pytest.param(
            sent(b"ok", headers=[(b"transfer-encoding", b"chunked")]),
            [OK + b"transfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"],
            id="chunks are announced once",
        ),
        pytest.param(
            sent(b"", method="HEAD", headers=[(b"content-length", b"9")]),
            [OK + b"content-length: 9\r\n\r\n"],
            id="HEAD has a length and no body",
        ),
        pytest.param(sent(b"", method="HEAD"), [OK + b"\r\n"], id="HEAD has no chunks"),
        pytest.param(sent(b"", status=204), [b"HTTP/1.1 204 No Content\r\ndate: now\r\n\r\n"], id="204 has no framing"),
        pytest.param(
            sent(b"", status=304), [b"HTTP/1.1 304 Not Modified\r\ndate: now\r\n\r\n"], id="304 has no framing"
        ),
    ],
)
def test_an_answer_is_framed(transport: Transport, writes: list[bytes]) -> None:
    assert transport.writes == writes
    assert not transport.closed


@pytest.mark.parametrize(
    "transport",
    [
        pytest.param(sent(b"", headers=[(b"content-length", b"0")], keep_alive=False), id="the client wants it"),
        pytest.param(
            sent(b"", headers=[(b"content-length", b"0"), (b"connection", b"close")]), id="the application wants it"
        ),
    ],
)
def test_a_connection_that_is_not_kept_says_so_once_and_closes(transport: Transport) -> None:
    assert b"".join(transport.writes).count(b"connection: close\r\n") == 1
    assert transport.closed


@pytest.mark.parametrize(
    "header",
    [
        pytest.param((b"x-a", b"1\r\nset-cookie: evil=1"), id="a line break in a value"),
        pytest.param((b"x-a", b"1\r\n\r\n<html>"), id="the end of the head in a value"),
        pytest.param((b"x-a", b"1\nset-cookie: evil=1"), id="a bare LF"),
        pytest.param((b"x-a", b"1\rset-cookie: evil=1"), id="a bare CR"),
        pytest.param((b"x-a", b"1\0"), id="a NUL"),
        pytest.param((b"x-a: 1\r\nset-cookie", b"evil=1"), id="a line break in a name"),
    ],
)
def test_a_header_that_would_begin_another_is_not_sent(header: tuple[bytes, bytes]) -> None:
    with pytest.raises(UnsafeHeader):
        sent(b"", headers=[header])


@pytest.mark.parametrize("body", [b"a", b"abc"])
def test_a_body_that_is_not_as_long_as_said_is_an_error(body: bytes) -> None:
    with pytest.raises(RuntimeError, match="than its content-length"):
        sent(body, headers=[(b"content-length", b"2")])
