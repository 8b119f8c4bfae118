"""Asks the STS handler as an SDK does, and reads its answers with botocore's own parser."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import botocore.session
from botocore.parsers import create_parser

from harness.access import Authority
from harness.identity import Credentials, Directory, Session
from harness.sts.api import StsApi
from harness.sts.web_identity import WorkloadTokens, generate_key
from harness.wire import HttpRequest, HttpResponse, NetworkPlace
from tests.access.landscape import NOON, OIDC, REGION, WORKBENCH, a_sealer, signed

SEALER = a_sealer()
MODEL = botocore.session.get_session().get_service_model("sts")

KEY = generate_key()


@dataclass(frozen=True, slots=True)
class Answer:
    """`result` holds the members of a good answer, `code` and `message` those of an error."""

    status: int
    code: str
    message: str
    result: Mapping[str, Any]


def tokens(now: datetime = NOON, *, issuer: str = OIDC.url) -> WorkloadTokens:
    return WorkloadTokens(KEY, issuer=issuer, clock=lambda: now)


def an_api(directory: Directory, now: datetime = NOON) -> StsApi:
    authority = Authority(directory, SEALER, clock=lambda: now)
    return StsApi(authority, SEALER, directory, clock=lambda: now, web_identity_key=tokens().public_keys)


def issued(session: Session) -> Credentials:
    return SEALER.issue(session)


def form(action: str, parameters: Mapping[str, str]) -> bytes:
    return urlencode({"Action": action, "Version": "2011-06-15", **parameters}).encode()


def ask(
    directory: Directory,
    action: str,
    parameters: Mapping[str, str] | None = None,
    *,
    session: Session | None = None,
    now: datetime = NOON,
    place: NetworkPlace = WORKBENCH,
    region: str = REGION,
    signed_at: datetime | None = None,
) -> Answer:
    """One call, signed by `session` if there is one."""
    body = form(action, parameters or {})
    headers = [(b"content-type", b"application/x-www-form-urlencoded; charset=utf-8")]
    if session is None:
        request = HttpRequest("POST", b"/", b"", [(b"host", b"localhost"), *headers], body)
    else:
        request = signed(
            issued(session),
            service="sts",
            region=region,
            now=signed_at or now,
            method="POST",
            path=b"/",
            body=body,
            headers=headers,
        )
    return read(action, send(an_api(directory, now), request, place))


def send(api: StsApi, request: HttpRequest, place: NetworkPlace = WORKBENCH) -> HttpResponse:
    return asyncio.run(_send(api, request, place))


async def _send(api: StsApi, request: HttpRequest, place: NetworkPlace) -> HttpResponse:
    return await api(request, place)


def read(action: str, response: HttpResponse) -> Answer:
    shape = MODEL.operation_model(action).output_shape if action in MODEL.operation_names else None
    parsed = create_parser("query").parse(
        {
            "status_code": response.status,
            "headers": {name.decode(): value.decode() for name, value in response.headers},
            "body": response.body,
        },
        shape,
    )
    error = parsed.pop("Error", {})
    parsed.pop("ResponseMetadata", None)
    return Answer(response.status, error.get("Code", ""), error.get("Message", ""), parsed)
