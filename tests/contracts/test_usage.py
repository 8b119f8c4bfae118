"""Recorded usage: what is written is read back, calls add up, and a wrong line is told with its key."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from harness.contracts.field_path import ELEMENT
from harness.contracts.usage import Call, Seen, merge, parse_usage, serialise, used_once
from harness.errors import InputError

CASES = json.loads((Path(__file__).parent / "cases" / "usage_lines.json").read_text())
GET_ORDER = Call("v2", "GET", "/orders/{orderId}")
PLACE_ORDER = Call("v2", "POST", "/orders")
MONDAY, TUESDAY = date(2026, 1, 12), date(2026, 1, 13)
ONCE = {"count": 1, "first": "2026-01-12", "last": "2026-01-12"}


def test_what_is_written_is_read_back() -> None:
    usages = merge(
        [
            used_once(
                PLACE_ORDER,
                MONDAY,
                status=201,
                parameters={"header": ["Idempotency-Key"], "query": []},
                request_fields=[("lines",), ("lines", ELEMENT, "odd 'name'")],
            ),
            used_once(GET_ORDER, TUESDAY, status=200, parameters={"path": ["orderId"]}, response_fields=[("total",)]),
        ]
    )

    assert parse_usage(serialise(usages), file="x.recorded.jsonl") == usages


def test_the_same_usage_gives_the_same_bytes() -> None:
    one = used_once(GET_ORDER, MONDAY, status=200)
    other = used_once(PLACE_ORDER, TUESDAY, status=201, request_fields=[("b",), ("a",)])

    assert serialise([one, other]) == serialise([other, one])


def test_calls_of_one_operation_add_up() -> None:
    calls = [
        used_once(GET_ORDER, TUESDAY, status=200, parameters={"query": ["fields"]}),
        used_once(GET_ORDER, MONDAY, status=404),
    ]

    (usage,) = merge(calls)

    assert usage.seen == Seen(2, MONDAY, TUESDAY)
    assert usage.statuses == {200: Seen(1, TUESDAY, TUESDAY), 404: Seen(1, MONDAY, MONDAY)}
    assert usage.parameters == {"query": {"fields": Seen(1, TUESDAY, TUESDAY)}}


def test_a_call_that_chose_no_fields_is_not_lost_beside_one_that_did() -> None:
    line = {"version": "v2", "method": "GET", "path": "/orders/{orderId}", "seen": ONCE}
    (said_nothing,) = parse_usage(json.dumps(line), file="x")
    chose = used_once(GET_ORDER, TUESDAY, status=200, response_fields=[("total",)])

    (usage,) = merge([said_nothing, chose])

    assert usage.response_fields == {(): said_nothing.seen, ("total",): chose.seen}


def test_names_of_headers_are_kept_in_lower_case() -> None:
    usage = used_once(PLACE_ORDER, MONDAY, status=201, parameters={"header": ["Idempotency-Key"]})

    assert list(usage.parameters["header"]) == ["idempotency-key"]


def test_empty_lines_are_passed_over() -> None:
    assert parse_usage("\n \n", file="x") == ()


@pytest.mark.parametrize("case", [pytest.param(each, id=each["name"]) for each in CASES])
def test_a_wrong_line_is_told(case: dict[str, Any]) -> None:
    good = {"version": "v2", "method": "GET", "path": "/orders", "seen": ONCE}
    wrong = case.get("text") or json.dumps({**good, **case["with"]})

    with pytest.raises(InputError) as refused:
        parse_usage(f"{json.dumps(good)}\n{wrong}\n", file="shop.recorded.jsonl")

    assert str(refused.value) == f"shop.recorded.jsonl:2: {case['said']}"


def test_every_wrong_line_is_told() -> None:
    with pytest.raises(InputError) as refused:
        parse_usage("{\n[]\n", file="x")

    assert [problem.line for problem in refused.value.problems] == [1, 2]
