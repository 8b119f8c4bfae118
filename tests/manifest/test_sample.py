"""The landscape of this repository: it loads, and its policies say what they are there to show."""

from pathlib import Path

import pytest

from harness.identity.model import Role
from harness.manifest import Landscape, load
from harness.policy import (
    AccessRequest,
    Decision,
    Outcome,
    PolicyKind,
    PolicySet,
    Principal,
    PrincipalType,
    compile_document,
    evaluate,
    evaluate_trust,
)
from harness.wire import method_arn, session_arn

ROOT = Path(__file__).resolve().parents[2]
OIDC = "oidc.harness.test/landscape"


@pytest.fixture(scope="module")
def sample() -> Landscape:
    return load(ROOT / "harness.yaml")


def _principal(role: Role) -> Principal:
    arn = session_arn(role.account, role.name, "session")
    return Principal(PrincipalType.ASSUMED_ROLE, arn, role.account, role.arn, f"{role.role_id}:session")


def _call(sample: Landscape, role_name: str, place: str, call: str) -> Decision:
    """`call` as `orders GET /v2/orders`."""
    role = sample.role(role_name)
    api_name, method, path = call.split()
    api = sample.apis()[api_name]
    _, stage, below = path.split("/", 2)
    endpoint = sample.workbench.endpoint if place == "workbench" else sample.accounts[place].endpoint
    request = AccessRequest(
        principal=_principal(role),
        action="execute-api:Invoke",
        resource=method_arn(sample.region, api.account, api.id, stage, method, f"/{below}"),
        resource_account=api.account,
        context={"aws:sourcevpce": endpoint, "aws:principalarn": role.arn},
    )
    return evaluate(request, PolicySet(identity=role.policies, boundary=role.boundary, resource=api.resource_policy))


def test_experiences_publish_nothing_whatever_their_policies_say(sample: Landscape) -> None:
    role = sample.role("storefront")
    allowing = compile_document(
        '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}',
        kind=PolicyKind.IDENTITY,
        name="all",
    )
    limited = sample.directory().memberships[role.account].scps
    for action, outcome in (
        ("events:PutEvents", Decision(Outcome.EXPLICIT_DENY, PolicyKind.SCP)),
        ("execute-api:Invoke", Decision(Outcome.ALLOWED)),
    ):
        request = AccessRequest(_principal(role), action, "arn:aws:x:y:444444444444:z", role.account)
        assert evaluate(request, PolicySet(identity=(allowing,), scps=limited)) == outcome


def test_the_back_office_only_reads_through_its_endpoint(sample: Landscape) -> None:
    role, stock = sample.role("backoffice"), sample.apis()["stock"]
    endpoint = sample.directory().endpoint_policies[sample.accounts["backoffice"].endpoint]
    for method, allowed in (("GET", True), ("PUT", False)):
        resource = method_arn(sample.region, stock.account, stock.id, "v1", method, "/items/tea")
        request = AccessRequest(_principal(role), "execute-api:Invoke", resource, stock.account)
        decision = evaluate(request, PolicySet(identity=role.policies, endpoint=endpoint))
        assert (decision.deciding is PolicyKind.ENDPOINT) is not allowed


CALLS = {
    "the storefront places an order": ("storefront", "workbench", "orders POST /v2/orders", ""),
    "the storefront reads an order of the old version": ("storefront", "storefront", "orders GET /v1/orders/17", ""),
    "the storefront lists orders": ("storefront", "storefront", "orders GET /v2/orders", ""),
    "the storefront reads an item": ("storefront", "storefront", "stock GET /v1/items/tea", ""),
    "the storefront cannot delete an order": (
        "storefront",
        "storefront",
        "orders DELETE /v2/orders/17",
        PolicyKind.RESOURCE,
    ),
    "orders asks stock": ("orders-service", "orders", "stock GET /v1/items/tea", ""),
    "orders cannot change stock": ("orders-service", "orders", "stock PUT /v1/items/tea", PolicyKind.RESOURCE),
    "the back office reads an item": ("backoffice", "backoffice", "stock GET /v1/items", ""),
    "orders does not name the back office": ("backoffice", "workbench", "orders GET /v2/orders", PolicyKind.RESOURCE),
    "the tester sends anything": ("tester", "workbench", "orders DELETE /v1/orders/%2F", ""),
    "the tester comes through a known endpoint only": (
        "tester",
        "platform",
        "orders GET /v2/orders",
        PolicyKind.RESOURCE,
    ),
    "the storefront's role does not help in the stock account's network": (
        "storefront",
        "stock",
        "orders GET /v2/orders",
        PolicyKind.RESOURCE,
    ),
    "a support session reads orders": ("support-reader", "workbench", "orders GET /v2/orders/17", ""),
    "a support session places none": ("support-reader", "workbench", "orders POST /v2/orders", PolicyKind.IDENTITY),
}


