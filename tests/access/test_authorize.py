"""Whether a caller may: its own policies and the resource's meet in one decision."""

from collections.abc import Mapping
from typing import Any

import pytest

from harness.access import UNSIGNED, Authority, Caller
from harness.identity import Membership, Session
from harness.policy import ContextValue, Decision, Document, Outcome, PolicyKind
from tests.access.landscape import (
    NOON,
    ORDERS,
    ORGANISATION,
    PATHS,
    STOCK,
    STOREFRONT,
    a_directory,
    a_role,
    a_sealer,
    a_session,
    allow,
    deny,
    document,
    text_of,
)

METHOD = f"arn:aws:execute-api:eu-west-1:{STOCK}:stock/v1/GET/levels"
INVOKE = "execute-api:Invoke"

PLAIN = a_role(ORDERS, "orders", allow(INVOKE))
BOUNDED = a_role(ORDERS, "bounded", allow(INVOKE), boundary=[allow("sts:*")])
SILENT = a_role(ORDERS, "silent")
TAGGED = a_role(ORDERS, "tagged", allow(INVOKE), tags={"Team": "orders"})
DENIED = a_role(ORDERS, "denied", allow(INVOKE), deny(INVOKE))
AUTHORITY = Authority(a_directory(PLAIN, BOUNDED, SILENT, TAGGED, DENIED), a_sealer(), clock=lambda: NOON)


def resource_policy(principal: Any = "*", **more: Any) -> Document:
    return document(PolicyKind.RESOURCE, allow(INVOKE, Principal=principal, **more))


def caller(session: Session) -> Caller:
    found = AUTHORITY.caller_of(session)
    assert found is not None
    return found


def decide(
    who: Caller, policy: Document | None, context: Mapping[str, ContextValue] | None = None, **more: Any
) -> Decision:
    return AUTHORITY.authorize(
        who,
        action=INVOKE,
        resource=METHOD,
        resource_account=STOCK,
        resource_policy=policy,
        context=context or {},
        **more,
    )


def only_when(key: str, value: str) -> Document:
    operator = "ForAnyValue:StringEquals" if key.endswith("OrgPaths") else "StringEquals"
    return resource_policy(Condition={operator: {key: value}})


def test_both_sides_allow_a_call_across_accounts() -> None:
    assert decide(caller(a_session(PLAIN)), resource_policy({"AWS": ORDERS})).outcome is Outcome.ALLOWED


REFUSED = {
    "a resource policy that names another account": (
        a_session(PLAIN),
        resource_policy({"AWS": STOREFRONT}),
        PolicyKind.RESOURCE,
    ),
    "no resource policy": (a_session(PLAIN), None, PolicyKind.RESOURCE),
    "a role without a policy": (a_session(SILENT), resource_policy(), PolicyKind.IDENTITY),
    "a boundary that is silent": (a_session(BOUNDED), resource_policy(), PolicyKind.BOUNDARY),
    "a session policy that is silent": (
        a_session(PLAIN, policies=(text_of(allow("sts:*")),)),
        resource_policy(),
        PolicyKind.SESSION,
    ),
}


@pytest.mark.parametrize(("session", "policy", "deciding"), REFUSED.values(), ids=REFUSED.keys())
def test_a_silent_side_refuses_a_call_across_accounts(
    session: Session, policy: Document | None, deciding: PolicyKind
) -> None:
    assert decide(caller(session), policy) == Decision(Outcome.IMPLICIT_DENY, deciding)


def test_a_deny_of_the_callers_own_policy_refuses() -> None:
    decision = decide(caller(a_session(DENIED)), resource_policy())

    assert (decision.outcome, decision.deciding) == (Outcome.EXPLICIT_DENY, PolicyKind.IDENTITY)


def test_an_endpoint_policy_that_is_silent_refuses() -> None:
    endpoint = document(PolicyKind.ENDPOINT, allow("sts:*", Principal="*"))

    decision = decide(caller(a_session(PLAIN)), resource_policy(), endpoint_policy=endpoint)

    assert (decision.outcome, decision.deciding) == (Outcome.IMPLICIT_DENY, PolicyKind.ENDPOINT)


