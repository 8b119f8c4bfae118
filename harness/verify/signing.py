"""Requests signed as a role: what leaves is what was signed.

`requests` prepares a URL with `+` for a space in the query. The gateway reads `+` as the client's own byte, other
readers as a space; `%20` means a space to all of them, so the query is rewritten before it is signed.
"""

from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit, urlunsplit

import requests
from requests.auth import AuthBase

from harness import wire
from harness.identity import Credentials
from harness.sigv4 import sign

CredentialSource = Callable[[], Credentials]
"""Answers credentials that are valid now; called for every request, so it may rotate them."""


class SigV4(AuthBase):
    """Signs the final request for service `execute-api` and names the API by `x-apigw-api-id`.

    The header names the API because names below `localhost` do not resolve on every system.
    """

    def __init__(self, api: str, credentials: CredentialSource, *, region: str, now: Callable[[], datetime]) -> None:
        self._api = api
        self._credentials = credentials
        self._region = region
        self._now = now

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        assert request.url is not None
        assert request.method is not None
        parts = urlsplit(request.url)
        query = parts.query.replace("+", "%20")
        request.url = urlunsplit(parts._replace(query=query, fragment=""))
        request.headers["x-apigw-api-id"] = self._api
        request.headers["Host"] = parts.netloc.rpartition("@")[2]
        for name in ("Authorization", "X-Amz-Date", "X-Amz-Security-Token"):
            request.headers.pop(name, None)
        credentials = self._credentials()
        signed = wire.HttpRequest(
            method=request.method,
            raw_path=(parts.path or "/").encode(),
            raw_query=query.encode(),
            headers=[
                (name.lower().encode("latin-1"), _header_bytes(value))
                for name, value in request.headers.items()
                if name.lower() in _SIGNED_HEADERS or name.lower().startswith("x-amz")
            ],
            body=_body_bytes(request.body),
        )
        added = sign(
            signed,
            access_key_id=credentials.access_key_id,
            secret=credentials.secret_access_key,
            session_token=credentials.session_token,
            region=self._region,
            service="execute-api",
            now=self._now(),
        )
        for header, text in added:
            request.headers[header.decode()] = text.decode()
        return request


_SIGNED_HEADERS = {"host", "content-type", "x-apigw-api-id"}


def _header_bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode("latin-1")


def _body_bytes(body: object) -> bytes:
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, bytes):
        return body
    raise TypeError(f"a streamed body cannot be signed: {type(body).__name__}")


class _Unredirected(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """None: a signature is for one URL alone."""
        return None


def signed_session(
    api: str, credentials: CredentialSource, *, region: str, now: Callable[[], datetime]
) -> requests.Session:
    """A `requests.Session` whose every request is signed, and which takes a redirect for the answer that it is."""
    session = _Unredirected()
    session.auth = SigV4(api, credentials, region=region, now=now)
    session.trust_env = False
    return session