@pytest.mark.parametrize(("role", "place", "call", "refused_by"), CALLS.values(), ids=CALLS.keys())
def test_a_call(role: str, place: str, call: str, refused_by: str, sample: Landscape) -> None:
    decision = _call(sample, role, place, call)
    assert decision.allowed is (refused_by == "")
    if refused_by == PolicyKind.IDENTITY:
        assert decision.deciding is PolicyKind.IDENTITY


EVENTS = {
    "orders speaks for itself": ("orders-service", "acme.orders", True),
    "orders cannot speak for stock": ("orders-service", "acme.stock", False),
    "stock speaks for itself": ("stock-service", "acme.stock", True),
    "the tester says anything": ("tester", "acme.orders", True),
    "the storefront puts no events": ("storefront", "acme.orders", False),
}


@pytest.mark.parametrize(("role_name", "source", "allowed"), EVENTS.values(), ids=EVENTS.keys())
def test_an_event_is_put(role_name: str, source: str, allowed: bool, sample: Landscape) -> None:
    role, bus = sample.role(role_name), sample.buses["enterprise"]
    request = AccessRequest(
        principal=_principal(role),
        action="events:PutEvents",
        resource=bus.arn,
        resource_account=bus.account,
        context={"events:source": source},
    )
    assert evaluate(request, PolicySet(identity=role.policies, resource=bus.policy)).allowed is allowed


@pytest.mark.parametrize(("caller", "allowed"), [("storefront", True), ("backoffice", False)])
def test_only_the_storefront_takes_up_support(caller: str, allowed: bool, sample: Landscape) -> None:
    role, target = sample.role(caller), sample.role("support-reader")
    request = AccessRequest(_principal(role), "sts:AssumeRole", target.arn, target.account, {})
    assert evaluate_trust(request, target.trust, PolicySet(identity=role.policies)).allowed is allowed


WORKLOADS = {
    "its own container": ("orders", "system:serviceaccount:orders:orders", True),
    "another domain's container": ("orders", "system:serviceaccount:stock:stock", False),
    "another domain's provider": ("stock", "system:serviceaccount:orders:orders", False),
}


@pytest.mark.parametrize(("account", "subject", "allowed"), WORKLOADS.values(), ids=WORKLOADS.keys())
def test_a_container_takes_up_the_role_of_its_domain(
    account: str, subject: str, allowed: bool, sample: Landscape
) -> None:
    oidc = sample.directory().oidc
    assert oidc is not None
    assert oidc.url == OIDC
    target = sample.domains["orders"].runs_as
    request = AccessRequest(
        principal=Principal(PrincipalType.WEB_IDENTITY, oidc.arn(sample.accounts[account].id)),
        action="sts:AssumeRoleWithWebIdentity",
        resource=target.arn,
        resource_account=target.account,
        context={f"{OIDC}:sub": subject, f"{OIDC}:aud": "sts.amazonaws.com"},
    )
    assert evaluate_trust(request, target.trust, PolicySet()).allowed is allowed


def test_each_domain_hears_what_the_other_publishes(sample: Landscape) -> None:
    heard = {
        (name, kind)
        for name, domain in sample.domains.items()
        for subscription in domain.subscriptions
        for source, kind in (
            ("acme.orders", "OrderPlaced.v1"),
            ("acme.stock", "StockReserved.v1"),
            ("acme.stock", "StockRejected.v1"),
        )
        if subscription.pattern.matches({"source": source, "detail-type": kind})
    }
    assert heard == {("stock", "OrderPlaced.v1"), ("orders", "StockReserved.v1"), ("orders", "StockRejected.v1")}


def test_what_is_published_has_a_contract(sample: Landscape) -> None:
    published = {event.name for domain in sample.domains.values() for event in domain.publishes}
    assert published == {"OrderPlaced.v1", "StockReserved.v1", "StockRejected.v1"}


def test_the_old_version_of_orders_is_on_its_way_out(sample: Landscape) -> None:
    old, new = sample.apis()["orders"].versions.values()
    assert (str(old.deprecated), str(old.sunset)) == ("2026-06-01", "2027-06-30")
    assert (new.deprecated, new.sunset) == (None, None)