CONTEXT = {
    "the account of the resource": ("aws:ResourceAccount", STOCK),
    "the organisation of the caller": ("aws:PrincipalOrgID", "o-example"),
    "the caller's place in the organisation": ("aws:PrincipalOrgPaths", PATHS[ORDERS]),
    "the organisation of the resource": ("aws:ResourceOrgID", "o-example"),
    "the resource's place in the organisation": ("aws:ResourceOrgPaths", PATHS[STOCK]),
    "the role of the caller": ("aws:PrincipalArn", PLAIN.arn),
    "what the network says": ("aws:SourceVpce", "vpce-1"),
}


@pytest.mark.parametrize(("key", "value"), CONTEXT.values(), ids=CONTEXT.keys())
def test_a_condition_sees(key: str, value: str) -> None:
    who = caller(a_session(PLAIN))
    network = {"aws:sourcevpce": "vpce-1"}

    assert decide(who, only_when(key, value), network).allowed
    assert not decide(who, only_when(key, value + "0"), network).allowed


def test_a_session_tag_stands_before_the_roles() -> None:
    who = caller(a_session(TAGGED, tags={"team": "checkout"}))

    assert decide(who, only_when("aws:PrincipalTag/Team", "checkout")).allowed
    assert not decide(who, only_when("aws:PrincipalTag/Team", "orders")).allowed


def test_what_a_request_brings_cannot_override_who_calls() -> None:
    forged = {"aws:principalorgid": "o-other", "aws:principalarn": "arn:aws:iam::222222222222:role/stock"}

    assert decide(caller(a_session(PLAIN)), only_when("aws:PrincipalOrgID", "o-example"), forged).allowed


def test_an_unsigned_caller_is_let_in_by_a_resource_policy_for_everyone() -> None:
    assert decide(UNSIGNED, resource_policy("*")).allowed


def test_an_unsigned_caller_is_not_let_in_by_a_resource_policy_for_an_account() -> None:
    assert not decide(UNSIGNED, resource_policy({"AWS": ORDERS})).allowed


def test_an_unsigned_caller_has_no_keys_but_its_kind() -> None:
    assert decide(UNSIGNED, only_when("aws:PrincipalType", "Anonymous")).allowed
    assert not decide(UNSIGNED, only_when("aws:PrincipalAccount", ORDERS)).allowed


def test_explain_decides_the_same_and_names_the_statements() -> None:
    who = caller(a_session(DENIED))

    explained = AUTHORITY.explain(
        who,
        action=INVOKE,
        resource=METHOD,
        resource_account=STOCK,
        resource_policy=resource_policy(),
        context={},
    )

    assert explained.outcome is decide(who, resource_policy()).outcome
    assert [outcome.effect for outcome in explained.statements if outcome.applies].count("Deny") == 1


def test_a_role_outside_the_organisations_accounts_has_no_organisation() -> None:
    stranger = a_role("999999999999", "stranger", allow(INVOKE))
    authority = Authority(a_directory(stranger), a_sealer(), clock=lambda: NOON)

    found = authority.caller_of(a_session(stranger))

    assert found is not None
    assert "aws:principalorgid" not in found.context


ALLOW_ALL = document(PolicyKind.SCP, allow("*"), name="all")
ONLY_STS = document(PolicyKind.SCP, allow("sts:*"), name="only-sts")
NO_INVOKE = document(PolicyKind.SCP, deny(INVOKE), name="no-invoke")

SCPS = {
    "levels that all allow": (((ALLOW_ALL,), (ALLOW_ALL,)), True),
    "a level of which one policy allows": (((ALLOW_ALL,), (ONLY_STS, ALLOW_ALL)), True),
    "no service control policies, as for the management account": ((), True),
    "a root that does not allow": (((ONLY_STS,), (ALLOW_ALL,)), False),
    "an account that does not allow": (((ALLOW_ALL,), (ONLY_STS,)), False),
    "a level that denies beside one that allows": (((ALLOW_ALL,), (ALLOW_ALL, NO_INVOKE)), False),
}


