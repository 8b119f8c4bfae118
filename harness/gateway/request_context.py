"""What the container is told about a call: `x-amzn-request-context` and `x-amzn-lambda-context`, as JSON in a header.

Source: the proxy event of REST APIs (payload 1.0) for an AWS_IAM method behind a private endpoint, and the Lambda Web
Adapter, which puts its `requestContext` and the Lambda context into these headers.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from harness.access import Caller
from harness.gateway.api import Api, Stage
from harness.gateway.identifiers import stable_id
from harness.gateway.routes import Route
from harness.identity import RecentlyUsed
from harness.wire import INTEGRATION_TIMEOUT_SECONDS, PARTITION, HttpRequest, NetworkPlace

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MEMORY_MB = 512
_DEADLINE_MS = int(INTEGRATION_TIMEOUT_SECONDS * 1000)
_VERSION = "$LATEST"


@dataclass(frozen=True, slots=True)
class Call:
    """An authorised call, with all that its contexts tell. `method` as routed; `epoch_ms`: when it came in."""

    api: Api
    stage: Stage
    route: Route
    caller: Caller
    place: NetworkPlace
    request: HttpRequest
    method: str
    extended_id: str
    trace_id: str
    epoch_ms: int
    host: str
    user_agent: str | None


class ContextWriter:
    """Writes both contexts. What is the same for every call of a session, route or API is written once and kept."""

    def __init__(self, region: str) -> None:
        self._region = region
        self._identities: RecentlyUsed[tuple[str, str], tuple[Caller, bytes]] = RecentlyUsed(4096)
        self._routes: RecentlyUsed[tuple[str, str, Route], bytes] = RecentlyUsed(4096)
        self._lambdas: RecentlyUsed[str, bytes] = RecentlyUsed(1024)
        self._time = (-1, b"")

    def request_context(self, call: Call) -> bytes:
        request = call.request
        host = call.host[: call.host.rfind("]") + 1] or call.host.partition(":")[0]
        seconds = call.epoch_ms // 1000
        if self._time[0] != seconds:
            self._time = (seconds, request_time(seconds).encode())
        written = b"".join(
            (
                self._route_part(call),
                b'"path":',
                orjson.dumps(request.raw_path.decode("ascii")),
                b',"protocol":"HTTP/1.1","domainName":',
                orjson.dumps(host),
                b',"domainPrefix":',
                orjson.dumps(host.partition(".")[0]),
                b',"requestId":"',
                request.request_id.encode(),
                b'","extendedRequestId":"',
                call.extended_id.encode(),
                b'","requestTime":"',
                self._time[1],
                b'","requestTimeEpoch":%d,"identity":{' % call.epoch_ms,
                self._identity_part(call),
                b',"sourceIp":"',
                request.client_ip.encode(),
                b'","userAgent":',
                orjson.dumps(call.user_agent),
                b"}}",
            )
        )
        return written if written.isascii() else _ascii(written)

    def lambda_context(self, call: Call) -> bytes:
        """`deadline` is in milliseconds since the epoch: the integration timeout after the call came in."""
        part = self._lambdas.get(call.api.id)
        if part is None:
            part = self._lambda_part(call.api)
            self._lambdas.put(call.api.id, part)
        return b'{"request_id":"%b","deadline":%d,"xray_trace_id":"%b",%b' % (
            call.request.request_id.encode(),
            call.epoch_ms + _DEADLINE_MS,
            call.trace_id.encode(),
            part,
        )

    def _route_part(self, call: Call) -> bytes:
        """The members that every call of a route shares, with the opening brace and a comma at the end."""
        place = (call.api.id, call.stage.name, call.route)
        part = self._routes.get(place)
        if part is None:
            members = {
                "accountId": call.api.account,
                "apiId": call.api.id,
                "resourceId": call.route.resource_id,
                "resourcePath": call.route.template,
                "stage": call.stage.name,
                "deploymentId": stable_id(f"{call.api.id}/{call.stage.name}"),
            }
            part = orjson.dumps(members)[:-1] + b","
            self._routes.put(place, part)
        return part + b'"httpMethod":"%b",' % call.method.encode()

    def _identity_part(self, call: Call) -> bytes:
        """The members of `identity` that a session shares between its calls from one place, without braces."""
        key = (call.caller.access_key_id, call.place.name)
        known = self._identities.get(key)
        if known is not None and known[0] is call.caller:
            return known[1]
        part = orjson.dumps(_identity(call.caller, call.place))[1:-1]
        self._identities.put(key, (call.caller, part))
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
