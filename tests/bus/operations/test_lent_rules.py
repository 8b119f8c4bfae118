"""Rules on another account's bus: who may make and change them, and where they send."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from harness.identity import Role
from harness.local.events import BusPolicies
from tests.access.landscape import ORDERS, STOCK, a_role, allow
from tests.bus.cases import load_yaml
from tests.bus.operations.conftest import STOCK_ADMIN, Bench

SHARED = f"arn:aws:events:eu-west-1:{ORDERS}:event-bus/shared"
RULES = f"arn:aws:events:eu-west-1:{ORDERS}:rule/shared"
ACTIONS = (
    "PutRule", "DeleteRule", "DescribeRule", "DisableRule", "EnableRule", "PutTargets", "RemoveTargets",
    "ListTargetsByRule", "TagResource", "UntagResource", "ListTagsForResource",
)  # fmt: skip
LENT = {
    "Effect": "Allow",
    "Principal": {"AWS": STOCK},
    "Action": [f"events:{action}" for action in ACTIONS],
    "Resource": f"{RULES}/*",
    "Condition": {"StringEqualsIfExists": {"events:creatorAccount": "${aws:PrincipalAccount}"}},
}
SILENT = a_role(STOCK, "silent", allow("events:ListEventBuses"))
PATTERN = {"EventPattern": '{"source": ["orders"]}'}
CALLERS = {"stock": STOCK_ADMIN, "silent": SILENT}


@pytest.fixture
def roles() -> Mapping[str, Role]:
    return {"silent": SILENT}


@pytest.fixture
def shared(bench: Bench) -> Bench:
    """A bus with a rule of either account; its policy lends rules to stock."""
    bench.ask("CreateEventBus", {"Name": "shared"})
    lend(bench, [{}])
    bench.ask("PutRule", {"Name": "ours", "EventBusName": "shared", **PATTERN})
    for name in ("theirs", "bare"):
        bench.ask("PutRule", {"Name": name, "EventBusName": SHARED, **PATTERN}, STOCK_ADMIN)
    target = {"Id": "t", "Arn": f"arn:aws:lambda:eu-west-1:{STOCK}:function:stock"}
    bench.ask("PutTargets", {"Rule": "theirs", "EventBusName": SHARED, "Targets": [target]}, STOCK_ADMIN)
    return bench


def lend(bench: Bench, statements: Sequence[Mapping[str, Any]]) -> None:
    if not statements:
        bench.ask("RemovePermission", {"EventBusName": "shared", "RemoveAllPermissions": True})
        return
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{**LENT, **each} for each in statements]})
    bench.ask("PutPermission", {"EventBusName": "shared", "Policy": policy})


def put_targets(bench: Bench, target: Mapping[str, Any], bus: str = SHARED) -> dict[str, Any]:
    return {"Rule": "theirs", "EventBusName": bus, "Targets": [{"Id": "new", **target}]}


@pytest.mark.parametrize("case", load_yaml("lent_rules"))
def test_what_a_bus_lends_of_its_rules(shared: Bench, case: dict[str, Any]) -> None:
    lend(shared, case["policy"])
    operation, parameters = case["call"]
    about_a_bus = operation not in ("TagResource", "DescribeEventBus")
    asked = {**parameters, "EventBusName": SHARED} if about_a_bus else parameters
    role = CALLERS[case.get("by", "stock")]
    if case["allowed"]:
        shared.ask(operation, asked, role)
    else:
        assert shared.refusal(operation, asked, role)[0] == "AccessDeniedException"


def test_whoever_made_a_rule_is_told(shared: Bench) -> None:
    theirs = shared.ask("DescribeRule", {"Name": "theirs", "EventBusName": "shared"})
    assert (theirs["Arn"], theirs["CreatedBy"]) == (f"{RULES}/theirs", STOCK)
    rule = shared.desk.catalogue.rule(SHARED, "theirs")
    assert rule is not None
    assert (rule.account, rule.creator) == (ORDERS, STOCK)


def test_the_owner_of_the_bus_keeps_power_over_all_its_rules(shared: Bench) -> None:
    shared.ask("RemoveTargets", {"Rule": "theirs", "EventBusName": "shared", "Ids": ["t"]})
    shared.ask("DeleteRule", {"Name": "theirs", "EventBusName": "shared"})


def test_a_name_means_the_callers_own_bus(shared: Bench) -> None:
    assert shared.refusal("DescribeRule", {"Name": "theirs", "EventBusName": "shared"}, STOCK_ADMIN) == (
        "ResourceNotFoundException",
        "Event bus shared does not exist.",
    )


def test_a_manifests_rule_stays_the_manifests(shared: Bench) -> None:
    """Its policy is a manifest's and lends nothing; the rule would not change even if it did."""
    enterprise = f"arn:aws:events:eu-west-1:{ORDERS}:event-bus/enterprise"
    asked = {"Name": "to-stock", "EventBusName": enterprise}
    assert shared.refusal("DeleteRule", asked, STOCK_ADMIN)[0] == "AccessDeniedException"


