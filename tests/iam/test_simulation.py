"""What an answer of the simulator holds, as boto3 reads it."""

import json
from typing import Any

import pytest

from tests.access.landscape import ORDERS, STOCK, allow, deny, text_of
from tests.iam.landscape import ALL, API, INVOKE, NOTHING, ORDER, SERVICE, custom, entry

ANN = f"arn:aws:iam::{ORDERS}:user/ann"
STRANGER = f"arn:aws:iam::{STOCK}:user/bob"


def resource_policy(effect: str, principal: str, resource: str = f"{API}/*") -> str:
    return text_of({"Effect": effect, "Principal": {"AWS": principal}, "Action": INVOKE, "Resource": resource})


def sources(result: Any) -> list[tuple[str, str]]:
    return [(row["SourcePolicyId"], row["SourcePolicyType"]) for row in result["MatchedStatements"]]


def place(position: Any) -> tuple[int, int]:
    return position["Line"], position["Column"]


def places(result: Any) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    return [(place(row["StartPosition"]), place(row["EndPosition"])) for row in result["MatchedStatements"]]


def test_an_allow_names_the_statements_that_allow(iam: Any) -> None:
    result = custom(iam, NOTHING, ALL)

    assert (result["EvalActionName"], result["EvalResourceName"], result["EvalDecision"]) == (INVOKE, ORDER, "allowed")
    assert sources(result) == [("PolicyInputList.2", "IAM Policy")]


def test_an_explicit_deny_names_the_denies_alone(iam: Any) -> None:
    result = custom(iam, ALL, text_of(allow("*"), deny(INVOKE)))

    assert result["EvalDecision"] == "explicitDeny"
    assert sources(result) == [("PolicyInputList.2", "IAM Policy")]
    assert len(places(result)) == 1


def test_an_implicit_deny_names_none(iam: Any) -> None:
    result = custom(iam, NOTHING)

    assert (result["EvalDecision"], result["MatchedStatements"]) == ("implicitDeny", [])


# The documents of AWS's own examples, with the positions that AWS answers.
ONE_LINE = (
    '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:*","Resource":"*",'
    '"Condition":{"DateGreaterThan":{"aws:CurrentTime":"2018-08-16T12:00:00Z"}}}}'
)
READ_ONLY = """{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": [
        "s3:Get*",
        "s3:List*"
      ],
      "Resource": "*"
    }
  ]
}"""
TWO = '{"Version": "2012-10-17", "Statement": [' + json.dumps(deny("s3:*")) + ", " + json.dumps(allow(INVOKE)) + "]}"
FIRST_END = 40 + len(json.dumps(deny("s3:*"))) + 1
LATE = [entry("aws:CurrentTime", "date", "2019-04-25T11:00:00Z")]


@pytest.mark.parametrize(
    ("text", "action", "expected"),
    [
        pytest.param(ONE_LINE, "dynamodb:CreateBackup", ((1, 38), (1, 167)), id="a single statement: from its brace"),
        pytest.param(READ_ONLY, "s3:GetObject", ((3, 17), (11, 6)), id="the first of a list: from the bracket"),
        pytest.param(TWO, INVOKE, ((1, FIRST_END), (1, len(TWO) - 1)), id="the second: from the end of the first"),
    ],
)
def test_a_statement_is_found_where_aws_finds_it(iam: Any, text: str, action: str, expected: Any) -> None:
    result = custom(iam, text, ActionNames=[action], ResourceArns=["*"], ContextEntries=LATE)

    assert places(result) == [expected]


def test_the_positions_cut_the_statement_out_of_the_text(iam: Any) -> None:
    ((start, end),) = places(custom(iam, TWO))

    assert json.loads(TWO[start[1] - 1 : end[1] - 1].lstrip(", ")) == allow(INVOKE)


def test_a_resource_policy_is_named_as_such(iam: Any) -> None:
    result = custom(iam, NOTHING, CallerArn=ANN, ResourcePolicy=resource_policy("Allow", ANN))

    assert result["EvalDecision"] == "allowed"
    assert sources(result) == [("ResourcePolicy", "Resource Policy")]


def test_a_resource_policy_may_use_the_short_form(iam: Any) -> None:
    policy = resource_policy("Allow", ANN, "execute-api:/v1/GET/*")

    assert custom(iam, NOTHING, CallerArn=ANN, ResourcePolicy=policy)["EvalDecision"] == "allowed"


