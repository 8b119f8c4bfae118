"""What the container is told about a call: `x-amzn-request-context` and `x-amzn-lambda-context`, as JSON in a header.

Source: the proxy event of REST APIs (payload 1.0) for an AWS_IAM method behind a private endpoint, and the Lambda Web
Adapter, which puts its `requestContext` and the Lambda context into these headers.
"""

import json
from datetime import UTC, datetime
from typing import Any

import orjson

from harness.access import Caller
from harness.gateway.admission import Admitted
from harness.gateway.api import Api
from harness.gateway.identifiers import stable_id
from harness.gateway.routes import Route
from harness.identity import RecentlyUsed
from harness.wire import PARTITION, HttpRequest, NetworkPlace

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MEMORY_MB = 512
_VERSION = "$LATEST"


class ContextWriter:
    """Writes both contexts. What is the same for every call of a session, route or API is written once and kept."""

    def __init__(self, region: str) -> None:
        self._region = region
        self._identities: RecentlyUsed[tuple[str, str], tuple[Caller, bytes]] = RecentlyUsed(4096)
        self._hosts: RecentlyUsed[bytes, bytes] = RecentlyUsed(1024)
        # As many as the contracts have routes, and as there are APIs.
        self._routes: dict[tuple[str, str, Route], bytes] = {}
        self._lambdas: dict[str, bytes] = {}
        self._time = (-1, b"")

    def request_context(
        self,
        admitted: Admitted,
        request: HttpRequest,
        place: NetworkPlace,
        *,
        method: str,
        host: bytes,
        user_agent: bytes | None,
        extended_id: str,
        epoch_ms: int,
    ) -> bytes:
        """`method` as routed; `host` as received, with its port; `epoch_ms`: when the request came in."""
        seconds = epoch_ms // 1000
        if self._time[0] != seconds:
            self._time = (seconds, request_time(seconds).encode())
        written = b"".join(
            (
                self._route_part(admitted),
                self._hosts.get(host) or self._host_part(host),
                b'"httpMethod":"',
                method.encode(),
                b'","path":',
                orjson.dumps(request.raw_path.decode("ascii")),
                b',"requestId":"',
                request.request_id.encode(),
                b'","extendedRequestId":"',
                extended_id.encode(),
                b'","requestTime":"',
                self._time[1],
                b'","requestTimeEpoch":%d,"identity":{' % epoch_ms,
                self._identity_part(admitted.caller, place),
                b',"sourceIp":"',
                request.client_ip.encode(),
                b'","userAgent":',
                b"null" if user_agent is None else orjson.dumps(user_agent.decode("latin-1")),
                b"}}",
            )
        )
        return written if written.isascii() else _ascii(written)

    def lambda_context(self, api: Api, request_id: str, trace_id: str, epoch_ms: int) -> bytes:
        """`deadline` is in milliseconds since the epoch: the integration timeout after the call came in."""
        part = self._lambdas.get(api.id)
        if part is None:
            part = self._lambdas[api.id] = self._lambda_part(api)
        return b'{"request_id":"%b","deadline":%d,"xray_trace_id":"%b",%b' % (
            request_id.encode(),
            epoch_ms + int(api.timeout * 1000),
            trace_id.encode(),
            part,
        )

    def _route_part(self, admitted: Admitted) -> bytes:
        """The members that every call of a route shares, with the opening brace and a comma at the end."""
        api, stage, route = admitted.api, admitted.stage, admitted.route
        key = (api.id, stage.name, route)
        part = self._routes.get(key)
        if part is None:
            members = {
                "accountId": api.account,
                "apiId": api.id,
                "resourceId": route.resource_id,
                "resourcePath": route.template,
                "stage": stage.name,
                "deploymentId": stable_id(f"{api.id}/{stage.name}"),
                "protocol": "HTTP/1.1",
            }
            part = self._routes[key] = orjson.dumps(members)[:-1] + b","
        return part

    def _host_part(self, host: bytes) -> bytes:
        text = host.decode("latin-1")
        name = text[: text.rfind("]") + 1] or text.partition(":")[0]
        members = {"domainName": name, "domainPrefix": name.partition(".")[0]}
        part = orjson.dumps(members)[1:-1] + b","
        self._hosts.put(host, part)
        return part

    def _identity_part(self, caller: Caller, place: NetworkPlace) -> bytes:
        """The members of `identity` that a session shares between its calls from one place, without braces."""
        key = (caller.access_key_id, place.name)
        known = self._identities.get(key)
        if known is not None and known[0] is caller:
            return known[1]
        part = orjson.dumps(_identity(caller, place))[1:-1]
        self._identities.put(key, (caller, part))
        return part

    def _lambda_part(self, api: Api) -> bytes:
        members = {
            "invoked_function_arn": f"arn:{PARTITION}:lambda:{self._region}:{api.account}:function:{api.id}",
            "client_context": None,
            "identity": None,
            "env_config": {
                "function_name": api.id,
                "memory": _MEMORY_MB,
                "version": _VERSION,
                "log_stream": "",
                "log_group": f"/aws/lambda/{api.id}",
            },
        }
        return orjson.dumps(members)[1:]


def request_time(epoch_seconds: int) -> str:
    """`15/Jan/2026:12:00:00 +0000`, whatever the process's locale says months are called."""
    at = datetime.fromtimestamp(epoch_seconds, UTC)
    return f"{at.day:02d}/{_MONTHS[at.month - 1]}/{at.year:04d}:{at.hour:02d}:{at.minute:02d}:{at.second:02d} +0000"


def _identity(caller: Caller, place: NetworkPlace) -> dict[str, Any]:
    principal = caller.principal
    identity: dict[str, Any] = {
        "accessKey": caller.access_key_id or None,
        "accountId": caller.account or None,
        "caller": principal.user_id,
        "user": principal.user_id,
        "userArn": principal.arn,
        "principalOrgId": caller.context.get("aws:principalorgid"),
        # Set only for credentials of a Cognito identity pool.
        "cognitoIdentityId": None,
        "cognitoIdentityPoolId": None,
        "cognitoAuthenticationType": None,
        "cognitoAuthenticationProvider": None,
    }
    if place.vpce_id:
        identity["vpceId"] = place.vpce_id
        identity["vpcId"] = place.vpc_id
    return identity


def _ascii(written: bytes) -> bytes:
    # A header's value is ASCII (RFC 9110 section 5.5); JSON can spell anything in it.
    return json.dumps(json.loads(written), ensure_ascii=True, separators=(",", ":")).encode()
