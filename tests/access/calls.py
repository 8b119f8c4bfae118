"""Random calls that a gateway must let through, signed by botocore, and what of a call a signature is about.

Two APIs with two stages each, two roles of two accounts; policies and contracts let everybody do anything. So nothing
but the signature stands between a changed call and its answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any
from unittest.mock import patch
from urllib.parse import quote, unquote_to_bytes

from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials

from harness.access import Authority
from harness.gateway.admission import Admitted, Gate
from harness.gateway.api import Api, Stage
from harness.gateway.client_head import ClientHead
from harness.gateway.routes import RouteTable
from harness.gateway.routing import UNCLEAR, ApiNames
from harness.identity import Credentials, Sealer, start_session
from harness.policy import PolicyKind, compile_document
from harness.wire import HttpRequest, NetworkPlace, PlaceKind
from tests.access.landscape import (
    MASTER_KEY,
    NOON,
    ORDERS,
    REGION,
    STOCK,
    STOREFRONT,
    WORKBENCH,
    a_directory,
    a_role,
    allow,
    text_of,
)

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
APIS = {"orders": ORDERS, "stock": STOCK}
STAGES = ("v1", "v2")
LISTENERS = {
    api: NetworkPlace(
        f"storefront to {api}", PlaceKind.ENDPOINT, STOREFRONT, "vpce-0storefront", "vpc-0storefront", api
    )
    for api in APIS
}
PORTS = {"orders": 9001, "stock": 9002, "": 4566}
"""Of the listeners, by the API that they stand for."""
ROLES = tuple(a_role(account, name, allow("*")) for account, name in ((STOREFRONT, "storefront"), (STOCK, "counter")))

_SAFE_IN_PATH = "!$&'()*+,;=:@"
_TEXT = "abzAZ09-._~!$&'()*+,;=:@ %\"<>[]^`{|}äß€\U0001f600"
_HEADERS = ("Accept", "Content-Type", "X-Request-Id", "x-a", "x-a-b", "X.b", "Cookie")
_UNSIGNED = ("User-Agent", "X-Amzn-Trace-Id", "Connection")


@dataclass(frozen=True)
class Call:
    """A request, and the listener it comes in by."""

    request: HttpRequest
    place: NetworkPlace
    presigned: bool

    def changed(self, **what: Any) -> "Call":
        return replace(self, request=replace(self.request, **what))


class Gateway:
    """Who is let through, in process: the gateway's reading of the head, its routing and its gate."""

    def __init__(self) -> None:
        authority = Authority(a_directory(*ROLES), Sealer(MASTER_KEY), clock=lambda: NOON)
        self._api_names = ApiNames(REGION)
        self._gate = Gate({api: _an_api(api, account) for api, account in APIS.items()}, authority, REGION)

    def admits(self, call: Call) -> str:
        """Who is let through to do what, empty for a refusal."""
        head = ClientHead(call.request.headers)
        named = self._api_names.named(call.place, PORTS[call.place.api], head.host or b"", head.api_id)
        if head.problem or named is UNCLEAR or not named.api:
            return ""
        request = replace(call.request, headers=head.headers)
        method = (head.method_override or request.method.encode()).decode("latin-1").upper()
        got = self._gate.admit(request, call.place, named.api, method, NOON, must_sign=named.must_sign)
        if not isinstance(got, Admitted):
            return ""
        return f"{got.caller.principal.arn} {got.api.id}/{got.stage.name}/{method}{got.route.template}"


def _an_api(name: str, account: str) -> Api:
    arn = f"arn:aws:execute-api:{REGION}:{account}:{name}"
    anybody = compile_document(text_of(allow("*", Principal="*")), kind=PolicyKind.RESOURCE, name=name, api_arn=arn)
    anything = RouteTable.from_openapi(
        {"paths": {path: {"x-amazon-apigateway-any-method": {}} for path in ("/", "/{proxy+}")}}
    )
    return Api(name, account, anybody, {stage: Stage(stage, anything) for stage in STAGES}, "http://127.0.0.1:9")


