"""Concrete paths find their operation."""

import pytest

from harness.contracts.consumers.templates import best_template, find_call, path_values
from harness.contracts.usage import Call

VERSIONS = {
    "v1": [("GET", "/orders/{orderId}"), ("GET", "/old")],
    "v2": [("GET", "/orders/{orderId}"), ("GET", "/orders/mine"), ("POST", "/orders"), ("POST", "/orders:query")],
}


@pytest.mark.parametrize(
    ("method", "path", "calls"),
    [
        pytest.param("GET", "/v2/orders/17", [("v2", "/orders/{orderId}")], id="with the version"),
        pytest.param("GET", "/orders/17", [("v1", "/orders/{orderId}"), ("v2", "/orders/{orderId}")], id="without"),
        pytest.param("GET", "/old", [("v1", "/old")], id="without, and one version has it"),
        pytest.param("GET", "/v2/orders/mine", [("v2", "/orders/mine")], id="a literal beats a parameter"),
        pytest.param("POST", "/v2/orders:query", [("v2", "/orders:query")], id="a suffix with a colon"),
        pytest.param("POST", "/v2/orders/", [("v2", "/orders")], id="a trailing slash"),
        pytest.param("DELETE", "/v2/orders/17", [], id="another method"),
        pytest.param("GET", "/v2/orders/17/lines", [], id="a path of no operation"),
        pytest.param("GET", "/v1/orders/mine", [("v1", "/orders/{orderId}")], id="each version its own templates"),
        pytest.param("GET", "/v3/orders/17", [], id="a version that there is not"),
    ],
)
def test_find_call(method: str, path: str, calls: list[tuple[str, str]]) -> None:
    assert find_call(method, path, VERSIONS) == tuple(Call(version, method, template) for version, template in calls)


@pytest.mark.parametrize(
    ("path", "template"),
    [
        pytest.param("/a/b", "/a/b", id="all literal"),
        pytest.param("/a/x.json", "/a/{name}.json", id="text around a parameter beats a parameter"),
        pytest.param("/a/x", "/a/{name}", id="a parameter"),
        pytest.param("/a/x/y", "/{proxy+}", id="greedy last"),
        pytest.param("/b/b", "/{any}/b", id="from the left"),
    ],
)
def test_the_most_specific_template_wins(path: str, template: str) -> None:
    templates = ["/{proxy+}", "/a/{name}", "/a/{name}.json", "/{any}/b", "/a/b"]

    assert best_template(path, templates) == template


def test_values_of_path_parameters_are_decoded_once() -> None:
    assert path_values("/orders/{orderId}/lines/{line}", "/v2/orders/a%252Fb/lines/7") == {
        "orderId": "a%2Fb",
        "line": "7",
    }
