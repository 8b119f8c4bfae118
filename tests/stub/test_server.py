"""The stub over HTTP: whole requests in, whole answers out, one after the other."""

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest

from harness.contracts.stub import Provider
from harness.stub.server import StubApp
from harness.wire import MAX_BODY_BYTES
from tests.contracts.stub.contracts import provider


def ask(app: StubApp, method: str, path: str, pieces: Iterable[bytes] = (b"",), query: bytes = b"") -> Any:
    """Status, headers and body."""
    sent: list[Any] = []
    waiting = list(pieces)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting)}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": query,
             "headers": []}  # fmt: skip
    asyncio.run(app(scope, receive, send))
    start, body = sent
    return start["status"], dict(start["headers"]), body["body"]


@pytest.fixture
def app() -> StubApp:
    return StubApp(provider("orders"))


def test_a_body_in_pieces_is_one_request(app: StubApp) -> None:
    status, headers, body = ask(app, "POST", "/v2/orders", [b'{"lines": [{"sku": ', b'"a", "quantity": 1}]}'])

    assert status == 201
    assert headers[b"content-length"] == str(len(body)).encode()
    assert ask(app, "GET", headers[b"location"].decode())[0] == 200


def test_a_client_that_goes_within_its_body_has_sent_nothing(app: StubApp) -> None:
    before = ask(app, "GET", "/v2/orders")[2]
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": b'{"lines": [{"sku": "a", "quantity": 1}]}', "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/v2/orders", "raw_path": b"/v2/orders", "query_string": b"",
             "headers": []}  # fmt: skip
    asyncio.run(app(scope, receive, send))

    assert sent == []
    assert ask(app, "GET", "/v2/orders")[2] == before


def test_the_query_counts(app: StubApp) -> None:
    assert ask(app, "GET", "/v2/orders", query=b"limit=0")[0] == 400


def test_a_body_that_is_too_large_is_refused(app: StubApp) -> None:
    assert ask(app, "POST", "/v2/orders", [b" " * MAX_BODY_BYTES, b" "])[0] == 413


def test_an_answer_without_a_body_has_no_length(app: StubApp) -> None:
    status, headers, body = ask(app, "POST", "/events", [b"{}"])

    assert (status, headers, body) == (204, {}, b"")


def test_an_answer_to_head_has_no_body() -> None:
    operation = {"responses": {"200": {"description": "x", "content": {"application/json": {"example": 1}}}}}
    document = {"openapi": "3.1.0", "servers": [{"url": "/v1"}], "paths": {"/x": {"head": operation, "get": operation}}}
    app = StubApp(Provider({"v1": document}))

    assert ask(app, "GET", "/v1/x")[2] == b"1"
    status, headers, body = ask(app, "HEAD", "/v1/x")
    assert (status, headers[b"content-type"], body) == (200, b"application/json", b"")


def test_nothing_but_http_is_served(app: StubApp) -> None:
    async def never(message: Any = None) -> Any:
        raise AssertionError

    with pytest.raises(ValueError, match="HTTP alone, not websocket"):
        asyncio.run(app({"type": "websocket"}, never, never))
