"""Requests against AWS's model: the tables say what it says, and what is sent against it is refused by name."""

import json
from typing import Any

import orjson
import pytest
from botocore import model
from botocore.session import get_session

from harness.bus.operations.requests import REQUESTS
from harness.bus.operations.shapes import (
    MAX_ECHO_CHARACTERS,
    REDACTED,
    Choice,
    Flag,
    Instant,
    Many,
    Secret,
    Shape,
    Structure,
    Table,
    Whole,
    read_request,
)
from harness.bus.put_events import RequestError
from harness.query_protocol.constraints import Text

SERVICE = get_session().get_service_model("events")
NO_LIMIT = 2**31 - 1


@pytest.mark.parametrize("operation", sorted(REQUESTS))
def test_a_request_is_that_of_the_model(operation: str) -> None:
    compare(REQUESTS[operation], SERVICE.operation_model(operation).input_shape, operation)


def compare(shape: Shape, wanted: Any, where: str) -> None:
    of = wanted.metadata
    assert bool(of.get("sensitive")) is isinstance(shape, Secret) or isinstance(shape, Many), where
    match shape.text if isinstance(shape, Secret) else shape:
        case Structure(name, members, required):
            assert (name, set(members)) == (wanted.name, set(wanted.members)), where
            assert set(required) == set(wanted.required_members), where
            for member, inner in members.items():
                compare(inner, wanted.members[member], f"{where}.{member}")
        case Many(inner, least, most):
            assert (least, most) == (of.get("min", 0), of.get("max", NO_LIMIT)), where
            compare(inner, wanted.member, f"{where}[]")
        case Table(names, values, most):
            assert most == of.get("max", NO_LIMIT), where
            compare(names, wanted.key, f"{where} key")
            compare(values, wanted.value, f"{where} value")
        case Choice(words):
            assert set(words) == set(of["enum"]), where
        case Text(least, most, shown):
            assert (least, most, shown) == (of.get("min", 0), of.get("max", NO_LIMIT), of.get("pattern", "")), where
        case Whole(least, most):
            assert (wanted.type_name, least, most) == ("integer", of.get("min", -(2**31)), of.get("max", NO_LIMIT))
        case Flag():
            assert wanted.type_name == "boolean", where
        case Instant():
            assert isinstance(wanted, model.Shape), where
            assert wanted.type_name == "timestamp", where


def refusal(operation: str, request: object) -> RequestError:
    found = read_request(REQUESTS[operation], request)
    assert isinstance(found, RequestError)
    return found


@pytest.mark.parametrize(
    ("operation", "request_body", "where"),
    [
        pytest.param("CreateEventBus", [], "Start of structure or map found where not expected.", id="a list"),
        pytest.param("CreateEventBus", {"Name": 1}, "Unexpected field type: name", id="a number for a text"),
        pytest.param("ListRules", {"Limit": "1"}, "Unexpected field type: limit", id="a text for a number"),
        pytest.param("ListRules", {"Limit": True}, "Unexpected field type: limit", id="a boolean for a number"),
        pytest.param("ListRules", {"Limit": 1.5}, "Unexpected field type: limit", id="a fraction for a whole number"),
        pytest.param("DeleteRule", {"Name": "r", "Force": "y"}, "Unexpected field type: force", id="a text for a flag"),
        pytest.param("TagResource", {"ResourceARN": "a", "Tags": {}}, "Unexpected field type: tags", id="no list"),
        pytest.param(
            "TagResource",
            {"ResourceARN": "a", "Tags": ["a"]},
            "Unexpected field type: tags.1.member",
            id="a text for a structure",
        ),
        pytest.param(
            "PutTargets",
            {"Rule": "r", "Targets": [{"InputTransformer": {"InputPathsMap": {"a": 1}}}]},
            "Unexpected field type: targets.1.member.inputTransformer.inputPathsMap",
            id="a number in a map of texts",
        ),
        pytest.param(
            "StartReplay",
            {"EventStartTime": "2026-01-01"},
            "Unexpected field type: eventStartTime",
            id="a date written out",
        ),
        pytest.param("StartReplay", {"EventStartTime": 1e300}, "Unexpected field type: eventStartTime", id="no date"),
    ],
)
def test_what_is_not_of_the_kind_is_named(operation: str, request_body: object, where: str) -> None:
    assert refusal(operation, request_body) == RequestError("SerializationException", where)


