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
from harness.wire import PARTITION, HttpRequest, NetworkPlace

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MEMORY_MB = 512
_VERSION = "$LATEST"
# Clients choose some of it: what is remembered is bounded.
_MOST_REMEMBERED = 2048
_MOST_REMEMBERED_BYTES = 4096

# Everything that the remembered parts say, or follows from it.
_Common = tuple[str, str, Route, int, str, str, bytes, bytes | None, str]


class ContextWriter:
    """Writes both contexts. What is the same for the calls of a session to a route is written once and kept."""

    def __init__(self, region: str) -> None:
        self._region = region
        # The caller is kept with them: so long its id is nobody else's.
        self._common: dict[_Common, tuple[bytes, bytes, Caller]] = {}
        self._lambdas: dict[str, bytes] = {}  # as many as there are APIs
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
        api, stage, route, caller = admitted
        common = (api.id, stage.name, route, id(caller), place.name, method, host, user_agent, request.client_ip)
        parts = self._common.get(common)
        if parts is None:
            parts = self._write(common, admitted, place)
        written = b'%b%b,"requestId":"%b","extendedRequestId":"%b","requestTime":"%b","requestTimeEpoch":%d%b' % (
            parts[0],
            orjson.dumps(request.raw_path.decode("ascii")),
            request.request_id.encode(),
            extended_id.encode(),
            self._time[1],
            epoch_ms,
            parts[1],
        )
        return written if written.isascii() else _ascii(written)

    def _write(self, common: "_Common", admitted: Admitted, place: NetworkPlace) -> tuple[bytes, bytes, Caller]:
        """What comes before the path, and what comes after the time."""
        *_, method, host, user_agent, client_ip = common
        api, stage, route, caller = admitted
        before = {
            "accountId": api.account,
            "apiId": api.id,
            "resourceId": route.resource_id,
            "resourcePath": route.template,
            "stage": stage.name,
            "deploymentId": stable_id(f"{api.id}/{stage.name}"),
            "protocol": "HTTP/1.1",
            **_host(host),
            "httpMethod": method,
            "path": "",
        }
        after = {
            "identity": {
                **_identity(caller, place),
                "sourceIp": client_ip,
                "userAgent": None if user_agent is None else user_agent.decode("latin-1"),
            }
        }
        parts = orjson.dumps(before).removesuffix(b'""}'), b"," + orjson.dumps(after)[1:], caller
        if len(parts[0]) + len(parts[1]) <= _MOST_REMEMBERED_BYTES:
            if len(self._common) >= _MOST_REMEMBERED:
                self._common.clear()
            self._common[common] = parts
        return parts

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


def _host(host: bytes) -> dict[str, str]:
    text = host.decode("latin-1")
    name = text[: text.rfind("]") + 1] or text.partition(":")[0]
    return {"domainName": name, "domainPrefix": name.partition(".")[0]}


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
