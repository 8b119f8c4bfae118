"""The one line to try that `up` ends with: a call that this landscape's policies allow."""

from collections.abc import Collection

from harness import manifest, wire
from harness.access import Authority, network_context
from harness.clock import utc_now
from harness.identity import Role, Sealer, start_session
from harness.wire import HttpRequest, PlaceKind


def example_call(landscape: manifest.Landscape, running: Collection[str]) -> list[str]:
    """Arguments of `harness`: `call` of a collection, newest version first, by a role of another account that may.

    `running`: names of the domains that run. Where no such call is allowed, `status`.
    """
    for api in landscape.apis().values():
        if api.id not in running:
            continue
        for version in reversed(list(api.versions.values())):
            for path, item in version.openapi.get("paths", {}).items():
                if "get" not in item or "{" in path:
                    continue
                for role in landscape.roles.values():
                    if role.account != api.account and _allowed(landscape, api, version.name, path, role):
                        return ["call", api.id, "GET", f"/{version.name}{path}", "--as", _named(landscape, role)]
    return ["status"]


def _named(landscape: manifest.Landscape, role: Role) -> str:
    """The role's name where only one account has it, else with its account."""
    if [each.name for each in landscape.roles.values()].count(role.name) == 1:
        return role.name
    (account,) = [account.name for account in landscape.accounts.values() if account.id == role.account]
    return f"{account}/{role.name}"


def _allowed(landscape: manifest.Landscape, api: manifest.PrivateApi, stage: str, path: str, role: Role) -> bool:
    now = utc_now()
    authority = Authority(landscape.directory(), Sealer(bytes(32)))
    caller = authority.caller_of(start_session(role, "example", now=now, seconds=900))
    if caller is None:
        return False
    place = next(place for place in landscape.places() if place.kind is PlaceKind.WORKBENCH)
    request = HttpRequest("GET", f"/{stage}{path}".encode(), b"", [], b"")
    decision = authority.authorize(
        caller,
        action="execute-api:Invoke",
        resource=wire.method_arn(landscape.region, api.account, api.id, stage, "GET", path),
        resource_account=api.account,
        resource_policy=api.resource_policy,
        context=network_context(request, place, now=now, region=landscape.region),
        endpoint_policy=landscape.endpoint_policies.get(place.vpce_id),
    )
    return decision.allowed
