"""The request of an API destination, as endpoint, connection, target and event make it."""

from typing import Any

import pytest

from harness.bus.targets.http_parameters import NONE, Outgoing, Parameters, of_connection, outgoing

ENDPOINT = "https://hooks.example/v1/*/lines/*"
EVENT = b'{"id":"id-1","detail":{"order":"a/b?c","quantity":3,"lines":[{"sku":"x"}],"none":null}}'


def request(**given: Any) -> Outgoing:
    made = attempted(**given)
    assert isinstance(made, Outgoing), made
    return made


def attempted(**given: Any) -> Outgoing | str:
    usual: dict[str, Any] = {
        "method": "POST",
        "endpoint": "https://hooks.example/in",
        "target": None,
        "connection": NONE,
        "credentials": {"Authorization": "Basic xyz"},
        "body": b'{"a":1}',
        "event": EVENT,
    }
    return outgoing(**{**usual, **given})


def test_the_headers_that_are_always_sent() -> None:
    assert request().headers == (
        ("User-Agent", "Amazon/EventBridge/ApiDestinations"),
        ("Range", "bytes=0-1048575"),
        ("Content-Type", "application/json; charset=utf-8"),
        ("Accept-Encoding", "gzip,deflate"),
        ("Authorization", "Basic xyz"),
    )


def test_a_connection_stands_before_a_target() -> None:
    target = {"HeaderParameters": {"X-A": "target", "X-B": "target"}, "QueryStringParameters": {"q": "t", "r": "t"}}
    made = request(target=target, connection=Parameters({"X-A": "connection"}, {"q": "c"}, {}))
    assert dict(made.headers) | {"X-A": "connection", "X-B": "target"} == dict(made.headers)
    assert made.url == "https://hooks.example/in?q=c&r=t"


def test_nothing_stands_before_what_proves_who_calls() -> None:
    made = request(target={"HeaderParameters": {"authorization": "mine"}})
    assert [value for name, value in made.headers if name.lower() == "authorization"] == ["Basic xyz"]


@pytest.mark.parametrize("name", ["Host", "user-agent", "Content-Length", "Transfer-Encoding", "Range", "Connection"])
def test_a_header_of_the_service_s_own_cannot_be_set(name: str) -> None:
    made = request(target={"HeaderParameters": {name: "mine"}}, connection=Parameters({name: "mine"}, {}, {}))
    assert "mine" not in [value for _, value in made.headers]


@pytest.mark.parametrize("name", ["Transfer-Encoding", "content-length", "Host", "Connection", "Expect"])
def test_an_api_key_is_no_header_that_says_where_a_request_ends(name: str) -> None:
    assert "not a header that can be sent" in str(attempted(credentials={name: "chunked"}))


def test_the_content_type_can_be_set() -> None:
    made = request(target={"HeaderParameters": {"content-type": "application/cloudevents+json"}})
    assert [value for name, value in made.headers if name.lower() == "content-type"] == ["application/cloudevents+json"]


def test_path_parameters_stand_where_the_stars_are() -> None:
    made = request(endpoint=ENDPOINT, target={"PathParameterValues": ["$.detail.order", "ü"]})
    assert made.url == "https://hooks.example/v1/a%2Fb%3Fc/lines/%C3%BC"


def test_a_star_without_a_value_is_refused() -> None:
    assert attempted(endpoint=ENDPOINT, target={"PathParameterValues": ["1"]}) == (
        "the endpoint has 2 path parameters, the target gives 1"
    )


VALUES = {
    "text": ("plain", "plain"),
    "a price is no path": ("$5", "$5"),
    "a string of the event": ("$.id", "id-1"),
    "a number of the event": ("$.detail.quantity", "3"),
    "null of the event": ("$.detail.none", "null"),
    "an object of the event": ("$.detail.lines[0]", '{"sku":"x"}'),
    "nothing there": ("$.detail.nobody", ""),
}


@pytest.mark.parametrize(("value", "sent"), VALUES.values(), ids=VALUES)
def test_a_value_that_is_a_path_is_looked_up(value: str, sent: str) -> None:
    assert ("X-V", sent) in request(target={"HeaderParameters": {"X-V": value}}).headers


def test_a_query_is_added_to_that_of_the_endpoint_and_encoded() -> None:
    made = request(endpoint="https://h.example/?a=1", target={"QueryStringParameters": {"b c": "d&e=f g"}})
    assert made.url == "https://h.example/?a=1&b%20c=d%26e%3Df%20g"


INJECTED = {
    "a line break in a value": {"HeaderParameters": {"X-A": "1\r\nX-Evil: 1"}},
    "a line break in a name": {"HeaderParameters": {"X-A\r\nX-Evil": "1"}},
    "a colon in a name": {"HeaderParameters": {"X-A: 1, X-B": "1"}},
    "an empty name": {"HeaderParameters": {"": "1"}},
}


@pytest.mark.parametrize("target", INJECTED.values(), ids=INJECTED)
def test_nothing_can_be_smuggled_into_the_head(target: dict[str, Any]) -> None:
    assert isinstance(attempted(target=target), str)


def test_a_line_break_in_the_event_cannot_be_smuggled_either() -> None:
    evil = b'{"detail":{"v":"1\\r\\nX-Evil: 1"}}'
    assert isinstance(attempted(target={"HeaderParameters": {"X-A": "$.detail.v"}}, event=evil), str)


BODIES = {
    "fields of an object": (b'{"a":1}', {"b": "2"}, b'{"a":1,"b":"2"}'),
    "a field that is there is replaced": (b'{"a":1}', {"a": "2"}, b'{"a":"2"}'),
    "no place in a string": (b'"a"', {"b": "2"}, b'"a"'),
    "no place in several strings": (b'"a"\n"b"', {"b": "2"}, b'"a"\n"b"'),
    "none": (b'{"a" : 1}', {}, b'{"a" : 1}'),
}


@pytest.mark.parametrize(("body", "parameters", "sent"), BODIES.values(), ids=BODIES)
def test_body_parameters_become_fields(body: bytes, parameters: dict[str, str], sent: bytes) -> None:
    assert request(body=body, connection=Parameters({}, {}, parameters)).body == sent


@pytest.mark.parametrize(("method", "body"), [("GET", b""), ("HEAD", b""), ("PUT", b'{"a":1}'), ("DELETE", b'{"a":1}')])
def test_a_get_has_no_body(method: str, body: bytes) -> None:
    made = request(method=method)
    assert (made.method, made.body) == (method, body)


def test_the_parameters_of_a_connection_are_read_from_its_lists() -> None:
    invocation = {
        "HeaderParameters": [{"Key": "X-A", "Value": "1", "IsValueSecret": True}],
        "QueryStringParameters": [{"Key": "q", "Value": "2"}],
        "BodyParameters": [{"Key": "b", "Value": "3"}, {"Key": "empty"}],
    }
    assert of_connection(invocation) == Parameters({"X-A": "1"}, {"q": "2"}, {"b": "3", "empty": ""})
    assert of_connection(None) == NONE
