"""Rotating role credentials for containers, as the agents of ECS and EKS hand them out on loopback.

`GET /v2/credentials/{domain}` with the domain's token as `Authorization`. An SDK refreshes on every use once less
than 15 minutes are left, so sessions are longer. Source: AWS SDKs and Tools Reference, "Container credential
provider".
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import orjson

from harness import wire
from harness.access import Authority, Caller, network_context
from harness.clock import Clock, extended_iso, utc_now
from harness.identity import Role, Sealer, start_session
from harness.policy import ContextValue, Principal, PrincipalType
from harness.wire import HttpRequest, HttpResponse, NetworkPlace

PATH_PREFIX = b"/v2/credentials/"
DEFAULT_SECONDS = 3600
# botocore's advisory refresh begins 15 minutes before the end.
REFRESHED_BEFORE_END_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Grant:
    """The role that a domain's container runs as, and the token that it shows for it (any text without line breaks)."""

    role_arn: str
    token: str = field(repr=False)


class _Service(NamedTuple):
    """A service that starts containers and takes their role for them, and how it names what it started."""

    principal: str
    source: str


_SERVICES = (
    _Service("ecs-tasks.amazonaws.com", f"arn:{wire.PARTITION}:ecs:{{region}}:{{account}}:task/{{domain}}"),
    _Service("lambda.amazonaws.com", f"arn:{wire.PARTITION}:lambda:{{region}}:{{account}}:function:{{domain}}"),
)


class ContainerCredentials:
    """A `wire.Handler`. `grants` by the domain's name; `seconds` of each session, at most what its role permits."""

    def __init__(
        self,
        authority: Authority,
        sealer: Sealer,
        grants: Mapping[str, Grant],
        *,
        clock: Clock = utc_now,
        seconds: int = DEFAULT_SECONDS,
    ) -> None:
        if seconds <= REFRESHED_BEFORE_END_SECONDS:
            raise ValueError(f"a session of {seconds} s is refreshed on every use: give it more than 900 s")
        self._authority = authority
        self._sealer = sealer
        self._grants = grants
        self._clock = clock
        self._seconds = seconds

    async def __call__(self, request: HttpRequest, place: NetworkPlace) -> HttpResponse:
        if request.method != "GET":
            return _refused(405, "MethodNotAllowed", f"credentials are read with GET, not {request.method}")
        if not request.raw_path.startswith(PATH_PREFIX):
            return _refused(404, "NotFound", "credentials are at /v2/credentials/{domain}")
        domain = request.raw_path.removeprefix(PATH_PREFIX).decode("latin-1")
        grant = self._grants.get(domain)
        shown = request.header(b"authorization") or b""
        # An unknown domain is refused as a wrong token is, after the same comparison.
        expected = grant.token.encode() if grant is not None else b""
        if not hmac.compare_digest(shown, expected) or grant is None or not expected:
            return _refused(
                403,
                "AccessDenied",
                f"the Authorization header is not the token of {domain}: send what"
                " AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE holds, without a line break",
            )
        role = self._authority.directory.roles.get(grant.role_arn)
        if role is None:
            return _refused(404, "NotFound", f"the role {grant.role_arn} of {domain} does not exist")
        context = network_context(
            request, place, now=self._clock(), region=self._authority.directory.region, secure=False
        )
        if not any(self._trusts(role, domain, service, context) for service in _SERVICES):
            return _refused(403, "AccessDenied", _mend(role, domain))
        return self._issue(role, domain)

    def _trusts(self, role: Role, domain: str, service: _Service, context: Mapping[str, ContextValue]) -> bool:
        source = service.source.format(region=self._authority.directory.region, account=role.account, domain=domain)
        caller = Caller(
            Principal(PrincipalType.SERVICE, service.principal),
            access_key_id="",
            session=None,
            role=None,
            context={
                "aws:principalisawsservice": "true",
                "aws:principalservicename": service.principal,
                "aws:sourceaccount": role.account,
                "aws:sourcearn": source,
            },
        )
        return self._authority.authorize_trust(
            caller, role, action="sts:AssumeRole", context={**context, "sts:rolesessionname": domain}
        ).allowed

    def _issue(self, role: Role, domain: str) -> HttpResponse:
        seconds = min(self._seconds, role.max_session_seconds)
        session = start_session(role, domain, now=self._clock(), seconds=seconds)
        credentials = self._sealer.issue(session)
        return _json(
            200,
            {
                "AccessKeyId": credentials.access_key_id,
                "SecretAccessKey": credentials.secret_access_key,
                "Token": credentials.session_token,
                "Expiration": extended_iso(credentials.expiration),
                "AccountId": role.account,
                "RoleArn": role.arn,
            },
        )


def _mend(role: Role, domain: str) -> str:
    where = f" ({role.trust.file})" if role.trust.file else ""
    services = " or ".join(service.principal for service in _SERVICES)
    return (
        f"the trust policy of {role.arn}{where} does not let a container of {domain} take the role:"
        f" allow the Service {services} the action sts:AssumeRole"
    )


def _refused(status: int, code: str, message: str) -> HttpResponse:
    return _json(status, {"code": code, "message": message})


def _json(status: int, body: Mapping[str, str]) -> HttpResponse:
    headers = ((b"content-type", b"application/json"), (b"cache-control", b"no-store"))
    return HttpResponse(status, headers, orjson.dumps(body))
