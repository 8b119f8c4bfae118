"""How a connection proves who calls: a password, an API key, or a token that its authorization endpoint gives.

Secrets are opened when they are needed and are in no log, text or trace. Source: EventBridge user guide,
"Authorization methods for connections".
"""

import asyncio
import logging
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from harness.bus.documents import Document
from harness.bus.targets.delivery import Failure
from harness.bus.targets.http_parameters import NONE, form, of_connection, outgoing
from harness.http_client import Answer, HttpClient, TargetUnreachable

log = logging.getLogger(__name__)

TOKEN_SECONDS = 5.0
RENEW_BEFORE_SECONDS = 60.0
UNTOLD_LIFE_SECONDS = 3600.0
MOST_TOKENS = 4096


@dataclass(frozen=True, slots=True)
class Credentials:
    """Headers. `reused`: a token that an earlier call got, so that a new one may be worth a try."""

    headers: Mapping[str, str] = field(repr=False)
    reused: bool = False


@dataclass(slots=True)
class _Token:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    value: str = field(default="", repr=False)
    ends: float = 0.0


class Tokens:
    """By the id of a connection's secret: a connection that is changed has another one. `time`: seconds that grow."""

    def __init__(self, client: HttpClient, *, time: Callable[[], float]) -> None:
        self._client = client
        self._time = time
        self._tokens: dict[str, _Token] = {}

    async def credentials(self, secret_id: str, kind: str, parameters: Document) -> Credentials | Failure:
        """`kind` and `parameters` as AuthorizationType and AuthParameters of CreateConnection."""
        match kind:
            case "BASIC":
                basic = parameters["BasicAuthParameters"]
                pair = f"{basic['Username']}:{basic['Password']}".encode()
                return Credentials({"Authorization": f"Basic {b64encode(pair).decode()}"})
            case "API_KEY":
                key = parameters["ApiKeyAuthParameters"]
                return Credentials({key["ApiKeyName"]: key["ApiKeyValue"]})
        return await self._token(secret_id, parameters["OAuthParameters"])

    @property
    def remembered(self) -> int:
        return len(self._tokens)

    def forget(self, secret_id: str) -> None:
        """Its token is worth nothing (any more)."""
        self._tokens.pop(secret_id, None)

    async def _token(self, secret_id: str, oauth: Document) -> Credentials | Failure:
        token = self._tokens.setdefault(secret_id, _Token())
        if len(self._tokens) > MOST_TOKENS:  # of connections that were changed since, as a rule
            del self._tokens[next(iter(self._tokens))]
        async with token.lock:
            if token.value and self._time() < token.ends:
                return Credentials({"Authorization": token.value}, reused=True)
            answer = await self._ask(oauth)
            if isinstance(answer, Failure):
                return answer
            granted = _granted(answer)
            if granted is None:
                return Failure("NO_PERMISSIONS", f"{_named(oauth)} gave no access token", retryable=False)
            token.value, life = granted
            token.ends = self._time() + max(0.0, life - RENEW_BEFORE_SECONDS)
            return Credentials({"Authorization": token.value})

    async def _ask(self, oauth: Document) -> Answer | Failure:
        request = token_request(oauth)
        if isinstance(request, Failure):
            return request
        method, url, headers, body = request
        try:
            async with asyncio.timeout(TOKEN_SECONDS):
                answer = await self._client.request(method, url, headers, body)
        except TimeoutError:
            return Failure("TIMEOUT", f"{_named(oauth)} did not answer within {TOKEN_SECONDS:g} s")
        except TargetUnreachable:
            return Failure("CONNECTION_FAILURE", f"{_named(oauth)} cannot be reached")
        if 200 <= answer.status < 300:
            return answer
        again = answer.status == 429 or answer.status >= 500
        code = "ERROR_FROM_TARGET" if again else "NO_PERMISSIONS"
        return Failure(code, f"{_named(oauth)} answered {answer.status}", retryable=again)


def token_request(oauth: Mapping[str, Any]) -> tuple[str, str, tuple[tuple[str, str], ...], bytes] | Failure:
    """The client's id and secret travel in the form (RFC 6749, section 2.3.1), in the query of a GET."""
    client = oauth["ClientParameters"]
    given = of_connection(oauth.get("OAuthHttpParameters"))
    method, endpoint = oauth["HttpMethod"], oauth["AuthorizationEndpoint"]
    if not endpoint.startswith("https://"):
        return Failure("INVALID_PARAMETER", "an authorization endpoint is an https:// address", retryable=False)
    fields = {
        "grant_type": "client_credentials",
        "client_id": client["ClientID"],
        "client_secret": client["ClientSecret"],
        **given.body,
    }
    wanted = next((value for name, value in given.headers.items() if name.lower() == "content-type"), "")
    headers = {**given.headers} if wanted else {"Content-Type": "application/x-www-form-urlencoded", **given.headers}
    as_json = "json" in wanted
    body = orjson.dumps(fields) if as_json else form(fields.items()).encode()
    if method == "GET":
        endpoint += ("&" if "?" in endpoint else "?") + form(fields.items())
    target = {"HeaderParameters": headers, "QueryStringParameters": dict(given.query)}
    request = outgoing(
        method=method, endpoint=endpoint, target=target, connection=NONE, credentials={}, body=body, event=b"{}"
    )
    if isinstance(request, str):
        return Failure("INVALID_PARAMETER", f"{_named(oauth)}: {request}", retryable=False)
    return request.method, request.url, request.headers, request.body


def _granted(answer: Answer) -> tuple[str, float] | None:
    """The value of `Authorization`, and how many seconds it lasts (RFC 6749, section 5.1)."""
    try:
        content = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return None
    token = content.get("access_token") if isinstance(content, dict) else None
    if not isinstance(token, str) or not token or not token.isprintable():
        return None
    life = content.get("expires_in")
    return f"Bearer {token}", float(life) if isinstance(life, int | float) else UNTOLD_LIFE_SECONDS


def _named(oauth: Mapping[str, Any]) -> str:
    """Without its query, which may hold a secret."""
    endpoint: str = oauth["AuthorizationEndpoint"]
    return f"the authorization endpoint {endpoint.partition('?')[0]}"
