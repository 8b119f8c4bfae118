"""Pact files of every version come out in one shape, and mistakes with their line."""

import json
from typing import Any

import pytest

from harness.contracts.consumers import PactFile, read_pact_file
from harness.contracts.consumers.matching_rules import Matcher
from harness.contracts.consumers.pact_file import ABSENT
from harness.errors import InputError


def pact(*interactions: dict[str, Any], key: str = "interactions") -> str:
    names = {"consumer": {"name": "storefront"}, "provider": {"name": "orders"}}
    return json.dumps({**names, key: [{"description": "an order by id", **each} for each in interactions]}, indent=1)


def read(*interactions: dict[str, Any], key: str = "interactions") -> PactFile:
    return read_pact_file(pact(*interactions, key=key), file="shop.pact.json")


VERSION_2 = {
    "providerState": "an order exists",
    "request": {
        "method": "get",
        "path": "/v2/orders/17",
        "query": "fields=id%2Ctotal&tag=a&tag=b",
        "headers": {"Accept": "application/json"},
        "matchingRules": {
            "$.path": {"match": "regex", "regex": "/v2/orders/\\d+"},
            "$.headers.Accept": {"match": "type"},
            "$.query.fields": {"match": "type"},
        },
    },
    "response": {
        "status": 200,
        "headers": {"Content-Type": "application/json; charset=utf-8"},
        "body": {"total": "1.50"},
        "matchingRules": {"$.body.total": {"match": "type"}},
    },
}
VERSION_3 = {
    "providerStates": [{"name": "an order exists", "params": {"id": 17}}],
    "request": {
        "method": "GET",
        "path": "/v2/orders/17",
        "query": {"fields": ["id,total"], "tag": ["a", "b"]},
        "headers": {"Accept": "application/json"},
        "matchingRules": {
            "path": {"matchers": [{"match": "regex", "regex": "/v2/orders/\\d+"}], "combine": "AND"},
            "header": {"Accept": {"matchers": [{"match": "type"}]}},
            "query": {"fields": {"matchers": [{"match": "type"}]}},
        },
    },
    "response": {
        "status": 200,
        "headers": {"Content-Type": "application/json; charset=utf-8"},
        "body": {"total": "1.50"},
        "matchingRules": {"body": {"$.total": {"matchers": [{"match": "type"}], "combine": "AND"}}},
    },
}
VERSION_4 = {
    **VERSION_3,
    "type": "Synchronous/HTTP",
    "request": {**VERSION_3["request"], "headers": {"Accept": ["application/json"]}},  # type: ignore[dict-item]
    "response": {
        **VERSION_3["response"],  # type: ignore[dict-item]
        "headers": {"Content-Type": ["application/json; charset=utf-8"]},
        "body": {"contentType": "application/json", "encoded": False, "content": {"total": "1.50"}},
    },
}


@pytest.mark.parametrize(
    "interaction",
    [pytest.param(VERSION_2, id="2"), pytest.param(VERSION_3, id="3"), pytest.param(VERSION_4, id="4")],
)
def test_every_version_says_the_same(interaction: dict[str, Any]) -> None:
    (http,) = read(interaction).http

    assert (http.method, http.path, http.states) == ("GET", "/v2/orders/17", ("an order exists",))
    assert http.query == {"fields": ("id,total",), "tag": ("a", "b")}
    assert http.request.headers == {"accept": ("application/json",)}
    assert http.request.body is ABSENT
    assert http.response.media_type == "application/json"
    assert http.response.body == {"total": "1.50"}
    assert _matcher(http.request.rules, "path", ()) == Matcher("regex", {"regex": "/v2/orders/\\d+"})
    assert _matcher(http.request.rules, "header", ("accept",)) == Matcher("type")
    assert _matcher(http.request.rules, "query", ("fields",)) == Matcher("type")
    assert _matcher(http.response.rules, "body", ("total",)) == Matcher("type")


def _matcher(rules: Any, category: str, path: tuple[str, ...]) -> Matcher:
    found = rules[category].exactly_at(path)
    assert found is not None
    (matcher,) = found.matchers
    assert isinstance(matcher, Matcher)
    return matcher


@pytest.mark.parametrize(
    ("entry", "key"),
    [
        pytest.param({"contents": {"id": 1}, "metaData": {"detail-type": "OrderPlaced.v1"}}, "messages", id="3"),
        pytest.param(
            {
                "type": "Asynchronous/Messages",
                "contents": {"contentType": "application/json", "encoded": False, "content": {"id": 1}},
                "metadata": {"Detail-Type": "OrderPlaced.v1"},
            },
            "interactions",
            id="4",
        ),
        pytest.param(
            {
                "type": "Synchronous/Messages",
                "request": {"contents": {"content": 1}},
                "response": [{"contents": {"content": {"id": 1}}, "metadata": {"detail-type": "OrderPlaced.v1"}}],
            },
            "interactions",
            id="4, an answer",
        ),
        pytest.param(
            {
                "type": "Asynchronous/Messages",
                "contents": {"id": 1},
                "metadata": {"detail-type": "OrderPlaced.v1"},
            },
            "interactions",
            id="4, written by hand without its wrapping",
        ),
    ],
)
def test_messages(entry: dict[str, Any], key: str) -> None:
    (message,) = read(entry, key=key).messages

    assert message.message.body == {"id": 1}
    assert message.message.headers == {"detail-type": ("OrderPlaced.v1",)}