@pytest.mark.parametrize(("levels", "allowed"), SCPS.values(), ids=SCPS.keys())
def test_service_control_policies_of_the_callers_account_limit_it(
    levels: tuple[tuple[Document, ...], ...], allowed: bool
) -> None:
    directory = a_directory(PLAIN, memberships={ORDERS: Membership(PATHS[ORDERS], levels)})
    who = Authority(directory, a_sealer(), clock=lambda: NOON).caller_of(a_session(PLAIN))
    assert who is not None

    decision = decide(who, resource_policy())

    assert decision == (Decision(Outcome.ALLOWED) if allowed else Decision(Outcome.EXPLICIT_DENY, PolicyKind.SCP))


def test_service_control_policies_of_the_resources_account_limit_nobody_else() -> None:
    directory = a_directory(PLAIN, memberships={STOCK: Membership(PATHS[STOCK], ((ONLY_STS,),))})
    who = Authority(directory, a_sealer(), clock=lambda: NOON).caller_of(a_session(PLAIN))
    assert who is not None

    assert decide(who, resource_policy()).allowed


def test_an_account_without_a_place_in_the_tree_has_no_path() -> None:
    who = Authority(a_directory(PLAIN, memberships={}), a_sealer(), clock=lambda: NOON).caller_of(a_session(PLAIN))

    assert who is not None
    assert who.context["aws:principalorgid"] == ORGANISATION
    assert "aws:principalorgpaths" not in who.context


NO_ROLES = document(PolicyKind.SCP, allow("*"), deny("sts:AssumeRole"), name="no-roles")


@pytest.mark.parametrize(
    ("levels", "allowed"), [(((ALLOW_ALL,),), True), (((NO_ROLES,),), False)], ids=["allow", "deny"]
)
def test_service_control_policies_limit_the_roles_that_a_caller_takes_up(
    levels: tuple[tuple[Document, ...], ...], allowed: bool
) -> None:
    chooser = a_role(ORDERS, "chooser", allow("sts:AssumeRole"))
    directory = a_directory(chooser, PLAIN, memberships={ORDERS: Membership(PATHS[ORDERS], levels)})
    authority = Authority(directory, a_sealer(), clock=lambda: NOON)
    who = authority.caller_of(a_session(chooser))
    assert who is not None

    decision = authority.authorize_trust(who, PLAIN, action="sts:AssumeRole", context={})

    assert decision.allowed is allowed
    assert decision.deciding is (None if allowed else PolicyKind.SCP)


RULE = f"arn:aws:events:eu-west-1:{ORDERS}:rule/enterprise/placed"
EVENTS = {"Service": "events.amazonaws.com"}
FOR_THE_RULE = {"ArnEquals": {"aws:SourceArn": RULE}}


@pytest.mark.parametrize(
    ("policy", "allowed"),
    [
        pytest.param(None, False, id="without a policy a service may nothing"),
        pytest.param(resource_policy(EVENTS), True, id="a service that the policy names may"),
        pytest.param(resource_policy({"Service": "sns.amazonaws.com"}), False, id="another service may not"),
        pytest.param(resource_policy({"AWS": "*"}), False, id="every AWS identity is not every service"),
        pytest.param(resource_policy(EVENTS, Condition=FOR_THE_RULE), True, id="it acts for the rule that may"),
        pytest.param(
            resource_policy(EVENTS, Condition={"ArnEquals": {"aws:SourceArn": RULE + "-2"}}),
            False,
            id="another rule may not",
        ),
        pytest.param(
            resource_policy(EVENTS, Condition={"StringEquals": {"aws:SourceAccount": ORDERS}}),
            True,
            id="it acts for the account that may",
        ),
        pytest.param(
            resource_policy(EVENTS, Condition={"StringEquals": {"aws:SourceOrgID": ORGANISATION}}),
            True,
            id="it acts for an account of the organisation",
        ),
    ],
)
def test_a_service_may_what_the_resource_allows_it(policy: Document | None, allowed: bool) -> None:
    assert decide(AUTHORITY.service_caller("events.amazonaws.com", source_arn=RULE), policy).allowed is allowed
