from dataclasses import replace
from typing import Any

import pytest

from harness.gateway.routing import UNCLEAR, ApiNames, Named, split_stage
from harness.wire import NetworkPlace, PlaceKind
from tests.gateway.cases import load, named

WORKBENCH = NetworkPlace("workbench", PlaceKind.WORKBENCH, "999999999999", "vpce-0workbench", "vpc-0workbench")
DOMAIN_NAMES = {"orders.internal.example": "orders", "stock.internal.example": "stock"}


@pytest.mark.parametrize("case", named(load("hosts")))
def test_the_api_is_read_from_listener_host_and_header(case: dict[str, Any]) -> None:
    place = replace(WORKBENCH, api=case.get("listener", ""))
    header = case.get("header")
    names = ApiNames("eu-west-1", DOMAIN_NAMES)
    read = names.named(place, 9001, case["host"].encode(), None if header is None else header.encode())
    must_sign = ("x-apigw-api-id",) if case.get("header_signed") else ()
    assert read == (UNCLEAR if case["api"] is None else Named(case["api"], must_sign))


def test_a_host_read_once_is_still_held_against_the_place_of_the_next_request() -> None:
    names = ApiNames("eu-west-1")
    alias = b"orders-vpce-0workbench.execute-api.localhost"
    assert names.named(WORKBENCH, 4566, alias, None) == Named("orders")
    assert names.named(replace(WORKBENCH, vpce_id="vpce-0other"), 4566, alias, None) is UNCLEAR
    assert names.named(NetworkPlace("public", PlaceKind.PUBLIC), 4566, alias, None) is UNCLEAR


def test_a_host_read_once_is_still_held_against_the_port_of_the_next_listener() -> None:
    names, place = ApiNames("eu-west-1"), replace(WORKBENCH, api="orders")
    assert names.named(place, 9001, b"127.0.0.1:9001", None) == Named("orders")
    assert names.named(place, 9002, b"127.0.0.1:9001", None) is UNCLEAR


@pytest.mark.parametrize(
    ("path", "split"),
    [
        pytest.param(b"/v2/orders/17", (b"v2", b"/orders/17"), id="stage and path"),
        pytest.param(b"/v2", (b"v2", b"/"), id="the stage alone has the root below it"),
        pytest.param(b"/v2/", (b"v2", b"/"), id="the stage and a slash"),
        pytest.param(b"/v2/orders/", (b"v2", b"/orders/"), id="a trailing slash stays"),
        pytest.param(b"/", (b"", b"/"), id="no stage"),
        pytest.param(b"//v2/orders", (b"", b"/v2/orders"), id="a double slash is no stage"),
    ],
)
def test_the_first_segment_is_the_stage(path: bytes, split: tuple[bytes, bytes]) -> None:
    assert split_stage(path) == split
