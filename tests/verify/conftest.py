"""A provider with a switch for each bug, on a real port."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest

from harness.identity import Credentials
from tests.local.edge import QuietServer

NOON = datetime(2026, 1, 15, 12, 0, 0, tzinfo=UTC)


@dataclass
class Provider:
    """`requests` are (method, target on the wire, headers, body); `bug` names the planted mistake."""

    url: str = ""
    bug: str = ""
    requests: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def credentials() -> Credentials:
    return Credentials("ASIAEXAMPLE", "secret", "token", NOON + timedelta(hours=1))


@pytest.fixture
def provider() -> Iterator[Provider]:
    state = Provider()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            state.requests.append((self.command, self.path, dict(self.headers.items()), body))
            status, answer = _answer(self.command, self.path, body, state.bug)
            payload = orjson.dumps(answer)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_HEAD = do_TRACE = _serve

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = QuietServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    yield state
    server.shutdown()
    server.server_close()


def _answer(method: str, target: str, body: bytes, bug: str) -> tuple[int, Any]:
    """`POST /v1/things` takes {"size": 1..100}; `GET /v1/things/{id}` answers one."""
    parts = urlsplit(target)
    if method == "POST":
        try:
            document = orjson.loads(body)
        except orjson.JSONDecodeError:
            return 400, {"message": "not JSON"}
        size: Any = document.get("size") if isinstance(document, dict) else None
        # To JSON Schema 99.0 is an integer (draft 2020-12, 4.2.1).
        whole = type(size) in (int, float) and size == int(size)
        valid = whole and 1 <= size <= 100 and set(document) == {"size"}
        if not valid and bug != "accepts bad data":
            return 400, {"message": "size must be 1 to 100"}
        if bug == "undocumented status":
            return 202, {}
        if bug == "wrong type":
            return 201, {"id": "a", "size": "7"}
        if bug == "server error" and size == 100:
            return 500, {"message": "boom"}
        return 201, {"id": "a", "size": size if valid else 1}
    if parse_qs(parts.query).get("note") and bug == "server error on a query":
        return 500, {"message": "boom"}
    return 200, {"id": parts.path.rpartition("/")[2], "size": 1}


THING = {
    "type": "object",
    "required": ["id", "size"],
    "properties": {"id": {"type": "string"}, "size": {"type": "integer"}},
}
REFUSAL = {
    "type": "object",
    "required": ["message"],
    "properties": {"message": {"type": "string"}},
}


def _json(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


CONTRACT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "things", "version": "1.0.0"},
    "servers": [{"url": "/v1"}],
    "paths": {
        "/things": {
            "post": {
                "operationId": "createThing",
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "required": ["size"],
                                "additionalProperties": False,
                                "properties": {"size": {"type": "integer", "minimum": 1, "maximum": 100}},
                            }
                        }
                    },
                },
                "responses": {"201": _json("made", THING), "400": _json("refused", REFUSAL)},
            }
        },
        "/things/{id}": {
            "get": {
                "operationId": "getThing",
                "parameters": [
                    {
                        "name": "id",
                        "in": "path",
                        "required": True,
                        "schema": {"type": "string", "pattern": "^[a-z]{1,8}$"},
                    },
                    {"name": "note", "in": "query", "schema": {"type": "string", "maxLength": 20}},
                ],
                "responses": {"200": _json("found", THING), "400": _json("refused", REFUSAL)},
            }
        },
    },
}


@pytest.fixture
def contract() -> dict[str, Any]:
    return CONTRACT
