"""Requests and credentials that several tests share, and the reader of their case files."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.sigv4 import Fault, Presented, SigningKeys, check_scope, read_authorization, sign, verify
from harness.wire import HttpRequest

ACCESS_KEY_ID = "AKIDEXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
REGION = "eu-west-1"
SERVICE = "execute-api"
NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
HOST = "abc123.execute-api.eu-west-1.amazonaws.com"


def cases(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((Path(__file__).parent / "cases" / f"{name}.json").read_text())
    return found


def from_text(text: bytes) -> HttpRequest:
    """A request as a file of bytes shows it: request line, headers (folded ones too), empty line, body."""
    head, _, body = text.partition(b"\n\n")
    line, *rest = head.split(b"\n")
    target = line.partition(b" ")[2].removesuffix(b" HTTP/1.1")
    path, _, query = target.partition(b"?")
    headers: list[tuple[bytes, bytes]] = []
    for field in rest:
        if field[:1] == b" ":
            name, value = headers.pop()
            headers.append((name, value + b"\n" + field))
        elif field:
            name, _, value = field.partition(b":")
            headers.append((name.lower(), value.strip()))
    return HttpRequest(line.partition(b" ")[0].decode(), path, query, headers, body)


def get(
    path: bytes = b"/v1/orders", query: bytes = b"", *, method: str = "GET", body: bytes = b"", **headers: str
) -> HttpRequest:
    """An unsigned request; `x_api_key="k"` is the header `x-api-key: k`."""
    others = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return HttpRequest(method, path, query, [(b"host", HOST.encode()), *others], body)


def signed(request: HttpRequest, token: str | None = None, at: datetime = NOON) -> HttpRequest:
    added = sign(
        request,
        access_key_id=ACCESS_KEY_ID,
        secret=SECRET,
        session_token=token,
        region=REGION,
        service=SERVICE,
        now=at,
    )
    return HttpRequest(request.method, request.raw_path, request.raw_query, [*request.headers, *added], request.body)


def check(
    request: HttpRequest,
    *,
    now: datetime = NOON,
    region: str = REGION,
    service: str = SERVICE,
    secret: str = SECRET,
    keys: SigningKeys | None = None,
) -> Presented | Fault:
    """The whole check in the order of an edge: what is presented, or the first fault."""
    presented = read_authorization(request)
    if isinstance(presented, Fault):
        return presented
    fault = check_scope(presented, region=region, service=service, now=now)
    return fault or verify(request, presented, secret, keys) or presented
