"""The line to try that `up` ends with must work when it is tried."""

from dataclasses import replace

from harness import manifest
from harness.access import Authority, network_context
from harness.clock import utc_now
from harness.identity import Sealer, start_session
from harness.local.example import example_call
from harness.wire import HttpRequest, PlaceKind, method_arn


def allowed(landscape: manifest.Landscape, arguments: list[str]) -> bool:
    """Whether the gateway would let the call through: asked anew, from the arguments alone."""
    command, api, method, path, option, role = arguments
    assert (command, option) == ("call", "--as")
    _, stage, rest = path.split("/", 2)
    authority = Authority(landscape.directory(), Sealer(bytes(32)))
    caller = authority.caller_of(start_session(landscape.role(role), "test", now=utc_now(), seconds=900))
    assert caller is not None
    (place,) = [place for place in landscape.places() if place.kind is PlaceKind.WORKBENCH]
    owner = landscape.apis()[api]
    return authority.authorize(
        caller,
        action="execute-api:Invoke",
        resource=method_arn(landscape.region, owner.account, api, stage, method, f"/{rest}"),
        resource_account=owner.account,
        resource_policy=owner.resource_policy,
        context=network_context(
            HttpRequest(method, path.encode(), b"", [], b""), place, now=utc_now(), region=landscape.region
        ),
    ).allowed


def test_is_the_newest_version_and_a_role_that_may(landscape: manifest.Landscape) -> None:
    arguments = example_call(landscape, list(landscape.domains))

    assert arguments[:4] == ["call", "orders", "GET", "/v2/orders"]
    assert allowed(landscape, arguments)


def test_is_not_of_a_domain_that_does_not_run(landscape: manifest.Landscape) -> None:
    arguments = example_call(landscape, ["edge", "router", "stock"])

    assert arguments[:4] == ["call", "stock", "GET", "/v1/items"]
    assert allowed(landscape, arguments)


def test_names_the_account_of_a_role_that_two_accounts_have(landscape: manifest.Landscape) -> None:
    (tester,) = [role for role in landscape.roles.values() if role.name == "tester"]
    twin = replace(tester, account=landscape.accounts["backoffice"].id)
    changed = replace(landscape, roles={tester.arn: tester, twin.arn: twin})

    arguments = example_call(changed, ["stock"])

    assert arguments[-1] == "platform/tester"
    assert allowed(changed, arguments)


def test_is_status_where_no_role_of_another_account_may_call(landscape: manifest.Landscape) -> None:
    only = {arn: role for arn, role in landscape.roles.items() if role.name == "backoffice"}

    assert example_call(replace(landscape, roles=only), ["orders"]) == ["status"]
