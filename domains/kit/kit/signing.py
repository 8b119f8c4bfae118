"""Signature version 4 for calls to private APIs, made from the request as it leaves."""

from collections.abc import Generator

import httpx2
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from kit.credentials import DefaultChain

SERVICE = "execute-api"
SIGNED = frozenset({"host", "content-type"})
"""Headers that nobody between here and the gateway rewrites."""


class SigV4(httpx2.Auth):
    """Signs each request anew, redirects and retries too: a signature holds for one request and five minutes."""

    requires_request_body = True

    def __init__(self, credentials: DefaultChain, *, region: str) -> None:
        self._credentials = credentials
        self._region = region

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        self.sign(request)
        yield request

    def sign(self, request: httpx2.Request) -> None:
        # `+` is a space to some readers and a plus to SigV4; %20 is a space to all of them.
        if b"+" in request.url.query:
            request.url = request.url.copy_with(query=request.url.query.replace(b"+", b"%20"))
        aws_request = AWSRequest(
            method=request.method,
            url=str(request.url),
            data=request.content,
            headers={name: value for name, value in request.headers.items() if name.lower() in SIGNED},
        )
        SigV4Auth(self._credentials.current(), SERVICE, self._region).add_auth(aws_request)
        for name in ("Authorization", "X-Amz-Date", "X-Amz-Security-Token"):
            if name in aws_request.headers:
                request.headers[name] = aws_request.headers[name]
            elif name in request.headers:
                del request.headers[name]
