"""May this request be forwarded? The decision, without any I/O.

The order is API Gateway's: which API and stage, which route, who calls (form, scope, token, signature), may it. A later
step is never reached when an earlier one refused, but for a path that leads nowhere: see `Gate._nowhere`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from harness.access import Authority, Caller, network_context
from harness.gateway.api import Api, Stage
from harness.gateway.client_head import METHOD_OVERRIDE
from harness.gateway.paths import refusal_reason, spellings
from harness.gateway.refusals import Condition
from harness.gateway.routes import Route
from harness.gateway.routing import StageNames, split_stage
from harness.policy import Decision, Outcome, denial_message, mask_account
from harness.sigv4 import Fault, FaultKind
from harness.wire import MAX_METHOD_ARN_BYTES, HttpRequest, NetworkPlace, PlaceKind, method_arn

ACTION = "execute-api:Invoke"
SERVICE = "execute-api"
# Who adds it to another's signed GET must not make a DELETE of it.
_OVERRIDE = (METHOD_OVERRIDE.decode(),)
# Of paths, which clients choose.
_MOST_REMEMBERED = 2048
_LONGEST_REMEMBERED = 256
# Asked in every call, and found as globals: a member is looked up in its class by several steps.
_CREDENTIALS, _PUBLIC = PlaceKind.CREDENTIALS, PlaceKind.PUBLIC


@dataclass(frozen=True, slots=True)
class Refused:
    """`text`: what the client is told, empty for the text of the table. `reason` is for the log and has no secrets."""

    cause: FaultKind | Condition
    reason: str
    text: str = ""
    caller: str = ""


class Admitted(NamedTuple):
    """A request that may be forwarded, and as what."""

    api: Api
    stage: Stage
    route: Route
    caller: Caller


class _Target(NamedTuple):
    """`resources`: the method ARN as sent, then under every other name that the path may be served by."""

    stage: Stage
    route: Route
    resources: tuple[str, ...]


_TOO_LONG = Refused(Condition.URI_TOO_LONG, "the method ARN is too long")


class Gate:
    """Decides with the APIs of a landscape and the authority over its sessions."""

    def __init__(self, apis: Mapping[str, Api], authority: Authority, region: str) -> None:
        self._apis = apis
        self._stages = StageNames(apis)
        self._authority = authority
        self._endpoint_policies = authority.directory.endpoint_policies
        self._region = region
        self._targets: dict[tuple[str, str, bytes], _Target] = {}

    def admit(
        self,
        request: HttpRequest,
        place: NetworkPlace,
        api_id: str,
        method: str,
        now: datetime,
        *,
        must_sign: tuple[str, ...] = (),
    ) -> Admitted | Refused:
        """`method` is the one to route by; it differs from the request's only by `X-HTTP-Method-Override`.

        `must_sign`: headers without which the signature does not say which API is called.
        """
        api = self._apis.get(api_id)
        if api is None:
            return Refused(Condition.FORBIDDEN, "no such API")
        if not reachable(api, place):
            return Refused(Condition.FORBIDDEN, f"not reachable from {place.kind}")
        key = (api_id, method, request.raw_path)
        target = self._targets.get(key)
        if target is None:
            found = self._find(api, method, request.raw_path)
            if isinstance(found, Refused):
                return found if found is _TOO_LONG else self._nowhere(request, must_sign, found)
            target = found
            if len(request.raw_path) <= _LONGEST_REMEMBERED:
                if len(self._targets) >= _MOST_REMEMBERED:
                    self._targets.clear()
                self._targets[key] = target
        stage, route, resources = target
        caller = self._authority.authenticate(
            request, service=SERVICE, must_sign=must_sign if method == request.method else must_sign + _OVERRIDE
        )
        if isinstance(caller, Fault):
            return Refused(caller.kind, caller.kind.value, text=caller.message)
        context = network_context(request, place, now=now, region=self._region)
        endpoint_policy = self._endpoint_policies.get(place.vpce_id)
        for resource in resources:
            decision = self._authority.authorize(
                caller,
                action=ACTION,
                resource=resource,
                resource_account=api.account,
                resource_policy=api.resource_policy,
                context=context,
                endpoint_policy=endpoint_policy,
            )
            if not decision.allowed:
                return _denied(caller, resources[0], decision)
        return Admitted(api, stage, route, caller)

    def _find(self, api: Api, method: str, raw_path: bytes) -> _Target | Refused:
        """Where a path leads. A question of the contract alone: it has the same answer for everybody, at any time."""
        trouble = refusal_reason(raw_path)
        if trouble:
            return Refused(Condition.BAD_REQUEST, trouble)
        segment, below = split_stage(raw_path)
        stage = self._stages.find(api, segment)
        if stage is None:
            return Refused(Condition.FORBIDDEN, "no such stage")
        path = below.decode("ascii")
        route = stage.routes.match(method, path)
        if route is None:
            return Refused(Condition.UNKNOWN_ROUTE, "unknown route")
        arn = method_arn(self._region, api.account, api.id, stage.name, method, path)
        if len(arn) > MAX_METHOD_ARN_BYTES:
            return _TOO_LONG
        return _Target(stage, route, tuple(arn[: -len(path)] + spelling for spelling in spellings(path)))

    def _nowhere(self, request: HttpRequest, must_sign: tuple[str, ...], refused: Refused) -> Refused:
        """The path leads nowhere. Whatever a client presents as a signature is still checked, and its fault goes first.

        So a byte that changed on the way is always an invalid signature, whether or not a route is left.
        """
        caller = self._authority.authenticate(request, service=SERVICE, must_sign=must_sign)
        if not isinstance(caller, Fault) or caller.kind is FaultKind.MISSING:
            return refused
        return Refused(caller.kind, f"{refused.reason}, {caller.kind.value}", text=caller.message)


def reachable(api: Api, place: NetworkPlace) -> bool:
    """Network first: a private API is behind VPC endpoints, and nothing is called through a credentials listener."""
    kind = place.kind
    return kind is not _CREDENTIALS and not (api.private and kind is _PUBLIC)


def _denied(caller: Caller, arn: str, decision: Decision) -> Refused:
    """The client is told about the resource as it asked for it."""
    kind = decision.deciding.value if decision.deciding is not None else "policy"
    explicit = decision.outcome is Outcome.EXPLICIT_DENY
    return Refused(
        Condition.ACCESS_DENIED,
        f"{'explicit deny in' if explicit else 'not allowed by'} {kind}",
        text=denial_message(caller.principal, ACTION, mask_account(arn), decision),
        caller=caller.principal.arn,
    )
