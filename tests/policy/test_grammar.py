"""What a policy may look like, and the one line that says what is wrong with it."""

import json

import pytest

from harness.errors import InputError
from harness.policy import Document, PolicyKind, compile_document
from tests.policy.samples import API_ARN, Case, cases


def compiling(text: str, kind: PolicyKind, api_arn: str = "") -> Document | list[str]:
    """The document, or its problems as `line: text`."""
    try:
        return compile_document(text, kind=kind, name="sample", file="sample.json", api_arn=api_arn)
    except InputError as error:
        return [f"{problem.line}: {problem.text}" for problem in error.problems]


@pytest.mark.parametrize("case", cases("grammar.json"))
def test_grammar(case: Case) -> None:
    api_arn = API_ARN if case.get("api") else ""
    result = compiling("\n".join(case["text"]), PolicyKind(case["kind"]), api_arn)
    assert (result if isinstance(result, list) else []) == case["problems"]


LIMITS = {
    PolicyKind.IDENTITY: 10_240,
    PolicyKind.BOUNDARY: 6144,
    PolicyKind.SESSION: 2048,
    PolicyKind.RESOURCE: 10_240,
    PolicyKind.ENDPOINT: 20_480,
}


def policy_of(length: int, kind: PolicyKind) -> str:
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    if kind in (PolicyKind.RESOURCE, PolicyKind.ENDPOINT):
        statement["Principal"] = "*"
    policy = {"Id": "", "Statement": statement}
    policy["Id"] = "x" * (length - len(json.dumps(policy, separators=(",", ":"))))
    return json.dumps(policy, separators=(",", ":"))


@pytest.mark.parametrize("kind", LIMITS)
def test_a_policy_of_the_greatest_length_is_accepted_and_one_character_more_refused(kind: PolicyKind) -> None:
    limit = LIMITS[kind]
    assert isinstance(compiling(policy_of(limit, kind), kind), Document)
    assert compiling(policy_of(limit + 1, kind), kind) == [
        f"0: {limit + 1:,} characters; AWS takes {limit:,} in {kind.with_article}: shorten or split it"
    ]


def test_the_policy_of_an_api_has_a_limit_of_its_own() -> None:
    assert isinstance(compiling(policy_of(8192, PolicyKind.RESOURCE), PolicyKind.RESOURCE, API_ARN), Document)
    assert isinstance(compiling(policy_of(8193, PolicyKind.RESOURCE), PolicyKind.RESOURCE, API_ARN), list)


def test_white_space_does_not_count_in_an_identity_policy() -> None:
    text = policy_of(10_240, PolicyKind.IDENTITY)
    assert isinstance(compiling(text + "\n" * 500, PolicyKind.IDENTITY), Document)


def test_problems_name_the_file_and_else_the_policy() -> None:
    with pytest.raises(InputError, match=r"^domains/orders/policy\.json:1: a policy needs"):
        compile_document("{}", kind=PolicyKind.IDENTITY, name="read", file="domains/orders/policy.json")
    with pytest.raises(InputError, match=r"^read:1: a policy needs"):
        compile_document("{}", kind=PolicyKind.IDENTITY, name="read")


def test_a_document_keeps_its_text() -> None:
    text = '{ "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"} }\n'
    assert compile_document(text, kind=PolicyKind.IDENTITY, name="read").text == text