def test_a_boundary_tells_whether_it_allows(iam: Any) -> None:
    result = custom(iam, ALL, PermissionsBoundaryPolicyInputList=[NOTHING])

    assert result["EvalDecision"] == "implicitDeny"
    assert result["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}


def test_without_a_boundary_nothing_is_told_of_one(iam: Any) -> None:
    result = custom(iam, ALL)

    assert "PermissionsBoundaryDecisionDetail" not in result
    assert "OrganizationsDecisionDetail" not in result


@pytest.mark.parametrize(
    ("levels", "allowed"),
    [([[ALL], [ALL]], True), ([[ALL], [NOTHING]], False), ([[ALL, text_of(deny(INVOKE))]], False)],
    ids=["every level allows", "one level is silent", "one level denies"],
)
def test_service_control_policies_tell_whether_they_allow(iam: Any, levels: list[list[str]], allowed: bool) -> None:
    given = [{"ServiceControlPolicyInputList": level} for level in levels]

    result = custom(iam, ALL, OrderedOrganizationPolicyInputList=given)

    assert result["OrganizationsDecisionDetail"] == {"AllowedByOrganizations": allowed}
    assert result["EvalDecision"] == ("allowed" if allowed else "explicitDeny")
    assert ("EvalDecisionDetails" in result) is allowed


def test_across_accounts_each_kind_of_policy_is_told(iam: Any) -> None:
    result = custom(
        iam,
        NOTHING,
        CallerArn=STRANGER,
        ResourcePolicy=resource_policy("Allow", STRANGER),
        PermissionsBoundaryPolicyInputList=[NOTHING],
    )

    details = {
        "IAM Policy": "implicitDeny",
        "Resource Policy": "allowed",
        "Permissions Boundary Policy": "implicitDeny",
    }
    assert (result["EvalDecision"], result["EvalDecisionDetails"]) == ("implicitDeny", details)
    (specific,) = result["ResourceSpecificResults"]
    assert specific["EvalDecisionDetails"] == details
    assert sources(specific) == [("ResourcePolicy", "Resource Policy")]
    assert result["MatchedStatements"] == []


def test_within_an_account_the_details_are_there_and_empty(iam: Any) -> None:
    result = custom(iam, ALL, CallerArn=ANN)

    assert result["EvalDecisionDetails"] == {}
    assert "EvalDecisionDetails" not in result["ResourceSpecificResults"][0]


def test_for_all_resources_nothing_is_told_of_one(iam: Any) -> None:
    (result,) = iam.simulate_custom_policy(PolicyInputList=[ALL], ActionNames=[INVOKE])["EvaluationResults"]

    assert result["EvalResourceName"] == "*"
    assert not result.keys() & {"EvalDecisionDetails", "ResourceSpecificResults"}


def test_several_resources_are_told_each_and_the_strictest_on_top(iam: Any) -> None:
    policy = text_of(allow(INVOKE, f"{API}/v1/*"), deny(INVOKE, f"{API}/v1/DELETE/*"))
    arns = [f"{API}/v1/GET/a", f"{API}/v1/DELETE/a", f"{API}/v2/GET/a"]

    result = custom(iam, policy, ResourceArns=arns)

    told = [(row["EvalResourceName"], row["EvalResourceDecision"]) for row in result["ResourceSpecificResults"]]
    assert told == list(zip(arns, ["allowed", "explicitDeny", "implicitDeny"], strict=True))
    assert result["EvalDecision"] == "explicitDeny"
    assert result["EvalResourceName"].startswith("arn:${Partition}:execute-api:")
    assert len(result["MatchedStatements"]) == 1


@pytest.mark.parametrize(
    ("resource", "more", "decision"),
    [
        ("arn:aws:s3:::bucket/key", {}, "allowed"),
        ("arn:aws:s3:::bucket/key", {"ResourceOwner": f"arn:aws:iam::{STOCK}:root"}, "implicitDeny"),
        (f"arn:aws:execute-api:eu-west-1:{STOCK}:stock/v1/GET/a", {}, "implicitDeny"),
    ],
    ids=["an ARN without an account is the caller's", "or that of ResourceOwner", "an ARN with an account says it"],
)
def test_whose_a_resource_is(iam: Any, resource: str, more: dict[str, str], decision: str) -> None:
    result = custom(iam, ALL, ActionNames=["s3:GetObject"], ResourceArns=[resource], CallerArn=ANN, **more)

    assert result["EvalDecision"] == decision


CONDITIONS = text_of(
    allow(
        INVOKE, f"{API}/*/${{aws:username}}*", Condition={"StringEquals": {"aws:PrincipalTag/Team": "${aws:userid}"}}
    ),
    allow(INVOKE, "*", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}),
    allow("s3:*", "*", Condition={"Bool": {"aws:SecureTransport": "true"}}),
)


