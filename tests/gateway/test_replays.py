"""A signed call that somebody caught is of use for what it asks and nothing else."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from harness.gateway.api import Api, Stage
from harness.wire import HttpRequest, NetworkPlace, PlaceKind
from tests.access.landscape import STOREFRONT, signed
from tests.gateway.asking import Got, send
from tests.gateway.landscape import (
    CALLER,
    ORDERS_ADDRESS,
    PLACES,
    WORKBENCH_ADDRESS,
    Recorded,
    an_api,
    an_edge,
    credentials_of,
)

TWIN_ADDRESS = ("127.0.0.1", 9003)
TWIN_PLACE = NetworkPlace(
    "storefront calls twin", PlaceKind.ENDPOINT, STOREFRONT, "vpce-0storefront", "vpc-0storefront", api="twin"
)
Headers = Sequence[tuple[bytes, bytes]]


def apis() -> dict[str, Api]:
    """Two that differ in name only, each with two stages that do."""
    orders = an_api()
    both = {name: Stage(name, orders.stages["v2"].routes) for name in ("v2", "v3")}
    orders = replace(orders, stages=both, domain_name="orders.internal.example")
    return {"orders": orders, "twin": replace(orders, id="twin", domain_name="twin.internal.example")}


def caught(host: bytes, *headers: tuple[bytes, bytes], unsigned: Headers = (), **more: Any) -> HttpRequest:
    """A call that is signed for `host`; `unsigned` headers are added after that."""
    call = signed(credentials_of(CALLER), host=host, path=b"/v2/orders", headers=headers, **more)
    return replace(call, headers=[*call.headers, *unsigned])


def sent(call: HttpRequest, address: tuple[str, int] = WORKBENCH_ADDRESS) -> Got:
    return send(an_edge(Recorded(), apis=apis(), places={**PLACES, TWIN_ADDRESS: TWIN_PLACE}), call, address=address)


def with_header(call: HttpRequest, name: bytes, value: bytes) -> HttpRequest:
    return replace(call, headers=[(key, value if key == name else old) for key, old in call.headers])


ORDERS = (b"x-apigw-api-id", b"orders")
TWIN = (b"x-apigw-api-id", b"twin")

ACCEPTED = {
    "the header, signed": (caught(b"localhost:4566", ORDERS), WORKBENCH_ADDRESS),
    "the API's own name": (caught(b"orders.execute-api.localhost:4566"), WORKBENCH_ADDRESS),
    "AWS's name of the API": (caught(b"orders.execute-api.eu-west-1.amazonaws.com"), WORKBENCH_ADDRESS),
    "the name for the endpoint": (
        caught(b"orders-vpce-0workbench.execute-api.eu-west-1.amazonaws.com"),
        WORKBENCH_ADDRESS,
    ),
    "the custom domain name": (caught(b"orders.internal.example"), WORKBENCH_ADDRESS),
    "the API's own name, and the header unsigned": (
        caught(b"orders.execute-api.localhost:4566", unsigned=[ORDERS]),
        WORKBENCH_ADDRESS,
    ),
    "the port of the API's listener": (caught(b"127.0.0.1:9001"), ORDERS_ADDRESS),
}


@pytest.mark.parametrize(("call", "address"), ACCEPTED.values(), ids=ACCEPTED.keys())
def test_a_call_whose_signature_names_the_api_is_accepted(call: HttpRequest, address: tuple[str, int]) -> None:
    assert sent(call, address).status == 200


INVALID = "403 InvalidSignatureException"
FORBIDDEN = "403 ForbiddenException"

REFUSED = {
    "at another API, by an unsigned header": (
        caught(b"localhost:4566", unsigned=[TWIN]),
        WORKBENCH_ADDRESS,
        INVALID,
    ),
    "at the same API too, since nothing signed says which": (
        caught(b"localhost:4566", unsigned=[ORDERS]),
        WORKBENCH_ADDRESS,
        INVALID,
    ),
    "at another API, by the signed header changed": (
        with_header(caught(b"localhost:4566", ORDERS), *TWIN),
        WORKBENCH_ADDRESS,
        INVALID,
    ),
    "at another API, by its host name": (
        with_header(caught(b"orders.execute-api.localhost"), b"host", b"twin.execute-api.localhost"),
        WORKBENCH_ADDRESS,
        INVALID,
    ),
    "at another API, by its custom domain name": (
        with_header(caught(b"orders.internal.example"), b"host", b"twin.internal.example"),
        WORKBENCH_ADDRESS,
        INVALID,
    ),
    "at another API, by a header beside the host that was signed": (
        caught(b"orders.execute-api.localhost", unsigned=[TWIN]),
        WORKBENCH_ADDRESS,
        FORBIDDEN,
    ),
    "at another API's listener": (caught(b"127.0.0.1:9001"), TWIN_ADDRESS, FORBIDDEN),
    "at another API's listener, the host changed": (
        with_header(caught(b"127.0.0.1:9001"), b"host", b"127.0.0.1:9003"),
        TWIN_ADDRESS,
        INVALID,
    ),
    "from a listener for one API to one for all": (
        caught(b"127.0.0.1:9001", unsigned=[TWIN]),
        WORKBENCH_ADDRESS,
        INVALID,
    ),
    "through another endpoint than the one in the name": (
        caught(b"orders-vpce-0workbench.execute-api.localhost"),
        ORDERS_ADDRESS,
        FORBIDDEN,
    ),
    "at another stage": (
        replace(caught(b"orders.execute-api.localhost"), raw_path=b"/v3/orders"),
        WORKBENCH_ADDRESS,
        INVALID,
    ),
    "of another region": (caught(b"orders.execute-api.localhost", region="eu-central-1"), WORKBENCH_ADDRESS, INVALID),
    "of another service": (caught(b"orders.execute-api.localhost", service="sts"), WORKBENCH_ADDRESS, INVALID),
}


@pytest.mark.parametrize(("call", "address", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_a_caught_call_is_refused(call: HttpRequest, address: tuple[str, int], says: str) -> None:
    got = sent(call, address)
    assert got.says.startswith(says)


def test_the_refusal_says_which_header_to_sign() -> None:
    got = sent(caught(b"localhost:4566", unsigned=[ORDERS]))
    assert got.says == f"{INVALID} 'x-apigw-api-id' must be a 'SignedHeader' in the AWS Authorization."


def test_an_unknown_path_of_an_unsigned_name_is_no_oracle() -> None:
    """The answer does not tell whether the API that an unsigned header names has such a path."""
    call = signed(credentials_of(CALLER), host=b"localhost:4566", path=b"/v2/nothing")
    assert sent(replace(call, headers=[*call.headers, ORDERS])).says.startswith(INVALID)
