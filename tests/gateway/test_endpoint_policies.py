"""An endpoint policy limits what goes through its endpoint, whoever calls and whatever else allows it."""

from collections.abc import Mapping

import pytest

from harness.access import Authority
from harness.gateway.admission import Admitted, Gate, Refused
from harness.gateway.refusals import Condition
from harness.policy import Document, PolicyKind
from harness.wire import HttpRequest, NetworkPlace, PlaceKind
from tests.access.landscape import NOON, REGION, STOREFRONT, WORKBENCH, a_directory, a_sealer, allow, deny, document
from tests.gateway.landscape import API_ARN, CALLER, INVOKE, STRANGER, a_call, an_api

OTHER = NetworkPlace("other", PlaceKind.ENDPOINT, STOREFRONT, "vpce-0other", "vpc-0other")
READ_ONLY = document(PolicyKind.ENDPOINT, allow(INVOKE, f"{API_ARN}/*/GET/*", Principal="*"))
FOR_STRANGER = document(PolicyKind.ENDPOINT, allow(INVOKE, "*", Principal={"AWS": STRANGER.arn}))
NOT_ORDERS = document(
    PolicyKind.ENDPOINT, allow("*", Principal="*"), deny(INVOKE, f"{API_ARN}/v2/*/orders/*", Principal="*")
)


def decided(request: HttpRequest, policies: Mapping[str, Document], *, place: NetworkPlace = WORKBENCH) -> str:
    """`admitted`, or the reason."""
    directory = a_directory(CALLER, STRANGER, endpoint_policies=policies)
    authority = Authority(directory, a_sealer(), clock=lambda: NOON)
    gate = Gate({"orders": an_api()}, authority, REGION)
    got = gate.admit(request, place, "orders", request.method, NOON)
    if isinstance(got, Admitted):
        return "admitted"
    assert isinstance(got, Refused)
    assert got.cause is Condition.ACCESS_DENIED
    return got.reason


NOT_ALLOWED, DENIED = "not allowed by VPC endpoint policy", "explicit deny in VPC endpoint policy"
CASES = {
    "without a policy everything goes through": (a_call(), {}, "admitted"),
    "what it allows goes through": (a_call(), {"vpce-0workbench": READ_ONLY}, "admitted"),
    "what it does not allow is refused": (a_call("POST"), {"vpce-0workbench": READ_ONLY}, NOT_ALLOWED),
    "what it denies is refused": (a_call(path=b"/v2/orders/17"), {"vpce-0workbench": NOT_ORDERS}, DENIED),
    "whom it does not name is refused": (a_call(), {"vpce-0workbench": FOR_STRANGER}, NOT_ALLOWED),
    "it grants nothing": (
        a_call(role=STRANGER),
        {"vpce-0workbench": FOR_STRANGER},
        "not allowed by resource-based policy",
    ),
    "that of another endpoint does not count": (a_call("POST"), {"vpce-0other": READ_ONLY}, "admitted"),
}


@pytest.mark.parametrize(("call", "policies", "says"), CASES.values(), ids=CASES.keys())
def test_a_call_through_an_endpoint(call: HttpRequest, policies: Mapping[str, Document], says: str) -> None:
    assert decided(call, policies) == says


def test_the_policy_is_that_of_the_endpoint_that_took_the_call() -> None:
    policies = {"vpce-0other": READ_ONLY}
    assert decided(a_call("POST"), policies, place=OTHER) == NOT_ALLOWED
    assert decided(a_call("POST"), policies, place=WORKBENCH) == "admitted"