def test_keys_that_nobody_gave_are_missing(iam: Any) -> None:
    result = custom(iam, CONDITIONS)

    assert result["MissingContextValues"] == ["aws:PrincipalTag/Team", "aws:userid", "aws:username", "aws:SourceIp"]


def test_keys_that_were_given_or_follow_from_the_caller_are_not_missing(iam: Any) -> None:
    result = custom(iam, CONDITIONS, CallerArn=ANN, ContextEntries=[entry("AWS:sourceIP", "ip", "10.1.2.3")])

    assert result["MissingContextValues"] == ["aws:PrincipalTag/Team", "aws:userid"]
    assert result["EvalDecision"] == "allowed"


TYPED = [
    ("string", "StringEquals", "aws:UserAgent", "shop", ["shop"]),
    ("stringList", "ForAllValues:StringEquals", "aws:TagKeys", ["a", "b"], ["a", "b"]),
    ("numeric", "NumericLessThan", "sts:DurationSeconds", "901", ["900"]),
    ("numericList", "ForAnyValue:NumericEquals", "sts:DurationSeconds", "900", ["1", "900"]),
    ("boolean", "Bool", "aws:SecureTransport", "true", ["true"]),
    ("booleanList", "ForAnyValue:Bool", "aws:SecureTransport", "true", ["false", "true"]),
    ("ip", "IpAddress", "aws:SourceIp", "10.0.0.0/8", ["10.1.2.3"]),
    ("ipList", "ForAllValues:IpAddress", "aws:SourceIp", "10.0.0.0/8", ["10.1.2.3", "10.9.9.9"]),
    ("binary", "BinaryEquals", "acme:Key", "QUJD", ["QUJD"]),
    ("binaryList", "ForAnyValue:BinaryEquals", "acme:Key", "QUJD", ["QUJE", "QUJD"]),
    ("date", "DateLessThan", "aws:CurrentTime", "2026-02-01T00:00:00Z", ["2026-01-31T00:00:00Z"]),
    ("dateList", "ForAllValues:DateLessThan", "aws:CurrentTime", "2026-02-01", ["2026-01-31", "2026-01-30"]),
]


@pytest.mark.parametrize(("kind", "operator", "key", "wanted", "values"), TYPED, ids=[row[0] for row in TYPED])
def test_a_context_entry_of_each_type_is_compared(
    iam: Any, kind: str, operator: str, key: str, wanted: str | list[str], values: list[str]
) -> None:
    policy = text_of(
        allow(INVOKE, "*", Condition={operator: {key: wanted}, "Null": {key: "false"}}),
    )

    assert custom(iam, policy)["EvalDecision"] == "implicitDeny"
    assert custom(iam, policy, ContextEntries=[entry(key, kind, *values)])["EvalDecision"] == "allowed"


def test_pages_hold_together(iam: Any) -> None:
    actions = [f"s3:Action{number}" for number in range(7)]

    pages = list(
        iam.get_paginator("simulate_custom_policy").paginate(
            PolicyInputList=[NOTHING], ActionNames=actions, PaginationConfig={"PageSize": 3}
        )
    )

    assert [len(page["EvaluationResults"]) for page in pages] == [3, 3, 1]
    assert [page["IsTruncated"] for page in pages] == [True, True, False]
    assert [row["EvalActionName"] for page in pages for row in page["EvaluationResults"]] == actions


def test_an_answer_is_short_where_many_resources_are_asked_about(iam: Any) -> None:
    arns = [f"{API}/v1/GET/{number}" for number in range(1500)]

    answer = iam.simulate_custom_policy(PolicyInputList=[ALL], ActionNames=[INVOKE, "s3:GetObject"], ResourceArns=arns)

    assert (len(answer["EvaluationResults"]), answer["IsTruncated"]) == (1, True)


# A role of the landscape


def principal(client: Any, **more: Any) -> Any:
    asked = {"PolicySourceArn": SERVICE.arn, "ActionNames": [INVOKE], "ResourceArns": [ORDER], **more}
    (result,) = client.simulate_principal_policy(**asked)["EvaluationResults"]
    return result


