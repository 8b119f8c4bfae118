"""Secrets of connections: sealed in the state, renewed by a change, gone with their connection, in no answer or log."""

import json
import logging
from typing import Any

import pytest

from harness.bus import documents
from tests.access.landscape import ORDERS
from tests.bus.operations.conftest import Bench

BASIC: dict[str, Any] = {
    "Name": "c",
    "AuthorizationType": "BASIC",
    "AuthParameters": {
        "BasicAuthParameters": {"Username": "ann", "Password": "hush-1"},
        "InvocationHttpParameters": {"QueryStringParameters": [{"Key": "q", "Value": "hush-2", "IsValueSecret": True}]},
    },
}


def secrets(bench: Bench) -> list[dict[str, Any] | None]:
    """Those that there are, opened."""
    entries = bench.desk.replica.below((*documents.SECRETS, ORDERS))
    return [documents.open_secret(bench.desk.box, entry) for entry in entries]


def test_what_is_kept_does_not_tell_a_secret(bench: Bench) -> None:
    bench.ask("CreateConnection", BASIC)
    kept = b"".join(entry.value for entry in bench.desk.replica.below(("events",)))
    assert b"ann" in kept
    assert b"hush" not in kept
    assert secrets(bench) == [BASIC["AuthParameters"]]


def test_no_answer_tells_a_secret(bench: Bench) -> None:
    answers = [bench.ask("CreateConnection", BASIC), bench.ask("ListConnections", {})]
    for operation in ("DescribeConnection", "UpdateConnection", "DeleteConnection"):
        answers.append(bench.ask(operation, {"Name": "c"}))
    assert "hush" not in json.dumps(answers, default=str)


def test_no_log_tells_a_secret(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="harness"):
        bench.ask("CreateConnection", BASIC)
        bench.refusal("CreateConnection", {**BASIC, "AuthorizationType": "API_KEY"})
        bench.refusal("CreateConnection", {**BASIC, "Name": "not good"})
    assert "hush" not in caplog.text


def test_a_change_of_a_part_keeps_the_others(bench: Bench) -> None:
    bench.ask("CreateConnection", BASIC)
    bench.ask("UpdateConnection", {"Name": "c", "AuthParameters": {"BasicAuthParameters": {"Password": "hush-3"}}})
    (only,) = secrets(bench)
    assert only == {**BASIC["AuthParameters"], "BasicAuthParameters": {"Username": "ann", "Password": "hush-3"}}


def test_a_change_of_something_else_keeps_the_secret(bench: Bench) -> None:
    bench.ask("CreateConnection", BASIC)
    before = bench.ask("DescribeConnection", {"Name": "c"})["SecretArn"]
    bench.ask("UpdateConnection", {"Name": "c", "Description": "d"})
    assert bench.ask("DescribeConnection", {"Name": "c"})["SecretArn"] == before


def test_another_kind_of_authorisation_forgets_the_password(bench: Bench) -> None:
    bench.ask("CreateConnection", BASIC)
    key = {"ApiKeyAuthParameters": {"ApiKeyName": "k", "ApiKeyValue": "v"}}
    bench.ask("UpdateConnection", {"Name": "c", "AuthorizationType": "API_KEY", "AuthParameters": key})
    (only,) = secrets(bench)
    assert only == {**key, "InvocationHttpParameters": BASIC["AuthParameters"]["InvocationHttpParameters"]}


@pytest.mark.parametrize("operation", ["DeleteConnection", "DeauthorizeConnection"])
def test_with_its_connection_a_secret_is_gone(bench: Bench, operation: str) -> None:
    bench.ask("CreateConnection", BASIC)
    bench.ask(operation, {"Name": "c"})
    assert secrets(bench) == []


def test_a_refused_change_leaves_no_secret_behind(bench: Bench) -> None:
    bench.ask("CreateConnection", BASIC)
    bench.refusal("CreateConnection", BASIC)
    bench.refusal("UpdateConnection", {"Name": "c", "AuthorizationType": "API_KEY"})
    assert len(secrets(bench)) == 1


def test_what_ended_an_authorisation_is_forgotten_with_a_new_one(bench: Bench) -> None:
    bench.ask("CreateConnection", BASIC)
    key = documents.connection_key(ORDERS, "c")
    entry = bench.desk.replica.get(key)
    assert entry is not None
    failed = {**documents.read(entry), "ConnectionState": "DEAUTHORIZED", "StateReason": "401"}
    bench.loop.run(bench.desk.replica.put(key, documents.write(failed)))
    assert bench.ask("DescribeConnection", {"Name": "c"})["StateReason"] == "401"
    bench.ask("UpdateConnection", {"Name": "c", "AuthParameters": {"BasicAuthParameters": {"Password": "new"}}})
    described = bench.ask("DescribeConnection", {"Name": "c"})
    assert ("StateReason" in described, described["ConnectionState"]) == (False, "AUTHORIZED")
