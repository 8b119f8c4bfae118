"""Event contracts say what is wrong with an event, and where."""

import json
from typing import Any

import pytest

from harness.contracts import EventContract
from harness.errors import InputError

SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["data"],
    "properties": {
        "data": {
            "type": "object",
            "required": ["orderId"],
            "properties": {"orderId": {"type": "string", "format": "uuid"}, "quantity": {"type": "integer"}},
        }
    },
}
ORDER_ID = "11111111-1111-4111-8111-111111111111"


def contract() -> EventContract:
    return EventContract("orders", "OrderPlaced.v1", json.dumps(SCHEMA), file="OrderPlaced.v1.json")


def test_a_valid_event_has_no_violations() -> None:
    assert contract().violations({"data": {"orderId": ORDER_ID}}) == []


@pytest.mark.parametrize(
    ("detail", "pointer"),
    [
        pytest.param({}, "", id="a missing field at the top"),
        pytest.param({"data": {}}, "/data", id="a missing field inside"),
        pytest.param({"data": {"orderId": "17"}}, "/data/orderId", id="a text that is not of its format"),
        pytest.param({"data": {"orderId": ORDER_ID, "quantity": "1"}}, "/data/quantity", id="a wrong type"),
    ],
)
def test_a_violation_points_at_its_place(detail: Any, pointer: str) -> None:
    assert [violation.pointer for violation in contract().violations(detail)] == [pointer]


def test_every_violation_is_told() -> None:
    assert len(contract().violations({"data": {"orderId": 1, "quantity": "1"}})) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param('{\n"type": ', "OrderPlaced.v1.json:2: not JSON", id="no JSON, with its line"),
        pytest.param('{"type": "objekt"}', "OrderPlaced.v1.json: not a JSON Schema", id="no JSON Schema"),
    ],
)
def test_a_file_that_is_no_schema_is_refused(text: str, said: str) -> None:
    with pytest.raises(InputError) as refused:
        EventContract("orders", "OrderPlaced.v1", text, file="OrderPlaced.v1.json")

    assert str(refused.value).startswith(said)