NAMED = {"CallerArn": SERVICE.arn, "ResourcePolicy": resource_policy("Allow", SERVICE.arn)}
THROUGH_ENDPOINT = {"ContextEntries": [entry("aws:SourceVpce", "string", "vpce-1")]}


def test_a_role_has_its_own_policies_and_boundary(iam: Any) -> None:
    result = principal(iam, **NAMED, **THROUGH_ENDPOINT)

    assert result["EvalDecision"] == "allowed"
    assert sources(result) == [("ResourcePolicy", "Resource Policy"), ("role_service_policy", "IAM Policy")]
    assert result["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": True}


def test_a_role_lacks_what_only_a_request_brings(iam: Any) -> None:
    result = principal(iam, **NAMED)

    assert (result["EvalDecision"], result["MissingContextValues"]) == ("implicitDeny", ["aws:SourceVpce"])


def test_a_role_may_be_given_more_policies_and_another_boundary(iam: Any) -> None:
    assert principal(iam, **NAMED, PolicyInputList=[ALL])["EvalDecision"] == "allowed"
    result = principal(iam, **NAMED, PolicyInputList=[ALL], PermissionsBoundaryPolicyInputList=[NOTHING])
    assert result["EvalDecision"] == "implicitDeny"


def test_a_role_brings_its_tags_and_organisation(iam: Any) -> None:
    keys = {"aws:PrincipalTag/team": "stock", "aws:PrincipalOrgID": "o-example", "aws:PrincipalArn": SERVICE.arn}
    policy = text_of(allow(INVOKE, "*", Condition={"StringEquals": keys}))

    assert principal(iam, **NAMED, PolicyInputList=[policy])["EvalDecision"] == "allowed"


def test_a_given_key_stands_before_the_one_that_follows_from_the_role(iam: Any) -> None:
    policy = text_of(allow(INVOKE, "*", Condition={"StringEquals": {"aws:PrincipalTag/team": "stock"}}))
    other = [entry("aws:PrincipalTag/team", "string", "bank")]

    result = principal(iam, **NAMED, PolicyInputList=[policy], ContextEntries=other)

    assert result["EvalDecision"] == "implicitDeny"


@pytest.mark.parametrize(
    ("excluded", "decision", "boundary"),
    [
        ({"PolicyType": "inline"}, "implicitDeny", True),
        ({"PolicyType": "permission-boundary"}, "allowed", False),
        ({"PolicyType": "rcp"}, "allowed", True),
        ({"PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}, "allowed", True),
        (
            {"InlinePolicyIdentifier": {"PolicyName": "policy", "AttachmentType": "role", "AttachmentName": "serv*"}},
            "implicitDeny",
            True,
        ),
        (
            {"InlinePolicyIdentifier": {"PolicyName": "policy", "AttachmentType": "user", "AttachmentName": "service"}},
            "allowed",
            True,
        ),
    ],
    ids=["inline policies", "the boundary", "none of a kind", "none of that ARN", "one by name", "one of a user"],
)
def test_policies_can_be_left_out(iam: Any, excluded: dict[str, Any], decision: str, boundary: bool) -> None:
    result = principal(iam, **NAMED, **THROUGH_ENDPOINT, PolicyExclusionList=[excluded])

    assert (result["EvalDecision"], "PermissionsBoundaryDecisionDetail" in result) == (decision, boundary)


def test_the_keys_of_policies_are_listed(iam: Any) -> None:
    answer = iam.get_context_keys_for_custom_policy(PolicyInputList=[CONDITIONS, CONDITIONS])

    assert answer["ContextKeyNames"] == [
        "aws:PrincipalTag/Team",
        "aws:userid",
        "aws:username",
        "aws:SourceIp",
        "aws:SecureTransport",
    ]


def test_the_keys_of_a_roles_policies_are_listed(iam: Any) -> None:
    answer = iam.get_context_keys_for_principal_policy(PolicySourceArn=SERVICE.arn, PolicyInputList=[CONDITIONS])

    assert answer["ContextKeyNames"][:2] == ["aws:SourceVpce", "aws:PrincipalTag/Team"]


def test_a_role_is_simulated_without_a_session(iam: Any) -> None:
    policy = text_of(allow(INVOKE, "*", Condition={"Null": {"aws:TokenIssueTime": "false"}}))

    result = principal(iam, **NAMED, **THROUGH_ENDPOINT, PolicyInputList=[policy])

    assert result["MissingContextValues"] == ["aws:TokenIssueTime"]
