"""What a caller may send to a stub: none of it breaks an answer to another, and none of it is kept without end."""

from typing import Any

import orjson
import pytest

from harness.contracts.stub import Provider, resources
from harness.contracts.stub import provider as provider_module
from harness.wire import HttpRequest, HttpResponse

_ANY: dict[str, Any] = {}
_ITEM = {"type": "object", "properties": {"id": {"type": "string"}}}
_LIST = {"type": "object", "properties": {"items": {"type": "array", "items": {"type": "object"}}}}
_ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
_KEY = {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string"}}


def _json(schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"description": "x", "content": {"application/json": {"schema": schema, **more}}}


LOCATION = {"Location": {"required": True, "schema": {"type": "string"}}}
CONTRACT = {
    "openapi": "3.1.0",
    "info": {"title": "things", "version": "1.0.0"},
    "servers": [{"url": "/v1"}],
    "paths": {
        "/things": {
            "get": {"operationId": "list", "responses": {"200": _json(_LIST, example={"items": []})}},
            "post": {
                "operationId": "make",
                "parameters": [_KEY],
                "requestBody": _json(_ANY),
                "responses": {"201": {**_json(_ITEM), "headers": LOCATION}},
            },
        },
        "/things/{id}": {
            "get": {
                "operationId": "read",
                "parameters": [_ID],
                "responses": {"200": _json(_ITEM), "404": {"description": "none"}},
            }
        },
    },
}


@pytest.fixture
def things() -> Provider:
    return Provider({"v1": CONTRACT})


def ask(things: Provider, method: str, path: str, body: bytes = b"", key: bytes = b"") -> HttpResponse:
    headers = [(b"content-type", b"application/json"), *([(b"idempotency-key", key)] if key else [])]
    return things.answer(HttpRequest(method, path.encode(), b"", headers, body))


def nested(levels: int) -> bytes:
    return b'{"id": "deep", "in": ' + b"[" * levels + b"]" * levels + b"}"


def test_a_body_that_is_nested_deeper_than_answers_can_be_is_refused(things: Provider) -> None:
    refused = ask(things, "POST", "/v1/things", nested(900))

    assert refused.status == 400
    assert orjson.loads(refused.body)["errors"][0]["code"] == "depth"
    assert ask(things, "GET", "/v1/things").status == 200


def test_the_deepest_body_that_is_taken_can_be_listed(things: Provider) -> None:
    assert ask(things, "POST", "/v1/things", nested(190)).status == 201
    assert ask(things, "GET", "/v1/things").status == 200


@pytest.mark.parametrize(
    "named",
    [
        pytest.param("x" * 100_000, id="longer than a head may be"),
        pytest.param("a\r\nset-cookie: b", id="another header"),
        pytest.param("../../v2/things", id="the way to another path"),
        pytest.param("\u2028\u0000\U0001f600", id="what no header holds"),
    ],
)
def test_a_name_of_the_callers_stays_within_a_header_and_a_segment(named: str, things: Provider) -> None:
    made = ask(things, "POST", "/v1/things", orjson.dumps({"id": named}))

    location = dict(made.headers)[b"location"]
    assert made.status == 201
    assert len(location) < 16_384
    assert location.isascii()
    assert not set(b"\r\n\0") & set(location)
    assert location.count(b"/") == 3
    assert ask(things, "GET", location.decode()).status == 200


def test_what_is_kept_has_a_bound_in_bytes(things: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "MOST_BYTES", 10_000)
    for number in range(20):
        ask(things, "POST", "/v1/things", orjson.dumps({"id": f"n{number}", "text": "x" * 1_000}))

    kept = [number for number in range(20) if ask(things, "GET", f"/v1/things/n{number}").status == 200]
    assert kept == list(range(11, 20))  # the newest; each takes a little more than its text


def test_answers_that_are_remembered_have_a_bound_in_bytes(things: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider_module, "MOST_BYTES", 2_500)
    made = [orjson.dumps({"id": f"{number}" + "x" * 1_000}) for number in range(3)]
    for number, body in enumerate(made):
        assert ask(things, "POST", "/v1/things", body, key=b"k%d" % number).status == 201

    assert ask(things, "POST", "/v1/things", b"{}", key=b"k2").status in (400, 422)  # used for another body
    assert ask(things, "POST", "/v1/things", b"{}", key=b"k0").status == 201  # forgotten
