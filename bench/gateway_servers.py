"""The processes of the gateway's benchmark: the edge with one API, and a small upstream.

Run by `bench.gateway`, each with a bound socket: `python -m bench.gateway_servers edge|upstream FD …`. The edge
reads its master key as hex from standard input.
"""

import asyncio
import json
import socket
import sys
from typing import Final, cast

import uvloop

from harness.access import Authority
from harness.gateway.api import Api, Stage
from harness.gateway.edge import Edge
from harness.gateway.routes import RouteTable
from harness.gateway.server import addresses, serve
from harness.gateway.upstream import PooledClient
from harness.identity import Directory, Role, Sealer, role_id
from harness.policy import PolicyKind, compile_document
from harness.wire import NetworkPlace, PlaceKind

REGION: Final = "eu-west-1"
OWNER: Final = "111111111111"
CALLER: Final = "222222222222"
PATH: Final = "/v2/orders/17?fields=id,status"

_BODY = json.dumps({"id": 17, "status": "confirmed", "lines": [{"sku": "A-1", "quantity": 2}] * 4}).encode()
ANSWER = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ndate: Thu, 15 Jan 2026 12:00:00 GMT\r\n"
    b'etag: "v42"\r\ncontent-length: %d\r\n\r\n%b' % (len(_BODY), _BODY)
)
_CONTRACT = {
    "openapi": "3.1.0",
    "paths": {"/orders": {"get": {}, "post": {}}, "/orders/{order_id}": {"get": {}, "delete": {}}},
}


def caller_role() -> Role:
    trust = _policy(PolicyKind.TRUST, {"Effect": "Allow", "Principal": {"AWS": CALLER}, "Action": "sts:AssumeRole"})
    invoke = {
        "Effect": "Allow",
        "Action": "execute-api:Invoke",
        "Resource": f"arn:aws:execute-api:{REGION}:{OWNER}:orders/v2/*/orders*",
    }
    identity = compile_document(_text(invoke), kind=PolicyKind.IDENTITY, name="calls orders")
    return Role(CALLER, "storefront", role_id(CALLER, "storefront"), trust, (identity,))


def directory() -> Directory:
    role = caller_role()
    return Directory(REGION, "o-bench", {OWNER: "orders", CALLER: "storefront"}, {role.arn: role})


def edge(sock: socket.socket, upstream: str, master_key: bytes, client: PooledClient) -> Edge:
    """One API across accounts, its resource policy with a condition on the VPC endpoint, as a real one has."""
    resource_policy = _policy(
        PolicyKind.RESOURCE,
        {
            "Effect": "Allow",
            "Principal": {"AWS": caller_role().arn},
            "Action": "execute-api:Invoke",
            "Resource": "execute-api:/v2/GET/orders/*",
        },
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "execute-api:Invoke",
            "Resource": "execute-api:/*",
            "Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-0123456789abcdef0"}},
        },
    )
    place = NetworkPlace(
        "workbench", PlaceKind.WORKBENCH, CALLER, vpce_id="vpce-0123456789abcdef0", vpc_id="vpc-0123456789abcdef0"
    )
    return Edge(
        apis={
            "orders": Api(
                "orders",
                OWNER,
                resource_policy,
                {"v2": Stage("v2", RouteTable.from_openapi(_CONTRACT))},
                upstream,
            )
        },
        services={},
        places=dict.fromkeys(addresses([sock]), place),
        authority=Authority(directory(), Sealer(master_key)),
        region=REGION,
        client=client,
    )


def _text(*statements: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def _policy(kind: PolicyKind, *statements: object):  # type: ignore[no-untyped-def]
    api_arn = f"arn:aws:execute-api:{REGION}:{OWNER}:orders"
    return compile_document(_text(*statements), kind=kind, name=kind.value, api_arn=api_arn)


class Upstream(asyncio.Protocol):
    """Answers every request head with the same 200; the requests of this benchmark have no body."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._rest = b""

    def data_received(self, data: bytes) -> None:
        *heads, self._rest = (self._rest + data).split(b"\r\n\r\n")
        self._transport.write(ANSWER * len(heads))


async def _serve_upstream(sock: socket.socket) -> None:
    server = await asyncio.get_running_loop().create_server(Upstream, sock=sock)
    await server.serve_forever()


def main(role: str, fd: str, upstream: str = "") -> None:
    sock = socket.socket(fileno=int(fd))
    if role == "upstream":
        uvloop.run(_serve_upstream(sock))
    else:
        uvloop.run(serve(edge(sock, upstream, bytes.fromhex(sys.stdin.readline()), PooledClient()), [sock]))


if __name__ == "__main__":
    main(*sys.argv[1:])
