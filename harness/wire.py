"""What crosses a wire: names of headers and variables, ARNs, requests and responses as bytes, network places.

Source for the names: AWS's documentation of API Gateway, the SDKs and the Lambda Web Adapter.
"""

import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

HeaderList = Sequence[tuple[bytes, bytes]]
"""Headers in the order of arrival, names in lower case, values without surrounding white space."""

# API Gateway
API_ID_HEADER = b"x-apigw-api-id"
REQUEST_ID_HEADER = b"x-amzn-requestid"
EXTENDED_REQUEST_ID_HEADER = b"x-amz-apigw-id"
ERROR_TYPE_HEADER = b"x-amzn-errortype"
# Lambda Web Adapter
REQUEST_CONTEXT_HEADER = b"x-amzn-request-context"
LAMBDA_CONTEXT_HEADER = b"x-amzn-lambda-context"
EVENTS_PATH = "/events"
READINESS_PATH = "/healthz"
# Ours
HEALTH_PATH = "/_harness/health"

MAX_BODY_BYTES = 10_485_760
MAX_METHOD_ARN_BYTES = 1600
INTEGRATION_TIMEOUT_SECONDS = 29.0

PARTITION = "aws"


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request as it arrived, nothing decoded. `raw_path` and `raw_query` are the bytes on the wire, without `?`."""

    method: str
    raw_path: bytes
    raw_query: bytes
    headers: HeaderList
    body: bytes
    request_id: str = ""
    client_ip: str = ""

    def header(self, name: bytes) -> bytes | None:
        """The first value of a header (lower-case `name`), or None."""
        for key, value in self.headers:
            if key == name:
                return value
        return None


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A whole answer. `Content-Length` and `x-amzn-RequestId` are added by whoever sends it."""

    status: int
    headers: HeaderList
    body: bytes


class PlaceKind(StrEnum):
    WORKBENCH = "workbench"
    PUBLIC = "public"
    ENDPOINT = "endpoint"
    CREDENTIALS = "credentials"


@dataclass(frozen=True, slots=True)
class NetworkPlace:
    """Where a request comes from, decided by the listener that took it and by nothing the caller can send.

    `vpce_id` and `vpc_id` are empty only for PUBLIC and CREDENTIALS. `api` is set on a listener that stands for one
    API alone, as a private custom domain name does; the request then needs no host or header that names the API.
    """

    name: str
    kind: PlaceKind
    account: str = ""
    vpce_id: str = ""
    vpc_id: str = ""
    api: str = ""


Handler = Callable[[HttpRequest, NetworkPlace], Awaitable[HttpResponse]]
"""An AWS service's endpoint (sts, events, …): one request in, one answer out."""


def role_arn(account: str, name: str, path: str = "/") -> str:
    return f"arn:{PARTITION}:iam::{account}:role{path}{name}"


def session_arn(account: str, role_name: str, session_name: str) -> str:
    return f"arn:{PARTITION}:sts::{account}:assumed-role/{role_name}/{session_name}"


def bus_arn(region: str, account: str, name: str) -> str:
    return f"arn:{PARTITION}:events:{region}:{account}:event-bus/{name}"


def rule_arn(region: str, account: str, bus: str, name: str) -> str:
    scope = "" if bus == "default" else f"{bus}/"
    return f"arn:{PARTITION}:events:{region}:{account}:rule/{scope}{name}"


def bus_of_rule(arn: str) -> str:
    """The ARN of the bus that a rule's ARN is of; empty for any other ARN."""
    place, rule, path = arn.partition(":rule/")
    if not rule or not place.startswith(f"arn:{PARTITION}:events:"):
        return ""
    return f"{place}:event-bus/{path.rpartition('/')[0] or 'default'}"


def queue_arn(region: str, account: str, name: str) -> str:
    return f"arn:{PARTITION}:sqs:{region}:{account}:{name}"


def function_arn(region: str, account: str, name: str) -> str:
    """A domain's container stands where its Lambda function is on AWS."""
    return f"arn:{PARTITION}:lambda:{region}:{account}:function:{name}"


def method_arn(region: str, account: str, api: str, stage: str, method: str, path: str) -> str:
    """`path` as the client sent it below the stage, with its leading `/`."""
    return f"arn:{PARTITION}:execute-api:{region}:{account}:{api}/{stage}/{method}{path}"


def new_uuid() -> str:
    """A random UUID (RFC 9562, version 4), without the detour over an object: each event and message has one."""
    digits = os.urandom(16).hex()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
