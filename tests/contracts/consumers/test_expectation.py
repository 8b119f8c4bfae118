"""A pact's body and matching rules as a schema: what it accepts, and the fields that it reads."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from harness.contracts.consumers.expectation import expectation, only
from harness.contracts.consumers.matching_rules import Rules, read_rules
from harness.contracts.field_path import parse_field_path, show_field_path

CASES = json.loads((Path(__file__).parent / "cases" / "expectations.json").read_text())


def rules(written: Any) -> Rules:
    body = {path: said if isinstance(said, dict) else {"matchers": said} for path, said in written.items()}
    return read_rules({"body": body}, "response").get("body", Rules(()))


@pytest.mark.parametrize("case", [pytest.param(each, id=each["name"]) for each in CASES])
def test_an_expectation(case: dict[str, Any]) -> None:
    expected = expectation(case["body"], rules(case["rules"]))

    assert [show_field_path(path) for path in expected.fields()] == case["fields"]
    for value in case["accepts"]:
        assert jsonschema_rs.is_valid(expected.full, value), value
        assert jsonschema_rs.is_valid(expected.shape, value), value
    for value in case["refuses"]:
        assert not jsonschema_rs.is_valid(expected.full, value), value


def test_a_shape_asks_for_types_alone() -> None:
    expected = expectation({"status": "pending", "n": [1]}, rules({"$.status": [{"match": "regex", "regex": "^p"}]}))

    assert jsonschema_rs.is_valid(expected.shape, {"status": "x", "n": [3, 4]})
    assert not jsonschema_rs.is_valid(expected.shape, {"status": 1, "n": [3]})
    assert not jsonschema_rs.is_valid(expected.shape, {"status": "x"})


def test_one_field_of_an_expectation() -> None:
    expected = expectation({"lines": [{"sku": "a", "n": 1}]}, rules({"$.lines": [{"match": "type"}]}))

    schema = only(expected, parse_field_path("$.lines[*].sku"), shape=False)

    assert schema is not None
    assert jsonschema_rs.is_valid(schema, {"lines": [{"sku": "b"}]})
    assert not jsonschema_rs.is_valid(schema, {"lines": [{"n": 1}]})
    assert only(expected, parse_field_path("$.lines[*].price"), shape=False) is None