def response(**said: Any) -> dict[str, Any]:
    return {"type": "Synchronous/HTTP", "request": {"path": "/orders"}, "response": {"status": 200, **said}}


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    ("body", "value", "media_type"),
    [
        pytest.param(
            {"content": "eyJhIjoxfQ==", "contentType": "application/json", "encoded": "base64"},
            {"a": 1},
            "application/json",
            id="base64",
        ),
        pytest.param(
            {"content": '{"a": 1}', "contentType": "application/problem+json", "encoded": "JSON"},
            {"a": 1},
            "application/problem+json",
            id="JSON text",
        ),
        pytest.param(
            {"content": "<a/>", "contentType": "application/xml", "encoded": False},
            "<a/>",
            "application/xml",
            id="no JSON",
        ),
        pytest.param({"content": {"a": 1}}, {"a": 1}, "application/json", id="no media type"),
        pytest.param(
            {"content": 1, "total": 2}, {"content": 1, "total": 2}, "application/json", id="a member called content"
        ),
        pytest.param(None, None, "application/json", id="null"),
    ],
)
def test_bodies(body: Any, value: Any, media_type: str) -> None:
    (http,) = read(response(body=body)).http

    assert (http.response.body, http.response.media_type) == (value, media_type)


def test_beside_bodies_a_rule_may_be_no_path() -> None:
    rules = {"$.query.filter[status]": {"match": "type"}, "$.header.X-A": {"match": "type"}}

    (http,) = read({"request": {"path": "/orders", "matchingRules": rules}, "response": {"status": 200}}).http

    assert _matcher(http.request.rules, "query", ("filter[status]",)) == Matcher("type")
    assert _matcher(http.request.rules, "header", ("x-a",)) == Matcher("type")


def test_a_rule_without_a_name_is_named_by_what_it_says() -> None:
    (http,) = read(response(body={"a": [1]}, matchingRules={"$.body.a": {"min": 1}})).http

    assert _matcher(http.response.rules, "body", ("a",)) == Matcher("type", {"min": 1})


@pytest.mark.parametrize(
    ("interaction", "said"),
    [
        pytest.param({"request": {}}, 'shop.pact.json:10: "an order by id": response is missing', id="no response"),
        pytest.param({"type": "Synchronous/Http"}, 'unknown type "Synchronous/Http" (did you mean', id="a type"),
        pytest.param(response(status="200"), "response.status: must be a number", id="a status"),
        pytest.param(
            response(matchingRules={"body": {"$.a": {"matchers": [{"match": "tpye"}]}}}),
            'response.matchingRules.body $.a: unknown matcher "tpye" (did you mean "type"?)',
            id="a matcher",
        ),
        pytest.param(response(matchingRules={"bodies": {}}), 'unknown category "bodies"', id="a category"),
        pytest.param(response(matchingRules={"$.bodi.a": {"match": "type"}}), "must begin with $.body", id="a path"),
        pytest.param(
            response(matchingRules={"body": {"$.a": {"matchers": [{"match": "regex"}]}}}),
            "a regex matcher has its expression in regex",
            id="a regex without expression",
        ),
        pytest.param(
            response(matchingRules={"body": {"$.a": {"matchers": [], "combine": "XOR"}}}), "combine:", id="combine"
        ),
        pytest.param(
            response(body={"content": "!", "contentType": "x", "encoded": "base64"}), "base64 and is not", id="base64"
        ),
        pytest.param(response(body=nested(101)), "nested more than 100 deep", id="a body that is nested deeply"),
        pytest.param({**response(), "description": ""}, "description is missing", id="no description"),
    ],
)
def test_mistakes_are_told(interaction: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as refused:
        read(interaction)

    assert said in str(refused.value)


def test_every_interaction_that_is_no_good_is_told_with_its_own_line() -> None:
    with pytest.raises(InputError) as refused:
        read({"request": {}}, response(), {"request": {}})

    lines = [problem.line for problem in refused.value.problems]
    assert len(lines) == len(set(lines)) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("{", "shop.pact.json:1: not JSON", id="no JSON"),
        pytest.param("[]", "consumer.name is missing", id="a list"),
        pytest.param('{"consumer": {"name": "a"}, "provider": {}}', "provider.name is missing", id="no provider"),
        pytest.param('{"consumer": {"name": "a"}, "provider": {"name": "b"}}', "neither interactions nor", id="empty"),
        pytest.param("[" * 100_000, "nested too deeply", id="nested too deeply"),
    ],
)
def test_what_is_no_pact_is_refused(text: str, said: str) -> None:
    with pytest.raises(InputError) as refused:
        read_pact_file(text, file="shop.pact.json")

    assert said in str(refused.value)
