from typing import Any

import pytest

from harness.errors import InputError
from harness.gateway.routes import RouteTable
from tests.gateway.cases import load, named

CASES = load("routes")
TABLE = RouteTable.from_openapi(CASES)


@pytest.mark.parametrize("case", named(CASES["requests"]))
def test_a_request_finds_its_route(case: dict[str, Any]) -> None:
    method, path = case["request"].split(" ")
    route = TABLE.match(method, path)
    assert (route.template if route else None) == case["template"]


@pytest.mark.parametrize("case", named(CASES["refused"]))
def test_a_template_that_api_gateway_would_not_take_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(InputError) as refused:
        RouteTable.from_openapi({"paths": {path: {"get": {}} for path in case["paths"]}}, file="openapi.yaml")
    assert case["says"] in str(refused.value)


def test_all_bad_templates_are_reported_at_once() -> None:
    with pytest.raises(InputError) as refused:
        RouteTable.from_openapi({"paths": {"orders": {}, "/a{b}": {}}}, file="openapi.yaml")
    assert [str(problem).partition(":")[0] for problem in refused.value.problems] == ["openapi.yaml"] * 2


def test_a_resource_has_the_same_id_for_all_its_methods_and_in_every_process() -> None:
    ids = {route.method: route.resource_id for route in TABLE.routes if route.template == "/orders"}
    assert ids == {"GET": "50n75i", "POST": "50n75i"}


def test_a_contract_without_paths_has_no_routes() -> None:
    assert RouteTable.from_openapi({}).match("GET", "/") is None
