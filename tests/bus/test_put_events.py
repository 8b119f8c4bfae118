"""Which requests and entries PutEvents takes, and what an event looks like."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from harness.bus.put_events import Entry, EntryError, RequestError, entry_bytes, read_request
from tests.bus.cases import load

NOON = datetime(2026, 1, 15, 12, 0, 0, 900_000, tzinfo=UTC)
GOOD = {"Source": "orders", "DetailType": "Placed", "Detail": "{}"}


def read_one(entry: dict[str, Any]) -> Entry | EntryError:
    outcome = read_request({"Entries": [entry]})
    assert isinstance(outcome, list)
    return outcome[0]


def envelope_of(entry: dict[str, Any]) -> dict[str, Any]:
    read = read_one(entry)
    assert isinstance(read, Entry)
    record = read.record(event_id="id-1", account="222222222222", region="eu-west-1", now=NOON)
    envelope: dict[str, Any] = json.loads(record.body)
    return envelope


@pytest.mark.parametrize("case", load("put_events"))
def test_entry(case: dict[str, Any]) -> None:
    outcome = read_one(case["entry"])
    if "code" in case:
        assert outcome == EntryError(case["code"], case["message"])
    else:
        assert isinstance(outcome, Entry)


def test_a_bad_entry_leaves_the_others_alone_and_in_their_places() -> None:
    outcome = read_request({"Entries": [GOOD, {}, GOOD]})
    assert isinstance(outcome, list)
    assert [isinstance(entry, Entry) for entry in outcome] == [True, False, True]


@pytest.mark.parametrize(
    "entries",
    [
        pytest.param([{**GOOD, "Detail": "x" * 900_000}] * 11, id="that are long"),
        pytest.param([{}] * 1_000_000, id="that are many"),
        pytest.param([{}] * 1000 + [1], id="the last of them never looked at"),
    ],
)
def test_a_refusal_does_not_repeat_entries_without_bound(entries: list[Any]) -> None:
    outcome = read_request({"Entries": entries})
    assert isinstance(outcome, RequestError)
    assert outcome.type == "ValidationException"
    assert len(outcome.message) < 70_000
    assert outcome.message.endswith(
        "]' at 'entries' failed to satisfy constraint: Member must have length less than or equal to 10"
    )


def test_detail_nested_a_thousand_deep_is_good() -> None:
    detail = '{"a":' * 999 + "{}" + "}" * 999
    assert isinstance(read_one({**GOOD, "Detail": detail}), Entry)


def test_detail_nested_deeper_is_malformed() -> None:
    detail = '{"a":' * 1000 + "{}" + "}" * 1000
    assert read_one({**GOOD, "Detail": detail}) == EntryError("MalformedDetail", "Detail is malformed.")


def test_wide_detail_is_not_taken_for_deep() -> None:
    assert isinstance(read_one({**GOOD, "Detail": json.dumps({"a": [[]] * 2000})}), Entry)


@pytest.mark.parametrize(
    ("payload", "type_"),
    [
        pytest.param([], "SerializationException", id="a body that is no object"),
        pytest.param({}, "ValidationException", id="no entries"),
        pytest.param({"Entries": []}, "ValidationException", id="an empty list of entries"),
        pytest.param({"Entries": [GOOD] * 11}, "ValidationException", id="eleven entries"),
        pytest.param({"Entries": {"a": 1}}, "SerializationException", id="entries that are no list"),
        pytest.param({"Entries": ["x"]}, "SerializationException", id="an entry that is no object"),
        pytest.param({"Entries": [{**GOOD, "Source": 1}]}, "SerializationException", id="a source that is a number"),
        pytest.param({"Entries": [{**GOOD, "Resources": [1]}]}, "SerializationException", id="a resource that is one"),
        pytest.param({"Entries": [{**GOOD, "Time": "noon"}]}, "SerializationException", id="a time in words"),
    ],
)
def test_a_request_is_refused_as_a_whole(payload: object, type_: str) -> None:
    outcome = read_request(payload)
    assert isinstance(outcome, RequestError)
    assert outcome.type == type_


def test_eleven_entries_are_named_in_the_refusal() -> None:
    outcome = read_request({"Entries": [GOOD] * 11})
    assert isinstance(outcome, RequestError)
    entry = (
        "PutEventsRequestEntry(time=null, source=orders, resources=null, detailType=Placed, detail={}, "
        "eventBusName=null)"
    )
    assert outcome.message == (
        f"1 validation error detected: Value '[{', '.join([entry] * 11)}]' at 'entries' failed to satisfy "
        "constraint: Member must have length less than or equal to 10"
    )


@pytest.mark.parametrize(
    ("entry", "size"),
    [
        pytest.param(GOOD, 14, id="the texts"),
        pytest.param({**GOOD, "Time": 0}, 28, id="fourteen for a time"),
        pytest.param({**GOOD, "Source": "ö"}, 10, id="bytes, not characters"),
        pytest.param({**GOOD, "Resources": ["ab", "c"]}, 17, id="the resources"),
        pytest.param({**GOOD, "EventBusName": "shop"}, 14, id="nothing for the bus"),
        pytest.param({}, 0, id="nothing for nothing"),
    ],
)
def test_the_size_of_an_entry_counts(entry: dict[str, Any], size: int) -> None:
    assert entry_bytes(entry) == size


@pytest.mark.parametrize("limit", [262_144, 1_048_576])
def test_entries_up_to_the_limit_are_taken_together(limit: int) -> None:
    half = {**GOOD, "Detail": json.dumps({"a": "x" * (limit // 2 - 12 - len('{"a": ""}'))})}
    assert isinstance(read_request({"Entries": [half, half]}, max_bytes=limit), list)


@pytest.mark.parametrize("limit", [262_144, 1_048_576])
def test_one_byte_over_the_limit_refuses_the_request(limit: int) -> None:
    half = {**GOOD, "Detail": json.dumps({"a": "x" * (limit // 2 - 12 - len('{"a": ""}'))})}
    outcome = read_request({"Entries": [half, {**half, "Source": "orders+"}]}, max_bytes=limit)
    text = "Total size of the entries in the request is over the limit."
    assert outcome == RequestError("ValidationException", text)


def test_the_envelope_has_the_keys_in_the_order_of_eventbridge() -> None:
    envelope = envelope_of({**GOOD, "Detail": '{"b": 1, "a": 2}', "Resources": ["arn:x"]})
    assert json.dumps(envelope) == (
        '{"version": "0", "id": "id-1", "detail-type": "Placed", "source": "orders", "account": "222222222222", '
        '"time": "2026-01-15T12:00:00Z", "region": "eu-west-1", "resources": ["arn:x"], "detail": {"b": 1, "a": 2}}'
    )


def test_the_time_of_the_entry_is_kept_in_whole_seconds() -> None:
    assert envelope_of({**GOOD, "Time": 1768478399.7})["time"] == "2026-01-15T11:59:59Z"


def test_an_entry_without_resources_has_an_empty_list() -> None:
    assert envelope_of(GOOD)["resources"] == []
