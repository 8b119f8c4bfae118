"""The Schemas service: registries of event schemas, and discoverers that learn them. Source: EventBridge Schemas API
reference; REST-JSON, signed and authorised like any AWS call.

A landscape's contracts are what its files say: the operations that would change a schema are not served.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

import orjson

from harness.access import Authority, Caller, network_context
from harness.clock import Clock, utc_now
from harness.policy import denial_message
from harness.schemas.discoverer_operations import DiscovererOperations
from harness.schemas.discoverers import Discoverers
from harness.schemas.model import Registry, discoverer_arn, registry_arn, schema_arn
from harness.schemas.registry_operations import RegistryOperations, get_discovered_schema
from harness.schemas.requests import Call, Refusal, read_call
from harness.sigv4 import Fault, FaultKind
from harness.wire import ERROR_TYPE_HEADER, HttpRequest, HttpResponse, NetworkPlace

SERVICE = "schemas"
SKEW_SECONDS = 900

_INVALID_SIGNATURE = "InvalidSignatureException"
_FAULT_TYPES: Mapping[FaultKind, str] = {
    FaultKind.MISSING: "MissingAuthenticationTokenException",
    FaultKind.INCOMPLETE: "IncompleteSignatureException",
    FaultKind.UNKNOWN_KEY: "UnrecognizedClientException",
    FaultKind.EXPIRED_TOKEN: "ExpiredTokenException",
}

Answer = Mapping[str, Any] | Refusal
Operation = Callable[[Call, str], Answer | Awaitable[Answer]]
"""With the account of the caller."""

_STATUS = {"CreateDiscoverer": 201, "DeleteDiscoverer": 204}


class SchemasApi:
    """A `wire.Handler`. `buses`: ARNs of what a discoverer may learn from."""

    def __init__(
        self,
        authority: Authority,
        registries: Collection[Registry],
        discoverers: Discoverers,
        *,
        region: str,
        buses: Callable[[], Collection[str]],
        clock: Clock = utc_now,
    ) -> None:
        self._authority = authority
        self._region = region
        self._clock = clock
        reading = RegistryOperations(registries, region=region)
        discovering = DiscovererOperations(discoverers, region=region, buses=buses)
        self._operations: Mapping[str, Operation] = {
            **reading.table(),
            **discovering.table(),
            "GetDiscoveredSchema": get_discovered_schema,
        }

    async def __call__(self, request: HttpRequest, place: NetworkPlace) -> HttpResponse:
        caller = self._authority.authenticate(request, service=SERVICE, skew_seconds=SKEW_SECONDS)
        if isinstance(caller, Fault):
            return _refused(Refusal(403, _FAULT_TYPES.get(caller.kind, _INVALID_SIGNATURE), caller.message))
        call = read_call(request)
        if isinstance(call, Refusal):
            return _refused(call)
        refusal = self._authorize(caller, call, request, place)
        if refusal is not None:
            return _refused(refusal)
        answer = self._operations[call.operation](call, caller.account)
        if isinstance(answer, Awaitable):
            answer = await answer
        if isinstance(answer, Refusal):
            return _refused(answer)
        return _answered(_STATUS.get(call.operation, 200), answer)

    def _authorize(self, caller: Caller, call: Call, request: HttpRequest, place: NetworkPlace) -> Refusal | None:
        action, resource = f"{SERVICE}:{call.operation}", self._resource(call, caller.account)
        decision = self._authority.authorize(
            caller,
            action=action,
            resource=resource,
            resource_account=caller.account,
            resource_policy=None,
            context=network_context(request, place, now=self._clock(), region=self._region),
        )
        if decision.allowed:
            return None
        return Refusal(403, "AccessDeniedException", denial_message(caller.principal, action, resource, decision))

    def _resource(self, call: Call, account: str) -> str:
        """As the service authorization reference has them."""
        registry = call.path.get("registryName", "*")
        match call.operation:
            case "GetDiscoveredSchema":
                return "*"
            case "ListRegistries" | "DescribeRegistry":
                return registry_arn(self._region, account, registry)
            case operation if "Discoverer" in operation:
                return discoverer_arn(self._region, account, call.path.get("discovererId", "*"))
        return schema_arn(self._region, account, registry, call.path.get("schemaName", "*"))


def _refused(refusal: Refusal) -> HttpResponse:
    body = {"Code": refusal.code, "Message": refusal.message, "message": refusal.message}
    headers = [(b"content-type", b"application/json"), (ERROR_TYPE_HEADER, refusal.code.encode())]
    return HttpResponse(refusal.status, headers, orjson.dumps(body))


def _answered(status: int, answer: Mapping[str, Any]) -> HttpResponse:
    if status == 204:
        return HttpResponse(status, [], b"")
    return HttpResponse(status, [(b"content-type", b"application/json")], orjson.dumps(answer))
