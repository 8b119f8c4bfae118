"""AssumeRole: who may, with what, for how long; every answer as botocore reads it."""

import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from harness.identity import Session
from tests.access.landscape import ANYBODY_OF_ORDERS, NOON, ORDERS, STOCK, a_directory, a_role, a_session, allow
from tests.sts.client import SEALER, Answer, ask

CASES = json.loads((Path(__file__).parent / "cases" / "assume_role.json").read_text())
ANYTHING_OF_STS = allow("sts:*")


def answer_to(case: Mapping[str, Any]) -> Answer:
    caller = a_role(ORDERS, "orders", *case.get("statements", [ANYTHING_OF_STS]))
    role = a_role(STOCK, "reader", trust=case.get("trust", [ANYBODY_OF_ORDERS]), **case.get("role", {}))
    session = a_session(caller, **{name: _frozen(value) for name, value in case.get("session", {}).items()})
    parameters = {"RoleArn": role.arn, "RoleSessionName": "work", **case.get("ask", {}), **_noise(case)}
    sent = {name: _spelled(value) for name, value in parameters.items() if value is not None}
    return ask(a_directory(caller, role), "AssumeRole", sent, session=session)


def opened(answer: Answer) -> Session:
    credentials = answer.result["Credentials"]
    session = SEALER.open(credentials["AccessKeyId"], credentials["SessionToken"])
    assert session is not None
    assert credentials["SecretAccessKey"] == SEALER.secret_for(credentials["AccessKeyId"])
    assert credentials["Expiration"] == session.expires
    return session


@pytest.mark.parametrize("case", [c for c in CASES if "code" in c["answer"]], ids=lambda case: case["name"])
def test_refused(case: Mapping[str, Any]) -> None:
    wanted = case["answer"]

    answer = answer_to(case)

    assert (answer.status, answer.code) == (wanted["status"], wanted["code"]), answer.message
    assert answer.message == wanted.get("message", answer.message)


@pytest.mark.parametrize("case", [c for c in CASES if "code" not in c["answer"]], ids=lambda case: case["name"])
def test_allowed(case: Mapping[str, Any]) -> None:
    wanted = case["answer"]

    answer = answer_to(case)

    assert answer.status == 200, answer.message
    session = opened(answer)
    found = {
        "arn": answer.result["AssumedRoleUser"]["Arn"],
        "tags": dict(session.tags),
        "transitive": list(session.transitive_tag_keys),
        "source_identity": answer.result.get("SourceIdentity"),
        "policies": list(session.policies or ()),
        "seconds": (session.expires - NOON).total_seconds(),
        "packed": answer.result.get("PackedPolicySize", 0) > 0,
    }
    assert {name: found[name] for name in wanted} == wanted


def test_the_new_session_is_known_by_role_id_and_session_name() -> None:
    answer = answer_to({})

    role_id, _, name = answer.result["AssumedRoleUser"]["AssumedRoleId"].partition(":")
    assert role_id.startswith("AROA")
    assert name == "work"
    assert opened(answer).chained


def test_without_policies_and_tags_no_packed_size_is_told() -> None:
    assert "PackedPolicySize" not in answer_to({}).result


def test_the_answer_carries_credentials_that_sign_the_next_call() -> None:
    caller = a_role(ORDERS, "orders", ANYTHING_OF_STS)
    reader = a_role(STOCK, "reader")
    directory = a_directory(caller, reader)
    parameters = {"RoleArn": reader.arn, "RoleSessionName": "work"}
    session = opened(ask(directory, "AssumeRole", parameters, session=a_session(caller)))

    who = ask(directory, "GetCallerIdentity", session=session)

    assert who.result["Arn"] == "arn:aws:sts::222222222222:assumed-role/reader/work"


def test_a_role_of_the_same_account_that_names_the_caller_needs_no_permission_of_the_callers() -> None:
    caller = a_role(ORDERS, "orders")
    named = {"Effect": "Allow", "Principal": {"AWS": caller.arn}, "Action": "sts:AssumeRole"}
    role = a_role(ORDERS, "reader", trust=[named])
    parameters = {"RoleArn": role.arn, "RoleSessionName": "work"}

    assert ask(a_directory(caller, role), "AssumeRole", parameters, session=a_session(caller)).status == 200


def test_a_role_does_not_trust_itself_unless_it_says_so() -> None:
    role = a_role(ORDERS, "orders", ANYTHING_OF_STS)
    parameters = {"RoleArn": role.arn, "RoleSessionName": "work"}

    assert ask(a_directory(role), "AssumeRole", parameters, session=a_session(role)).code == "AccessDenied"


def test_a_boundary_of_the_caller_holds_here_too() -> None:
    caller = a_role(ORDERS, "orders", ANYTHING_OF_STS, boundary=[allow("events:*")])
    role = a_role(STOCK, "reader")
    parameters = {"RoleArn": role.arn, "RoleSessionName": "work"}

    assert ask(a_directory(caller, role), "AssumeRole", parameters, session=a_session(caller)).code == "AccessDenied"


def test_a_session_ends_when_it_was_told_to() -> None:
    session = opened(answer_to({"ask": {"DurationSeconds": "900"}}))

    assert session.expires == NOON + timedelta(seconds=900)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _spelled(value: Any) -> str:
    return value if isinstance(value, str) else value["repeat"] * value["times"]


def _noise(case: Mapping[str, Any]) -> dict[str, str]:
    """Tags of values that nothing can pack, the same in every run."""
    tags = {}
    for number in range(1, case.get("tags_of_noise", 0) + 1):
        tags[f"Tags.member.{number}.Key"] = f"key-{number}"
        tags[f"Tags.member.{number}.Value"] = hashlib.sha512(str(number).encode()).hexdigest() * 2
    return tags
