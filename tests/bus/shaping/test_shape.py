"""What a target gets of an event, and which targets are refused."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.bus.shaping.shape import InputShape, NotDelivered, compile_input
from tests.bus.cases import load

EVENT = {
    "version": "0",
    "id": "1",
    "detail-type": "Placed",
    "source": "orders",
    "detail": {
        "payload": {"acc_id": 1, "sf_id": "baz"},
        "list": ["ACTIVE", "INACTIVE"],
        "lines": [{"sku": "a"}, {"sku": "b"}, {"none": 1}],
        "no": False,
        "nil": None,
        "zero": 0,
        "price": 9.5,
        "quote": 'say "hi"',
        "break": "two\nlines",
        "angle": "<s>",
    },
}
WHOLE = orjson.dumps(EVENT)
ARN = "arn:aws:events:eu-west-1:111111111111:rule/shop/placed"
INGESTED = datetime(2026, 1, 15, 12, 0, 7, 900_000, UTC)


def shaped(target: dict[str, Any], event: bytes | dict[str, Any] = WHOLE) -> bytes | NotDelivered:
    shape = compile_input({"Id": "t", **target})
    assert isinstance(shape, InputShape), shape
    return shape.shape(event, rule_arn=ARN, rule_name="placed", ingested=INGESTED)


def transformer(template: str, paths: dict[str, str]) -> dict[str, Any]:
    return {"InputTransformer": {"InputTemplate": template, "InputPathsMap": paths}}


@pytest.mark.parametrize("case", load("input_shapes"))
@pytest.mark.parametrize("event", [pytest.param(WHOLE, id="bytes"), pytest.param(EVENT, id="parsed")])
def test_shape(case: dict[str, Any], event: bytes | dict[str, Any]) -> None:
    target = case["target"] if "target" in case else transformer(case["template"], case["map"])
    result = shaped(target, event)
    if "gets" in case:
        assert result == case["gets"].replace("WHOLE", WHOLE.decode()).encode()
    else:
        assert isinstance(result, NotDelivered)
        assert (case["reason"] in result.reason, result.code) == (True, case["code"])


@pytest.mark.parametrize("case", load("input_refused"))
def test_refusal(case: dict[str, Any]) -> None:
    assert compile_input(case["target"]) == case["text"]


LENGTH = "failed to satisfy constraint: Member must have length less than or equal to"


@pytest.mark.parametrize(
    ("target", "end"),
    [
        pytest.param({"Input": '"' + "x" * 8191 + '"'}, f"'targets.1.member.input' {LENGTH} 8192", id="a constant"),
        pytest.param({"InputPath": "$." + "x" * 255}, f"'targets.1.member.inputPath' {LENGTH} 256", id="a path"),
        pytest.param(
            transformer('"' + "x" * 8191 + '"', {}),
            f"'targets.1.member.inputTransformer.inputTemplate' {LENGTH} 8192",
            id="a template",
        ),
        pytest.param(
            transformer('"x"', {f"n{number}": "$.a" for number in range(101)}),
            f"'targets.1.member.inputTransformer.inputPathsMap' {LENGTH} 100",
            id="a map",
        ),
    ],
)
def test_too_long(target: dict[str, Any], end: str) -> None:
    text = compile_input(target)
    assert isinstance(text, str)
    assert text.startswith("1 validation error detected: Value '")
    assert text.endswith(f"' at {end}")


@pytest.mark.parametrize(
    "target",
    [
        pytest.param({"Input": '"' + "x" * 8190 + '"'}, id="a constant"),
        pytest.param({"InputPath": "$." + "x" * 254}, id="a path"),
        pytest.param(transformer('"' + "x" * 8190 + '"', {}), id="a template"),
        pytest.param(transformer('"x"', {f"n{number}": "$.a" for number in range(100)}), id="a map"),
    ],
)
def test_just_short_enough(target: dict[str, Any]) -> None:
    assert isinstance(compile_input(target), InputShape)


def test_the_position_of_the_target_is_named() -> None:
    text = compile_input({"InputPath": "$" * 257, "Input": "x" * 9000}, number=3)
    assert isinstance(text, str)
    assert text.startswith("2 validation errors detected: ")
    assert "'targets.3.member.inputPath'" in text


def test_a_part_nested_a_thousand_deep_goes_out_whole() -> None:
    deep = b'{"a":' * 990 + b'"\xc3\xa9"' + b"}" * 990
    event = b'{"detail":{"x":' + deep + b',"y":[1,{"b":"q\\""},[]]}}'
    assert shaped({"InputPath": "$.detail.x"}, event) == deep
    assert shaped({"InputPath": "$.detail"}, event) == event[len(b'{"detail":') : -1]


@pytest.mark.parametrize("text", ["[" * 8000, '{"a":' * 1600, '"<' * 3000, "<" * 8192, "\\" * 8192, '"\n' * 4000])
def test_hostile_texts_are_refused_and_raise_nothing(text: str) -> None:
    assert isinstance(compile_input({"Input": text}), str)
    assert isinstance(compile_input(transformer(text, {})), str)


PIECES = st.sampled_from(
    ["<a>", "<b>", '"', "{", "}", ":", ",", "[", "]", "\\", "x", "1", "\n", "<", ">", '{"k": <a>}']
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)


@given(st.lists(PIECES, max_size=12).map("".join), VALUES)
def test_any_template_is_refused_or_gives_json_or_delivers_nothing(template: str, value: Any) -> None:
    shape = compile_input({"Id": "t", **transformer(template, {"a": "$.detail.v", "b": "$.detail.absent"})})
    if isinstance(shape, str):
        return
    result = shape.shape({"detail": {"v": value}}, rule_arn=ARN, rule_name="placed", ingested=INGESTED)
    if isinstance(result, bytes):
        for line in result.split(b"\n") if template.strip().startswith('"') else [result]:
            orjson.loads(line)