def test_members_that_are_unknown_or_null_are_not_there() -> None:
    assert read_request(REQUESTS["ListRules"], {"Limit": None, "Colour": "red", "NamePrefix": "a"}) == {
        "NamePrefix": "a"
    }


def test_a_long_value_is_repeated_in_part() -> None:
    found = refusal("PutRule", {"Name": "r", "EventPattern": "x" * 10_000})
    assert found.message == (
        f"1 validation error detected: Value '{'x' * MAX_ECHO_CHARACTERS}' at 'eventPattern' failed to satisfy "
        "constraint: Member must have length less than or equal to 4096"
    )


def test_a_list_that_is_too_long_is_not_looked_into() -> None:
    found = refusal("PutTargets", {"Rule": "r", "Targets": [{"Id": "!"}] * 100_000})
    assert found.message.endswith(
        "at 'targets' failed to satisfy constraint: Member must have length less than or equal to 100"
    )
    assert len(found.message) < 2 * MAX_ECHO_CHARACTERS


def test_a_secret_is_not_repeated_within_what_it_is_in() -> None:
    target = {"Id": "a", "Arn": "b", "AppSyncParameters": {"GraphQLOperation": "hush"}}
    found = refusal("PutTargets", {"Rule": "r", "Targets": [target] * 101})
    assert "hush" not in found.message
    assert REDACTED in found.message


HOSTILE = ("a" * 512 + "\x00", " " * 511 + "\x00", "\t" * 512, " \t" * 256 + ":", "a " * 255 + "\x7f", "%" * 512)


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_keeps_a_pattern_busy(text: str) -> None:
    """Not a time limit: what backtracks without end would not come back within the run."""
    parameters = {
        "BasicAuthParameters": {"Username": text, "Password": text},
        "InvocationHttpParameters": {"HeaderParameters": [{"Key": text, "Value": text}]},
    }
    request = {"Name": text, "AuthorizationType": "BASIC", "AuthParameters": parameters}
    refusal("CreateConnection", request)


@pytest.mark.parametrize(
    ("shape", "text", "good"),
    [
        pytest.param("header", "a b\tc", True, id="a header with white space inside"),
        pytest.param("header", "\ta ", True, id="a header with white space around"),
        pytest.param("header", "\t", False, id="a header of a tab alone"),
        pytest.param("header", "", False, id="an empty header"),
        pytest.param("header", "a\nb", False, id="a header with a line break"),
        pytest.param("user", "ann b", True, id="a user with a space"),
        pytest.param("user", "ann:b", False, id="a user with a colon"),
        pytest.param("user", "\t", False, id="a user of a tab alone"),
        pytest.param("user", "ünn", True, id="a user of other letters"),
    ],
)
def test_the_faster_patterns_take_what_awss_take(shape: str, text: str, good: bool) -> None:
    user = text if shape == "user" else "u"
    header = [{"Key": "k", "Value": text if shape == "header" else "v"}]
    parameters = {
        "BasicAuthParameters": {"Username": user, "Password": "p"},
        "InvocationHttpParameters": {"HeaderParameters": header},
    }
    found = read_request(
        REQUESTS["CreateConnection"], {"Name": "c", "AuthorizationType": "BASIC", "AuthParameters": parameters}
    )
    assert isinstance(found, RequestError) is not good


def test_deeply_nested_json_is_refused_and_not_followed() -> None:
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads("[" * 100_000)
    deep: Any = "x"
    for _ in range(900):
        deep = {"Name": deep}
    assert refusal("CreateEventBus", json.loads(json.dumps(deep))).message == "Unexpected field type: name"
