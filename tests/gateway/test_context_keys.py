"""Every condition key that a resource policy can see of a call: what it says, and when it is not there.

The keys are those of iam's global condition context that API Gateway has for a signed call of a private API.
"""

from dataclasses import replace
from typing import Any

import pytest

from harness.access import Authority
from harness.gateway.admission import Admitted, Gate
from harness.identity import Sealer
from harness.policy import PolicyKind, compile_document
from harness.wire import NetworkPlace, PlaceKind
from tests.access.landscape import (
    MASTER_KEY,
    NOON,
    ORDERS,
    ORGANISATION,
    PATHS,
    REGION,
    STOREFRONT,
    WORKBENCH,
    a_directory,
    a_role,
    a_session,
    allow,
    signed,
    text_of,
)
from tests.gateway.landscape import API_ARN, INVOKE, an_api

PUBLIC = NetworkPlace("public", PlaceKind.PUBLIC)
ROLE = a_role(STOREFRONT, "storefront", allow(INVOKE), path="/experiences/", tags={"Team": "checkout", "Tier": "1"})
SESSION = a_session(
    ROLE, tags={"team": "gifts"}, source_identity="mary", provider=f"arn:aws:iam::{STOREFRONT}:oidc-provider/idp.test"
)
PLAIN_SESSION = a_session(a_role(STOREFRONT, "plain", allow(INVOKE)))
AUTHORITY = Authority(
    a_directory(ROLE, a_role(STOREFRONT, "plain", allow(INVOKE))), Sealer(MASTER_KEY), clock=lambda: NOON
)
SENT = [(b"user-agent", b"botocore/1"), (b"referer", b"https://shop.example/")]


def admitted(
    condition: dict[str, Any], *, place: NetworkPlace = WORKBENCH, plain: bool = False, private: bool = True
) -> bool:
    """Whether a call is let through by a resource policy that has this condition and nothing else to allow it.

    `plain`: by a session that has nothing of what a session may have, with a request of the same kind.
    """
    policy = compile_document(
        text_of(allow(INVOKE, "execute-api:/*", Principal="*", Condition=condition)),
        kind=PolicyKind.RESOURCE,
        name="orders",
        api_arn=API_ARN,
    )
    call = signed(
        Sealer(MASTER_KEY).issue(PLAIN_SESSION if plain else SESSION),
        path=b"/v2/orders",
        headers=[] if plain else SENT,
    )
    gate = Gate({"orders": replace(an_api(private=private), resource_policy=policy)}, AUTHORITY, REGION)
    return isinstance(gate.admit(call, place, "orders", "GET", NOON), Admitted)


ALWAYS: dict[str, tuple[str, str]] = {
    "aws:CurrentTime": ("DateEquals", "2026-01-15T12:00:00Z"),
    "aws:EpochTime": ("NumericEquals", "1768478400"),
    "aws:RequestedRegion": ("StringEquals", REGION),
    "aws:SecureTransport": ("Bool", "true"),
    "aws:ViaAWSService": ("Bool", "false"),
    "aws:PrincipalIsAWSService": ("Bool", "false"),
    "aws:PrincipalArn": ("ArnEquals", ROLE.arn),
    "aws:PrincipalAccount": ("StringEquals", STOREFRONT),
    "aws:PrincipalType": ("StringEquals", "AssumedRole"),
    "aws:userid": ("StringEquals", f"{ROLE.role_id}:session"),
    "aws:TokenIssueTime": ("DateEquals", "2026-01-15T12:00:00Z"),
    "aws:MultiFactorAuthPresent": ("Bool", "false"),
    "aws:PrincipalOrgID": ("StringEquals", ORGANISATION),
    "aws:PrincipalOrgPaths": ("ForAnyValue:StringEquals", PATHS[STOREFRONT]),
    "aws:ResourceAccount": ("StringEquals", ORDERS),
    "aws:ResourceOrgID": ("StringEquals", ORGANISATION),
    "aws:ResourceOrgPaths": ("ForAnyValue:StringEquals", PATHS[ORDERS]),
    "aws:SourceVpce": ("StringEquals", WORKBENCH.vpce_id),
    "aws:SourceVpc": ("StringEquals", WORKBENCH.vpc_id),
    "aws:VpcSourceIp": ("IpAddress", "10.0.0.0/24"),
}
WHEN_THERE: dict[str, tuple[str, str]] = {
    "aws:UserAgent": ("StringEquals", "botocore/1"),
    "aws:Referer": ("StringEquals", "https://shop.example/"),
    "aws:SourceIdentity": ("StringEquals", "mary"),
    "aws:FederatedProvider": ("StringEquals", f"arn:aws:iam::{STOREFRONT}:oidc-provider/idp.test"),
    "aws:PrincipalTag/Team": ("StringEquals", "gifts"),
    "aws:PrincipalTag/Tier": ("StringEquals", "1"),
}
OTHER = {
    "DateEquals": "2026-01-15T12:00:01Z",
    "NumericEquals": "1768478401",
    "IpAddress": "10.0.1.0/24",
    "ArnEquals": f"arn:aws:sts::{STOREFRONT}:assumed-role/storefront/session",
}
PRESENT = ALWAYS | WHEN_THERE


