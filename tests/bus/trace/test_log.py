"""What a router notes of an event's way."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from harness.bus.model import Rule, Target
from harness.bus.patterns.pattern import compile_pattern
from harness.bus.trace.log import TraceLog
from harness.bus.tracing import Attempt
from harness.wire import bus_arn, function_arn

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 1, 15, 12, 0, 0, tzinfo=UTC)
BUS = bus_arn("eu-west-1", "333333333333", "enterprise")
STOCK = Target("domain", function_arn("eu-west-1", "222222222222", "stock"))
RULE = Rule("placed", BUS, "333333333333", compile_pattern({"source": ["orders"]}), (STOCK,))
RULE_ARN = "arn:aws:events:eu-west-1:333333333333:rule/enterprise/placed"


class Kept:
    """A sink; `down`: it cannot keep anything now."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []
        self.down = False

    async def __call__(self, lines: Sequence[bytes]) -> bool:
        if not self.down:
            self.lines += map(json.loads, lines)
        return not self.down


def a_log(sink: Kept, *, size: int = 1000) -> TraceLog:
    return TraceLog(sink, clock=lambda: NOON, size=size)


async def test_a_match_names_its_bus_and_rules() -> None:
    kept = Kept()
    log = a_log(kept)
    log.matched("e-1", BUS, [RULE])
    await log.flush()
    assert kept.lines == [
        {"event": "e-1", "step": "matched", "bus": BUS, "rules": [RULE_ARN], "at": "2026-01-15T12:00:00+00:00"}
    ]


async def test_an_attempt_that_failed_says_why_and_when_the_next_one_is() -> None:
    kept = Kept()
    log = a_log(kept)
    log.attempted(Attempt("e-1", RULE, STOCK, 2, 0.0123, "ERROR_FROM_TARGET", "stock answered 500", 1.5))
    await log.flush()
    (line,) = kept.lines
    assert (line["number"], line["ms"], line["code"], line["message"], line["next"]) == (
        2,
        12.3,
        "ERROR_FROM_TARGET",
        "stock answered 500",
        "2026-01-15T12:00:01.500000+00:00",
    )


async def test_an_attempt_that_was_taken_has_no_code() -> None:
    kept = Kept()
    log = a_log(kept)
    log.attempted(Attempt("e-1", RULE, STOCK, 1, 0.001))
    log.delivered("e-1", RULE, STOCK)
    await log.flush()
    assert [sorted(line) for line in kept.lines] == [["arn", "at", "event", "ms", "number", "rule", "step", "target"]]


async def test_what_was_given_up_names_the_queue() -> None:
    kept = Kept()
    log = a_log(kept)
    log.given_up("e-1", RULE, STOCK, code="TIMEOUT", queue="arn:aws:sqs:eu-west-1:222222222222:dead", reason="")
    await log.flush()
    assert [(line["step"], line["code"], line["queue"].rpartition(":")[2]) for line in kept.lines] == [
        ("given-up", "TIMEOUT", "dead")
    ]


async def test_notes_wait_in_their_order_while_they_cannot_be_kept() -> None:
    kept = Kept()
    log = a_log(kept)
    kept.down = True
    log.matched("e-1", BUS, [])
    await log.flush()
    log.matched("e-2", BUS, [])
    kept.down = False
    await log.flush()
    assert [line["event"] for line in kept.lines] == ["e-1", "e-2"]


async def test_what_finds_no_room_is_counted() -> None:
    kept = Kept()
    log = a_log(kept, size=2)
    kept.down = True
    for number in range(4):
        log.matched(f"e-{number}", BUS, [])
        await log.flush()
    kept.down = False
    await log.flush()
    assert (log.dropped, [line["event"] for line in kept.lines]) == (2, ["e-2", "e-3"])


async def test_what_is_noted_last_is_written_at_the_end() -> None:
    kept = Kept()
    log = a_log(kept)
    async with log.running():
        log.matched("e-1", BUS, [])
    assert [line["event"] for line in kept.lines] == ["e-1"]
