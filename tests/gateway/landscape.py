"""One API of the account ORDERS, roles of STOREFRONT that may or may not call it, and the edge in front of it."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.access import Authority
from harness.gateway.api import Api, Stage
from harness.gateway.edge import Edge
from harness.gateway.exchange import Answer, UpstreamFault
from harness.gateway.limits import UNLIMITED, Throttling
from harness.gateway.routes import RouteTable
from harness.gateway.upstream import Client
from harness.identity import Credentials, Role
from harness.policy import PolicyKind, compile_document
from harness.wire import Handler, HttpRequest, HttpResponse, NetworkPlace, PlaceKind
from tests.access.landscape import (
    NOON,
    ORDERS,
    REGION,
    STOREFRONT,
    WORKBENCH,
    a_directory,
    a_role,
    a_sealer,
    a_session,
    allow,
    deny,
    signed,
    text_of,
)

INVOKE = "execute-api:Invoke"
API_ARN = f"arn:aws:execute-api:{REGION}:{ORDERS}:orders"
UPSTREAM = "http://127.0.0.1:8081"
CONTRACT = {
    "openapi": "3.1.0",
    "paths": {
        "/": {"get": {}},
        "/orders": {"get": {}, "post": {}},
        "/orders/{order_id}": {"get": {}, "put": {}, "delete": {}, "head": {}},
        "/orders/recent": {"get": {}},
    },
}
WORKBENCH_ADDRESS = ("127.0.0.1", 4566)
PUBLIC_ADDRESS = ("127.0.0.1", 4567)
ORDERS_ADDRESS = ("127.0.0.1", 9001)
CREDENTIALS_ADDRESS = ("127.0.0.1", 9002)
PLACES = {
    WORKBENCH_ADDRESS: WORKBENCH,
    PUBLIC_ADDRESS: NetworkPlace("public", PlaceKind.PUBLIC),
    ORDERS_ADDRESS: NetworkPlace(
        "storefront calls orders", PlaceKind.ENDPOINT, STOREFRONT, "vpce-0storefront", "vpc-0storefront", api="orders"
    ),
    CREDENTIALS_ADDRESS: NetworkPlace("credentials", PlaceKind.CREDENTIALS),
}

CALLER = a_role(STOREFRONT, "storefront", allow(INVOKE, f"{API_ARN}/*"))
STRANGER = a_role(STOREFRONT, "stranger", allow(INVOKE, f"{API_ARN}/*"))
RESOURCE_POLICY = compile_document(
    text_of(
        allow(INVOKE, "execute-api:/v2/*", Principal={"AWS": CALLER.arn}),
        deny(INVOKE, "execute-api:/v2/GET/orders/secret", Principal="*"),
    ),
    kind=PolicyKind.RESOURCE,
    name="orders",
    api_arn=API_ARN,
)


def an_api(upstream: str = UPSTREAM, *, throttling: Throttling = UNLIMITED, **more: Any) -> Api:
    return Api(
        "orders",
        ORDERS,
        RESOURCE_POLICY,
        {"v2": Stage("v2", RouteTable.from_openapi(CONTRACT))},
        upstream,
        throttling=throttling,
        **more,
    )


def an_authority() -> Authority:
    return Authority(a_directory(CALLER, STRANGER), a_sealer(), clock=lambda: NOON)


def credentials_of(role: Role) -> Credentials:
    return a_sealer().issue(a_session(role))


def a_call(
    method: str = "GET",
    path: bytes = b"/v2/orders",
    *,
    query: bytes = b"",
    body: bytes = b"",
    headers: Sequence[tuple[bytes, bytes]] = (),
    role: Role = CALLER,
) -> HttpRequest:
    """A signed call by `role`, its `Host` localhost:4566 and the API named by header."""
    return signed(
        credentials_of(role),
        method=method,
        path=path,
        query=query,
        body=body,
        headers=[(b"x-apigw-api-id", b"orders"), *headers],
    )


@dataclass
class Recorded:
    """A client that answers what it is told to, and keeps the messages it was given."""

    answer: Answer | UpstreamFault = field(
        default_factory=lambda: Answer(200, [(b"content-type", b"application/json")], b"{}")
    )
    messages: list[bytes] = field(default_factory=list)
    timeouts: list[float] = field(default_factory=list)
    closed: bool = False

    async def exchange(
        self, origin: str, message: bytes, *, head: bool, repeatable: bool, timeout: float = 0.0
    ) -> Answer | UpstreamFault:
        self.messages.append(message)
        self.timeouts.append(timeout)
        return self.answer

    def start(self, origin: str, message: bytes, *, head: bool) -> None:
        """No connection is idle."""

    async def exchange_anew(self, origin: str, message: bytes, *, head: bool, timeout: float) -> Answer | UpstreamFault:
        return await self.exchange(origin, message, head=head, repeatable=False, timeout=timeout)

    def close(self) -> None:
        self.closed = True


async def echo_service(request: HttpRequest, place: NetworkPlace) -> HttpResponse:
    return HttpResponse(200, [(b"content-type", b"text/plain")], place.name.encode() + b" " + request.body)


def an_edge(
    client: Client,
    *,
    apis: Mapping[str, Api] | None = None,
    services: Mapping[str, Handler] | None = None,
    places: Mapping[tuple[str, int], NetworkPlace] = PLACES,
    patient: Container[str] = (),
) -> Edge:
    return Edge(
        apis={"orders": an_api()} if apis is None else apis,
        services={"sts": echo_service, "events": echo_service, "credentials": echo_service}
        if services is None
        else services,
        places=places,
        authority=an_authority(),
        region=REGION,
        client=client,
        clock=lambda: NOON,
        patient=patient,
    )
