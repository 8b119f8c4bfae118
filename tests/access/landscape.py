"""A small organisation, and requests signed by its sessions at one instant."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from harness.identity import (
    Credentials,
    Directory,
    Membership,
    OidcProvider,
    Role,
    Sealer,
    Session,
    role_id,
    start_session,
)
from harness.policy import Document, PolicyKind, compile_document
from harness.sigv4 import sign
from harness.wire import HttpRequest, NetworkPlace, PlaceKind

NOON = datetime(2026, 1, 15, 12, 0, 0, tzinfo=UTC)
REGION = "eu-west-1"
ORGANISATION = "o-example"
ORDERS, STOCK, STOREFRONT = "111111111111", "222222222222", "333333333333"
MASTER_KEY = bytes(range(32))
OIDC = OidcProvider("oidc.harness.example/landscape", ("sts.amazonaws.com",))

ENDPOINT = NetworkPlace("orders endpoint", PlaceKind.ENDPOINT, ORDERS, "vpce-0a1b2c3d4e5f60718", "vpc-0a1b2c3d")
WORKBENCH = NetworkPlace("workbench", PlaceKind.WORKBENCH, "999999999999", "vpce-0workbench", "vpc-0workbench")
PUBLIC = NetworkPlace("public", PlaceKind.PUBLIC)
CREDENTIALS = NetworkPlace("credentials", PlaceKind.CREDENTIALS)

PATHS = {
    ORDERS: f"{ORGANISATION}/r-ab12/ou-ab12-11111111/",
    STOCK: f"{ORGANISATION}/r-ab12/ou-ab12-11111111/ou-ab12-22222222/",
    STOREFRONT: f"{ORGANISATION}/r-ab12/",
}

Statement = Mapping[str, Any]

ANYBODY_OF_ORDERS = {"Effect": "Allow", "Principal": {"AWS": ORDERS}, "Action": "sts:AssumeRole"}


def allow(action: str | Sequence[str], resource: str = "*", **more: Any) -> Statement:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: str | Sequence[str], resource: str = "*", **more: Any) -> Statement:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


def text_of(*statements: Statement) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def document(kind: PolicyKind, *statements: Statement, name: str = "policy") -> Document:
    return compile_document(text_of(*statements), kind=kind, name=name)


def a_role(
    account: str,
    name: str,
    *statements: Statement,
    trust: Sequence[Statement] = (ANYBODY_OF_ORDERS,),
    boundary: Sequence[Statement] | None = None,
    **more: Any,
) -> Role:
    """`statements` make one identity policy; none, no policy."""
    return Role(
        account,
        name,
        role_id(account, name),
        trust=document(PolicyKind.TRUST, *trust, name="trust"),
        policies=(document(PolicyKind.IDENTITY, *statements),) if statements else (),
        boundary=None if boundary is None else document(PolicyKind.BOUNDARY, *boundary),
        **more,
    )


def a_directory(*roles: Role, **more: Any) -> Directory:
    return Directory(
        region=REGION,
        organisation=ORGANISATION,
        accounts={ORDERS: "orders", STOCK: "stock", STOREFRONT: "storefront"},
        roles={role.arn: role for role in roles},
        oidc=OIDC,
        **{"memberships": {account: Membership(path) for account, path in PATHS.items()}, **more},
    )


def a_session(role: Role, name: str = "session", **more: Any) -> Session:
    return start_session(role, name, **{"now": NOON, "seconds": 3600, **more})


def signed(
    credentials: Credentials,
    *,
    service: str = "execute-api",
    region: str = REGION,
    now: datetime = NOON,
    method: str = "GET",
    path: bytes = b"/v1/orders",
    query: bytes = b"",
    body: bytes = b"",
    host: bytes = b"localhost:4566",
    headers: Sequence[tuple[bytes, bytes]] = (),
    secret: str | None = None,
    token: str | None = "",
) -> HttpRequest:
    """`secret` and `token` replace those of the credentials; a token of None sends none."""
    bare = HttpRequest(method, path, query, [(b"host", host), *headers], body, client_ip="10.0.0.7")
    added = sign(
        bare,
        access_key_id=credentials.access_key_id,
        secret=credentials.secret_access_key if secret is None else secret,
        session_token=credentials.session_token if token == "" else token,
        region=region,
        service=service,
        now=now,
    )
    return HttpRequest(method, path, query, [*bare.headers, *added], body, client_ip="10.0.0.7")


def a_sealer() -> Sealer:
    return Sealer(MASTER_KEY)
