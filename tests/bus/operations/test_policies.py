"""Who may do what: bus policies given through the API, roles that are passed, and the condition keys of operations."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from harness.audit.explanation import Explainer, Landscape
from harness.audit.record import Scribe
from harness.audit.recorder import Recorder
from harness.identity import Role
from harness.local.events import BusPolicies
from harness.wire import HttpRequest, NetworkPlace
from tests.access.landscape import NOON, ORDERS, STOCK, a_role, allow, deny
from tests.audit.landscape import Kept
from tests.bus.cases import load_yaml
from tests.bus.operations.conftest import STOCK_ADMIN, Bench

PUT = "events:PutEvents"
GUARDED = f"arn:aws:events:eu-west-1:{ORDERS}:event-bus/guarded"
RECEIVING = f"arn:aws:events:eu-west-1:{STOCK}:event-bus/receiving"
PATTERN = {"EventPattern": '{"source": ["orders"]}'}
PUTTERS = {
    "owner": a_role(ORDERS, "owner", allow(PUT)),
    "stock": a_role(STOCK, "stock", allow(PUT)),
    "silent": a_role(STOCK, "silent", allow("events:ListRules")),
}
EVENT = {"Source": "stock", "DetailType": "StockReserved", "Detail": "{}", "EventBusName": GUARDED}


@pytest.fixture
def roles() -> Mapping[str, Role]:
    return PUTTERS


def policy(statements: Sequence[Mapping[str, Any]]) -> str:
    whole = [{"Effect": "Allow", "Action": PUT, "Resource": "*", **statement} for statement in statements]
    return json.dumps({"Version": "2012-10-17", "Statement": whole})


@pytest.mark.parametrize("case", load_yaml("bus_policies"))
def test_who_may_put_events_by_a_policy_of_the_api(bench: Bench, case: dict[str, Any]) -> None:
    bench.ask("CreateEventBus", {"Name": "guarded"})
    if case["policy"]:
        bench.ask("PutPermission", {"EventBusName": "guarded", "Policy": policy(case["policy"])})
    role = PUTTERS[case["by"]]
    if case["allowed"]:
        assert bench.ask("PutEvents", {"Entries": [EVENT]}, role)["FailedEntryCount"] == 0
    else:
        assert bench.refusal("PutEvents", {"Entries": [EVENT]}, role)[0] == "AccessDeniedException"


@pytest.mark.parametrize("case", load_yaml("receivers"))
def test_whether_a_bus_of_another_account_is_taken_as_a_target(bench: Bench, case: dict[str, Any]) -> None:
    bench.ask("CreateEventBus", {"Name": "receiving"}, STOCK_ADMIN)
    if case["policy"]:
        given = {"EventBusName": "receiving", "Policy": policy(case["policy"])}
        bench.ask("PutPermission", given, STOCK_ADMIN)
    bench.ask("PutRule", {"Name": "r", **PATTERN})
    target = {"Id": "b", "Arn": RECEIVING, "RoleArn": f"arn:aws:iam::{ORDERS}:role/sender"}
    asked = {"Rule": "r", "Targets": [target]}
    if case["taken"]:
        assert bench.ask("PutTargets", asked) == {"FailedEntryCount": 0, "FailedEntries": []}
    else:
        assert bench.refusal("PutTargets", asked)[0] == "AccessDeniedException"
        assert bench.ask("ListTargetsByRule", {"Rule": "r"}) == {"Targets": []}


def test_a_permission_that_is_removed_is_gone_at_once(bench: Bench) -> None:
    bench.ask("CreateEventBus", {"Name": "guarded"})
    bench.ask("PutPermission", {"EventBusName": "guarded", "Action": PUT, "Principal": STOCK, "StatementId": "stock"})
    bench.ask("PutEvents", {"Entries": [EVENT]}, PUTTERS["stock"])
    bench.ask("RemovePermission", {"EventBusName": "guarded", "StatementId": "stock"})
    assert bench.refusal("PutEvents", {"Entries": [EVENT]}, PUTTERS["stock"])[0] == "AccessDeniedException"


def may(action: str | Sequence[str], **more: Any) -> Role:
    """A role with one statement, under a name of its own."""
    statement = allow(action, more.pop("resource", "*"), **more)
    return a_role(ORDERS, f"may-{abs(hash(json.dumps(statement)))}", statement)


QUEUE = f"arn:aws:sqs:eu-west-1:{ORDERS}:q"
RULE_ARN = f"arn:aws:events:eu-west-1:{ORDERS}:rule/r"
TARGETS = {"Rule": "r", "Targets": [{"Id": "q", "Arn": QUEUE}]}
OWN_BUS = f"arn:aws:events:eu-west-1:{ORDERS}:event-bus/own"
NEW = {"Name": "new", **PATTERN}
TWO_SOURCES = {"Name": "new", "EventPattern": '{"source": ["orders", "stock"]}'}
ONE_TYPE = {"Name": "new", "EventPattern": '{"source": ["orders"], "detail-type": ["Placed"]}'}

CONDITIONS = [
    ("a source that may be matched", "PutRule", NEW, {"StringEquals": {"events:source": "orders"}}, True),
    ("another source", "PutRule", NEW, {"StringEquals": {"events:source": "stock"}}, False),
    ("each of two sources", "PutRule", TWO_SOURCES,
     {"ForAllValues:StringEquals": {"events:source": ["orders", "stock"]}}, True),
    ("one of two sources is another", "PutRule", TWO_SOURCES,
     {"ForAllValues:StringEquals": {"events:source": ["orders"]}}, False),
    ("two sources are no single one", "PutRule", TWO_SOURCES, {"StringEquals": {"events:source": "orders"}}, False),
    ("a pattern without a source", "PutRule", {"Name": "new", "EventPattern": '{"detail": {"a": [1]}}'},
     {"Null": {"events:source": "false"}}, False),
    ("a detail type", "PutRule", ONE_TYPE, {"StringEquals": {"events:detail-type": "Placed"}}, True),
    ("another detail type", "PutRule", ONE_TYPE, {"StringEquals": {"events:detail-type": "Paid"}}, False),
    ("a field of the detail", "PutRule", {"Name": "new", "EventPattern": '{"detail": {"service": ["EC2"]}}'},
     {"StringEquals": {"events:detail.service": "EC2"}}, True),
    ("another in a field of the detail", "PutRule", {"Name": "new", "EventPattern": '{"detail": {"service": ["S3"]}}'},
     {"StringEquals": {"events:detail.service": "EC2"}}, False),
    ("a rule that the own account made", "DeleteRule", {"Name": "bare"},
     {"StringEquals": {"events:creatorAccount": "${aws:PrincipalAccount}"}}, True),
    ("a rule that another account made", "DeleteRule", {"Name": "bare"},
     {"StringEquals": {"events:creatorAccount": STOCK}}, False),
    ("a rule that nobody manages", "DeleteRule", {"Name": "bare"}, {"Null": {"events:ManagedBy": "true"}}, True),
    ("a rule that somebody manages", "DescribeRule", {"Name": "to-stock", "EventBusName": "enterprise"},
     {"Null": {"events:ManagedBy": "true"}}, False),
    ("a target that may be sent to", "PutTargets", TARGETS, {"ArnEquals": {"events:TargetArn": QUEUE}}, True),
    ("another target", "PutTargets", TARGETS, {"ArnEquals": {"events:TargetArn": QUEUE + "x"}}, False),
    ("a tag of the request", "TagResource", {"ResourceARN": RULE_ARN, "Tags": [{"Key": "team", "Value": "a"}]},
     {"StringEquals": {"aws:RequestTag/team": "a"}}, True),
    ("another tag of the request", "TagResource", {"ResourceARN": RULE_ARN, "Tags": [{"Key": "team", "Value": "b"}]},
     {"StringEquals": {"aws:RequestTag/team": "a"}}, False),
    ("the keys of tags", "UntagResource", {"ResourceARN": RULE_ARN, "TagKeys": ["team"]},
     {"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}, True),
    ("another key of a tag", "UntagResource", {"ResourceARN": RULE_ARN, "TagKeys": ["owner"]},
     {"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}, False),
    ("a tag of the rule", "DescribeRule", {"Name": "r"}, {"StringEquals": {"aws:ResourceTag/team": "orders"}}, True),
    ("another tag of the rule", "DescribeRule", {"Name": "r"}, {"StringEquals": {"aws:ResourceTag/team": "x"}}, False),
    ("a tag of the bus", "DescribeEventBus", {"Name": "own"},
     {"StringEquals": {"aws:ResourceTag/team": "orders"}}, True),
    ("another tag of the bus", "DescribeEventBus", {"Name": "own"},
     {"StringEquals": {"aws:ResourceTag/team": "x"}}, False),
]  # fmt: skip


@pytest.mark.parametrize(
    ("operation", "parameters", "condition", "allowed"), [pytest.param(*rest, id=name) for name, *rest in CONDITIONS]
)
def test_a_condition_of_an_identity_policy(
    bench: Bench, operation: str, parameters: dict[str, Any], condition: dict[str, Any], allowed: bool
) -> None:
    tags = [{"Key": "team", "Value": "orders"}]
    bench.ask("CreateEventBus", {"Name": "own", "Tags": tags})
    bench.ask("PutRule", {"Name": "r", **PATTERN, "Tags": tags})
    bench.ask("PutRule", {"Name": "bare", **PATTERN})
    role = may(f"events:{operation}", Condition=condition)
    bench.admit(role)
    if allowed:
        bench.ask(operation, parameters, role)
    else:
        assert bench.refusal(operation, parameters, role)[0] == "AccessDeniedException"


RESOURCES = [
    ("a rule on the default bus", "PutRule", {"Name": "new", **PATTERN}, "rule/new", "rule/own/new"),
    ("a rule on another bus", "PutRule", {"Name": "new", "EventBusName": "own", **PATTERN}, "rule/own/*", "rule/new"),
    ("a bus", "DescribeEventBus", {"Name": "own"}, "event-bus/own", "event-bus/default"),
    ("a policy of a bus", "RemovePermission", {"RemoveAllPermissions": True}, "event-bus/default", "event-bus/own"),
    ("rules of all buses", "ListRules", {}, "rule/*", "event-bus/*"),
    ("an archive", "CreateArchive", {"ArchiveName": "a", "EventSourceArn": OWN_BUS}, "archive/a", "event-bus/own"),
    ("all connections", "ListConnections", {}, "connection/*", "api-destination/*"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("operation", "parameters", "right", "wrong"), [pytest.param(*rest, id=name) for name, *rest in RESOURCES]
)
def test_the_resource_of_an_operation(
    bench: Bench, operation: str, parameters: dict[str, Any], right: str, wrong: str
) -> None:
    bench.ask("CreateEventBus", {"Name": "own"})
    place = f"arn:aws:events:eu-west-1:{ORDERS}:"
    other = may(f"events:{operation}", resource=place + wrong)
    bench.admit(other)
    assert bench.refusal(operation, parameters, other)[0] == "AccessDeniedException"
    one = may(f"events:{operation}", resource=place + right)
    bench.admit(one)
    bench.ask(operation, parameters, one)


ROLE = f"arn:aws:iam::{ORDERS}:role/sender"
PASSING = {"Rule": "r", "Targets": [{"Id": "q", "Arn": QUEUE, "RoleArn": ROLE}]}


def test_a_role_that_may_not_be_passed_is_refused(bench: Bench) -> None:
    bench.ask("PutRule", {"Name": "r", **PATTERN})
    role = may("events:*")
    bench.admit(role)
    code, text = bench.refusal("PutTargets", PASSING, role)
    assert code == "AccessDeniedException"
    assert text.endswith(
        f"is not authorized to perform: iam:PassRole on resource: {ROLE} because no identity-based policy allows the "
        "iam:PassRole action"
    )


@pytest.mark.parametrize(
    ("service", "allowed"),
    [
        pytest.param("events.amazonaws.com", True, id="to EventBridge"),
        pytest.param("lambda.amazonaws.com", False, id="to another service"),
    ],
)
def test_a_role_may_be_passed(bench: Bench, service: str, allowed: bool) -> None:
    bench.ask("PutRule", {"Name": "r", **PATTERN})
    passing = allow("iam:PassRole", ROLE, Condition={"StringEquals": {"iam:PassedToService": service}})
    role = a_role(ORDERS, f"passes-to-{service}", allow("events:*"), passing)
    bench.admit(role)
    if allowed:
        assert bench.ask("PutTargets", PASSING, role)["FailedEntryCount"] == 0
    else:
        assert bench.refusal("PutTargets", PASSING, role)[0] == "AccessDeniedException"


def test_tags_of_a_new_resource_need_the_permission_to_tag(bench: Bench) -> None:
    role = a_role(ORDERS, "maker", allow("events:*"), deny("events:TagResource"))
    bench.admit(role)
    tagged = {"Tags": [{"Key": "a", "Value": "b"}]}
    for operation, parameters in (("CreateEventBus", {"Name": "own"}), ("PutRule", {"Name": "new", **PATTERN})):
        code, text = bench.refusal(operation, {**parameters, **tagged}, role)
        assert (code, "events:TagResource" in text) == ("AccessDeniedException", True)
        bench.ask(operation, parameters, role)


def recorded(bench: Bench, ask: Callable[[], object]) -> dict[str, Any]:
    """The record of one call, as an edge writes it."""
    kept = Kept()
    recorder = Recorder(Scribe(bench.desk.authority, bench.sealer, {}).lines, kept.append)

    def record(request: HttpRequest, place: NetworkPlace, answer: Any, questions: Any) -> None:
        recorder.served(NOON, request, place, "events", answer, questions)

    with bench.recording(recorder, record):
        ask()
    bench.loop.run(recorder.flush())
    (line,) = kept.lines
    found: dict[str, Any] = json.loads(line)
    return found


def test_a_refusal_by_a_policy_of_the_api_is_explained(bench: Bench) -> None:
    """What `harness explain` says of it, from the record of the call to the statement that is missing."""
    bench.ask("CreateEventBus", {"Name": "guarded"})
    statement = {"Sid": "Orders", "Principal": "*", "Condition": {"StringEquals": {"events:source": "orders"}}}
    bench.ask("PutPermission", {"EventBusName": "guarded", "Policy": policy([statement])})
    record = recorded(bench, lambda: bench.refusal("PutEvents", {"Entries": [EVENT]}, PUTTERS["stock"]))
    policies = BusPolicies(bench.desk.catalogue)
    told = Explainer(Landscape(bench.desk.authority, buses=policies)).explain(record)
    assert (told["allowed"], told["deciding"]) == (False, "resource-based policy")
    names = [(each["name"], [st["sid"] for st in each["statements"]]) for each in told["policies"]]
    assert ("policy of the bus guarded", ["Orders"]) in names
    assert GUARDED in policies
    assert len(policies) == len(list(policies))


def test_a_call_is_recorded_by_what_it_is_about_and_without_secrets(bench: Bench) -> None:
    parameters = {"BasicAuthParameters": {"Username": "ann", "Password": "hush"}}
    asked = {"Name": "c", "AuthorizationType": "BASIC", "AuthParameters": parameters}
    record = recorded(bench, lambda: bench.ask("CreateConnection", asked))
    assert (record["eventName"], record["requestParameters"], record["readOnly"]) == (
        "CreateConnection",
        {"name": "c"},
        False,
    )
    assert "hush" not in json.dumps(record)


def test_a_call_that_reads_is_recorded_as_one(bench: Bench) -> None:
    assert recorded(bench, lambda: bench.ask("ListRules", {}))["readOnly"] is True