class Caller:
    """Sessions of both roles, and calls signed with them. The same seed makes the same calls."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        sealer = Sealer(MASTER_KEY, entropy=self.random.randbytes)
        self.sessions: list[Credentials] = [
            sealer.issue(start_session(role, f"session-{n}", now=NOON, seconds=3600, entropy=self.random.randbytes(5)))
            for role in ROLES
            for n in range(3)
        ]

    def calls(self, count: int) -> list[Call]:
        """Signed within five minutes of noon, either way."""

        def moment() -> datetime:
            return (NOON + timedelta(seconds=self.random.randint(-299, 299))).replace(tzinfo=None)

        with patch("botocore.auth.get_current_datetime", moment):
            return [self._call() for _ in range(count)]

    def _call(self) -> Call:
        random = self.random
        api = random.choice(list(APIS))
        place, host = self._place_and_host(api)
        target = f"/{random.choice(STAGES)}{self._path()}"
        presigned = random.random() < 0.3
        body = b"" if presigned or random.random() < 0.4 else random.randbytes(random.randint(1, 40))
        request = AWSRequest(method=random.choice(METHODS), url=f"https://{host}{target}", data=body)
        if random.random() < 0.7:
            self._put_query(request)
        for name in random.sample(_HEADERS, random.randint(0, 3)):
            request.headers.add_header(name, self._header_value())
        if place is WORKBENCH and (not host.startswith(api) or random.random() < 0.3):
            request.headers.add_header("x-apigw-api-id", api)
        keys = random.choice(self.sessions)
        credentials = BotocoreCredentials(keys.access_key_id, keys.secret_access_key, keys.session_token)
        if presigned:
            signer = SigV4QueryAuth(credentials, "execute-api", REGION, expires=random.randint(300, 3600))
        else:
            signer = SigV4Auth(credentials, "execute-api", REGION)
        signer.add_auth(request)
        for name in random.sample(_UNSIGNED, random.randint(0, 2)):
            request.headers.add_header(name, "keep-alive")
        return _on_the_wire(request, host, place, presigned)

    def _place_and_host(self, api: str) -> tuple[NetworkPlace, str]:
        """The forms in which a call can name its API: by listener, by host name, by header."""
        match self.random.randrange(3):
            case 0:
                return LISTENERS[api], f"127.0.0.1:{PORTS[api]}"
            case 1:
                return WORKBENCH, f"{api}.execute-api.localhost:4566"
            case _:
                return WORKBENCH, "localhost:4566"

    def _path(self) -> str:
        """Whatever a path can hold that means one thing only: escapes, reserved bytes, UTF-8, a slash at the end."""
        random = self.random
        segments = [self._segment() for _ in range(random.randint(0, 4))]
        return "".join(f"/{segment}" for segment in segments) + "/" * (random.random() < 0.2)

    def _segment(self) -> str:
        text = "".join(self.random.choices(_TEXT, k=self.random.randint(1, 6)))
        if text.partition(";")[0] in ("", ".", ".."):
            return "x" + quote(text, safe=_SAFE_IN_PATH)
        return quote(text, safe=self.random.choice(["", "~", _SAFE_IN_PATH]))

    def _put_query(self, request: AWSRequest) -> None:
        random = self.random
        names = [random.randbytes(random.randint(1, 4)) for _ in range(random.randint(1, 4))]
        values = [random.randbytes(random.randint(0, 5)) for _ in names]
        if random.random() < 0.3:  # botocore's own encoding, with `+` for a space
            request.params = {
                name.decode("latin-1"): value.decode("latin-1") for name, value in zip(names, values, strict=True)
            }
        else:
            request.url += "?" + "&".join(
                f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in zip(names, values, strict=True)
            )

    def _header_value(self) -> str:
        return "".join(self.random.choices("aZ09-_.,;:/=\"' \täö€", k=self.random.randint(0, 12)))


def _on_the_wire(request: AWSRequest, host: str, place: NetworkPlace, presigned: bool) -> Call:
    target = request.prepare().url.removeprefix(f"https://{host}")
    path, _, query = target.encode().partition(b"?")
    headers = [(name.lower().encode(), value.encode()) for name, value in request.headers.items()]
    wire = HttpRequest(
        request.method, path, query, [(b"host", host.encode()), *headers], request.data or b"", client_ip="10.0.0.7"
    )
    return Call(wire, place, presigned)


def meaning(request: HttpRequest, *, plus: bytes = b" ") -> object:
    """What a signature is about, read the slow way and by nobody else's code: equal for two requests whose canonical
    requests, claims and credentials are the same.

    Source: AWS, "Create a signed AWS API request". `plus` is what `+` in a query stands for.
    """
    parameters = [parameter.partition(b"=")[::2] for parameter in request.raw_query.split(b"&") if request.raw_query]
    query = sorted((_decoded(name, plus), _decoded(value, plus)) for name, value in parameters)
    headers: dict[bytes, list[bytes]] = {}
    for name, value in request.headers:
        headers.setdefault(name, []).append(b" ".join(value.split()))
    claims = b",".join(headers.pop(b"authorization", [])).replace(b",", b" ").split()
    names = dict(query).get(b"X-Amz-SignedHeaders", b"")
    for claim in claims:
        if claim.startswith(b"SignedHeaders="):
            names += claim.partition(b"=")[2]
    signed = [(name, headers.get(name)) for name in names.split(b";")]
    return request.method, _normal(request.raw_path), query, signed, claims, request.body


def _decoded(text: bytes, plus: bytes) -> bytes:
    return unquote_to_bytes(text.replace(b"+", b"%20" if plus == b" " else b"%2B"))


def _normal(path: bytes) -> Sequence[bytes]:
    kept: list[bytes] = []
    for segment in path.split(b"/"):
        if segment == b"..":
            del kept[-1:]
        elif segment not in (b"", b"."):
            kept.append(segment)
    return [*kept, b""] if path.endswith(b"/") and kept else kept


def moment_of(text: bytes) -> datetime:
    return datetime.strptime(text.decode(), "%Y%m%dT%H%M%SZ")
