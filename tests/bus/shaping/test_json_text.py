"""JSON written without a limit of depth."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given

from harness.bus.envelope import from_bytes
from harness.bus.put_events import Entry, read_entry
from harness.bus.shaping.json_text import dumps
from tests.bus.shaping.test_shape import VALUES


def nested(value: Any, depth: int) -> Any:
    for level in range(depth):
        value = {"a": value} if level % 2 else [value]
    return value


@given(VALUES)
def test_deep_values_are_written_as_shallow_ones(value: Any) -> None:
    shallow = orjson.dumps(value)
    assert dumps(value) == shallow
    deep = dumps(nested([value, 1], 300))
    assert b"[" + shallow + b",1]" in deep
    assert orjson.loads(deep) == nested([orjson.loads(shallow), 1], 300)


def test_an_event_nested_as_deep_as_put_events_allows_is_stored_whole() -> None:
    detail = '{"a":' * 999 + "{}" + "}" * 999
    entry = read_entry({"Source": "orders", "DetailType": "Placed", "Detail": detail})
    assert isinstance(entry, Entry)
    record = entry.record(
        event_id="1", account="111111111111", region="eu-west-1", now=datetime(2026, 1, 1, tzinfo=UTC)
    )
    assert detail.encode() in record.body
    assert from_bytes(record.body)["id"] == "1"


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(TypeError):
        dumps({"a": object()})