@pytest.mark.parametrize(
    ("key", "operator", "value"),
    [pytest.param(key, *condition, id=key) for key, condition in PRESENT.items()],
)
def test_a_condition_sees_the_key_and_its_value(key: str, operator: str, value: str) -> None:
    other = {"true": "false", "false": "true"}.get(value) or OTHER.get(operator, value + "x")
    assert admitted({operator: {key: value}})
    assert not admitted({operator: {key: other}})
    assert not admitted({"Null": {key: "true"}})


@pytest.mark.parametrize("key", ALWAYS)
def test_the_key_is_there_for_every_signed_private_call(key: str) -> None:
    assert admitted({"Null": {key: "false"}}, plain=True)


@pytest.mark.parametrize("key", WHEN_THERE)
def test_the_key_is_absent_when_there_is_nothing_to_say(key: str) -> None:
    assert admitted({"Null": {key: "true"}}, plain=True)


ABSENT = {
    "aws:SourceIp": "a call through a VPC endpoint has no public address",
    "aws:username": "a role has no user name",
    "aws:MultiFactorAuthAge": "nobody here has a second factor",
    "aws:SourceArn": "no service calls on a resource's behalf",
    "aws:SourceAccount": "no service calls on a resource's behalf",
    "aws:SourceVpcArn": "not in API Gateway's list",
    "aws:VpceAccount": "not in API Gateway's list",
    "aws:VpceOrgID": "not in API Gateway's list",
    "aws:PrincipalServiceName": "no service calls",
}


@pytest.mark.parametrize("key", [pytest.param(key, id=f"{key}: {why}") for key, why in ABSENT.items()])
def test_the_key_is_absent_from_a_signed_private_call(key: str) -> None:
    assert admitted({"Null": {key: "true"}})


FROM_THE_INTERNET = {
    "aws:SourceIp": False,
    "aws:SourceVpce": True,
    "aws:SourceVpc": True,
    "aws:VpcSourceIp": True,
}


@pytest.mark.parametrize(("key", "absent"), FROM_THE_INTERNET.items())
def test_from_the_internet_there_is_an_address_and_no_endpoint(key: str, absent: bool) -> None:
    assert admitted({"Null": {key: str(absent).lower()}}, place=PUBLIC, private=False)


def test_the_keys_of_a_shared_endpoint_are_its_owners_whoever_calls_through_it() -> None:
    shared = NetworkPlace("storefront", PlaceKind.ENDPOINT, STOREFRONT, "vpce-0central", "vpc-0central")
    theirs = {"aws:SourceVpce": "vpce-0central", "aws:SourceVpc": "vpc-0central"}
    assert admitted({"StringEquals": {**theirs, "aws:PrincipalAccount": STOREFRONT}}, place=shared)