RECEIVING = f"arn:aws:events:eu-west-1:{STOCK}:event-bus/receiving"
TARGETS: list[tuple[str, dict[str, Any], str]] = [
    ("a queue of the own account", {"Arn": f"arn:aws:sqs:eu-west-1:{STOCK}:q"}, ""),
    ("a queue whose policy will decide", {"Arn": f"arn:aws:sqs:eu-west-1:{ORDERS}:q"}, ""),
    ("a log group of the own account", {"Arn": f"arn:aws:logs:eu-west-1:{STOCK}:log-group:/x"}, ""),
    ("a function of the bus's account", {"Arn": f"arn:aws:lambda:eu-west-1:{ORDERS}:function:orders"}, "of another"),
    ("a log group of the bus's account", {"Arn": f"arn:aws:logs:eu-west-1:{ORDERS}:log-group:/x"}, "of another"),
    ("a bus of the bus's account", {"Arn": f"arn:aws:events:eu-west-1:{ORDERS}:event-bus/default"}, "of another"),
    ("a function of a third account", {"Arn": "arn:aws:lambda:eu-west-1:333333333333:function:x"}, "of another"),
    ("a role of the own account", {"Arn": f"arn:aws:sqs:eu-west-1:{STOCK}:q",
     "RoleArn": f"arn:aws:iam::{STOCK}:role/stock-admin"}, "Cross-account pass role is not allowed."),
    ("a role of the bus's account", {"Arn": f"arn:aws:sqs:eu-west-1:{STOCK}:q",
     "RoleArn": f"arn:aws:iam::{ORDERS}:role/admin"}, "Cross-account pass role is not allowed."),
    ("a bus gets the whole event", {"Arn": RECEIVING, "Input": "{}"}, "are not supported for target"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("target", "refused"), [pytest.param(target, refused, id=name) for name, target, refused in TARGETS]
)
def test_where_a_rule_on_another_accounts_bus_sends(shared: Bench, target: dict[str, Any], refused: str) -> None:
    asked = put_targets(shared, target)
    if refused:
        code, text = shared.refusal("PutTargets", asked, STOCK_ADMIN)
        assert (code, refused in text) == ("ValidationException", True), text
    else:
        assert shared.ask("PutTargets", asked, STOCK_ADMIN)["FailedEntryCount"] == 0


def test_a_rule_with_a_role_is_not_made_on_another_accounts_bus(shared: Bench) -> None:
    asked = {"Name": "new", "EventBusName": SHARED, **PATTERN, "RoleArn": f"arn:aws:iam::{STOCK}:role/stock-admin"}
    assert shared.refusal("PutRule", asked, STOCK_ADMIN)[1] == "Cross-account pass role is not allowed."


@pytest.mark.parametrize(
    ("statement", "taken"),
    [
        pytest.param(None, False, id="without a policy"),
        pytest.param({"Principal": {"AWS": ORDERS}}, True, id="the account of the bus that sends is named"),
        pytest.param({"Principal": {"AWS": STOCK}}, False, id="the account that made the rule does not send"),
        pytest.param(
            {"Principal": "*", "Condition": {"ArnEquals": {"aws:SourceArn": f"{RULES}/theirs"}}}, True, id="the rule"
        ),
        pytest.param(
            {"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-example"}}},
            True,
            id="the organisation",
        ),
        pytest.param(
            {"Principal": "*", "Condition": {"StringEquals": {"aws:SourceAccount": STOCK}}}, False, id="another source"
        ),
    ],
)
def test_the_own_bus_has_to_let_the_other_account_in(
    shared: Bench, statement: Mapping[str, Any] | None, taken: bool
) -> None:
    shared.ask("CreateEventBus", {"Name": "receiving"}, STOCK_ADMIN)
    if statement is not None:
        whole = {"Effect": "Allow", "Action": "events:PutEvents", "Resource": "*", **statement}
        policy = json.dumps({"Version": "2012-10-17", "Statement": whole})
        shared.ask("PutPermission", {"EventBusName": "receiving", "Policy": policy}, STOCK_ADMIN)
    asked = put_targets(shared, {"Arn": RECEIVING})
    if taken:
        assert shared.ask("PutTargets", asked, STOCK_ADMIN)["FailedEntryCount"] == 0
    else:
        assert shared.refusal("PutTargets", asked, STOCK_ADMIN)[0] == "AccessDeniedException"


def test_the_policy_that_explains_a_refusal_is_the_buss(shared: Bench) -> None:
    policies = BusPolicies(shared.desk.catalogue)
    assert policies[f"{RULES}/theirs"] is policies[SHARED]
    assert policies.get(f"arn:aws:events:eu-west-1:{ORDERS}:rule/nothing/r") is None
